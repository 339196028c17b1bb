//! Faults on demand.
//!
//! A [`Fault`] says what goes wrong, for which share of requests or which recipients, how often and how long. Faults that belong to a
//! recipient (gone, undeliverable, …) strike the same recipients every time; the others fall by chance, so a retry may succeed.
//! The list of a provider is replaced or extended as a whole while requests run; a request sees one list from its begin to its end.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::{ArcSwap, Guard};
use serde::{Deserialize, Serialize};

use crate::dice::{Dice, hash, within};

/// What goes wrong, and how each provider says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// The app was removed. APNs 410 `Unregistered` with timestamp, FCM 404 `UNREGISTERED`, Web Push 410, SMPP `ESME_RINVDSTADR`.
    Gone,
    /// The address was never right. APNs 400 `BadDeviceToken`, FCM 400 `INVALID_ARGUMENT`, Web Push 404, SMPP `ESME_RINVDSTADR`.
    BadRecipient,
    /// As gone, and APNs says since when.
    GoneSince {
        /// Milliseconds since 1970.
        at_ms: i64,
    },
    /// The address is another's. APNs 400 `DeviceTokenNotForTopic`, FCM 403 `SENDER_ID_MISMATCH`, Web Push 403 of another key, SMPP
    /// `ESME_RINVDSTADR`.
    Foreign,
    /// The message has a form that is never taken. APNs 400 `InvalidPushType`, FCM 400 `INVALID_ARGUMENT`, Web Push 413, SMPP `ESME_RSUBMITFAIL`.
    BadMessage,
    /// APNs 429 `TooManyRequests`, FCM 429 `QUOTA_EXCEEDED`, Web Push 429, all with `Retry-After`; SMPP `ESME_RTHROTTLED`.
    Throttled {
        /// Seconds in `Retry-After`; 0 sends no such header.
        #[serde(default)]
        retry_after_s: u32,
    },
    /// APNs 500 `InternalServerError`, FCM 500 `INTERNAL`, Web Push 500, SMPP `ESME_RSYSERR`.
    InternalError,
    /// APNs 503 `ServiceUnavailable`, FCM 503 `UNAVAILABLE`, Web Push 503, SMPP `ESME_RMSGQFUL`.
    Unavailable,
    /// No answer, ever; the message does not arrive.
    Hang,
    /// The connection breaks in the middle; the message does not arrive.
    CloseConnection,
    /// The message arrives, then the connection breaks before the answer: what makes duplicates.
    AnswerLost,
    /// An answer that no specification knows: HTTP 418 with bytes that are not text; SMPP `generic_nack`.
    Nonsense,
    /// APNs 403 `InvalidProviderToken`, FCM 401 and a refusing token endpoint, Web Push 403, SMPP session closed and bind refused.
    CredentialsRefused,
    /// APNs 403 `ExpiredProviderToken`, FCM 401 (a new access token is issued), Web Push 401; SMPP as above.
    CredentialsExpired,
    /// FCM 401 `THIRD_PARTY_AUTH_ERROR`; the others as refused credentials.
    ThirdPartyAuthError,
    /// SMS only: accepted, then the receipt says `UNDELIV`.
    Undeliverable,
    /// SMS only: accepted, delivered, but no receipt ever comes.
    NoReceipt,
    /// SMS only: accepted, the receipt says `ACCEPTD`, and a later one `UNDELIV`.
    AcceptedThenUndeliverable,
    /// SMS only: refused with this `command_status`.
    Refused {
        /// As in SMPP 3.4 §5.1.3, for instance 10 (`ESME_RINVSRCADR`).
        status: u32,
    },
    /// SMS only: the message arrives, and its answer comes so much later than those of others.
    AnsweredLate {
        /// By how much, in milliseconds.
        by_ms: u64,
    },
}

impl FaultKind {
    /// Whether the fault lies with the recipient, and therefore strikes the same ones every time.
    fn belongs_to_recipient(&self) -> bool {
        matches!(
            self,
            Self::Gone
                | Self::GoneSince { .. }
                | Self::BadRecipient
                | Self::Foreign
                | Self::Undeliverable
                | Self::NoReceipt
                | Self::AcceptedThenUndeliverable
        )
    }
}

/// One fault with its reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// Share of requests (or of recipients, see the module), 0 to 1.
    #[serde(default = "always")]
    pub share: f64,
    /// How many it spares first.
    #[serde(default)]
    pub spares: u64,
    /// How often at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// How long, in milliseconds from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
    /// Only these tokens or phone numbers; empty means anybody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
}

fn always() -> f64 {
    1.0
}

impl Fault {
    /// A fault that strikes every request.
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, share: 1.0, spares: 0, times: None, for_ms: None, only: Vec::new() }
    }

    /// Too many requests, come back after so many seconds.
    pub fn throttled(retry_after_s: u32) -> Self {
        Self::new(FaultKind::Throttled { retry_after_s })
    }

    /// Strikes this share only, 0 to 1.
    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    /// Spares so many first.
    #[must_use]
    pub fn sparing(mut self, spares: u64) -> Self {
        self.spares = spares;
        self
    }

    /// Strikes this often at most.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Strikes from now for so long.
    #[must_use]
    pub fn lasting(mut self, duration: Duration) -> Self {
        self.for_ms = Some(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Strikes this token or phone number only; may be repeated.
    #[must_use]
    pub fn only(mut self, recipient: impl Into<String>) -> Self {
        self.only.push(recipient.into());
        self
    }
}

/// Everything that is wrong with one provider at the moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultPlan {
    /// The first fault that strikes decides.
    pub faults: Vec<Fault>,
    /// How long every answer waits, in milliseconds.
    pub latency_ms: u64,
    /// APNs, FCM and Web Push: GOAWAY on a connection after so many requests.
    pub goaway_after: Option<u64>,
}

/// A provider's faults, armed: counted, timed, and replaceable while requests run.
#[derive(Debug, Default)]
pub(crate) struct Faults(ArcSwap<Armed>);

#[derive(Debug, Default)]
pub(crate) struct Armed {
    faults: Vec<Arc<ArmedFault>>,
    pub(crate) latency: Duration,
    pub(crate) goaway_after: Option<u64>,
}

#[derive(Debug)]
struct ArmedFault {
    fault: Fault,
    only: HashSet<String>,
    spares: AtomicU64,
    left: AtomicU64,
    until: Option<Instant>,
}

impl Faults {
    pub(crate) fn now(&self) -> Guard<Arc<Armed>> {
        self.0.load()
    }

    /// Puts a new plan in the place of the old one.
    pub(crate) fn replace(&self, plan: FaultPlan) {
        self.0.store(Arc::new(Armed {
            faults: plan.faults.into_iter().map(arm).collect(),
            latency: Duration::from_millis(plan.latency_ms),
            goaway_after: plan.goaway_after,
        }));
    }

    /// Adds one fault behind those that are there.
    pub(crate) fn add(&self, fault: Fault) {
        let fault = arm(fault);
        self.0.rcu(|armed| Armed {
            faults: armed.faults.iter().cloned().chain([fault.clone()]).collect(),
            latency: armed.latency,
            goaway_after: armed.goaway_after,
        });
    }
}

impl Armed {
    /// The fault that strikes this request, if any. Costs nothing when all is well.
    pub(crate) fn strikes(&self, recipient: &str, dice: &mut Dice) -> Option<&FaultKind> {
        self.faults.iter().find(|fault| fault.strikes(recipient, dice)).map(|fault| &fault.fault.kind)
    }

    /// Whether log-ins are refused at the moment, share and recipients aside.
    pub(crate) fn refuses_credentials(&self) -> bool {
        self.faults.iter().any(|fault| fault.fault.kind == FaultKind::CredentialsRefused && fault.is_armed())
    }
}

impl ArmedFault {
    fn is_armed(&self) -> bool {
        self.left.load(Ordering::Relaxed) > 0 && self.until.is_none_or(|until| Instant::now() < until)
    }

    fn strikes(&self, recipient: &str, dice: &mut Dice) -> bool {
        if !self.only.is_empty() && !self.only.contains(recipient) {
            return false;
        }
        let chosen = if self.fault.kind.belongs_to_recipient() {
            self.fault.share >= 1.0 || within(hash(recipient.as_bytes()), self.fault.share)
        } else {
            self.fault.share >= 1.0 || dice.falls(self.fault.share)
        };
        chosen && self.is_armed() && !take_one_of(&self.spares) && self.take_one()
    }

    fn take_one(&self) -> bool {
        self.fault.times.is_none() || take_one_of(&self.left)
    }
}

/// False: there is none left.
fn take_one_of(number: &AtomicU64) -> bool {
    number.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

fn arm(fault: Fault) -> Arc<ArmedFault> {
    let until = fault.for_ms.and_then(|for_ms| Instant::now().checked_add(Duration::from_millis(for_ms)));
    let only = fault.only.iter().cloned().collect();
    let (spares, left) = (AtomicU64::new(fault.spares), AtomicU64::new(fault.times.unwrap_or(u64::MAX)));
    Arc::new(ArmedFault { only, spares, left, until, fault })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn armed(fault: Fault) -> Faults {
        let faults = Faults::default();
        faults.add(fault);
        faults
    }

    #[test]
    fn a_share_of_recipients_is_gone_and_stays_gone() {
        let faults = armed(Fault::new(FaultKind::Gone).share(0.02));
        let mut dice = Dice::default();
        let mut gone = || -> Vec<u32> { (0..50_000).filter(|n| faults.now().strikes(&format!("{n:064x}"), &mut dice).is_some()).collect() };
        let (first, second) = (gone(), gone());
        assert_eq!(first, second);
        assert!((800..1_200).contains(&first.len()), "2 % of 50,000 are about 1,000, not {}", first.len());
    }

    #[test]
    fn chance_strikes_about_the_share_and_lets_a_retry_through() {
        let faults = armed(Fault::new(FaultKind::Unavailable).share(0.5));
        let mut dice = Dice::default();
        let struck = (0..10_000).filter(|_| faults.now().strikes("same", &mut dice).is_some()).count();
        assert!((4_500..5_500).contains(&struck), "{struck}");
    }

    #[test]
    fn a_fault_ends_after_its_times_and_after_its_time() {
        let faults = armed(Fault::throttled(5).times(2));
        let mut dice = Dice::default();
        let struck = (0..5).filter(|_| faults.now().strikes("any", &mut dice).is_some()).count();
        assert_eq!(struck, 2);
        let later = armed(Fault::throttled(5).sparing(1).times(2));
        let struck: Vec<bool> = (0..5).map(|_| later.now().strikes("any", &mut dice).is_some()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        let over = armed(Fault::throttled(5).lasting(Duration::ZERO));
        assert_eq!(over.now().strikes("any", &mut dice), None);
    }

    #[test]
    fn a_fault_for_one_recipient_leaves_the_others_alone() {
        let faults = armed(Fault::new(FaultKind::Hang).only("a"));
        let mut dice = Dice::default();
        assert_eq!(faults.now().strikes("a", &mut dice), Some(&FaultKind::Hang));
        assert_eq!(faults.now().strikes("b", &mut dice), None);
    }

    #[test]
    fn a_plan_reads_as_json_and_refuses_unknown_faults() {
        let plan: FaultPlan =
            serde_json::from_str(r#"{"faults":[{"kind":"throttled","retry_after_s":7,"share":0.1}],"goaway_after":1000}"#).unwrap();
        assert_eq!(plan.faults, [Fault::throttled(7).share(0.1)]);
        assert!(serde_json::from_str::<FaultPlan>(r#"{"faults":[{"kind":"earthquake"}]}"#).is_err());
    }
}
