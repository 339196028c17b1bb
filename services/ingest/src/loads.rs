//! What was delivered, and what became of it. Senders see their own loads; the city command and the technical operator see
//! all, which name no person.

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::ids::LoadId;
use domain::staff::Role;
use platform::Platform;
use platform::http::{Access, Caller, FieldFault, Path, PathId, Problem, Query, Routes, routes};
use serde::Deserialize;
use sqlx::types::Json;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::intake::Intake;
use crate::load::{LoadReport, REPORTED_ROWS, RefusedLine};
use crate::sender::Sender;
use crate::{Error, held};

pub(crate) const READERS: Access = Access::SourceOrStaff(&[
    Role::SubmittingUnit,
    Role::DistrictReviewer,
    Role::CommunityWorker,
    Role::CityCommandOfficer,
    Role::TechnicalOperator,
]);

pub(crate) fn routes() -> Routes<Intake> {
    Routes::new("records").allow(READERS, routes!(list)).allow(READERS, routes!(show))
}

/// Which loads to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Page {
    /// Only loads older than this one.
    before: Option<Uuid>,
    /// How many, 1 to 100; 20 when left out.
    limit: Option<u8>,
}

/// Whose loads the caller sees; none means everybody's.
pub(crate) fn seen_by(caller: Caller) -> Option<String> {
    match caller {
        Caller::Staff(staff) if matches!(staff.role, Role::CityCommandOfficer | Role::TechnicalOperator) => None,
        // a caller who delivers nothing has no loads
        caller => Some(Sender::of(caller).map_or_else(String::new, |sender| sender.source().to_owned())),
    }
}

/// Deliveries, newest first
#[utoipa::path(get, path = "/api/v1/loads", params(Page), responses(
    (status = 200, description = "Loads without their refused rows", body = Vec<LoadReport>)))]
async fn list(State(intake): State<Intake>, caller: Caller, Query(page): Query<Page>) -> Result<axum::Json<Vec<LoadReport>>, Problem> {
    let limit = i64::from(page.limit.unwrap_or(20).clamp(1, 100));
    let rows = sqlx::query_as!(
        Row,
        "select load_id, source, format, received_at, finished_at, ending, accepted, repeated, refused, corrected, retracted from ingest.load
         where format <> 'registration' and ($1::text is null or source = $1) and ($2::uuid is null or load_id < $2)
         order by load_id desc limit $3",
        seen_by(caller),
        page.before,
        limit
    )
    .fetch_all(intake.platform.database.pool())
    .await
    .map_err(Error::database("listing loads"))?;
    let mut reports: Vec<LoadReport> = rows.into_iter().map(|row| row.report(Vec::new())).collect();
    held::tell(&intake.platform, &mut reports).await?;
    Ok(axum::Json(reports))
}

/// One delivery with its first refused rows
#[utoipa::path(get, path = "/api/v1/loads/{id}", params(("id" = LoadId, Path, description = "The load")), responses(
    (status = 200, description = "What became of it", body = LoadReport),
    (status = 404, description = "There is no such load of this sender"),
))]
async fn show(State(intake): State<Intake>, caller: Caller, Path(id): PathId<LoadId>) -> Result<axum::Json<LoadReport>, Problem> {
    Ok(axum::Json(report(&intake.platform, id, seen_by(caller).as_deref()).await?))
}

/// One delivery with its first refused rows, of this source if one is named.
pub(crate) async fn report(platform: &Platform, id: LoadId, source: Option<&str>) -> Result<LoadReport, Error> {
    let pool = platform.database.pool();
    let row = sqlx::query_as!(
        Row,
        "select load_id, source, format, received_at, finished_at, ending, accepted, repeated, refused, corrected, retracted from ingest.load
         where load_id = $1 and ($2::text is null or source = $2)",
        id.uuid(),
        source
    )
    .fetch_optional(pool)
    .await
    .map_err(Error::database("reading a load"))?
    .ok_or(Error::NoSuchLoad(id))?;
    let refused = sqlx::query!(
        r#"select line, field, reason, reason_en, others as "others: Json<Vec<FieldFault>>" from ingest.refused_row
           where load_id = $1 order by line limit $2"#,
        id.uuid(),
        REPORTED_ROWS as i64
    )
    .fetch_all(pool)
    .await
    .map_err(Error::database("reading refused rows"))?;
    let refused = refused
        .into_iter()
        .map(|row| RefusedLine {
            line: row.line.unsigned_abs(),
            field: row.field,
            reason: row.reason,
            reason_en: row.reason_en,
            others: row.others.0,
        })
        .collect();
    let mut reports = [row.report(refused)];
    held::tell(platform, &mut reports).await?;
    let [report] = reports;
    Ok(report)
}

struct Row {
    load_id: Uuid,
    source: String,
    format: String,
    received_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    ending: Option<String>,
    accepted: i64,
    repeated: i64,
    refused: i64,
    corrected: i64,
    retracted: i64,
}

impl Row {
    fn report(self, refused_rows: Vec<RefusedLine>) -> LoadReport {
        LoadReport {
            load_id: LoadId::from_uuid(self.load_id),
            source: self.source,
            format: self.format,
            received_at: self.received_at,
            finished_at: self.finished_at,
            ending: self.ending.and_then(|ending| ending.parse().ok()),
            accepted: self.accepted.unsigned_abs(),
            repeated: self.repeated.unsigned_abs(),
            refused: self.refused.unsigned_abs(),
            corrected: self.corrected.unsigned_abs(),
            retracted: self.retracted.unsigned_abs(),
            refused_rows,
            held: None,
        }
    }
}
