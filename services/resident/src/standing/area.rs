//! What stands in an area, for the community and the district that look after its people. Who they are is opened by the existing way, with a reason.

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::area::{CommunityCode, DistrictCode};
use domain::ids::AlertId;
use domain::staff::Role;
use domain::standing::{Lifter, StandingState};
use platform::database::readable;
use platform::http::{Access, FieldFault, Problem, Query, Routes, StaffCaller, Within, routes};
use platform::reading;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::shown::{self, Row, StandingShown};
use crate::{Error, SCHEMA, Service, directory};

/// Who looks after people, and who answers objections.
pub(super) const LOOKING_AFTER: Access = Access::Staff(&[Role::CommunityWorker, Role::DistrictReviewer, Role::CityCommandOfficer]);
const PAGE: i64 = 100;

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("standing").allow(LOOKING_AFTER, routes!(list))
}

/// Which standings.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StandingFilter {
    /// Left out: what stands.
    state: Option<StandingState>,
    /// Only with this reason code.
    reason: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Something that stands against somebody of my area, or stood.
#[derive(Serialize, ToSchema)]
struct AreaStanding {
    standing_id: i64,
    resident_no: u32,
    alert_id: AlertId,
    #[serde(flatten)]
    shown: StandingShown,
    /// Whether the rule lets somebody of my role lift it.
    you_may_lift: bool,
    /// Where they live now.
    #[schema(value_type = String, example = "500103001001")]
    community: CommunityCode,
    #[schema(value_type = String, example = "500103")]
    district: DistrictCode,
    /// The district that sent the alert.
    #[schema(value_type = String, example = "500103")]
    sent_by: DistrictCode,
    /// The person objects and has no answer yet.
    objection_waits: bool,
}

/// A page of what stands.
#[derive(Serialize, ToSchema)]
struct StandingPage {
    standings: Vec<AreaStanding>,
    /// Give it as `after` for the next page; none: this is the last.
    next: Option<String>,
}

/// Where a page begins: after the end and the number of the last one of the page before.
struct After {
    /// None: at the very end of time.
    ends_at: Option<DateTime<Utc>>,
    standing: i64,
}

impl After {
    fn read(text: Option<&str>) -> Result<Self, Error> {
        let Some(text) = text else { return Ok(Self { ends_at: None, standing: i64::MAX }) };
        let read = text.split_once(',').and_then(|(ends_at, standing)| {
            let ends_at: DateTime<Utc> = ends_at.parse().ok()?;
            Some(Self { ends_at: Some(ends_at).filter(|at| domain::instant::is_kept(*at)), standing: standing.parse().ok()? })
        });
        read.ok_or_else(|| {
            Error::Invalid(vec![FieldFault::new("after", "请填写上一页返回的 next。", "Give the `next` of the page before.")])
        })
    }
}

/// What stands against people of my area, 100 at a time: what ends last first
#[utoipa::path(get, path = "/api/v1/standings", params(StandingFilter), responses((status = 200, description = "A page", body = StandingPage)))]
async fn list(
    State(service): State<Service>,
    caller: StaffCaller,
    Query(filter): Query<StandingFilter>,
) -> Result<axum::Json<StandingPage>, Problem> {
    let (pool, now, within) = (service.platform.database.pool(), service.platform.clock.now(), Within::of(&caller.scope));
    let after = After::read(filter.after.as_deref())?;
    let lifted = filter.state == Some(StandingState::Lifted);
    // both are bounds of the same index, whatever is asked
    let (from, before) = if lifted { (None, Some(now)) } else { (Some(now), None) };
    let mut rows = sqlx::query_file!(
        "src/standing/page.sql",
        within.everywhere,
        within.district,
        within.community,
        from,
        before,
        after.ends_at,
        after.standing,
        filter.reason,
        PAGE + 1
    )
    .fetch_all(pool)
    .await
    .map_err(Error::database("reading what stands in an area"))?;
    let more = rows.len() > usize::try_from(PAGE).unwrap_or(usize::MAX);
    rows.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
    let next = rows
        .last()
        .filter(|_| more)
        .map(|row| format!("{},{}", row.ends_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true), row.standing_id));
    let ids: Vec<i64> = rows.iter().map(|row| row.standing_id).collect();
    if !ids.is_empty() {
        reading::note(&service.platform, SCHEMA, &caller, caller.did("standings.read", "standing", "", now), &ids)
            .await
            .map_err(Error::from)?;
    }
    let mut behind = shown::evidence(pool, &ids).await?;
    let own = Lifter::of(caller.role);
    let standings = rows.into_iter().map(|row| {
        let terms = shown::terms(row.terms)?;
        let you_may_lift = own.is_some_and(|own| terms.who.contains(&own)) && row.ends_at > now;
        let kept = Row {
            opened_at: row.opened_at,
            since: row.since,
            until: row.until,
            counted: row.counted,
            lifted_how: row.lifted_how,
            lifted_at: row.lifted_at,
            ends_at: row.ends_at,
        };
        let code = |stored: i32| DistrictCode::try_from(stored).map_err(|_| Error::Stored { what: "district" });
        Ok::<_, Error>(AreaStanding {
            standing_id: row.standing_id,
            resident_no: directory::resident_no(row.resident_no).get(),
            alert_id: AlertId::from_uuid(row.alert_id),
            shown: kept.shown(terms, behind.remove(&row.standing_id).unwrap_or_default(), now)?,
            you_may_lift,
            community: CommunityCode::try_from(row.community).map_err(|_| Error::Stored { what: "community" })?,
            district: code(row.district)?,
            sent_by: code(row.sent_by)?,
            objection_waits: row.waits,
        })
    });
    Ok(axum::Json(StandingPage { standings: readable("standings", standings), next }))
}
