//! A loop that is woken by a signal and by a timer.
//!
//! A worker takes no input: each turn looks at the stores, does what is there, and may be run twice without harm. The
//! signal makes it prompt, the timer makes a lost signal harmless. The timer follows the [`Clock`], so a moved clock
//! drives it; with one, every move wakes the worker as well, and so does a second of real time.
//!
//! A turn that panics is a turn that failed: the worker goes on. When each has last turned, and whether it keeps panicking, is seen in
//! `/readyz` and in the metrics.

use std::borrow::Cow;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::error::BoxError;
use crate::pulse::{Pulse, unix_seconds};
use crate::tasks::{Tasks, chain, panic_text};

/// The signal of a worker, or of several that look after the same. It reaches all of them, whoever waits and whoever works.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<watch::Sender<()>>);

impl Wake {
    /// A signal that nobody has given yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes whoever listens take another turn.
    pub fn wake(&self) {
        self.0.send_replace(());
    }

    /// Listens from now on.
    pub fn listen(&self) -> Listener {
        Listener { heard: self.0.subscribe(), _wake: self.clone() }
    }
}

/// Who listens for a signal. Signals while it works are kept, as one.
#[derive(Debug)]
pub struct Listener {
    heard: watch::Receiver<()>,
    // a signal that nobody can give any more is waited for like any other
    _wake: Wake,
}

impl Listener {
    /// Waits for the signal, unless it was given since the last time.
    pub async fn woken(&mut self) {
        let _ = self.heard.changed().await;
    }
}

/// What a turn found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing is left for now.
    Idle,
    /// There is more: the next turn comes at once.
    More,
}

/// A moved clock that stands still must not hide a lost signal for longer.
const REAL_FLOOR: Duration = Duration::from_secs(1);
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// Starts a worker that takes a turn now, then after every signal and every `interval`, until the process stops.
///
/// A turn that fails or panics is logged and repeated after 100 ms of real time, doubling to 30 s. A turn is never cut off by the stop.
pub fn run<F, T>(tasks: &Tasks, clock: &Clock, name: impl Into<Cow<'static, str>>, interval: Duration, wake: &Wake, mut turn: F)
where
    F: FnMut() -> T + Send + 'static,
    T: Future<Output = Result<Turn, BoxError>> + Send + 'static,
{
    let name = name.into();
    let (stop, clock, mut signal) = (tasks.token().clone(), clock.clone(), wake.listen());
    let watched = Watched::new(tasks.pulse(name.clone()));
    tasks.spawn(name, async move {
        let mut retry = FIRST_RETRY;
        while !stop.is_cancelled() {
            // waited for from before the turn, so that a move during it is not missed
            let next_move = clock.next_move();
            tokio::pin!(next_move);
            let moved_already = futures::poll!(&mut next_move).is_ready();
            // the call may panic as well
            match watched.turn(async { turn().await }).await {
                Ok(Turn::More) => {
                    retry = FIRST_RETRY;
                    tokio::task::yield_now().await;
                }
                // the turn may have looked at the time before the move
                Ok(Turn::Idle) if moved_already => retry = FIRST_RETRY,
                Ok(Turn::Idle) => {
                    retry = FIRST_RETRY;
                    watched.pulse.waits(interval);
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = signal.woken() => {}
                        () = clock.sleep(interval) => {}
                        () = &mut next_move => {}
                        () = tokio::time::sleep(REAL_FLOOR.min(interval)), if clock.is_moved() => {}
                    }
                }
                Err(error) => {
                    let (worker, retry_ms) = (watched.pulse.name(), retry.as_millis() as u64);
                    match error {
                        Failed::Error(error) => {
                            tracing::warn!(worker, error = chain(error.as_ref()), retry_ms, "a turn failed");
                        }
                        Failed::Panic(panic) => tracing::error!(worker, panic, retry_ms, "a turn panicked"),
                    }
                    watched.pulse.waits(retry);
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(retry) => {}
                    }
                    retry = (retry * 2).min(LONGEST_RETRY);
                }
            }
        }
    });
}

/// Why a turn came to nothing.
enum Failed {
    Error(BoxError),
    Panic(String),
}

/// Counts turns, and notes when they begin and end.
struct Watched {
    pulse: Arc<Pulse>,
    last: metrics::Gauge,
    failed: metrics::Counter,
    panicked: metrics::Counter,
}

impl Watched {
    fn new(pulse: Arc<Pulse>) -> Self {
        let name = pulse.name().to_owned();
        let last = metrics::gauge!("worker_last_turn_timestamp_seconds", "worker" => name.clone());
        let failed = metrics::counter!("worker_turns_failed_total", "worker" => name.clone(), "how" => "error");
        let panicked = metrics::counter!("worker_turns_failed_total", "worker" => name, "how" => "panic");
        Self { pulse, last, failed, panicked }
    }

    async fn turn(&self, turn: impl Future<Output = Result<Turn, BoxError>>) -> Result<Turn, Failed> {
        self.pulse.begins_a_turn();
        match AssertUnwindSafe(turn).catch_unwind().await {
            Ok(ended) => {
                self.pulse.has_turned();
                self.last.set(unix_seconds());
                ended.map_err(|error| {
                    self.failed.increment(1);
                    Failed::Error(error)
                })
            }
            Err(panic) => {
                self.pulse.has_broken_down();
                self.panicked.increment(1);
                Err(Failed::Panic(panic_text(panic.as_ref()).to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use tokio::sync::mpsc;

    const HOUR: Duration = Duration::from_secs(3600);

    fn counted(clock: &Clock, tasks: &Tasks, wake: &Wake, mut answers: Vec<Result<Turn, BoxError>>) -> mpsc::UnboundedReceiver<()> {
        let (turned, turns) = mpsc::unbounded_channel();
        run(tasks, clock, "counted", HOUR, wake, move || {
            let answer = if answers.is_empty() { Ok(Turn::Idle) } else { answers.remove(0) };
            let turned = turned.clone();
            async move {
                turned.send(()).expect("the test listens");
                answer
            }
        });
        turns
    }

    #[tokio::test]
    async fn a_worker_turns_at_the_start_on_a_signal_and_when_the_clock_moves() {
        let (clock, tasks, wake) = (Clock::moved(DateTime::UNIX_EPOCH), Tasks::new(), Wake::new());
        let mut turns = counted(&clock, &tasks, &wake, vec![]);
        turns.recv().await.expect("the first turn");
        wake.wake();
        turns.recv().await.expect("the signalled turn");
        clock.forward(HOUR);
        turns.recv().await.expect("the timer's turn");
        assert!(tasks.shutdown(HOUR).await);
    }

    #[tokio::test]
    async fn a_signal_reaches_every_worker_that_listens_for_it() {
        let (clock, tasks, wake) = (Clock::moved(DateTime::UNIX_EPOCH), Tasks::new(), Wake::new());
        let mut workers = [counted(&clock, &tasks, &wake, vec![]), counted(&clock, &tasks, &wake, vec![])];
        for turns in &mut workers {
            turns.recv().await.expect("the first turn");
        }
        wake.wake();
        for turns in &mut workers {
            turns.recv().await.expect("the signalled turn");
        }
        assert!(tasks.shutdown(HOUR).await);
    }

    #[tokio::test]
    async fn a_worker_goes_on_at_once_while_there_is_more_and_after_a_failure() {
        let (clock, tasks, wake) = (Clock::real(), Tasks::new(), Wake::new());
        let mut turns = counted(&clock, &tasks, &wake, vec![Ok(Turn::More), Err("not today".into())]);
        for turn in ["first", "more", "after the failure"] {
            turns.recv().await.expect(turn);
        }
        assert!(tasks.shutdown(HOUR).await);
    }

    /// A worker that panics in its first turns, so many times.
    fn panicking(tasks: &Tasks, times: usize) -> mpsc::UnboundedReceiver<()> {
        let (turned, turns) = mpsc::unbounded_channel();
        let mut left = times;
        run(tasks, &Clock::real(), "panicking", HOUR, &Wake::new(), move || {
            turned.send(()).expect("the test listens");
            if left > 0 {
                left -= 1;
                panic!("on purpose");
            }
            async { Ok(Turn::Idle) }
        });
        turns
    }

    #[tokio::test]
    async fn a_worker_that_panics_once_goes_on() {
        let tasks = Tasks::new();
        let mut turns = panicking(&tasks, 1);
        for turn in ["the one that panics", "the next"] {
            turns.recv().await.expect(turn);
        }
        assert_eq!(tasks.ailing(), Vec::<String>::new());
        assert!(tasks.shutdown(HOUR).await);
    }

    #[tokio::test]
    async fn a_worker_that_panics_for_ever_tries_on_and_is_told() {
        let tasks = Tasks::new();
        let mut turns = panicking(&tasks, usize::MAX);
        for _ in 0..4 {
            turns.recv().await.expect("another turn");
        }
        let ailing = tasks.ailing();
        assert!(ailing.len() == 1 && ailing[0].starts_with("panicking has broken down "), "{ailing:?}");
        assert!(tasks.shutdown(HOUR).await);
    }
}
