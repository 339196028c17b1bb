//! Looks at the table, and runs what is due.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;

use super::job::{Did, Work};
use super::offers::{Inner, Offered};
use super::runs::Outcome;
use super::table::{self, Claimed, Ending, LEASE};
use crate::error::{BoxError, Error};
use crate::tasks::{chain, panic_text};
use crate::worker::Turn;

/// A run that is not done by then is given up, so that the job can run again.
const LONGEST: Duration = Duration::from_secs(6 * 3600);
/// An error is for reading, not a dump.
const LONGEST_ERROR: usize = 2_000;
/// How long until an ending that could not be written down is tried again, at first and at most.
const FIRST_RETRY: Duration = Duration::from_millis(200);
const LONGEST_RETRY: Duration = Duration::from_secs(10);

/// Enrols what is new, gives up what is lost, and begins what is due. Runs go on beside the turns.
pub(super) async fn turn(inner: Arc<Inner>) -> Result<Turn, BoxError> {
    enrol(&inner).await?;
    let now = inner.clock.now();
    let (names, next) = inner.names_and_next(now);
    let mut found = table::look(&inner.database, &names, now).await?;
    if found.lost {
        for job in table::give_up_lost(&inner.database, now).await? {
            metrics::counter!("job_runs_total", "job" => job.clone(), "outcome" => Outcome::Lost.as_ref().to_owned()).increment(1);
            tracing::error!(job, "a run was lost with the process that ran it");
        }
        found.due = true;
    }
    if found.due {
        for claimed in table::claim(&inner.database, &names, &next, now).await? {
            let work = inner.offered().get(claimed.job.as_str()).map(|offered| Arc::clone(&offered.work));
            if let Some(work) = work {
                inner.tasks.spawn("jobs.run", run(Arc::clone(&inner), claimed, work));
            }
        }
    }
    Ok(Turn::Idle)
}

async fn enrol(inner: &Inner) -> Result<(), Error> {
    let new: Vec<Offered> = inner.offered().values().filter(|offered| !offered.enrolled).cloned().collect();
    if new.is_empty() {
        return Ok(());
    }
    table::enrol(&inner.database, &new, inner.clock.now()).await?;
    let mut offered = inner.offered();
    for job in &new {
        if let Some(known) = offered.get_mut(job.job.name) {
            known.enrolled = true;
        }
    }
    Ok(())
}

async fn run(inner: Arc<Inner>, Claimed { run_id, job }: Claimed, work: Work) {
    let began = Instant::now();
    let result = while_alive(&inner, run_id, &job, guarded(&work)).await;
    let took = began.elapsed();
    let (outcome, error, did) = match result {
        Ok(did) => (Outcome::Done, None, did),
        Err(reason) => (Outcome::Failed, Some(reason), Did::nothing()),
    };
    metrics::counter!("job_runs_total", "job" => job.clone(), "outcome" => outcome.as_ref().to_owned()).increment(1);
    metrics::histogram!("job_duration_seconds", "job" => job.clone()).record(took.as_secs_f64());
    let took_ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
    match &error {
        Some(error) => tracing::error!(job, took_ms, error, "a job failed"),
        None if did.is_something() => tracing::info!(job, took_ms, did = did.in_words(), "a job is done"),
        None => tracing::debug!(job, took_ms, "a job is done, there was nothing to do"),
    }
    let did = serde_json::to_value(&did).unwrap_or_default();
    finish(&inner, run_id, &job, Ending { outcome, error, did, took_ms, at: inner.clock.now() }).await;
    // it may have become due again meanwhile
    inner.wake.wake();
}

/// Does the work. Whatever goes wrong is a reason.
async fn guarded(work: &Work) -> Result<Did, String> {
    let panicked = |panic: Box<dyn std::any::Any + Send>| format!("the job panicked: {}", panic_text(panic.as_ref()));
    // the call itself may panic before there is a future
    let working = catch_unwind(AssertUnwindSafe(|| work())).map_err(panicked)?;
    let result = match tokio::time::timeout(LONGEST, AssertUnwindSafe(working).catch_unwind()).await {
        Ok(Ok(Ok(did))) => Ok(did),
        Ok(Ok(Err(error))) => Err(chain(error.as_ref())),
        Ok(Err(panic)) => Err(panicked(panic)),
        Err(_) => Err(format!("it was not done after {} hours and was given up", LONGEST.as_secs() / 3600)),
    };
    // PostgreSQL text holds no zero
    result.map_err(|reason| reason.replace('\0', " ").chars().take(LONGEST_ERROR).collect())
}

/// Gives signs of life, by the machine's clock, as long as the work goes on.
async fn while_alive<T>(inner: &Inner, run_id: i64, job: &str, working: impl Future<Output = T>) -> T {
    tokio::pin!(working);
    loop {
        tokio::select! {
            done = &mut working => return done,
            () = tokio::time::sleep(LEASE / 3) => match table::sign_of_life(&inner.database, run_id).await {
                Ok(true) => {}
                Ok(false) => tracing::warn!(job, run_id, "a run that goes on was given up as lost"),
                Err(error) => tracing::warn!(job, run_id, error = chain(&error), "a run gave no sign of life"),
            },
        }
    }
}

/// Writes the ending down, as soon as the database takes it. When the process stops before, the run counts as lost and is repeated.
async fn finish(inner: &Inner, run_id: i64, job: &str, ending: Ending) {
    let mut retry = FIRST_RETRY;
    loop {
        match table::finish(&inner.database, run_id, &ending).await {
            Ok(true) => return,
            Ok(false) => return tracing::warn!(job, run_id, "a run ended that had been given up as lost"),
            Err(error) => tracing::warn!(job, run_id, error = chain(&error), "the end of a run could not be written down"),
        }
        tokio::select! {
            () = inner.tasks.cancelled() => return,
            () = tokio::time::sleep(retry) => retry = (retry * 2).min(LONGEST_RETRY),
        }
    }
}
