//! Background tasks of one process: started by name, watched, and stopped together.
//!
//! A task that fails or panics is logged under its name; the others go on. What must not end before the process is kept ([`Tasks::keep`]): it is
//! started again, and told when that happens again and again. [`Tasks::shutdown`] cancels the common token and waits until every task has ended,
//! so that nothing is cut off in the middle of a batch.

use std::borrow::Cow;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};
use tokio_util::task::TaskTracker;

use crate::error::BoxError;
use crate::pulse::{Pulse, Pulses};

/// How soon what ended too early is started again, at first and at most.
const FIRST_RESTART: Duration = Duration::from_millis(100);
const LONGEST_RESTART: Duration = Duration::from_secs(30);

/// The tasks of a process. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    token: CancellationToken,
    tracker: TaskTracker,
    pulses: Pulses,
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
    pub fn spawn<F>(&self, name: impl Into<Cow<'static, str>>, future: F)
    where
        F: Future + Send + 'static,
        F::Output: Ending,
    {
        let name = name.into();
        self.tracker.spawn(async move { told(&name, AssertUnwindSafe(future).catch_unwind().await) });
    }

    /// Starts what `start` makes under `name`, and makes and starts it again when it ends or panics before [`Tasks::cancelled`]: at once,
    /// then ever more rarely, every half minute at least.
    pub fn keep<S, F>(&self, name: impl Into<Cow<'static, str>>, mut start: S)
    where
        S: FnMut() -> F + Send + 'static,
        F: Future + Send + 'static,
        F::Output: Ending,
    {
        let name = name.into();
        let (token, pulse) = (self.token.clone(), self.pulses.of(name.clone()));
        self.tracker.spawn(async move {
            let mut pause = FIRST_RESTART;
            loop {
                let began = tokio::time::Instant::now();
                pulse.runs();
                // the call may panic as well
                told(&name, AssertUnwindSafe(async { start().await }).catch_unwind().await);
                if token.is_cancelled() {
                    return;
                }
                pulse.has_broken_down();
                metrics::counter!("tasks_restarted_total", "task" => name.to_string()).increment(1);
                tracing::error!(task = &*name, "a task ended before the stop and is started again");
                if began.elapsed() > LONGEST_RESTART {
                    pause = FIRST_RESTART;
                }
                tokio::select! {
                    () = token.cancelled() => return,
                    () = tokio::time::sleep(pause) => {}
                }
                pause = (pause * 2).min(LONGEST_RESTART);
            }
        });
    }

    /// What is wrong with what runs in the background: workers that have taken no turn for long, and whatever keeps breaking down.
    pub fn ailing(&self) -> Vec<String> {
        self.pulses.ailing()
    }

    /// Listens to something that takes turns.
    pub(crate) fn pulse(&self, name: Cow<'static, str>) -> Arc<Pulse> {
        self.pulses.of(name)
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

/// Tells how a task ended, if there is something to tell.
fn told<E: Ending>(name: &str, ended: std::thread::Result<E>) {
    match ended {
        Ok(ending) => {
            if let Some(error) = ending.failure() {
                tracing::error!(task = name, error = chain(error.as_ref()), "a task failed");
            }
        }
        Err(panic) => tracing::error!(task = name, panic = panic_text(panic.as_ref()), "a task panicked"),
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

/// What a panic said, unless that was put together from values: these may be anybody's data. Where it was stands in the panic's own line.
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> &'static str {
    panic.downcast_ref::<&'static str>().copied().unwrap_or("a panic whose text may quote data")
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[test]
    fn of_a_panic_nothing_is_told_that_may_quote_data() {
        let said = |panics: fn(&str)| panic_text(std::panic::catch_unwind(|| panics("13800005678")).unwrap_err().as_ref());
        assert_eq!(said(|_| panic!("on purpose")), "on purpose");
        assert_eq!(said(|phone| panic!("no such phone: {phone}")), "a panic whose text may quote data");
        assert_eq!(said(|phone| assert!(phone.parse::<u8>().unwrap() > 0)), "a panic whose text may quote data");
    }

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

    /// Keeps a task that tells of each start and then does as it is told.
    fn kept(tasks: &Tasks, starts: fn(u32) -> Result<bool, &'static str>) -> mpsc::UnboundedReceiver<u32> {
        let (told, heard) = mpsc::unbounded_channel();
        let (token, mut start) = (tasks.token().clone(), 0);
        tasks.keep("kept", move || {
            start += 1;
            told.send(start).expect("the test listens");
            let (token, start) = (token.clone(), start);
            async move {
                if starts(start)? {
                    token.cancelled().await;
                }
                Ok::<(), &'static str>(())
            }
        });
        heard
    }

    #[tokio::test]
    async fn what_is_kept_is_started_again_until_the_stop() {
        let tasks = Tasks::new();
        let mut starts = kept(&tasks, |start| match start {
            1 => panic!("on purpose"),
            2 => Err("not well"),
            _ => Ok(true),
        });
        for start in 1..=3 {
            assert_eq!(starts.recv().await, Some(start));
        }
        assert_eq!(tasks.ailing(), Vec::<String>::new(), "twice may happen");
        assert!(tasks.shutdown(Duration::from_secs(3_600)).await);
        assert_eq!(starts.recv().await, None);
    }

    #[tokio::test]
    async fn what_ends_again_and_again_is_told() {
        let tasks = Tasks::new();
        let mut starts = kept(&tasks, |_| Ok(false));
        for start in 1..=4 {
            assert_eq!(starts.recv().await, Some(start));
        }
        let ailing = tasks.ailing();
        assert!(ailing.len() == 1 && ailing[0].starts_with("kept has broken down "), "{ailing:?}");
        assert!(tasks.shutdown(Duration::from_secs(3_600)).await);
    }

    #[test]
    fn a_chain_names_every_source_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] std::io::Error);
        assert_eq!(chain(&Outer(std::io::Error::other("inner"))), "outer: inner");
    }
}
