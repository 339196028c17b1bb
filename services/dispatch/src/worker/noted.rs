//! What a channel notes about the recipients of a batch while it sends.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use domain::batch::Outcomes;
use domain::outcome::Outcome;
use platform::clock::Clock;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::ledger::{GoneEndpoint, OtherDevice, Report};

/// The outcomes of a batch as they come in, from many tasks at once. Noting costs one atomic store: it is done millions of times.
#[derive(Debug)]
pub struct Noted {
    outcomes: Vec<AtomicU8>,
    since_checkpoint: AtomicUsize,
    checkpoint_every: usize,
    checkpoint: Notify,
    stopping: CancellationToken,
    handed_over: AtomicBool,
    aside: Mutex<Aside>,
    clock: Clock,
}

/// What happens rarely.
#[derive(Debug, Default)]
struct Aside {
    gone: Vec<GoneEndpoint>,
    again: Vec<OtherDevice>,
    first_hand_over_at: Option<DateTime<Utc>>,
    retry_after: Option<TimeDelta>,
}

impl Noted {
    pub(crate) fn new(outcomes: &Outcomes, checkpoint_every: usize, clock: Clock) -> Self {
        Self {
            outcomes: outcomes.as_slice().iter().map(|outcome| AtomicU8::new(u8::from(*outcome))).collect(),
            since_checkpoint: AtomicUsize::new(0),
            checkpoint_every,
            checkpoint: Notify::new(),
            stopping: CancellationToken::new(),
            handed_over: AtomicBool::new(false),
            aside: Mutex::default(),
            clock,
        }
    }

    /// Notes the outcome of the recipient at `position` of the batch ([`Claimed::pending`](crate::ledger::Claimed::pending) gives positions). A
    /// resident with several devices is noted once, with the best of their answers.
    pub fn outcome(&self, position: usize, outcome: Outcome) {
        let Some(noted) = self.outcomes.get(position) else { return };
        noted.store(u8::from(outcome), Ordering::Relaxed);
        if outcome.is_handed_over() && !self.handed_over.swap(true, Ordering::Relaxed) {
            self.aside().first_hand_over_at = Some(self.clock.now());
        }
        if self.since_checkpoint.fetch_add(1, Ordering::Relaxed) + 1 == self.checkpoint_every {
            self.checkpoint.notify_one();
        }
    }

    /// Whether the recipient at `position` is still to be sent to: whoever acknowledged while the batch was being sent is not, nor for
    /// whom the alert was withdrawn. To be asked right
    /// before sending; it costs one atomic load.
    pub fn is_wanted(&self, position: usize) -> bool {
        self.outcomes.get(position).is_some_and(|noted| noted.load(Ordering::Relaxed) != u8::from(Outcome::Withdrawn))
    }

    /// Leaves out the recipient at `position`, unless something is known of them.
    pub(super) fn leave_out(&self, position: usize) {
        if let Some(noted) = self.outcomes.get(position) {
            let (pending, withdrawn) = (u8::from(Outcome::Pending), u8::from(Outcome::Withdrawn));
            // Known already: it stays.
            let _ = noted.compare_exchange(pending, withdrawn, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Notes an endpoint that the provider says exists no longer: it will be pruned.
    pub fn gone(&self, endpoint: GoneEndpoint) {
        self.aside().gone.push(endpoint);
    }

    /// Notes a device that failed for now while its owner was reached by another: it is tried again alone, when the batch is done with.
    pub fn again(&self, other: OtherDevice) {
        self.aside().again.push(other);
    }

    /// Notes a wait that a provider asked for; the longest counts for the retry batch.
    pub fn retry_after(&self, wait: TimeDelta) {
        let mut aside = self.aside();
        aside.retry_after = aside.retry_after.max(Some(wait));
    }

    /// Resolves when nothing further may be sent: finish what is on the wire and return.
    pub async fn stopping(&self) {
        self.stopping.cancelled().await;
    }

    /// Whether nothing further may be sent.
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    pub(super) fn stop(&self) {
        self.stopping.cancel();
    }

    /// Resolves when so many were noted that a checkpoint is due.
    pub(super) async fn checkpoint_due(&self) {
        self.checkpoint.notified().await;
    }

    /// Whether somebody has no outcome yet.
    pub(super) fn is_incomplete(&self) -> bool {
        self.outcomes.iter().any(|outcome| outcome.load(Ordering::Relaxed) == u8::from(Outcome::Pending))
    }

    /// What is known at this moment; endpoints to prune are handed out once.
    pub(super) fn report(&self) -> Report {
        self.since_checkpoint.store(0, Ordering::Relaxed);
        let mut outcomes = Outcomes::pending(self.outcomes.len());
        for (position, noted) in self.outcomes.iter().enumerate() {
            if let Ok(outcome) = Outcome::try_from(noted.load(Ordering::Relaxed)) {
                outcomes.set(position, outcome);
            }
        }
        let mut aside = self.aside();
        Report {
            outcomes,
            gone: std::mem::take(&mut aside.gone),
            again: aside.again.clone(),
            first_hand_over_at: aside.first_hand_over_at,
            retry_after: aside.retry_after,
        }
    }

    /// Takes back what a report could not tell.
    pub(super) fn untold(&self, gone: Vec<GoneEndpoint>) {
        self.aside().gone.extend(gone);
    }

    fn aside(&self) -> MutexGuard<'_, Aside> {
        // Plain values: nothing is left half done by a panic.
        self.aside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
