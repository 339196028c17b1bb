//! "I have read it": once per person and alert, by the button or by SMS (CQ11).

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::ids::{AlertId, ResidentNo};
use platform::http::{Access, Path, Problem, ResidentCaller, Routes, routes};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Error, Service, directory};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("inbox").allow(Access::Resident, routes!(acknowledge))
}

/// When the alert was first acknowledged.
#[derive(Serialize, ToSchema)]
struct Acknowledged {
    acknowledged_at: DateTime<Utc>,
}

/// Acknowledge an alert of my inbox
///
/// A repeat answers with the time of the first. Acknowledging an alert that was cancelled or corrected meanwhile is taken:
/// the person has read it.
#[utoipa::path(post, path = "/api/v1/me/alerts/{alert_id}/acknowledgement", params(("alert_id" = AlertId, Path, description = "The alert")),
    responses((status = 200, description = "Recorded; no further reminder comes", body = Acknowledged)))]
async fn acknowledge(
    State(service): State<Service>,
    caller: ResidentCaller,
    Path(alert): Path<AlertId>,
) -> Result<axum::Json<Acknowledged>, Problem> {
    let now = service.platform.clock.now();
    if !service.inboxes.of(caller.no, now).await?.iter().any(|live| live.id == alert) {
        return Err(Error::NotInInbox(alert).into());
    }
    Ok(axum::Json(Acknowledged { acknowledged_at: record(&service, alert, caller.no, "app", now).await? }))
}

/// Records the acknowledgement, or finds the one that is there. `by` is `app` or `sms`.
pub(crate) async fn record(
    service: &Service,
    alert: AlertId,
    no: ResidentNo,
    by: &str,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, Error> {
    let at = sqlx::query_scalar!(
        r#"with new as (
             insert into resident.acknowledgement (alert_id, resident_no, acknowledged_at, by) values ($1, $2, $3, $4)
             on conflict (alert_id, resident_no) do nothing returning acknowledged_at)
           select coalesce((select acknowledged_at from new),
                           (select acknowledged_at from resident.acknowledgement where alert_id = $1 and resident_no = $2),
                           $3) as "at!""#,
        alert.uuid(),
        directory::stored(no),
        now,
        by
    )
    .fetch_one(service.platform.database.pool())
    .await
    .map_err(Error::database("recording an acknowledgement"))?;
    metrics::counter!("acknowledgements_total", "by" => by.to_owned()).increment(1);
    Ok(at)
}
