//! What a provider said about one message, in our words.
//!
//! Each provider maps every status and reason it knows to one [`ProviderAnswer`] (`apns::reason`, `fcm::refusal`), and what it does
//! not know to [`ProviderAnswer::Temporary`]: an unknown answer costs a few repeats with the same collapse id, a wrong guess could
//! cost somebody the alert. Whom a word to slow down is about, it says itself; whom a refusal is about, the answers of the others tell
//! ([`crate::verdict`]). What the ledger keeps is an [`Outcome`]; what follows from it is decided in [`domain::outcome`].

use chrono::{DateTime, TimeDelta, Utc};
use domain::outcome::Outcome;
use domain::refusal::{Refusal, Scope};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::sender::{Failure, Why};

/// The provider's id of an accepted message: `apns-id`, or FCM's message name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageId(pub(crate) Option<HeaderValue>);

impl MessageId {
    /// The id, where the provider gave one.
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_ref().and_then(|id| id.to_str().ok())
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderAnswer {
    /// The provider took the message.
    Accepted {
        /// Under this id.
        id: MessageId,
    },
    /// The app is no longer on the device, beyond doubt.
    EndpointGone {
        /// Since when the provider knows, where it said so: what was registered later is another matter.
        since: Option<DateTime<Utc>>,
    },
    /// The token is none here: true of one among many. Where most are told so, we ask the wrong provider.
    NoSuchEndpoint {
        /// The provider's word.
        reason: &'static str,
    },
    /// Slow down.
    Throttled {
        /// Whom it is about: this recipient, or our account.
        scope: Scope,
        /// For so long, where the provider said so.
        retry_after: Option<TimeDelta>,
    },
    /// It may work later.
    Temporary {
        /// What happened.
        why: Trouble,
    },
    /// It will never work with this message to this recipient. Where most are told so, the message is wrong, or our account.
    Permanent {
        /// The provider's word.
        reason: &'static str,
    },
    /// The provider refuses us, not the recipient: key, project, topic. An operator must act.
    CredentialsRefused {
        /// The provider's word.
        reason: &'static str,
    },
}

/// What an answer leads to.
pub(crate) enum Read {
    /// That was it.
    Final(ProviderAnswer),
    /// Another way of sending remains: the next turn.
    NextTurn,
}

/// A trouble that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No answer came.
    NoAnswer(Why),
    /// The provider has a trouble of its own; its word.
    Provider(&'static str),
    /// An answer that its documentation does not know.
    Nonsense(StatusCode),
    /// Our access token had run out in the middle and is renewed.
    TokenExpired,
}

impl ProviderAnswer {
    /// A trouble of the provider's own.
    pub(crate) fn trouble(word: &'static str) -> Self {
        Self::Temporary { why: Trouble::Provider(word) }
    }

    /// The answer in a word, for metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::EndpointGone { .. } => "endpoint_gone",
            Self::Throttled { .. } => "throttled",
            Self::NoSuchEndpoint { reason } | Self::Permanent { reason } | Self::CredentialsRefused { reason } => reason,
            Self::Temporary { why } => match why {
                Trouble::NoAnswer(why) => why.label(),
                Trouble::Provider(word) => word,
                Trouble::Nonsense(_) => "nonsense",
                Trouble::TokenExpired => "token_expired",
            },
        }
    }

    /// How plainly it speaks of us, if it can be about us at all.
    pub fn refusal(&self) -> Option<(Refusal, &'static str)> {
        match self {
            Self::CredentialsRefused { reason } => Some((Refusal::Plain, *reason)),
            Self::NoSuchEndpoint { reason } | Self::Permanent { reason } => Some((Refusal::Doubtful, *reason)),
            Self::Accepted { .. } | Self::EndpointGone { .. } | Self::Throttled { .. } | Self::Temporary { .. } => None,
        }
    }

    /// What the ledger keeps, as far as the answer tells by itself.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Accepted { .. } => Outcome::Accepted,
            Self::EndpointGone { .. } | Self::NoSuchEndpoint { .. } => Outcome::EndpointGone,
            Self::Throttled { .. } => Outcome::Throttled,
            Self::Temporary { .. } => Outcome::Temporary,
            Self::Permanent { .. } => Outcome::Permanent,
            Self::CredentialsRefused { .. } => Outcome::CredentialsRefused,
        }
    }
}

impl From<Failure> for ProviderAnswer {
    fn from(failure: Failure) -> Self {
        Self::Temporary { why: Trouble::NoAnswer(failure.why()) }
    }
}

/// What became of a resident with several devices: reached if one was reached, then whatever leaves most hope.
///
/// A refusal of our credentials outranks the rest because it holds the batch: the other devices are tried again with it, under
/// the same collapse id.
pub fn of_several_devices(one: Outcome, other: Outcome) -> Outcome {
    let hope = |outcome| match outcome {
        Outcome::Accepted => 0,
        Outcome::AcceptedByBrowser => 1,
        Outcome::CredentialsRefused => 2,
        Outcome::Pending => 3,
        Outcome::Throttled => 4,
        Outcome::Temporary => 5,
        Outcome::Permanent => 6,
        Outcome::EndpointGone => 7,
        Outcome::Withdrawn => 8,
        Outcome::NoEndpoint => 9,
    };
    if hope(one) <= hope(other) { one } else { other }
}

/// The longest hold that is believed: a date in next year is a mistake, not an instruction.
const LONGEST_HOLD: TimeDelta = TimeDelta::hours(1);

/// `Retry-After` (RFC 9110 §10.2.3): seconds or a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<TimeDelta> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u32>() {
        Ok(seconds) => TimeDelta::seconds(i64::from(seconds)),
        Err(_) => DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc) - now,
    };
    Some(wait.clamp(TimeDelta::zero(), LONGEST_HOLD))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("30", Some(30))]
    #[case(" 5 ", Some(5))]
    #[case("999999", Some(3600))]
    #[case("Wed, 21 Oct 2026 07:28:10 GMT", Some(10))]
    #[case("Wed, 21 Oct 2026 07:27:00 GMT", Some(0))]
    #[case("soon", None)]
    #[case("-1", None)]
    fn retry_after_is_seconds_or_a_date(#[case] header: &'static str, #[case] seconds: Option<i64>) {
        let now = DateTime::parse_from_rfc3339("2026-10-21T07:28:00Z").unwrap().with_timezone(&Utc);
        let headers = HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static(header))]);
        assert_eq!(retry_after(&headers, now), seconds.map(TimeDelta::seconds));
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[rstest]
    #[case::one_phone_took_it(Outcome::Accepted, Outcome::EndpointGone, Outcome::Accepted)]
    #[case::a_phone_says_more_than_a_browser(Outcome::AcceptedByBrowser, Outcome::Accepted, Outcome::Accepted)]
    #[case::one_may_still_take_it(Outcome::EndpointGone, Outcome::Temporary, Outcome::Temporary)]
    #[case::nothing_is_lost_to_a_bad_key(Outcome::CredentialsRefused, Outcome::EndpointGone, Outcome::CredentialsRefused)]
    #[case::reached_in_spite_of_a_bad_key(Outcome::CredentialsRefused, Outcome::Accepted, Outcome::Accepted)]
    #[case::both_gone(Outcome::EndpointGone, Outcome::EndpointGone, Outcome::EndpointGone)]
    fn several_devices_count_as_the_best_of_them(#[case] one: Outcome, #[case] other: Outcome, #[case] together: Outcome) {
        assert_eq!(of_several_devices(one, other), together);
        assert_eq!(of_several_devices(other, one), together);
    }
}
