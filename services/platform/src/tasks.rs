//! Background tasks of one process: started by name, watched, and stopped together.
//!
//! A task that fails or panics is logged under its name; the others go on. [`Tasks::shutdown`] cancels the common token
//! and waits until every task has ended, so that nothing is cut off in the middle of a batch.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};
use tokio_util::task::TaskTracker;

use crate::error::BoxError;

/// The tasks of a process. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    token: CancellationToken,
    tracker: TaskTracker,
}

/// How a task may end: with nothing to say, or with a result.
pub trait Ending: Send {
    /// The failure, if it is one.
    fn failure(self) -> Option<BoxError>;
}

impl Ending for () {
    fn failure(self) -> Option<BoxError> {
        None
    }
}

impl<E: Into<BoxError> + Send> Ending for Result<(), E> {
    fn failure(self) -> Option<BoxError> {
        self.err().map(Into::into)
    }
}

impl Tasks {
    /// No task yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts `future` under `name`. It should end soon after [`Tasks::cancelled`].
    pub fn spawn<F>(&self, name: &'static str, future: F)
    where
        F: Future + Send + 'static,
        F::Output: Ending,
    {
        self.tracker.spawn(async move {
            match AssertUnwindSafe(future).catch_unwind().await {
                Ok(ending) => {
                    if let Some(error) = ending.failure() {
                        tracing::error!(task = name, error = chain(error.as_ref()), "a task failed");
                    }
                }
                Err(panic) => tracing::error!(task = name, panic = panic_text(panic.as_ref()), "a task panicked"),
            }
        });
    }

    /// The token that is cancelled when the process stops.
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Resolves when the process stops.
    pub fn cancelled(&self) -> WaitForCancellationFuture<'_> {
        self.token.cancelled()
    }

    /// How many tasks are running.
    pub fn running(&self) -> usize {
        self.tracker.len()
    }

    /// Tells every task to stop and waits for them. False when some were still running after `patience`.
    pub async fn shutdown(&self, patience: Duration) -> bool {
        self.token.cancel();
        self.tracker.close();
        tokio::time::timeout(patience, self.tracker.wait()).await.is_ok()
    }
}

/// An error and its sources in one line, each said once.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let said = source.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = source.source();
    }
    text
}

pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn shutdown_waits_for_what_is_running_and_survives_a_panic() {
        let tasks = Tasks::new();
        let (told, hears) = tokio::sync::oneshot::channel();
        let panics: fn() = || panic!("on purpose");
        tasks.spawn("panics", async move { panics() });
        tasks.spawn("finishes", {
            let tasks = tasks.clone();
            async move {
                tasks.cancelled().await;
                tokio::task::yield_now().await;
                told.send(()).map_err(|()| "nobody listens")
            }
        });
        assert!(tasks.shutdown(Duration::from_secs(3_600)).await);
        assert_eq!(hears.await, Ok(()));
        assert_eq!(tasks.running(), 0);
    }

    #[tokio::test]
    async fn shutdown_says_when_a_task_does_not_stop() {
        let tasks = Tasks::new();
        tasks.spawn("deaf", std::future::pending::<()>());
        assert!(!tasks.shutdown(Duration::from_millis(1)).await);
    }

    #[test]
    fn a_chain_names_every_source_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] std::io::Error);
        assert_eq!(chain(&Outer(std::io::Error::other("inner"))), "outer: inner");
    }
}
