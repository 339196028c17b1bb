//! The drafts that are gathering now, for staff of their districts.

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::area::{Area, DistrictCode};
use domain::ids::{AlertId, RuleId};
use platform::database::readable;
use platform::http::{Json, Problem, Routes, StaffCaller, routes};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Error, READERS, Service};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("rules").allow(READERS, routes!(list))
}

/// A draft that is gathering.
#[derive(Debug, Serialize, ToSchema)]
struct OpenDraft {
    /// The id that its alert will have.
    draft_id: AlertId,
    rule_id: RuleId,
    rule_name: String,
    version: u32,
    district: DistrictCode,
    opened_at: DateTime<Utc>,
    closes_at: DateTime<Utc>,
    /// Seconds until it closes; 0 once that is due.
    seconds_left: i64,
    /// Records gathered so far.
    records: i64,
    /// Residents they are about.
    residents: i64,
}

/// List the drafts that are gathering
///
/// Staff see those of their own area.
#[utoipa::path(get, path = "/api/v1/rules/drafts", operation_id = "drafts", responses((status = 200, description = "The next to close first", body = Vec<OpenDraft>)))]
async fn list(State(service): State<Service>, caller: StaffCaller) -> Result<Json<Vec<OpenDraft>>, Problem> {
    let now = service.platform.clock.now();
    let rows = sqlx::query!(
        r#"select draft_id, draft.rule_id, version, name, district, opened_at, closes_at, count(record_id) as "records!",
                  count(distinct resident_no) as "residents!"
             from rules.draft join rules.rule_version using (rule_id, version) left join rules.match using (draft_id)
            where closed_at is null group by draft_id, name order by closes_at, draft_id"#
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("listing open drafts"))?;
    let drafts = rows.into_iter().map(|row| {
        let district = DistrictCode::try_from(row.district).map_err(Error::stored("district of a draft"))?;
        Ok::<_, Error>(OpenDraft {
            draft_id: AlertId::from_uuid(row.draft_id),
            rule_id: RuleId::from_uuid(row.rule_id),
            rule_name: row.name,
            version: row.version.cast_unsigned(),
            district,
            opened_at: row.opened_at,
            closes_at: row.closes_at,
            seconds_left: (row.closes_at - now).num_seconds().max(0),
            records: row.records,
            residents: row.residents,
        })
    });
    let mut drafts = readable("open drafts", drafts);
    drafts.retain(|draft| caller.scope.covers(Area::District(draft.district)));
    Ok(Json(drafts))
}
