//! What became of one recipient on one channel, and what follows from it.
//!
//! Every answer of every provider is mapped to one [`Outcome`]. A batch stores one byte a recipient, so the numbers below are a
//! storage format: they are never changed or given away again, new ones are added behind. What is done about an outcome is decided
//! here alone, by [`next_step`]: push, sms and display report, dispatch asks.

use std::time::Duration;

use strum::VariantArray;

use crate::retry::Backoff;

crate::words! {
    /// A way to reach people (CQ9).
    pub enum Channel {
        /// The resident's app, by APNs, FCM or Web Push (CQ9 a).
        App,
        /// A short message to the resident's phone (CQ9 b).
        Sms,
        /// Public screens (CQ9 c): they show an alert to a place, never to a person.
        Display,
    }
}

impl Channel {
    /// Which channel tells somebody first: the app where there is one, else SMS (CQ9). `None`: neither, and the community follows up.
    pub const fn first(app: bool, sms: bool) -> Option<Self> {
        match (app, sms) {
            (true, _) => Some(Self::App),
            (false, true) => Some(Self::Sms),
            (false, false) => None,
        }
    }
}

crate::words! {
    /// What became of one recipient in one batch. One byte in the batch ledger.
    #[repr(u8)]
    pub enum Outcome {
        /// Not sent yet, or sent without an answer that was kept.
        Pending = 0,
        /// The provider took the message: it is handed over.
        Accepted = 1,
        /// The token or number is no longer in use: prune it, try another channel.
        EndpointGone = 2,
        /// The provider asked to slow down (HTTP 429, SMPP `ESME_RTHROTTLED`).
        Throttled = 3,
        /// A failure that may pass: no connection, time-out, HTTP 5xx, SMPP queue full, nonsense for an answer.
        Temporary = 4,
        /// The provider refused this message for good: sending it again gives the same answer.
        Permanent = 5,
        /// The provider refused *us* (key, certificate, account): nothing is the recipient's fault, nothing is lost, an operator acts.
        CredentialsRefused = 6,
        /// The recipient has no endpoint on this channel, or withdrew consent.
        NoEndpoint = 7,
        /// The alert was cancelled, superseded or expired before this recipient's turn.
        Withdrawn = 8,
        /// A browser's push service took the message, and nothing else did: it is handed over, but that browser may not be open for weeks.
        AcceptedByBrowser = 9,
    }
}

/// A byte that is no [`Outcome`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not the number of an outcome")]
pub struct UnknownOutcome(pub u8);

impl TryFrom<u8> for Outcome {
    type Error = UnknownOutcome;

    fn try_from(byte: u8) -> Result<Self, UnknownOutcome> {
        Self::VARIANTS.iter().copied().find(|outcome| *outcome as u8 == byte).ok_or(UnknownOutcome(byte))
    }
}

impl From<Outcome> for u8 {
    fn from(outcome: Outcome) -> Self {
        outcome as u8
    }
}

impl Outcome {
    /// Whether this channel is done with the recipient: sending the same message to the same endpoint again would be pointless or wrong.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Accepted | Self::AcceptedByBrowser | Self::EndpointGone | Self::Permanent | Self::NoEndpoint | Self::Withdrawn => true,
            Self::Pending | Self::Throttled | Self::Temporary | Self::CredentialsRefused => false,
        }
    }

    /// Whether the message is with the provider ("hand-over" in the vocabulary).
    pub const fn is_handed_over(self) -> bool {
        matches!(self, Self::Accepted | Self::AcceptedByBrowser)
    }
}

/// What dispatch does about a recipient when a batch closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing: handed over, or no longer wanted.
    Done,
    /// Put the recipient into the batch's retry batch, due after at least `after`. The wait carries no jitter yet: a retry batch is spread by
    /// [`retry::spread`](crate::retry::spread), and a provider's `Retry-After` counts when it is longer.
    RetrySameChannel {
        /// The least time to wait.
        after: Duration,
    },
    /// Put the recipient into the batch's fallback batch on the SMS channel.
    FallbackToSms,
    /// Close the recipient as unreachable: it counts as done for the deadline and becomes a follow-up item.
    Unreachable,
    /// Keep the recipient as it is and raise the alarm: an operator mends the credentials, then the batch goes on.
    HoldForOperator,
}

/// Sends of one message to one endpoint, failures in between, before a channel gives up: about 8 minutes with [`Backoff::SENDING`], so an
/// urgent alert that falls back to SMS still has two thirds of its 30 minutes.
pub const MAX_ATTEMPTS: u8 = 6;

/// As [`MAX_ATTEMPTS`] where every answer was "slow down". More patient, since a throttling provider works and will take the message.
/// Bounded by what [`BatchNumber`](crate::batch::BatchNumber) can count.
pub const MAX_ATTEMPTS_THROTTLED: u8 = 15;

/// What follows from `outcome` after the `attempt`-th send (1 is the planned one) on `channel`.
/// `has_fallback`: the recipient can be reached by SMS as well; it only matters on the app channel.
pub fn next_step(outcome: Outcome, attempt: u8, channel: Channel, has_fallback: bool) -> Step {
    let give_up = if channel == Channel::App && has_fallback { Step::FallbackToSms } else { Step::Unreachable };
    let again_while_below = |limit: u8| {
        if attempt < limit { Step::RetrySameChannel { after: Backoff::SENDING.ceiling(attempt) } } else { give_up }
    };
    match outcome {
        Outcome::Accepted | Outcome::AcceptedByBrowser | Outcome::Withdrawn => Step::Done,
        Outcome::EndpointGone | Outcome::NoEndpoint | Outcome::Permanent => give_up,
        Outcome::Throttled => again_while_below(MAX_ATTEMPTS_THROTTLED),
        Outcome::Temporary => again_while_below(MAX_ATTEMPTS),
        // A batch that closes with somebody unsent forgot them: they go on at once and keep the count of attempts bounded.
        Outcome::Pending if attempt < MAX_ATTEMPTS_THROTTLED => Step::RetrySameChannel { after: Duration::ZERO },
        Outcome::Pending => give_up,
        Outcome::CredentialsRefused => Step::HoldForOperator,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const NOW: Step = Step::RetrySameChannel { after: Duration::ZERO };
    const fn wait(seconds: u64) -> Step {
        Step::RetrySameChannel { after: Duration::from_secs(seconds) }
    }

    #[rstest]
    // outcome, send, channel, SMS possible, what follows
    #[case::handed_over(Outcome::Accepted, 1, Channel::App, true, Step::Done)]
    #[case::handed_over_to_a_browser(Outcome::AcceptedByBrowser, 1, Channel::App, true, Step::Done)]
    #[case::cancelled_before_its_turn(Outcome::Withdrawn, 1, Channel::App, true, Step::Done)]
    #[case::token_gone_phone_known(Outcome::EndpointGone, 1, Channel::App, true, Step::FallbackToSms)]
    #[case::token_gone_no_phone(Outcome::EndpointGone, 1, Channel::App, false, Step::Unreachable)]
    #[case::number_gone(Outcome::EndpointGone, 1, Channel::Sms, true, Step::Unreachable)]
    #[case::screen_gone_never_becomes_sms(Outcome::EndpointGone, 1, Channel::Display, true, Step::Unreachable)]
    #[case::no_app_phone_known(Outcome::NoEndpoint, 1, Channel::App, true, Step::FallbackToSms)]
    #[case::no_phone(Outcome::NoEndpoint, 1, Channel::Sms, false, Step::Unreachable)]
    #[case::refused_for_good_by_app(Outcome::Permanent, 1, Channel::App, true, Step::FallbackToSms)]
    #[case::refused_for_good_by_sms(Outcome::Permanent, 1, Channel::Sms, false, Step::Unreachable)]
    #[case::first_failure(Outcome::Temporary, 1, Channel::App, true, wait(5))]
    #[case::second_failure(Outcome::Temporary, 2, Channel::App, true, wait(15))]
    #[case::last_but_one_failure(Outcome::Temporary, 5, Channel::App, true, wait(300))]
    #[case::last_failure_with_phone(Outcome::Temporary, 6, Channel::App, true, Step::FallbackToSms)]
    #[case::last_failure_without_phone(Outcome::Temporary, 6, Channel::App, false, Step::Unreachable)]
    #[case::last_failure_by_sms(Outcome::Temporary, 6, Channel::Sms, true, Step::Unreachable)]
    #[case::throttled_is_waited_out(Outcome::Throttled, 6, Channel::App, true, wait(300))]
    #[case::throttled_to_the_end(Outcome::Throttled, 15, Channel::App, true, Step::FallbackToSms)]
    #[case::our_key_refused(Outcome::CredentialsRefused, 1, Channel::App, true, Step::HoldForOperator)]
    #[case::our_key_refused_late(Outcome::CredentialsRefused, 200, Channel::Sms, false, Step::HoldForOperator)]
    #[case::forgotten(Outcome::Pending, 1, Channel::App, true, NOW)]
    #[case::forgotten_to_the_end(Outcome::Pending, 15, Channel::Sms, false, Step::Unreachable)]
    fn what_follows_from_an_outcome(
        #[case] outcome: Outcome,
        #[case] attempt: u8,
        #[case] channel: Channel,
        #[case] has_fallback: bool,
        #[case] expected: Step,
    ) {
        assert_eq!(next_step(outcome, attempt, channel, has_fallback), expected);
    }

    #[test]
    fn nobody_is_sent_to_for_ever_and_nothing_final_is_sent_again() {
        for &outcome in Outcome::VARIANTS {
            for &channel in Channel::VARIANTS {
                for attempt in 1..=u8::MAX {
                    if let Step::RetrySameChannel { .. } = next_step(outcome, attempt, channel, true) {
                        assert!(attempt < MAX_ATTEMPTS_THROTTLED, "{outcome} {channel} {attempt}");
                        assert!(!outcome.is_final(), "{outcome} is final and sent again");
                    }
                }
            }
        }
    }

    #[test]
    fn the_stored_byte_of_an_outcome_never_changes() {
        let stored: Vec<(u8, &str)> = Outcome::VARIANTS.iter().map(|outcome| (u8::from(*outcome), outcome.as_ref())).collect();
        assert_eq!(
            stored,
            [
                (0, "pending"),
                (1, "accepted"),
                (2, "endpoint_gone"),
                (3, "throttled"),
                (4, "temporary"),
                (5, "permanent"),
                (6, "credentials_refused"),
                (7, "no_endpoint"),
                (8, "withdrawn"),
                (9, "accepted_by_browser"),
            ]
        );
        for byte in 0..=u8::MAX {
            match Outcome::try_from(byte) {
                Ok(outcome) => assert_eq!(u8::from(outcome), byte),
                Err(unknown) => assert_eq!(unknown, UnknownOutcome(byte)),
            }
        }
    }
}
