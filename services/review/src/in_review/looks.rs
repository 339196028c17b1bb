//! That somebody has had an alert before them, whole and in this version: before they decide about many.

use std::collections::BTreeMap;

use axum::extract::State as Shared;
use domain::ids::{AlertId, StaffId};
use http::StatusCode;
use platform::database::Connection;
use platform::http::{Access, Json, Path, Problem, Routes, StaffCaller, routes};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{REVIEWING, leave_trace, must_see_draft};
use crate::{Error, Service, store};

pub(super) fn routes() -> Routes<Service> {
    Routes::new("review").allow(Access::Staff(REVIEWING), routes!(look))
}

/// What somebody has before them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Look {
    /// The version.
    version: i32,
}

/// Say that I have the whole alert before me
///
/// Many alerts are decided about at once only by somebody who has said this of each, in the version that is decided about.
#[utoipa::path(post, path = "/api/v1/alerts/{alert_id}/look", params(("alert_id" = AlertId, Path, description = "The alert")),
    request_body = Look, responses((status = 204, description = "Noted")))]
async fn look(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Path(id): Path<AlertId>,
    Json(look): Json<Look>,
) -> Result<StatusCode, Problem> {
    let now = service.platform.clock.now();
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    let alert = store::load(&mut tx, id, false).await?;
    must_see_draft(&caller, &alert)?;
    if look.version != alert.version {
        return Err(Error::Conflict { expected: look.version, found: alert.version, state: alert.state }.into());
    }
    let noted = sqlx::query!(
        "insert into review.look (alert_id, staff, version, looked_at) values ($1, $2, $3, $4)
         on conflict (alert_id, staff) do update set version = excluded.version, looked_at = excluded.looked_at
             where look.version <> excluded.version",
        id.uuid(),
        caller.id.uuid(),
        look.version,
        now
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("noting that an alert was looked at"))?;
    if noted.rows_affected() > 0 {
        leave_trace(&mut tx, &caller, "alert_look", &alert, now).await?;
    }
    tx.commit().await.map_err(Error::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which versions of these alerts somebody has had before them.
pub(super) async fn at(connection: &mut Connection, alerts: &[AlertId], staff: StaffId) -> Result<BTreeMap<AlertId, i32>, Error> {
    let ids: Vec<Uuid> = alerts.iter().map(|alert| alert.uuid()).collect();
    let rows = sqlx::query!("select alert_id, version from review.look where staff = $1 and alert_id = any($2)", staff.uuid(), &ids)
        .fetch_all(connection)
        .await
        .map_err(Error::database("reading what was looked at"))?;
    Ok(rows.into_iter().map(|row| (AlertId::from_uuid(row.alert_id), row.version)).collect())
}
