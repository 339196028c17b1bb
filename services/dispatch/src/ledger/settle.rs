//! The decision at the close of a batch: who is done, who is tried again, who falls back to SMS, who is unreachable.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::batch::{Outcomes, RecipientList};
use domain::outcome::{Channel, MAX_ATTEMPTS_THROTTLED, Outcome, Step, next_step};
use domain::patience::Refused;

/// When who has no phone is tried with the refused credentials again.
const REFUSED_AGAIN: Duration = Duration::from_secs(60);

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
    /// Of the fallback, those to whom our credentials did not reach.
    pub refused: usize,
    /// An operator must mend our credentials before this batch can close.
    pub held: bool,
}

/// How a batch was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// Which send it was, from 1.
    pub attempt: u8,
    pub channel: Channel,
    /// What becomes of those to whom our credentials do not reach.
    pub refused: Refused,
}

impl Way {
    fn step(self, outcome: Outcome, has_phone: bool) -> Step {
        next_step(outcome, self.attempt, self.channel, has_phone)
    }

    /// Whether the credentials were refused for long enough. Who has no outcome then was kept from sending by the refusal.
    fn gives_up(self, outcomes: &Outcomes) -> bool {
        self.channel == Channel::App && self.refused == Refused::ByAnotherChannel && outcomes.count(Outcome::CredentialsRefused) > 0
    }
}

fn is_refused(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::CredentialsRefused | Outcome::Pending)
}

/// Settles a batch after it was sent. `with_phone` are those who can be reached by SMS; `ended`: the alert is over, nobody is sent to again.
pub(super) fn settle(recipients: &RecipientList, outcomes: &Outcomes, way: Way, with_phone: &BTreeSet<u32>, ended: bool) -> Settled {
    let each = || recipients.as_slice().iter().copied().zip(outcomes.as_slice().iter().copied());
    // Where none of the refused has a phone the batch goes on waiting.
    let gives_up = way.gives_up(outcomes) && each().any(|(number, outcome)| is_refused(outcome) && with_phone.contains(&number));
    let mut settled = Settled::default();
    for (number, outcome) in each() {
        let has_phone = with_phone.contains(&number);
        match way.step(outcome, has_phone) {
            Step::Done if outcome.is_handed_over() => settled.accepted += 1,
            Step::Done => settled.withdrawn += 1,
            _ if ended => settled.withdrawn += 1,
            _ if gives_up && is_refused(outcome) && has_phone => {
                settled.refused += 1;
                settled.fallback.push(number);
            }
            _ if gives_up && is_refused(outcome) && way.attempt < MAX_ATTEMPTS_THROTTLED => {
                settled.retry.push(number);
                settled.retry_after = settled.retry_after.max(REFUSED_AGAIN);
            }
            Step::RetrySameChannel { after } => {
                settled.retry.push(number);
                settled.retry_after = settled.retry_after.max(after);
            }
            Step::FallbackToSms => settled.fallback.push(number),
            Step::Unreachable => settled.unreachable.push(number),
            Step::HoldForOperator if gives_up => settled.unreachable.push(number),
            Step::HoldForOperator => settled.held = true,
        }
    }
    settled
}

/// Those for whom it matters whether they have a phone.
pub(super) fn may_fall_back(recipients: &RecipientList, outcomes: &Outcomes, way: Way) -> Vec<u32> {
    let gives_up = way.gives_up(outcomes);
    let of = recipients.as_slice().iter().zip(outcomes.as_slice());
    of.filter(|(_, outcome)| gives_up && is_refused(**outcome) || way.step(**outcome, true) == Step::FallbackToSms)
        .map(|(number, _)| *number)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: Way = Way { attempt: 1, channel: Channel::App, refused: Refused::Wait };

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
        let settled = settle(&recipients, &outcomes, APP, &BTreeSet::from([2, 3]), false);
        assert_eq!((settled.accepted, settled.withdrawn), (1, 1));
        assert_eq!(settled.retry, [2, 5]);
        assert_eq!(settled.fallback, [3], "only who has a phone falls back");
        assert_eq!(settled.unreachable, [4, 7]);
        assert!(settled.retry_after > Duration::ZERO && !settled.held);
    }

    #[test]
    fn after_the_end_of_an_alert_nobody_is_sent_to_again() {
        let (recipients, outcomes) = batch(&[Outcome::Accepted, Outcome::Temporary, Outcome::EndpointGone, Outcome::CredentialsRefused]);
        let settled = settle(&recipients, &outcomes, APP, &BTreeSet::from([3]), true);
        assert_eq!(settled, Settled { accepted: 1, withdrawn: 3, ..Settled::default() });
    }

    #[test]
    fn refused_credentials_hold_the_batch() {
        let (recipients, outcomes) = batch(&[Outcome::Accepted, Outcome::CredentialsRefused]);
        assert!(settle(&recipients, &outcomes, APP, &BTreeSet::new(), false).held);
    }

    #[test]
    fn when_the_deadline_is_near_who_has_a_phone_does_not_wait_for_the_operator() {
        let late = Way { refused: Refused::ByAnotherChannel, ..APP };
        let (recipients, outcomes) = batch(&[Outcome::Accepted, Outcome::CredentialsRefused, Outcome::Pending, Outcome::Pending]);
        assert_eq!(may_fall_back(&recipients, &outcomes, late), [2, 3, 4]);
        let settled = settle(&recipients, &outcomes, late, &BTreeSet::from([2, 3]), false);
        assert_eq!((settled.accepted, settled.refused, settled.held), (1, 2, false));
        assert_eq!((&settled.fallback[..], &settled.retry[..]), (&[2, 3][..], &[4][..]), "who has none is tried again");
        assert!(settle(&recipients, &outcomes, late, &BTreeSet::new(), false).held, "nobody has a phone");

        let (recipients, mended) = batch(&[Outcome::Accepted, Outcome::Pending]);
        assert_eq!(settle(&recipients, &mended, late, &BTreeSet::from([2]), false).retry, [2], "nothing is refused any more");
    }

    #[test]
    fn phones_are_looked_up_only_for_app_recipients_who_cannot_be_reached() {
        let (recipients, outcomes) = batch(&[Outcome::Accepted, Outcome::NoEndpoint, Outcome::Temporary]);
        assert_eq!(may_fall_back(&recipients, &outcomes, APP), [2]);
        assert_eq!(may_fall_back(&recipients, &outcomes, Way { channel: Channel::Sms, ..APP }), [0; 0]);
    }
}
