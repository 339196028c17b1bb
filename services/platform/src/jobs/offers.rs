//! The jobs that this process offers to run.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use domain::schedule::Schedule;
use tokio::sync::mpsc;

use super::job::{Job, Work};
use super::settings::Times;
use crate::clock::Clock;
use crate::database::Database;
use crate::tasks::Tasks;
use crate::worker::Wake;

/// What the clones of [`super::Jobs`] share.
pub(super) struct Inner {
    pub(super) database: Database,
    pub(super) clock: Clock,
    pub(super) tasks: Tasks,
    pub(super) times: Times,
    pub(super) offered: Mutex<BTreeMap<&'static str, Offered>>,
    pub(super) started: AtomicBool,
    pub(super) wake: Wake,
    pub(super) ticks: mpsc::UnboundedSender<Schedule>,
    /// Taken by the task that ticks.
    pub(super) to_tick: Mutex<Option<mpsc::UnboundedReceiver<Schedule>>>,
}

/// A job that this process can run.
#[derive(Clone)]
pub(super) struct Offered {
    pub(super) job: &'static Job,
    pub(super) schedule: Schedule,
    pub(super) work: Work,
    /// Whether the table knows.
    pub(super) enrolled: bool,
}

impl Inner {
    pub(super) fn offered(&self) -> MutexGuard<'_, BTreeMap<&'static str, Offered>> {
        self.offered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The jobs on offer that the table knows, and when each is due next after `now`.
    pub(super) fn names_and_next(&self, now: DateTime<Utc>) -> (Vec<String>, Vec<DateTime<Utc>>) {
        let offered = self.offered();
        let enrolled = offered.values().filter(|offered| offered.enrolled);
        enrolled.map(|offered| (offered.job.name.to_owned(), offered.schedule.next_after(now))).unzip()
    }
}
