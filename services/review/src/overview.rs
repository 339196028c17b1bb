//! Alerts by district, state and class: the map of the city.

use std::collections::BTreeSet;

use axum::extract::State as Extracted;
use chrono::{DateTime, TimeDelta, Utc};
use domain::alert::DeliveryClass;
use domain::alert_state::State;
use domain::area::DistrictCode;
use domain::audience::{Audience, districts_of};
use domain::ids::{AlertId, StaffId};
use domain::retraction::{Kind, may_confirm};
use platform::database::readable;
use platform::http::{Access, Problem, Routes, StaffCaller, routes};
use serde::Serialize;
use strum::VariantArray as _;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::actor::actor;
use crate::reading::{READING, view};
use crate::store::stored_district;
use crate::{Error, Service, retraction};

/// How long what has ended still counts.
const RECENT: TimeDelta = TimeDelta::hours(24);

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("review").allow(Access::Staff(READING), routes!(overview))
}

/// All alerts that are under way, and those that ended in the last 24 hours.
#[derive(Serialize, ToSchema)]
struct Overview {
    rows: Vec<OverviewRow>,
    /// Withdrawals, all-clears and corrections that wait for a second person: of urgent alerts first, then those that wait for longest.
    retractions: Vec<OverviewRetraction>,
}

/// A word about an alert that waits for a second person.
#[derive(Serialize, ToSchema)]
struct OverviewRetraction {
    alert_id: AlertId,
    retraction_id: Uuid,
    kind: Kind,
    class: DeliveryClass,
    /// None: the whole city's.
    #[schema(value_type = Option<String>)]
    district: Option<DistrictCode>,
    /// In Chinese.
    headline: String,
    asked_at: DateTime<Utc>,
    asked_by: StaffId,
    /// Whether the alert is stopped meanwhile.
    held: bool,
    /// Whether the caller may confirm it now.
    mine: bool,
}

/// Alerts of one district that stand alike.
#[derive(Serialize, ToSchema)]
struct OverviewRow {
    /// None: city level.
    #[schema(value_type = Option<String>)]
    district: Option<DistrictCode>,
    /// Where the people are: in the district whose alert it is, or in those that an alert of city level names. Empty: anywhere in the city.
    #[schema(value_type = Vec<String>)]
    reaches: BTreeSet<DistrictCode>,
    state: State,
    class: DeliveryClass,
    exercise: bool,
    count: i64,
    /// Since when the one that has stood like this for longest does.
    oldest_changed_at: DateTime<Utc>,
}

async fn retractions(service: &Service, caller: &StaffCaller) -> Result<Vec<OverviewRetraction>, Error> {
    let now = service.platform.clock.now();
    let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    let lines = retraction::waiting_everywhere(&mut connection, view(caller)).await?;
    Ok(lines
        .into_iter()
        .map(|line| OverviewRetraction {
            alert_id: line.alert,
            retraction_id: line.waiting.id,
            kind: line.waiting.asked.kind,
            class: line.class,
            district: line.standing.district,
            headline: line.headline,
            asked_at: line.waiting.asked_at,
            asked_by: line.waiting.asked.by.id,
            held: line.held,
            mine: caller.may_act(now).is_ok() && may_confirm(&line.waiting.asked, &line.standing, &actor(caller), now).is_ok(),
        })
        .collect())
}

/// How many alerts stand where, by district
#[utoipa::path(get, path = "/api/v1/alerts/overview", responses((status = 200, description = "As of now", body = Overview)))]
async fn overview(Extracted(service): Extracted<Service>, caller: StaffCaller) -> Result<axum::Json<Overview>, Problem> {
    let open: Vec<String> = State::VARIANTS.iter().filter(|state| !state.is_final()).map(|state| state.as_ref().to_owned()).collect();
    let view = view(&caller);
    // the audiences of districts are within them, and need not be read
    let rows = sqlx::query!(
        r#"select district, state, class, coalesce(content ->> 'status' = 'exercise', false) as "exercise!", count(*) as "count!",
                  min(changed_at) as "oldest_changed_at!", case when district is null and get_byte(audience, 0) = $4 then audience end as audience
             from review.alert
            where (state = any($1) or changed_at > $2)
              and review.shows(district, approved_at is not null, $5, $3, $6)
            group by 1, 2, 3, 4, 7"#,
        &open,
        service.platform.clock.now() - RECENT,
        view.district.map(stored_district),
        i32::from(Audience::QUERY),
        view.everywhere,
        view.drafts
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("counting alerts"))?;
    let rows = rows.into_iter().map(|row| {
        let district = row.district.map(DistrictCode::try_from).transpose().map_err(|_| Error::Stored { what: "district" })?;
        let audience =
            row.audience.map(|bytes| Audience::from_bytes(&bytes)).transpose().map_err(|_| Error::Stored { what: "audience" })?;
        Ok::<_, Error>(OverviewRow {
            district,
            reaches: districts_of(district, audience.as_ref()),
            state: row.state.parse().map_err(|_| Error::Stored { what: "state" })?,
            class: row.class.parse().map_err(|_| Error::Stored { what: "class" })?,
            exercise: row.exercise,
            count: row.count,
            oldest_changed_at: row.oldest_changed_at,
        })
    });
    Ok(axum::Json(Overview { rows: readable("alerts by district", rows), retractions: retractions(&service, &caller).await? }))
}
