//! The scheduled work of the platform: one table of jobs, which an operator sees.
//!
//! A [`Job`] is a name, a cron expression in the city's time zone, and what it does, in words. A service declares its jobs and
//! registers with each what it does ([`Jobs::register`]). What is due, what runs and how it ended stand in the database (schema `jobs`):
//!
//! ```text
//! tokio-cron-scheduler ─┐                  ┌─▶ claim ─▶ run, with signs of life ─▶ done, failed
//! moved clock ──────────┼─▶ look at what ──┤                     └ process dies ─▶ lost, and due again
//! every 5 s ────────────┘     is due       └─◀ asked for by an operator
//! ```
//!
//! The table decides and the rest only wakes: beside the real clock [`ticks`] do, promptly at each job's times; beside one that is moved,
//! every move does. What is guaranteed:
//! * A time that passes makes one run, whatever the number of processes; many that passed while nothing was up make one together.
//! * A job that fails or panics stops no other. Its error is kept, and it runs again at its next time.
//! * A run whose process died is noticed within a minute and repeated; one that keeps bringing its process down waits for its time.
//! * Of each job the last [`KEPT`] runs are kept. Runs that people asked for are in the audit trace for good.
//!
//! So a job may be run twice without harm, and does not mind being late. What an alert waits for is no job: it runs by signal and
//! looks every second ([`crate::worker`]). That nothing was lost on the way is looked after by jobs ([`crate::sweep`]).

mod job;
mod offers;
mod routes;
mod runner;
mod runs;
mod settings;
mod table;
mod ticks;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::migrate::Migrator;
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::compiled_once;
use crate::database::Database;
use crate::error::{BoxError, Error};
use crate::tasks::Tasks;
use crate::worker::{self, Wake};
use job::Work;
pub use job::{Did, Figure, Job};
use offers::{Inner, Offered};
pub use routes::routes;
pub use runs::{KEPT, Outcome, Run};
pub use settings::JobSettings;
use settings::Times;

/// The schema of the table.
pub const SCHEMA: &str = "jobs";

/// The tables of schema `jobs`.
pub static MIGRATOR: Migrator = sqlx::migrate!("migrations/jobs");

/// How long a run that another process was asked for waits, and one that no wake came for.
const INTERVAL: Duration = Duration::from_secs(5);

/// The jobs that this process offers, and the table of all. Clones share them.
#[derive(Clone)]
pub struct Jobs(Arc<Inner>);

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.offered().keys()).finish()
    }
}

impl Jobs {
    /// The table of this database, to which this process offers no job yet.
    ///
    /// # Errors
    /// When an expression of the settings is none.
    pub fn new(settings: &JobSettings, database: &Database, clock: &Clock, tasks: &Tasks) -> Result<Self, Error> {
        let (ticks, to_tick) = mpsc::unbounded_channel();
        Ok(Self(Arc::new(Inner {
            database: database.clone(),
            clock: clock.clone(),
            tasks: tasks.clone(),
            times: Times::of(settings)?,
            offered: Mutex::default(),
            started: AtomicBool::new(false),
            wake: Wake::new(),
            ticks,
            to_tick: Mutex::new(Some(to_tick)),
        })))
    }

    /// Offers to run `job` by `work` from now on, until the process stops. Offering it again changes nothing.
    ///
    /// # Errors
    /// When its own expression is none.
    pub fn register<W, F>(&self, job: &'static Job, work: W) -> Result<(), Error>
    where
        W: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<Did, BoxError>> + Send + 'static,
    {
        self.offer(job, Arc::new(move || Box::pin(work())))
    }

    fn offer(&self, job: &'static Job, work: Work) -> Result<(), Error> {
        let schedule = self.0.times.of_job(job)?;
        {
            let mut offered = self.0.offered();
            if offered.contains_key(job.name) {
                return Ok(());
            }
            offered.insert(job.name, Offered { job, schedule: schedule.clone(), work, enrolled: false });
        }
        // nobody listens beside a clock that is moved
        let _ = self.0.ticks.send(schedule);
        self.start();
        self.0.wake.wake();
        Ok(())
    }

    /// Refuses settings for jobs that do not exist. `all` are the jobs of all services, whichever this process runs.
    ///
    /// # Errors
    /// Names those that do not exist.
    pub fn check_settings<'a>(&self, all: impl IntoIterator<Item = &'a Job>) -> Result<(), Error> {
        self.0.times.check(all)
    }

    /// Whether no job runs anywhere, and none that this process offers is due or asked for: what a rehearsal asks before it moves the
    /// clock.
    ///
    /// # Errors
    /// When the database fails.
    #[compiled_once]
    pub async fn settled(&self) -> Result<bool, Error> {
        if self.0.offered().values().any(|offered| !offered.enrolled) {
            return Ok(false);
        }
        let (names, _) = self.0.names_and_next(self.0.clock.now());
        table::settled(&self.0.database, &names, self.0.clock.now()).await
    }

    fn start(&self) {
        let inner = &self.0;
        if inner.started.swap(true, Ordering::SeqCst) {
            return;
        }
        if inner.clock.is_real()
            && let Some(to_tick) = inner.to_tick.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            inner.tasks.spawn("jobs.ticks", ticks::run(inner.tasks.clone(), inner.wake.clone(), to_tick));
        }
        let turning = Turning(Arc::clone(inner));
        worker::run(&inner.tasks, &inner.clock, "jobs", INTERVAL, &inner.wake, move || {
            let Turning(inner) = &turning;
            runner::turn(Arc::clone(inner))
        });
    }
}

/// Looks after the jobs, and lets go of their work with the last turn: it holds what it works on, which may hold the jobs in turn, and
/// then nothing would ever close the database.
struct Turning(Arc<Inner>);

impl Drop for Turning {
    fn drop(&mut self) {
        let work = std::mem::take(&mut *self.0.offered());
        drop(work);
    }
}
