//! The runs of jobs, as people read them.

use chrono::{DateTime, Utc};
use domain::ids::StaffId;
use domain::schedule::{self, JobState};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::job::{Did, Figure};
use crate::database::Database;
use crate::error::Error;

/// How many runs of each job are kept.
pub const KEPT: i64 = 100;

domain::words! {
    /// How a run ended.
    #[schema(as = JobOutcome)]
    pub enum Outcome {
        /// It did its work.
        Done,
        /// It failed; the job runs again at its next time.
        Failed,
        /// The process that ran it died; the job was due again at once.
        Lost,
    }
}

/// A run of a job: asked for, under way, or over.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = JobRun)]
pub struct Run {
    /// Its number; later runs have higher ones.
    pub run_id: i64,
    /// The time that it answers; none where it was only asked for.
    pub due_at: Option<DateTime<Utc>>,
    /// When somebody asked for it.
    pub asked_at: Option<DateTime<Utc>>,
    /// Who did.
    pub asked_by: Option<StaffId>,
    /// When it began; not yet where it was only asked for.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended; not yet while it goes on.
    pub finished_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Why it failed.
    pub error: Option<String>,
    /// How long it took, in milliseconds of real time.
    pub took_ms: Option<i64>,
    /// Whether it made up for a time that had passed while nothing was up.
    pub made_up: bool,
    /// What it did, in numbers.
    #[schema(value_type = Vec<Figure>)]
    pub did: Did,
}

impl Run {
    /// The run that somebody has just asked for.
    pub(super) fn asked(run_id: i64, by: StaffId, at: DateTime<Utc>) -> Self {
        Self {
            run_id,
            due_at: None,
            asked_at: Some(at),
            asked_by: Some(by),
            started_at: None,
            finished_at: None,
            outcome: None,
            error: None,
            took_ms: None,
            made_up: false,
            did: Did::nothing(),
        }
    }
}

/// A run as the table has it.
struct Row {
    run_id: i64,
    due_at: Option<DateTime<Utc>>,
    asked_at: Option<DateTime<Utc>>,
    asked_by: Option<Uuid>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    outcome: Option<String>,
    error: Option<String>,
    took_ms: Option<i64>,
    did: Value,
}

impl From<Row> for Run {
    fn from(row: Row) -> Self {
        let made_up = row.due_at.zip(row.started_at).is_some_and(|(due_at, started_at)| schedule::is_made_up(due_at, started_at));
        Self {
            run_id: row.run_id,
            due_at: row.due_at,
            asked_at: row.asked_at,
            asked_by: row.asked_by.map(StaffId::from_uuid),
            started_at: row.started_at,
            finished_at: row.finished_at,
            // the table takes no other word
            outcome: row.outcome.and_then(|word| word.parse().ok()),
            error: row.error,
            took_ms: row.took_ms,
            made_up,
            // numbers of a later version, which nobody here can read, are left out
            did: serde_json::from_value(row.did).unwrap_or_default(),
        }
    }
}

/// A job and how it stands.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ScheduledJob)]
pub(super) struct Standing {
    /// `service.what_it_does`.
    name: String,
    /// What it does, in Chinese.
    about: String,
    /// The same in English.
    about_en: String,
    /// When it is due: second, minute, hour, day, month, day of the week.
    #[schema(example = "0 30 3 * * *")]
    cron: String,
    /// By the clock of which time zone.
    #[schema(example = "Asia/Shanghai")]
    time_zone: String,
    /// How it stands.
    state: JobState,
    /// When it is due next, or has been since.
    due_at: DateTime<Utc>,
    /// The run that is under way or asked for.
    current: Option<Run>,
    /// The last run that is over.
    last: Option<Run>,
}

/// All jobs, by name.
pub(super) async fn standings(database: &Database, now: DateTime<Utc>) -> Result<Vec<Standing>, Error> {
    let jobs =
        sqlx::query!("select name, about, about_en, cron, time_zone, due_at, asked, running from jobs.job order by name collate \"C\"")
            .fetch_all(database.pool())
            .await?;
    let newest = sqlx::query!(
        "select distinct on (job, finished_at is null) job, run_id, due_at, asked_at, asked_by, started_at, finished_at, outcome, error, took_ms, did
         from jobs.run order by job, finished_at is null, run_id desc"
    )
    .fetch_all(database.pool())
    .await?;
    let mut standings: Vec<Standing> = jobs
        .into_iter()
        .map(|job| Standing {
            state: JobState::of(job.due_at, job.asked.is_some(), job.running.is_some(), now),
            name: job.name,
            about: job.about,
            about_en: job.about_en,
            cron: job.cron,
            time_zone: job.time_zone,
            due_at: job.due_at,
            current: None,
            last: None,
        })
        .collect();
    for row in newest {
        let Ok(at) = standings.binary_search_by(|standing| standing.name.as_str().cmp(&row.job)) else { continue };
        let run = Run::from(Row {
            run_id: row.run_id,
            due_at: row.due_at,
            asked_at: row.asked_at,
            asked_by: row.asked_by,
            started_at: row.started_at,
            finished_at: row.finished_at,
            outcome: row.outcome,
            error: row.error,
            took_ms: row.took_ms,
            did: row.did,
        });
        let place = if run.finished_at.is_none() { &mut standings[at].current } else { &mut standings[at].last };
        *place = Some(run);
    }
    Ok(standings)
}

/// The runs of a job that are kept, newest first; none where there is no such job.
pub(super) async fn of_job(database: &Database, job: &str) -> Result<Option<Vec<Run>>, Error> {
    let rows = sqlx::query_as!(
        Row,
        "select run_id, due_at, asked_at, asked_by, started_at, finished_at, outcome, error, took_ms, did
         from jobs.run where job = $1 order by run_id desc",
        job,
    )
    .fetch_all(database.pool())
    .await?;
    if rows.is_empty() {
        let known = sqlx::query_scalar!(r#"select exists (select from jobs.job where name = $1) as "known!""#, job);
        if !known.fetch_one(database.pool()).await? {
            return Ok(None);
        }
    }
    Ok(Some(rows.into_iter().map(Run::from).collect()))
}
