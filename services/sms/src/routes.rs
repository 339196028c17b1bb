//! What staff may know about the short messages of an alert: counts, never people.

use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::{area::DistrictCode, ids::AlertId, staff::Role};
use platform::{
    Platform,
    http::{Access, Json, Path, PathId, Problem, Routes, StaffCaller, routes},
    recount::Recounted,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Error;

const VIEWERS: Access =
    Access::Staff(&[Role::CityCommandOfficer, Role::DistrictReviewer, Role::SubmittingUnit, Role::TechnicalOperator, Role::Auditor]);

/// What the routes stand on. Clones share it.
#[derive(Clone)]
pub(crate) struct Desk {
    platform: Platform,
    counts: Arc<Recounted<AlertId, SmsCounts>>,
}

pub(crate) fn routes(platform: &Platform) -> Routes {
    let desk = Desk { platform: platform.clone(), counts: Arc::default() };
    Routes::new("sms").allow(VIEWERS, routes!(of_alert)).with_state(desk)
}

/// The short messages of one alert, all waves together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct SmsCounts {
    /// Taken by the SMS centre, no final receipt yet.
    submitted: i64,
    /// On the handset.
    delivered: i64,
    /// The centre says that it will not arrive.
    undeliverable: i64,
    /// Parts in all: what is paid for.
    segments: i64,
    /// When they came to the handsets, oldest first.
    arrivals: Vec<Arrivals>,
}

/// The messages that came to their handset in one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
struct Arrivals {
    /// When the minute begins.
    at: DateTime<Utc>,
    count: i64,
}

/// Count the short messages of an alert
#[utoipa::path(get, path = "/api/v1/alerts/{id}/sms", params(("id" = AlertId, Path, description = "The alert")),
    responses((status = 200, description = "Messages by what became of them", body = SmsCounts)))]
async fn of_alert(State(desk): State<Desk>, staff: StaffCaller, Path(id): PathId<AlertId>) -> Result<Json<SmsCounts>, Problem> {
    staff.must_cover_alert_of(district_of(&desk.platform, id).await?)?;
    Ok(Json(desk.counts.of(id, count(&desk.platform, id)).await?))
}

async fn count(platform: &Platform, id: AlertId) -> Result<SmsCounts, Error> {
    let minutes = sqlx::query!(
        r#"select date_trunc('minute', settled_at) as minute,
                  count(*) filter (where state = 'submitted') as "submitted!",
                  count(*) filter (where state = 'delivered') as "delivered!",
                  count(*) filter (where state = 'undeliverable') as "undeliverable!",
                  coalesce(sum(parts), 0) as "segments!"
           from sms.message where alert_id = $1 group by 1 order by 1"#,
        id.uuid()
    )
    .fetch_all(platform.database.pool())
    .await?;
    let mut counts = SmsCounts { submitted: 0, delivered: 0, undeliverable: 0, segments: 0, arrivals: Vec::new() };
    for minute in minutes {
        counts.submitted += minute.submitted;
        counts.delivered += minute.delivered;
        counts.undeliverable += minute.undeliverable;
        counts.segments += minute.segments;
        counts.arrivals.extend(minute.minute.filter(|_| minute.delivered > 0).map(|at| Arrivals { at, count: minute.delivered }));
    }
    Ok(counts)
}

/// Whose alert it is: a district's, or none for the city's.
async fn district_of(platform: &Platform, id: AlertId) -> Result<Option<DistrictCode>, Error> {
    let row = sqlx::query!("select district from review.approved_alert where alert_id = $1", id.uuid())
        .fetch_optional(platform.database.pool())
        .await?
        .ok_or(Error::NoSuchAlert(id))?;
    row.district.map(DistrictCode::try_from).transpose().map_err(|_| Error::Unreadable { what: "district of an alert" })
}
