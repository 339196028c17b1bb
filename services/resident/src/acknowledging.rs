//! The button: a resident acknowledges an alert of theirs.

use std::time::Duration;

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::ids::AlertId;
use platform::http::{Access, Json, Path, Problem, Query, ResidentCaller, Routes, routes};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Service;

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("inbox").allow(Access::Resident, routes!(acknowledge))
}

/// When it was said.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Given {
    /// So many seconds ago, where the app could not send it at once. By a phone's own clock, so a wrong one does no harm.
    #[serde(default)]
    ago_s: u64,
}

/// When the alert was first acknowledged.
#[derive(Serialize, ToSchema)]
struct Acknowledged {
    acknowledged_at: DateTime<Utc>,
}

/// Acknowledge an alert of my inbox
///
/// A repeat answers with the time of the first. Acknowledging an alert that was cancelled or corrected meanwhile is taken:
/// the person has read it. One that was given before the alert's end counts from then, if it comes within a day after it.
#[utoipa::path(post, path = "/api/v1/me/alerts/{alert_id}/acknowledgement", params(("alert_id" = AlertId, Path, description = "The alert"), Given),
    responses((status = 200, description = "Recorded; no further reminder comes", body = Acknowledged)))]
async fn acknowledge(
    State(service): State<Service>,
    caller: ResidentCaller,
    Path(alert): Path<AlertId>,
    Query(given): Query<Given>,
) -> Result<Json<Acknowledged>, Problem> {
    let (now, ago) = (service.platform.clock.now(), Duration::from_secs(given.ago_s));
    Ok(Json(Acknowledged { acknowledged_at: service.acknowledgements.record_tap(alert, caller.no, now, ago).await? }))
}
