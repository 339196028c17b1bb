//! Alerts with records behind them that hold no longer and about which nobody has decided.

use axum::extract::State as Shared;
use chrono::{DateTime, Utc};
use domain::alert_state::State;
use domain::area::DistrictCode;
use domain::ids::AlertId;
use platform::database::readable;
use platform::http::{Access, Problem, Routes, StaffCaller, routes};
use serde::Serialize;
use utoipa::ToSchema;

use crate::reading::{READING, view};
use crate::store::stored_district;
use crate::{Error, Service};

/// Alerts listed at most.
const MOST: i64 = 500;

pub(super) fn routes() -> Routes<Service> {
    Routes::new("review").allow(Access::Staff(READING), routes!(list))
}

/// An alert that somebody has to look at.
#[derive(Debug, Serialize, ToSchema)]
struct AlertWithEndedRecords {
    alert_id: AlertId,
    short_code: String,
    state: State,
    /// None: the whole city.
    #[schema(value_type = Option<String>)]
    district: Option<DistrictCode>,
    /// In Chinese.
    headline: String,
    /// Records that nobody has decided about.
    records: i64,
    /// How many of them were taken back; the others were corrected.
    retracted: i64,
    /// People whom they name.
    people: i64,
    /// Since when the first of them waits.
    since: DateTime<Utc>,
    /// Somebody may have been told by it.
    told: bool,
}

/// Alerts with records behind them that were corrected or taken back and about which nobody has decided, those first by which people were told
#[utoipa::path(get, path = "/api/v1/ended-records", operation_id = "ended_records",
    responses((status = 200, description = "Alerts of my area and of the whole city", body = Vec<AlertWithEndedRecords>)))]
async fn list(Shared(service): Shared<Service>, caller: StaffCaller) -> Result<axum::Json<Vec<AlertWithEndedRecords>>, Problem> {
    let view = view(&caller);
    let rows = sqlx::query!(
        r#"select alert_id, short_code, state, district, content #>> '{texts,zh-CN,headline}' as headline, approved_at is not null as "told!",
                  count(*) as "records!", count(*) filter (where how = 'retract') as "retracted!",
                  count(distinct resident_no) as "people!", min(ended_at) as "since!"
             from review.alert join review.ended_record_open using (alert_id)
            where state not in ('refused', 'cancelled', 'superseded', 'all_clear')
              and review.shows(district, approved_at is not null, $3, $1, $4)
            group by alert.alert_id order by approved_at is null, min(ended_at) limit $2"#,
        view.district.map(stored_district),
        MOST,
        view.everywhere,
        view.drafts
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("listing records that ended"))?;
    let alerts = rows.into_iter().map(|row| {
        Ok::<_, Error>(AlertWithEndedRecords {
            alert_id: AlertId::from_uuid(row.alert_id),
            short_code: row.short_code,
            state: row.state.parse().map_err(|_| Error::Stored { what: "state" })?,
            district: row.district.map(DistrictCode::try_from).transpose().map_err(|_| Error::Stored { what: "district" })?,
            headline: row.headline.unwrap_or_default(),
            records: row.records,
            retracted: row.retracted,
            people: row.people,
            since: row.since,
            told: row.told,
        })
    });
    Ok(axum::Json(readable("alerts with records that ended", alerts)))
}
