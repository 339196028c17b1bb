//! Lists that wait for a person: which they are, and what is decided about them.
//!
//! The city command decides about all, a district's reviewers about what sources of their district bring; nobody about what they delivered
//! themselves. The technical operator sees that they wait. Every decision leaves a trace.

use axum::extract::State as Shared;
use chrono::{DateTime, Utc};
use domain::area::Area;
use domain::held_list::{self, Decision, State};
use domain::ids::LoadId;
use domain::staff::Role;
use domain::unusual_list::Unlike;
use platform::database::readable;
use platform::http::{Access, Caller, FieldFault, Json, Limits, Path, PathId, Problem, Routes, StaffCaller, routes};
use proto::AuditEntry;
use serde::{Deserialize, Serialize};
use sqlx::types::Json as Stored;
use utoipa::ToSchema;

use crate::held::{HeldReport, Row};
use crate::intake::Intake;
use crate::load::LoadReport;
use crate::loads::{self, seen_by};
use crate::{Error, SCHEMA, held, reason, release};

/// Lists in one answer at most.
const MOST: i64 = 200;
/// Longest reason, in characters.
const REASON: usize = 500;

const DECIDERS: &[Role] = &[Role::CityCommandOfficer, Role::DistrictReviewer];
const READERS: &[Role] = &[Role::CityCommandOfficer, Role::DistrictReviewer, Role::TechnicalOperator];

pub(crate) fn routes() -> Routes<Intake> {
    Routes::new("records")
        .allow(Access::Staff(READERS), routes!(list_waiting))
        .allow_within(Limits { time: None, ..Limits::default() }, Access::Staff(DECIDERS), routes!(release_list))
        .allow(Access::Staff(DECIDERS), routes!(discard))
}

/// A list that waits.
#[derive(Debug, Serialize, ToSchema)]
struct WaitingLoad {
    load_id: LoadId,
    /// Who sent it.
    source: String,
    /// How it came: `json`, `ndjson`, `csv`, `xlsx` or `xls`.
    format: String,
    /// Whether all of it has arrived.
    arrived: bool,
    /// Whether the caller may decide about it.
    yours: bool,
    held: HeldReport,
}

/// Lists that are unlike what their source usually brings and wait for a person, the oldest first; at most 200
///
/// The city command and the technical operator see all, a district's reviewer those of sources of the district.
#[utoipa::path(get, path = "/api/v1/waiting-loads", responses((status = 200, description = "None of their rows counts", body = Vec<WaitingLoad>)))]
async fn list_waiting(Shared(intake): Shared<Intake>, staff: StaffCaller) -> Result<Json<Vec<WaitingLoad>>, Problem> {
    // codes of smaller areas begin with the district's
    let district = staff.scope.district().filter(|_| staff.role != Role::TechnicalOperator).map(|district| district.to_string());
    let rows = sqlx::query!(
        r#"select load_id, held.source, area, format, finished_at, why as "why: Stored<Vec<Unlike>>", state, held_at, rows, held.refused,
               decided_at, reason
           from ingest.held_load held join ingest.load using (load_id)
           where state in ('waiting', 'releasing') and ($2::text is null or area like $2 || '%') order by held_at limit $1"#,
        MOST,
        district
    )
    .fetch_all(intake.platform.database.pool())
    .await
    .map_err(Error::database("listing lists that wait"))?;
    let lists = rows.into_iter().map(|row| {
        let area: Area = row.area.parse().map_err(|_| Error::Stored { what: "area of a list that waits" })?;
        let sees = staff.scope.covers(area) || staff.role == Role::TechnicalOperator;
        let yours = held_list::may_decide(staff.role, &staff.scope, area, is_own(&staff, &row.source));
        let load_id = LoadId::from_uuid(row.load_id);
        let held = Row {
            load_id: row.load_id,
            why: row.why,
            state: row.state,
            held_at: row.held_at,
            rows: row.rows,
            refused: row.refused,
            decided_at: row.decided_at,
            reason: row.reason,
        };
        let waiting = WaitingLoad {
            load_id,
            source: row.source,
            format: row.format,
            arrived: row.finished_at.is_some(),
            yours,
            held: held.report()?,
        };
        Ok::<_, Error>(sees.then_some(waiting))
    });
    Ok(Json(readable("waiting lists", lists).into_iter().flatten().collect()))
}

/// Release a list that waits
///
/// Its rows are taken in as if they came now; the answer is the report of its load. It becomes part of what is usual for its source. Releasing it
/// again changes nothing; a release that was cut off goes on by itself.
#[utoipa::path(post, path = "/api/v1/loads/{id}/release", params(("id" = LoadId, Path, description = "The load")), responses(
    (status = 200, description = "What became of it", body = LoadReport),
    (status = 403, description = "The caller sent it"),
    (status = 404, description = "There is no such load of a source of the caller's area"),
    (status = 409, description = "It does not wait, or was discarded"),
))]
async fn release_list(Shared(intake): Shared<Intake>, staff: StaffCaller, Path(id): PathId<LoadId>) -> Result<Json<LoadReport>, Problem> {
    staff.may_act(intake.platform.clock.now())?;
    decide(&intake, &staff, id, Decision::Release, None).await?;
    let own = intake.clone();
    crate::records::to_its_end(&intake, async move {
        release::take_in(&own.platform, &own.settings, id).await?;
        loads::report(&own.platform, id, None).await
    })
    .await
    .map(Json)
}

/// Why a list is discarded.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Discarding {
    /// In words, 1 to 500 characters: its sender reads it. It names nobody.
    reason: String,
}

/// Discard a list that waits
///
/// Nothing of it ever counts, and its rows are deleted. Its source may deliver the same records again.
#[utoipa::path(post, path = "/api/v1/loads/{id}/discard", params(("id" = LoadId, Path, description = "The load")), request_body = Discarding, responses(
    (status = 200, description = "It is discarded", body = LoadReport),
    (status = 403, description = "The caller sent it"),
    (status = 404, description = "There is no such load of a source of the caller's area"),
    (status = 409, description = "It does not wait, or was released"),
    (status = 422, description = "Without a reason"),
))]
async fn discard(
    Shared(intake): Shared<Intake>,
    staff: StaffCaller,
    Path(id): PathId<LoadId>,
    Json(discarding): Json<Discarding>,
) -> Result<Json<LoadReport>, Problem> {
    staff.may_act(intake.platform.clock.now())?;
    let why = discarding.reason.trim();
    if !(1..=REASON).contains(&why.chars().count()) || why.chars().any(char::is_control) {
        return Err(Problem::invalid(vec![FieldFault::new(
            "reason",
            "须填写原因，最多 500 字",
            "must say why, in at most 500 characters",
        )]));
    }
    if reason::may_name_somebody(why) {
        return Err(Problem::invalid(vec![FieldFault::new("reason", "不得含有号码", "must not hold a number that may be somebody's")]));
    }
    decide(&intake, &staff, id, Decision::Discard, Some(why)).await?;
    held::measure(&intake.platform).await;
    Ok(Json(loads::report(&intake.platform, id, None).await?))
}

/// What is known of a list that was held.
struct Held {
    source: String,
    area: String,
    state: String,
}

/// Notes a decision, with its trace.
async fn decide(intake: &Intake, staff: &StaffCaller, id: LoadId, decision: Decision, why: Option<&str>) -> Result<(), Problem> {
    let now: DateTime<Utc> = intake.platform.clock.now();
    let mut tx = intake.platform.database.begin().await?;
    let held = sqlx::query_as!(Held, "select source, area, state from ingest.held_load where load_id = $1 for update", id.uuid())
        .fetch_optional(&mut *tx)
        .await
        .map_err(Error::database("looking for a list that waits"))?;
    let Some(held) = held else {
        // whoever sees the load is told that it does not wait
        loads::report(&intake.platform, id, seen_by(Caller::Staff(staff.clone())).as_deref()).await?;
        return Err(does_not_wait());
    };
    let damaged = || Error::Stored { what: "list that waits" };
    let area: Area = held.area.parse().map_err(|_| damaged())?;
    if !staff.scope.covers(area) {
        return Err(Error::NoSuchLoad(id).into());
    }
    if !held_list::may_decide(staff.role, &staff.scope, area, is_own(staff, &held.source)) {
        return Err(Problem::forbidden(
            "own_delivery",
            "不能自行放行或作废本人报送的名单，请由另一位审核人员决定。",
            "Nobody decides about what they delivered themselves. Another reviewer has to.",
        ));
    }
    let state: State = held.state.parse().map_err(|_| damaged())?;
    let then = held_list::decided(state, decision).ok_or_else(|| was_decided(state))?;
    if then == state {
        return Ok(tx.rollback().await?);
    }
    sqlx::query!(
        "update ingest.held_load set state = $2, decided_by = $3, decided_at = $4, reason = $5 where load_id = $1",
        id.uuid(),
        then.as_ref(),
        staff.id.uuid(),
        now,
        why
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("deciding about a list that waits"))?;
    if then == State::Discarded {
        sqlx::query!("delete from ingest.held_block where load_id = $1", id.uuid())
            .execute(&mut *tx)
            .await
            .map_err(Error::database("deleting rows of a discarded list"))?;
    }
    let (action, word) = match decision {
        Decision::Release => ("load.release", "release"),
        Decision::Discard => ("load.discard", "discard"),
    };
    let district = match area {
        Area::City => None,
        area => area.district().map(|district| district.get()),
    };
    let detail_json = serde_json::json!({ "source": held.source, "reason": why }).to_string();
    tx.publish(SCHEMA, &AuditEntry { district, detail_json, ..staff.did(action, "load", id, now) }).await?;
    tx.commit().await?;
    metrics::counter!("ingest_lists_decided_total", "decision" => word).increment(1);
    tracing::info!(load = %id, decision = word, "a list that waited was decided about");
    Ok(())
}

fn is_own(staff: &StaffCaller, source: &str) -> bool {
    source.strip_prefix("staff:").is_some_and(|id| id == staff.id.to_string())
}

fn does_not_wait() -> Problem {
    Problem::conflict("load_not_waiting", "此批次没有等待放行。", "This load does not wait for anybody.")
}

fn was_decided(state: State) -> Problem {
    Problem::conflict(
        "load_decided",
        format!("此批次已有决定：{}。", state.title()),
        format!("This load was decided about before: it is {state}."),
    )
}
