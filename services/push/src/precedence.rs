//! Urgent before routine, inside one process.
//!
//! The pump gives urgent batches to the broker first; here routine batches that are being sent already step aside while an urgent
//! one is in hand, so that it has the connections and the processor to itself: what they have on the wire is answered, nothing
//! further goes out. They step aside already when there is word of an urgent alert ([`platform::urgent`]), and wait for a
//! moment longer than the last urgent batch, since the next one is often just being planned.

use std::sync::Arc;
use std::time::Duration;

use platform::cache::Cache;
use platform::urgent::Ear;
use tokio::sync::watch;
use tokio::time::Instant;

/// How long routine batches wait after the last urgent one. In real time, as the sending is.
const LINGER: Duration = Duration::from_millis(100);

/// How many urgent batches are in hand, or announced.
#[derive(Clone, Debug)]
pub(crate) struct Precedence {
    line: Arc<watch::Sender<Line>>,
    ear: Arc<Ear>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Line {
    urgent: usize,
    /// When the last of them was done.
    last_done: Option<Instant>,
    /// Until when one is expected of which there is word.
    expected_until: Option<Instant>,
}

impl Line {
    /// None: routine batches may go. Otherwise they must wait, until that time if they are told one.
    fn wait(&self, now: Instant) -> Option<Option<Instant>> {
        if self.urgent > 0 {
            return Some(None);
        }
        let until = self.last_done.map(|done| done + LINGER).max(self.expected_until)?;
        (until > now).then_some(Some(until))
    }
}

/// An urgent batch in hand, until dropped.
#[derive(Debug)]
pub(crate) struct Urgent<'a>(&'a Precedence);

impl Precedence {
    pub(crate) fn new() -> Self {
        Self { line: Arc::new(watch::Sender::new(Line::default())), ear: Arc::default() }
    }

    /// An urgent batch is taken in hand.
    pub(crate) fn take(&self) -> Urgent<'_> {
        // what was expected is there
        self.line.send_modify(|line| (line.urgent, line.expected_until) = (line.urgent + 1, None));
        Urgent(self)
    }

    /// Whether routine batches may go.
    pub(crate) fn is_given(&self) -> bool {
        self.line.borrow().wait(Instant::now()).is_none()
    }

    /// Listens for word of an urgent alert that is not in hand yet.
    pub(crate) async fn listen(&self, cache: &Cache) {
        let Some(until) = self.ear.listen(cache).await else { return };
        self.line.send_modify(|line| {
            if line.urgent == 0 {
                line.expected_until = Some(until);
            }
        });
    }

    /// Waits while an urgent batch is in hand.
    pub(crate) async fn given(&self) {
        if self.is_given() {
            return;
        }
        let mut line = self.line.subscribe();
        loop {
            let wait = line.borrow_and_update().wait(Instant::now());
            // the sender lives as long as `self`, so a change is waited for without fail
            match wait {
                None => return,
                Some(None) => {
                    let _ = line.changed().await;
                }
                Some(Some(until)) => {
                    let _ = tokio::time::timeout_at(until, line.changed()).await;
                }
            }
        }
    }
}

impl Drop for Urgent<'_> {
    fn drop(&mut self) {
        self.0.line.send_modify(|line| {
            line.urgent = line.urgent.saturating_sub(1);
            line.last_done = Some(Instant::now());
        });
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use domain::ids::AlertId;
    use futures::FutureExt as _;
    use platform::clock::Clock;
    use platform::urgent;

    use super::*;

    #[tokio::test]
    async fn routine_batches_wait_until_the_last_urgent_one_is_done_and_a_moment_longer() {
        let precedence = Precedence::new();
        assert!(precedence.given().now_or_never().is_some(), "nobody is in the way");
        let (one, other) = (precedence.take(), precedence.take());
        drop(one);
        assert!(precedence.given().now_or_never().is_none());
        drop(other);
        let line = *precedence.line.borrow();
        let done = line.last_done.unwrap();
        assert_eq!(line.wait(done), Some(Some(done + LINGER)), "another one may just be coming");
        assert_eq!(line.wait(done + LINGER), None);
        precedence.given().await;
        assert!(done.elapsed() >= LINGER / 2, "it has waited, and no timer is exact");
        assert!(precedence.is_given());
    }

    #[tokio::test]
    async fn routine_batches_wait_for_the_urgent_ones_of_which_there_is_word_but_not_for_long() {
        let cache = Cache::in_process(&Clock::moved(DateTime::from_timestamp(1_700_000_000, 0).unwrap()));
        let expected = async || {
            let (precedence, now) = (Precedence::new(), Instant::now());
            urgent::announce(&cache, AlertId::new()).await;
            precedence.listen(&cache).await;
            let line = *precedence.line.borrow();
            let Some(Some(until)) = line.wait(now) else { panic!("there is word of one") };
            assert!(until >= now + urgent::AHEAD);
            assert_eq!(line.wait(until), None, "an alert without anybody to be pushed to holds nobody up for ever");
            (precedence, until)
        };
        let (precedence, _) = expected().await;
        drop(precedence.take());
        let line = *precedence.line.borrow();
        let done = line.last_done.unwrap();
        assert_eq!((line.expected_until, line.wait(done)), (None, Some(Some(done + LINGER))), "what was announced is done");

        let (precedence, until) = expected().await;
        precedence.given().await;
        assert!(Instant::now() >= until);
    }
}
