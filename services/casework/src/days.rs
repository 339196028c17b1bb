//! Working days, for whoever asks when something would be due.

use axum::extract::State as Shared;
use chrono::NaiveDate;
use domain::working_day::{Calendar, DayCounted};
use platform::http::{Problem, Query, Routes, routes};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::access::CASEWORKERS;
use crate::{Error, Service};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("casework").allow(CASEWORKERS, routes!(count))
}

/// From which day, and how many.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DaysQuery {
    /// The day of the cause; counting begins on the next working day.
    from: NaiveDate,
    /// How many working days: 1 to 250.
    working_days: u32,
}

/// A last day, and why it is that day.
#[derive(Serialize, ToSchema)]
struct WorkingDays {
    /// It ends at midnight.
    due: NaiveDate,
    /// Whether it may still move, since the holidays of its year are not announced.
    provisional: bool,
    days: Vec<DayCounted>,
}

/// Count working days
#[utoipa::path(get, path = "/api/v1/casework/calendar", params(DaysQuery),
    responses((status = 200, description = "The last day, and each day before it", body = WorkingDays)))]
async fn count(Shared(service): Shared<Service>, Query(query): Query<DaysQuery>) -> Result<axum::Json<WorkingDays>, Problem> {
    if !(1..=250).contains(&query.working_days) {
        return Err(Error::field("working_days", "应为 1 到 250", "is 1 to 250").into());
    }
    if !Calendar::knows(query.from) {
        return Err(Error::field("from", "应为 2004 年到 2098 年的日期", "is a day of 2004 to 2098").into());
    }
    let last = service.calendar.after(query.from, query.working_days);
    let days = service.calendar.reasons(query.from, last.day, &[]);
    Ok(axum::Json(WorkingDays { due: last.day, provisional: last.provisional, days }))
}
