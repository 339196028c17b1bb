//! The table: which jobs there are, when they are due, and who runs them.
//!
//! A job is run by whoever claims it, and only one can: the claim locks the job's row, looks whether it is due and nobody runs it, moves its
//! due time on and begins the run, in one statement. A claim holds for [`LEASE`] and is extended while the run goes on, by the database's
//! clock, which is one for all processes.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::schedule::{self, Known};
use serde_json::Value;
use uuid::Uuid;

use super::offers::Offered;
use super::runs::{KEPT, Outcome};
use crate::database::{Database, Tx};
use crate::error::Error;

/// A run without a sign of life for so long is lost.
pub(super) const LEASE: Duration = Duration::from_secs(60);

/// A job that nobody has run for so many days after it was due is not offered any more and is forgotten.
const FORGOTTEN_AFTER_DAYS: i32 = 90;

/// Writes down that this process offers these jobs, and when they are due.
pub(super) async fn enrol(database: &Database, jobs: &[Offered], now: DateTime<Utc>) -> Result<(), Error> {
    let names: Vec<String> = jobs.iter().map(|offered| offered.job.name.to_owned()).collect();
    let mut tx = database.begin().await?;
    let rows =
        sqlx::query!("select name, cron, time_zone, due_at, lost from jobs.job where name = any($1) order by name for update", &names)
            .fetch_all(&mut *tx)
            .await?;
    let known: HashMap<&str, Known> = rows
        .iter()
        .filter_map(|row| {
            let schedule = &jobs.iter().find(|offered| offered.job.name == row.name)?.schedule;
            let same_schedule = row.cron == schedule.expression() && row.time_zone == schedule.zone().name();
            Some((row.name.as_str(), Known { due_at: row.due_at, same_schedule, lost: row.lost.unsigned_abs() }))
        })
        .collect();
    let due_at =
        |offered: &Offered| schedule::due_at_start(&offered.schedule, offered.job.at_start, known.get(offered.job.name).copied(), now);
    let due: Vec<DateTime<Utc>> = jobs.iter().map(due_at).collect();
    let texts = |text: fn(&Offered) -> &str| -> Vec<String> { jobs.iter().map(|offered| text(offered).to_owned()).collect() };
    sqlx::query!(
        "insert into jobs.job as known (name, cron, time_zone, about, about_en, due_at)
         select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
         on conflict (name) do update set cron = excluded.cron, time_zone = excluded.time_zone, about = excluded.about,
             about_en = excluded.about_en, due_at = excluded.due_at",
        &names,
        &texts(|offered| offered.schedule.expression()),
        &texts(|offered| offered.schedule.zone().name()),
        &texts(|offered| offered.job.about),
        &texts(|offered| offered.job.about_en),
        &due,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "delete from jobs.job where due_at < $1::timestamptz - make_interval(days => $2) and running is null and name <> all($3)",
        now,
        FORGOTTEN_AFTER_DAYS,
        &names,
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

/// What a look at the table finds to do.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Whether one of the jobs asked about is due or asked for.
    pub(super) due: bool,
    /// Whether a run has given no sign of life for too long.
    pub(super) lost: bool,
}

/// Looks whether one of these jobs is to be run, or any run is lost.
pub(super) async fn look(database: &Database, names: &[String], now: DateTime<Utc>) -> Result<Found, Error> {
    let found = sqlx::query!(
        r#"select coalesce(bool_or(running is null and (due_at <= $2 or asked is not null) and name = any($1)), false) as "due!",
                  coalesce(bool_or(alive_until < clock_timestamp()), false) as "lost!"
           from jobs.job"#,
        names,
        now,
    )
    .fetch_one(database.pool())
    .await?;
    Ok(Found { due: found.due, lost: found.lost })
}

/// Whether nothing runs and none of these jobs is to be run.
pub(super) async fn settled(database: &Database, names: &[String], now: DateTime<Utc>) -> Result<bool, Error> {
    let busy = sqlx::query_scalar!(
        r#"select exists (select from jobs.job where running is not null or (name = any($1) and (due_at <= $2 or asked is not null))) as "busy!""#,
        names,
        now,
    )
    .fetch_one(database.pool())
    .await?;
    Ok(!busy)
}

/// Gives up the runs whose process has died: they are over, and their jobs due. Returns the jobs.
pub(super) async fn give_up_lost(database: &Database, now: DateTime<Utc>) -> Result<Vec<String>, Error> {
    let mut tx = database.begin().await?;
    let rows =
        sqlx::query!("select name, due_at, lost from jobs.job where alive_until < clock_timestamp() order by name for update skip locked")
            .fetch_all(&mut *tx)
            .await?;
    let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    let lost: Vec<i16> = rows.iter().map(|row| row.lost.saturating_add(1)).collect();
    let due: Vec<DateTime<Utc>> =
        rows.iter().zip(&lost).map(|(row, lost)| schedule::due_after_loss(row.due_at, lost.unsigned_abs(), now)).collect();
    sqlx::query!(
        "with given_up as (
             select * from unnest($1::text[], $2::smallint[], $3::timestamptz[]) as g (name, lost, due_at)
         ), ended as (
             update jobs.run set finished_at = $4, outcome = 'lost' from given_up where job = name and finished_at is null
         )
         update jobs.job j set running = null, alive_until = null, lost = g.lost, due_at = g.due_at from given_up g where j.name = g.name",
        &names,
        &lost,
        &due,
        now,
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(names)
}

/// A run that is this process's to do.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) run_id: i64,
    pub(super) job: String,
}

/// Begins the runs of these jobs, as far as they are due or asked for and nobody else does them; each is due `next` from then on.
pub(super) async fn claim(
    database: &Database,
    names: &[String],
    next: &[DateTime<Utc>],
    now: DateTime<Utc>,
) -> Result<Vec<Claimed>, Error> {
    let claimed = sqlx::query_as!(
        Claimed,
        r#"with due as (
             select j.name, j.asked, case when j.due_at <= $3 then j.due_at end as due_at, offered.next
             from jobs.job j join unnest($1::text[], $2::timestamptz[]) as offered (name, next) using (name)
             where j.running is null and (j.due_at <= $3 or j.asked is not null)
             for update of j skip locked
         ), begun as (
             insert into jobs.run (job, due_at, started_at) select name, due_at, $3 from due where asked is null returning run_id, job
         ), begun_as_asked as (
             update jobs.run r set started_at = $3, due_at = due.due_at from due where r.run_id = due.asked returning r.run_id, r.job
         ), runs as (
             select * from begun union all select * from begun_as_asked
         )
         update jobs.job j
         set running = runs.run_id, asked = null, alive_until = clock_timestamp() + make_interval(secs => $4),
             due_at = case when due.due_at is null then j.due_at else due.next end
         from runs join due on due.name = runs.job
         where j.name = runs.job
         returning runs.run_id as "run_id!", runs.job as "job!""#,
        names,
        next,
        now,
        LEASE.as_secs_f64(),
    )
    .fetch_all(database.pool())
    .await?;
    Ok(claimed)
}

/// Says that a run goes on. False when others have given it up.
pub(super) async fn sign_of_life(database: &Database, run_id: i64) -> Result<bool, Error> {
    let told = sqlx::query!(
        "update jobs.job set alive_until = clock_timestamp() + make_interval(secs => $2) where running = $1",
        run_id,
        LEASE.as_secs_f64(),
    )
    .execute(database.pool())
    .await?;
    Ok(told.rows_affected() > 0)
}

/// How a run ended.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) outcome: Outcome,
    pub(super) error: Option<String>,
    pub(super) did: Value,
    pub(super) took_ms: i64,
    pub(super) at: DateTime<Utc>,
}

/// Writes down how a run ended, and forgets the oldest of its job. False when others had given it up.
pub(super) async fn finish(database: &Database, run_id: i64, ending: &Ending) -> Result<bool, Error> {
    let finished = sqlx::query_scalar!(
        r#"with ended as (
             update jobs.run set finished_at = $2, outcome = $3, error = $4, did = $5, took_ms = $6
             where run_id = $1 and finished_at is null
             returning job
         ), freed as (
             update jobs.job set running = null, alive_until = null, lost = 0 where running = $1
         ), forgotten as (
             delete from jobs.run r using ended
             where r.job = ended.job and r.run_id in (select run_id from jobs.run o where o.job = ended.job order by run_id desc offset $7)
         )
         select count(*) as "ended!" from ended"#,
        run_id,
        ending.at,
        ending.outcome.as_ref(),
        ending.error,
        ending.did,
        ending.took_ms,
        KEPT,
    )
    .fetch_one(database.pool())
    .await?;
    Ok(finished > 0)
}

/// What became of the wish to run a job now.
#[derive(Debug)]
pub(super) enum Wish {
    /// It stands, as this run.
    Granted(i64),
    /// There is a run already: one that goes on, or one that somebody has asked for.
    Running,
    /// There is no such job.
    NoSuchJob,
}

/// Asks for a run of the job, as part of this transaction.
pub(super) async fn ask(tx: &mut Tx, job: &str, by: Uuid, at: DateTime<Utc>) -> Result<Wish, Error> {
    let row = sqlx::query!("select running, asked from jobs.job where name = $1 for update", job).fetch_optional(&mut **tx).await?;
    match row {
        None => Ok(Wish::NoSuchJob),
        Some(row) if row.running.is_some() || row.asked.is_some() => Ok(Wish::Running),
        Some(_) => {
            let run_id = sqlx::query_scalar!(
                "with wished as (insert into jobs.run (job, asked_at, asked_by) values ($1, $2, $3) returning run_id)
                 update jobs.job set asked = wished.run_id from wished where name = $1 returning wished.run_id",
                job,
                at,
                by,
            )
            .fetch_one(&mut **tx)
            .await?;
            Ok(Wish::Granted(run_id))
        }
    }
}
