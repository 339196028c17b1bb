//! The hours and limits that hold in this city, for staff to read.

use axum::extract::State;
use domain::alert::DeliveryClass;
use domain::deadline;
use domain::forecast::LaneRate;
use domain::quiet_hours::QuietHours;
use platform::http::{Access, Json, Routes, routes};
use serde::Serialize;
use utoipa::ToSchema;

use super::forecaster::Forecaster;

pub(super) fn routes() -> Routes<Forecaster> {
    Routes::new("dispatch").allow(Access::ANY_STAFF, routes!(limits))
}

/// Hours and limits.
#[derive(Serialize, ToSchema)]
struct CityLimits {
    quiet_hours: QuietHours,
    /// Minutes in which an urgent alert has to be with everybody (CQ10).
    urgent_minutes: i64,
    /// Minutes outside the quiet hours in which a routine alert has to be with everybody (CQ10).
    routine_minutes: i64,
    lanes: Vec<LaneLimit>,
}

/// What one way out allows.
#[derive(Serialize, ToSchema)]
struct LaneLimit {
    /// apns, fcm, web_push or sms.
    #[schema(example = "fcm")]
    lane: &'static str,
    /// Whether there is such an account.
    present: bool,
    /// Messages (parts of one, for SMS) a second that its accounts are granted; none: no limit is known.
    per_second: Option<f64>,
}

/// The hours and limits that hold
#[utoipa::path(get, path = "/api/v1/limits", responses((status = 200, description = "As configured", body = CityLimits)))]
async fn limits(State(forecaster): State<Forecaster>) -> Json<CityLimits> {
    let capacity = &forecaster.capacity;
    let lane = |lane, rate| LaneLimit {
        lane,
        present: rate != LaneRate::Absent,
        per_second: match rate {
            LaneRate::Granted(rate) | LaneRate::Assumed(rate) => Some(rate),
            LaneRate::Absent | LaneRate::Unlimited => None,
        },
    };
    Json(CityLimits {
        quiet_hours: forecaster.settings.quiet_hours,
        urgent_minutes: deadline::time_allowed(DeliveryClass::Urgent).num_minutes(),
        routine_minutes: deadline::time_allowed(DeliveryClass::Routine).num_minutes(),
        lanes: vec![lane("apns", capacity.apns), lane("fcm", capacity.fcm), lane("web_push", capacity.web), lane("sms", capacity.sms)],
    })
}
