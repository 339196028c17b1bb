//! The button: a resident acknowledges an alert of theirs.

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::ids::AlertId;
use platform::http::{Access, Json, Path, Problem, ResidentCaller, Routes, routes};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Service;
use crate::acknowledgement::By;

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
) -> Result<Json<Acknowledged>, Problem> {
    let now = service.platform.clock.now();
    Ok(Json(Acknowledged { acknowledged_at: service.acknowledgements.record(alert, caller.no, By::App, now).await? }))
}
