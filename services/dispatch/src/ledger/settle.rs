//! The decision at the close of a batch: who is done, who is tried again, who falls back to SMS, who is unreachable.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::batch::{Outcomes, RecipientList};
use domain::outcome::{Channel, Outcome, Step, next_step};

/// Where the recipients of a closed batch go. Every recipient is counted in exactly one of the five.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settled {
    pub accepted: usize,
    pub withdrawn: usize,
    pub retry: Vec<u32>,
    /// The least wait before the retry batch, without jitter.
    pub retry_after: Duration,
    pub fallback: Vec<u32>,
    pub unreachable: Vec<u32>,
    /// An operator must mend our credentials before this batch can close.
    pub held: bool,
}

/// Settles a batch after its `attempt`-th send. `with_phone` are those who can be reached by SMS; `ended`: the alert is over, nobody is sent to again.
pub(super) fn settle(
    recipients: &RecipientList,
    outcomes: &Outcomes,
    attempt: u8,
    channel: Channel,
    with_phone: &BTreeSet<u32>,
    ended: bool,
) -> Settled {
    let mut settled = Settled::default();
    for (&number, &outcome) in recipients.as_slice().iter().zip(outcomes.as_slice()) {
        match next_step(outcome, attempt, channel, with_phone.contains(&number)) {
            Step::Done if outcome == Outcome::Accepted => settled.accepted += 1,
            Step::Done => settled.withdrawn += 1,
            _ if ended => settled.withdrawn += 1,
            Step::RetrySameChannel { after } => {
                settled.retry.push(number);
                settled.retry_after = settled.retry_after.max(after);
            }
            Step::FallbackToSms => settled.fallback.push(number),
            Step::Unreachable => settled.unreachable.push(number),
            Step::HoldForOperator => settled.held = true,
        }
    }
    settled
}

/// Those for whom it matters whether they have a phone.
pub(super) fn may_fall_back(recipients: &RecipientList, outcomes: &Outcomes, attempt: u8, channel: Channel) -> Vec<u32> {
    let of = recipients.as_slice().iter().zip(outcomes.as_slice());
    of.filter(|(_, outcome)| next_step(**outcome, attempt, channel, true) == Step::FallbackToSms).map(|(number, _)| *number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(of: &[Outcome]) -> (RecipientList, Outcomes) {
        let mut outcomes = Outcomes::pending(of.len());
        for (position, outcome) in of.iter().enumerate() {
            outcomes.set(position, *outcome);
        }
        (RecipientList::from_ascending((1..).take(of.len())).unwrap(), outcomes)
    }

    #[test]
    fn everybody_goes_to_exactly_one_place() {
        use Outcome::*;
        let (recipients, outcomes) = batch(&[Accepted, Temporary, EndpointGone, EndpointGone, Throttled, Withdrawn, Permanent]);
        let settled = settle(&recipients, &outcomes, 1, Channel::App, &BTreeSet::from([2, 3]), false);
        assert_eq!((settled.accepted, settled.withdrawn), (1, 1));
        assert_eq!(settled.retry, [2, 5]);
        assert_eq!(settled.fallback, [3], "only who has a phone falls back");
        assert_eq!(settled.unreachable, [4, 7]);
        assert!(settled.retry_after > Duration::ZERO && !settled.held);
    }

    #[test]
    fn after_the_end_of_an_alert_nobody_is_sent_to_again() {
        let (recipients, outcomes) = batch(&[Outcome::Accepted, Outcome::Temporary, Outcome::EndpointGone, Outcome::CredentialsRefused]);
        let settled = settle(&recipients, &outcomes, 1, Channel::App, &BTreeSet::from([3]), true);
        assert_eq!(settled, Settled { accepted: 1, withdrawn: 3, ..Settled::default() });
    }

    #[test]
    fn refused_credentials_hold_the_batch() {
        let (recipients, outcomes) = batch(&[Outcome::Accepted, Outcome::CredentialsRefused]);
        assert!(settle(&recipients, &outcomes, 1, Channel::App, &BTreeSet::new(), false).held);
    }

    #[test]
    fn phones_are_looked_up_only_for_app_recipients_who_cannot_be_reached() {
        let (recipients, outcomes) = batch(&[Outcome::Accepted, Outcome::NoEndpoint, Outcome::Temporary]);
        assert_eq!(may_fall_back(&recipients, &outcomes, 1, Channel::App), [2]);
        assert_eq!(may_fall_back(&recipients, &outcomes, 1, Channel::Sms), [0; 0]);
    }
}
