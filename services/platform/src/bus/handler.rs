//! What a handler is to the carriers: bytes in, success or a reason out; and, in one place, what becomes of a failure.
//!
//! * What can never be understood is a dead letter at once: bytes that are no such event, and what a handler calls [`NotUnderstood`].
//! * Anything else may be mended (a database that cannot be written, a permission, a row, a fault of ours) and is tried without end, ever
//!   more rarely, with an alarm from the [`ATTEMPTS`]th time on.
//! * Only what its publisher says again by itself ([`Queue::said_again`]) is let go after [`ATTEMPTS`] times.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use proto::{Event, Queue};

use crate::error::BoxError;
use crate::tasks::{chain, panic_text};

/// So many failures of one message ring; what is said again anyway is let go with the last of them.
pub const ATTEMPTS: u16 = 8;
/// What has failed for long is tried so often: when its cause is mended, nobody waits for longer.
const LONGEST_RETRY: Duration = Duration::from_secs(300);
/// A reason is for reading, not a dump.
const LONGEST_REASON: usize = 2_000;

/// A subscriber's function, whatever its event.
pub(super) type Handler = Arc<dyn Fn(&[u8]) -> BoxFuture<'static, Result<(), Fault>> + Send + Sync>;

/// An event was read and says what nobody can ever make sense of, such as an id that is none.
#[derive(Debug, thiserror::Error)]
#[error("the {what} makes no sense")]
pub struct NotUnderstood {
    what: &'static str,
    #[source]
    source: BoxError,
}

/// What a handler reads out of its event, where a failure to read it is one for good ([`NotUnderstood`]).
///
/// # Errors
/// When it could not be read.
pub fn understood<T, E: Into<BoxError>>(what: &'static str, read: Result<T, E>) -> Result<T, NotUnderstood> {
    read.map_err(|error| NotUnderstood { what, source: error.into() })
}

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
    /// It is tried again after a pause.
    Again(Duration),
    /// It is kept for people to look at.
    Dead,
    /// It is not needed: its publisher says it again.
    LetGo,
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
        let (queue_name, error) = (queue.name, &fault.reason);
        if fault.hopeless {
            count(queue, "dead");
            tracing::error!(queue = queue_name, failures, error, "a message was given up");
            return Verdict::Dead;
        }
        if queue.said_again && failures >= ATTEMPTS {
            count(queue, "let_go");
            tracing::warn!(queue = queue_name, failures, error, "a message was let go: it will be said again");
            return Verdict::LetGo;
        }
        let doublings = u32::from(failures.saturating_sub(1)).min(16);
        let pause = self.first.saturating_mul(2u32.pow(doublings)).min(LONGEST_RETRY);
        let retry_ms = pause.as_millis() as u64;
        if failures < ATTEMPTS {
            count(queue, "failed");
            tracing::warn!(queue = queue_name, failures, retry_ms, error, "a message was not handled");
        } else {
            count(queue, "stuck");
            tracing::error!(queue = queue_name, failures, retry_ms, error, "a message is still not handled");
        }
        Verdict::Again(pause)
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
                Ok(Err(error)) => Err(Fault { hopeless: error.is::<NotUnderstood>(), ..Fault::new(chain(error.as_ref())) }),
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

    /// A message that nobody of ours has published.
    pub(super) fn unmarked() -> Self {
        Self { hopeless: true, ..Self::new("it bears no mark of this installation: somebody else wrote it to the broker".to_owned()) }
    }

    fn of_panic(panic: &(dyn std::any::Any + Send)) -> Self {
        Self::new(format!("the handler panicked: {}", panic_text(panic)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::RecordsStored;
    use proto::topology::{PUSH_BATCHES, RULES_RECORDS};
    use rstest::rstest;

    #[rstest]
    #[case(1, Duration::from_millis(200))]
    #[case(2, Duration::from_millis(400))]
    #[case(8, Duration::from_millis(25_600))]
    #[case(12, Duration::from_secs(300))]
    #[case(10_000, Duration::from_secs(300))]
    fn a_failed_message_waits_longer_each_time_and_is_never_given_up(#[case] failures: u16, #[case] pause: Duration) {
        let fault = Fault::new("no luck".to_owned());
        assert_eq!(Retries::from_millis(200).judge(&RULES_RECORDS, &fault, failures), Verdict::Again(pause));
    }

    #[test]
    fn what_is_said_again_is_let_go_at_the_eighth_failure() {
        let (retries, fault) = (Retries::from_millis(200), Fault::new("no luck".to_owned()));
        assert!(matches!(retries.judge(&PUSH_BATCHES, &fault, 7), Verdict::Again(_)));
        assert_eq!(retries.judge(&PUSH_BATCHES, &fault, 8), Verdict::LetGo);
    }

    #[tokio::test]
    async fn bytes_that_are_no_event_are_given_up_at_once() {
        let handler = erase(|_: RecordsStored| async { Ok(()) });
        let fault = handler(&[0xff; 9]).await.expect_err("not an event");
        assert!(fault.hopeless);
        assert_eq!(Retries::from_millis(1).judge(&RULES_RECORDS, &fault, 1), Verdict::Dead);
    }

    #[tokio::test]
    async fn an_event_that_makes_no_sense_is_given_up_at_once() {
        let handler = erase(|event: RecordsStored| async move {
            understood("load id", event.load_id.parse::<uuid::Uuid>())?;
            Ok(())
        });
        let fault = handler(&[]).await.expect_err("no load is named so");
        assert!(fault.hopeless && fault.reason.starts_with("the load id makes no sense"), "{fault:?}");
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_with_its_text() {
        let handler = erase(|_: RecordsStored| async { panic!("out of cheese") });
        let fault = handler(&[]).await.expect_err("it panics");
        assert_eq!(fault.reason, "the handler panicked: out of cheese");
        assert!(!fault.hopeless);
    }
}
