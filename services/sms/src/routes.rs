//! What staff may know about the short messages of an alert: counts, never people.

use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{area::DistrictCode, ids::AlertId, staff::Role};
use platform::{
    Platform,
    http::{Access, Json, Path, PathId, Problem, Routes, StaffCaller, routes},
    recount::Recounted,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{error::Error, settings::Settings};

const VIEWERS: Access =
    Access::Staff(&[Role::CityCommandOfficer, Role::DistrictReviewer, Role::SubmittingUnit, Role::TechnicalOperator, Role::Auditor]);

/// What the routes stand on. Clones share it.
#[derive(Clone)]
pub(crate) struct Desk {
    platform: Platform,
    counts: Arc<Recounted<AlertId, SmsCounts>>,
    longest: TimeDelta,
    patience: TimeDelta,
}

pub(crate) fn routes(platform: &Platform, settings: &Settings) -> Routes {
    let desk = Desk {
        platform: platform.clone(),
        counts: Arc::default(),
        longest: TimeDelta::hours(settings.longest_validity_h.into()),
        patience: TimeDelta::minutes(settings.receipt_patience_min.into()),
    };
    Routes::new("sms").allow(VIEWERS, routes!(of_alert)).with_state(desk)
}

/// The short messages of one alert, all waves together: each is in exactly one of the five.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct SmsCounts {
    /// Taken by the SMS centre; receipts are waited for.
    pub(crate) submitted: i64,
    /// On the handset.
    pub(crate) delivered: i64,
    /// The centre says that it will not arrive.
    pub(crate) undeliverable: i64,
    /// Some of its parts are on the handset, and of the others no receipt came.
    pub(crate) partly: Partly,
    /// No receipt came at all, and its validity is over: nobody knows whether it has arrived.
    pub(crate) without_receipt: i64,
    /// Parts in all: what is paid for.
    pub(crate) segments: i64,
    /// When they came to the handsets, oldest first.
    pub(crate) arrivals: Vec<Arrivals>,
}

/// Messages of which some parts are on the handset, and of the others no receipt came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PartlyArrived)]
pub(crate) struct Partly {
    /// How many messages.
    pub(crate) messages: i64,
    /// Their parts that are on the handset.
    pub(crate) arrived: i64,
    /// All their parts.
    pub(crate) parts: i64,
}

/// The messages that came to their handset in one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Arrivals {
    /// When the minute begins.
    at: DateTime<Utc>,
    count: i64,
}

/// Count the short messages of an alert
#[utoipa::path(get, path = "/api/v1/alerts/{id}/sms", params(("id" = AlertId, Path, description = "The alert")),
    responses((status = 200, description = "Messages by what became of them", body = SmsCounts)))]
async fn of_alert(State(desk): State<Desk>, staff: StaffCaller, Path(id): PathId<AlertId>) -> Result<Json<SmsCounts>, Problem> {
    let (district, expires_at) = of(&desk.platform, id).await?;
    staff.must_cover_alert_of(district)?;
    let ends = Ends { expires_at, longest: desk.longest, patience: desk.patience };
    Ok(Json(desk.counts.of(id, count(&desk.platform, id, ends)).await?))
}

/// When receipts of an alert's messages are waited for no longer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    /// The end of the alert, with which its messages end.
    pub(crate) expires_at: DateTime<Utc>,
    /// No message is valid for longer.
    pub(crate) longest: TimeDelta,
    /// From then on, and from the first receipt of a message on, others are waited for so long.
    pub(crate) patience: TimeDelta,
}

/// Counts them as of now. What became of a message whose receipts stay out is found by the time: nothing is written for it, and one that comes late
/// still counts.
pub(crate) async fn count(platform: &Platform, id: AlertId, ends: Ends) -> Result<SmsCounts, Error> {
    let minutes = sqlx::query!(
        r#"select date_trunc('minute', settled_at) as minute,
                  count(*) filter (where state = 'submitted' and not is_over) as "submitted!",
                  count(*) filter (where state = 'delivered') as "delivered!",
                  count(*) filter (where state = 'undeliverable') as "undeliverable!",
                  count(*) filter (where state = 'submitted' and is_over and arrived > 0) as "partly!",
                  coalesce(sum(arrived) filter (where state = 'submitted' and is_over and arrived > 0), 0)::bigint as "arrived!",
                  coalesce(sum(parts) filter (where state = 'submitted' and is_over and arrived > 0), 0)::bigint as "parts!",
                  count(*) filter (where state = 'submitted' and is_over and arrived = 0) as "without_receipt!",
                  coalesce(sum(parts), 0) as "segments!"
             from (select m.state, m.settled_at, m.parts, m.arrived,
                          -- what tells of the end of an alert is sent after it
                          coalesce(m.settled_at, case when m.submitted_at < $3 then least($3, m.submitted_at + make_interval(secs => $4))
                                                      else m.submitted_at + make_interval(secs => $4) end)
                              <= $2::timestamptz - make_interval(secs => $5) as is_over
                     from sms.message m where m.alert_id = $1) as message
            group by 1 order by 1"#,
        id.uuid(),
        platform.clock.now(),
        ends.expires_at,
        ends.longest.as_seconds_f64(),
        ends.patience.as_seconds_f64(),
    )
    .fetch_all(platform.database.pool())
    .await?;
    let mut counts = SmsCounts {
        submitted: 0,
        delivered: 0,
        undeliverable: 0,
        partly: Partly::default(),
        without_receipt: 0,
        segments: 0,
        arrivals: Vec::new(),
    };
    for minute in minutes {
        counts.submitted += minute.submitted;
        counts.delivered += minute.delivered;
        counts.undeliverable += minute.undeliverable;
        counts.partly.messages += minute.partly;
        counts.partly.arrived += minute.arrived;
        counts.partly.parts += minute.parts;
        counts.without_receipt += minute.without_receipt;
        counts.segments += minute.segments;
        counts.arrivals.extend(minute.minute.filter(|_| minute.delivered > 0).map(|at| Arrivals { at, count: minute.delivered }));
    }
    Ok(counts)
}

/// Whose alert it is, a district's or none for the city's, and when it ends.
async fn of(platform: &Platform, id: AlertId) -> Result<(Option<DistrictCode>, DateTime<Utc>), Error> {
    let row = sqlx::query!(
        r#"select district, (content ->> 'expires_at')::timestamptz as "expires_at!" from review.approved_alert where alert_id = $1"#,
        id.uuid()
    )
    .fetch_optional(platform.database.pool())
    .await?
    .ok_or(Error::NoSuchAlert(id))?;
    let district = row.district.map(DistrictCode::try_from).transpose().map_err(|_| Error::Unreadable { what: "district of an alert" })?;
    Ok((district, row.expires_at))
}
