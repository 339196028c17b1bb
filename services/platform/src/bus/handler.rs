//! What a handler is to the carriers: bytes in, success or a reason out; and when a failure is tried again.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use proto::{Event, Queue};

use crate::error::BoxError;
use crate::tasks::{chain, panic_text};

/// How often a message is given to its handler before it is a dead letter.
pub const ATTEMPTS: u16 = 8;
const LONGEST_RETRY: Duration = Duration::from_secs(30);
/// A reason is for reading, not a dump.
const LONGEST_REASON: usize = 2_000;

/// A subscriber's function, whatever its event.
pub(super) type Handler = Arc<dyn Fn(&[u8]) -> BoxFuture<'static, Result<(), Fault>> + Send + Sync>;

/// Why a message was not handled.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) reason: String,
    /// It will fail the same way every time.
    pub(super) hopeless: bool,
}

/// What becomes of a failed message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Again(Duration),
    Dead,
}

/// The pauses between attempts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retries {
    first: Duration,
}

impl Retries {
    pub(super) fn from_millis(first: u64) -> Self {
        Self { first: Duration::from_millis(first) }
    }

    /// Judges the failure of a message that has now failed `failures` times.
    pub(super) fn judge(self, queue: &Queue, fault: &Fault, failures: u16) -> Verdict {
        let verdict = if fault.hopeless || failures >= ATTEMPTS {
            Verdict::Dead
        } else {
            let doublings = u32::from(failures.saturating_sub(1)).min(16);
            Verdict::Again((self.first * 2u32.pow(doublings)).min(LONGEST_RETRY))
        };
        match verdict {
            Verdict::Again(delay) => {
                count(queue, "failed");
                let retry_ms = delay.as_millis() as u64;
                tracing::warn!(queue = queue.name, failures, retry_ms, error = fault.reason, "a message was not handled");
            }
            Verdict::Dead => {
                count(queue, "dead");
                tracing::error!(queue = queue.name, failures, error = fault.reason, "a message was given up");
            }
        }
        verdict
    }
}

/// Counts an ending of a handler.
pub(super) fn count(queue: &Queue, outcome: &'static str) {
    metrics::counter!("fenghuo_bus_messages_total", "queue" => queue.name, "outcome" => outcome).increment(1);
}

/// Hides the event's type: decodes, calls, and turns errors and panics into faults.
pub(super) fn erase<E, H, F>(handler: H) -> Handler
where
    E: Event,
    H: Fn(E) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    Arc::new(move |payload| {
        let event = match E::decode(payload) {
            Ok(event) => event,
            Err(error) => {
                let fault = Fault { reason: format!("it is no {}: {error}", E::TOPIC), hopeless: true };
                return futures::future::ready(Err(fault)).boxed();
            }
        };
        // the call itself may panic before there is a future
        let handled = match std::panic::catch_unwind(AssertUnwindSafe(|| handler(event))) {
            Ok(handled) => handled,
            Err(panic) => return futures::future::ready(Err(Fault::of_panic(panic.as_ref()))).boxed(),
        };
        async move {
            match AssertUnwindSafe(handled).catch_unwind().await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(Fault::new(chain(error.as_ref()))),
                Err(panic) => Err(Fault::of_panic(panic.as_ref())),
            }
        }
        .boxed()
    })
}

impl Fault {
    fn new(mut reason: String) -> Self {
        if let Some((end, _)) = reason.char_indices().nth(LONGEST_REASON) {
            reason.truncate(end);
        }
        Self { reason, hopeless: false }
    }

    fn of_panic(panic: &(dyn std::any::Any + Send)) -> Self {
        Self::new(format!("the handler panicked: {}", panic_text(panic)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::RecordsStored;
    use proto::topology::RULES_RECORDS;
    use rstest::rstest;

    #[rstest]
    #[case(1, Verdict::Again(Duration::from_millis(200)))]
    #[case(2, Verdict::Again(Duration::from_millis(400)))]
    #[case(7, Verdict::Again(Duration::from_millis(12_800)))]
    #[case(8, Verdict::Dead)]
    fn a_failed_message_waits_longer_each_time_and_is_given_up_at_the_eighth(#[case] failures: u16, #[case] verdict: Verdict) {
        let fault = Fault::new("no luck".to_owned());
        assert_eq!(Retries::from_millis(200).judge(&RULES_RECORDS, &fault, failures), verdict);
    }

    #[tokio::test]
    async fn bytes_that_are_no_event_are_given_up_at_once() {
        let handler = erase(|_: RecordsStored| async { Ok(()) });
        let fault = handler(&[0xff; 9]).await.expect_err("not an event");
        assert!(fault.hopeless);
        assert_eq!(Retries::from_millis(1).judge(&RULES_RECORDS, &fault, 1), Verdict::Dead);
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_with_its_text() {
        let handler = erase(|_: RecordsStored| async { panic!("out of cheese") });
        let fault = handler(&[]).await.expect_err("it panics");
        assert_eq!(fault.reason, "the handler panicked: out of cheese");
        assert!(!fault.hopeless);
    }
}
