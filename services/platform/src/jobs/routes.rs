//! What the operator sees of the jobs, and how one is run now.

use axum::extract::State;
use domain::staff::Role;
use http::StatusCode;

use super::runs::{self, Run, Standing};
use super::table::{self, Wish};
use super::{Jobs, SCHEMA};
use crate::Platform;
use crate::http::{Access, Json, Path, Problem, Routes, StaffCaller, routes};

/// Who sees what the platform does on schedule.
const READERS: Access = Access::Staff(&[Role::TechnicalOperator, Role::Administrator, Role::Auditor]);
/// Who runs the platform.
const OPERATORS: Access = Access::Staff(&[Role::TechnicalOperator]);

/// The routes of the table. Every process has the same ones: the table is one.
pub fn routes(platform: &Platform) -> Routes {
    platform.bus.start_relay(SCHEMA);
    Routes::new("jobs")
        .allow(READERS, routes!(list))
        .allow(READERS, routes!(list_runs))
        .allow(OPERATORS, routes!(run_now))
        .with_state(platform.clone())
}

/// The scheduled work of the platform: what each job does, how it stands, and how its last run ended.
#[utoipa::path(get, path = "/api/v1/jobs", responses((status = 200, description = "All jobs, by name", body = Vec<Standing>)))]
async fn list(State(platform): State<Platform>) -> Result<Json<Vec<Standing>>, Problem> {
    Ok(Json(runs::standings(&platform.database, platform.clock.now()).await?))
}

/// The runs of a job, newest first: the last hundred are kept.
#[utoipa::path(get, path = "/api/v1/jobs/{name}/runs", params(("name" = String, Path, description = "The job")), responses(
    (status = 200, description = "Its runs", body = Vec<Run>),
    (status = 404, description = "There is no such job"),
))]
async fn list_runs(State(platform): State<Platform>, Path(name): Path<String>) -> Result<Json<Vec<Run>>, Problem> {
    Ok(Json(runs::of_job(&platform.database, &name).await?.ok_or_else(no_such_job)?))
}

/// Run a job now, whatever its times. It begins in a moment, in a process that offers it; its next time stays as it is.
#[utoipa::path(post, path = "/api/v1/jobs/{name}/runs", params(("name" = String, Path, description = "The job")), responses(
    (status = 202, description = "It will be run; this is the run", body = Run),
    (status = 404, description = "There is no such job"),
    (status = 409, description = "It runs already, or somebody has just asked for the same"),
))]
async fn run_now(
    State(platform): State<Platform>,
    caller: StaffCaller,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<Run>), Problem> {
    let Platform { database, clock, jobs: Jobs(jobs), .. } = &platform;
    let now = clock.now();
    let mut tx = database.begin().await?;
    let run_id = match table::ask(&mut tx, &name, caller.id.uuid(), now).await? {
        Wish::Granted(run_id) => run_id,
        Wish::Running => return Err(running_already()),
        Wish::NoSuchJob => return Err(no_such_job()),
    };
    tx.publish(SCHEMA, &caller.did("job.run", "job", &name, now)).await?;
    tx.commit().await?;
    jobs.wake.wake();
    Ok((StatusCode::ACCEPTED, Json(Run::asked(run_id, caller.id, now))))
}

fn no_such_job() -> Problem {
    Problem::not_found("job_not_found", "没有此定时任务，请在列表中核对。", "There is no such job. Check the list of jobs.")
}

fn running_already() -> Problem {
    Problem::conflict(
        "job_running",
        "该任务正在运行或即将运行，请等它结束后再试。",
        "The job is running or about to. Wait until that run has ended.",
    )
}
