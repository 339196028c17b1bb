//! What staff may know about the short messages of an alert: counts, never people.

use axum::extract::State;
use domain::{
    area::{Area, DistrictCode},
    ids::AlertId,
    staff::Role,
};
use platform::{
    Platform,
    http::{Access, Json, Path, PathId, Problem, Routes, StaffCaller, routes},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Error;

const VIEWERS: Access =
    Access::Staff(&[Role::CityCommandOfficer, Role::DistrictReviewer, Role::SubmittingUnit, Role::TechnicalOperator, Role::Auditor]);

pub(crate) fn routes() -> Routes<Platform> {
    Routes::new("sms").allow(VIEWERS, routes!(of_alert))
}

/// The short messages of one alert, all waves together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
struct SmsCounts {
    /// Taken by the SMS centre, no final receipt yet.
    submitted: i64,
    /// On the handset.
    delivered: i64,
    /// The centre says that it will not arrive.
    undeliverable: i64,
    /// Parts in all: what is paid for.
    segments: i64,
}

/// Count the short messages of an alert
#[utoipa::path(get, path = "/api/v1/alerts/{id}/sms", params(("id" = AlertId, Path, description = "The alert")),
    responses((status = 200, description = "Messages by what became of them", body = SmsCounts)))]
async fn of_alert(State(platform): State<Platform>, staff: StaffCaller, Path(id): PathId<AlertId>) -> Result<Json<SmsCounts>, Problem> {
    staff.must_cover(area_of(&platform, id).await?)?;
    let counts = sqlx::query_as!(
        SmsCounts,
        r#"select count(*) filter (where state = 'submitted') as "submitted!",
                  count(*) filter (where state = 'delivered') as "delivered!",
                  count(*) filter (where state = 'undeliverable') as "undeliverable!",
                  coalesce(sum(parts), 0) as "segments!"
           from sms.message where alert_id = $1"#,
        id.uuid()
    )
    .fetch_one(platform.database.pool())
    .await
    .map_err(Error::from)?;
    Ok(Json(counts))
}

/// Whose alert it is: a district's, or the city's.
async fn area_of(platform: &Platform, id: AlertId) -> Result<Area, Error> {
    let row = sqlx::query!("select district from review.approved_alert where alert_id = $1", id.uuid())
        .fetch_optional(platform.database.pool())
        .await?
        .ok_or(Error::NoSuchAlert(id))?;
    let district = row.district.map(DistrictCode::try_from).transpose();
    let district = district.map_err(|_| Error::Unreadable { what: "district of an alert" })?;
    Ok(district.map_or(Area::City, Area::District))
}
