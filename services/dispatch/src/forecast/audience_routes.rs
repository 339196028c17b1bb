//! For whom an alert is, in numbers and samples, before and after its approval: part of what a reviewer decides about (CQ4, CQ8).

use std::collections::BTreeMap;

use axum::extract::State;
use domain::alert_view::AlertView;
use domain::area::{Area, CommunityCode, DistrictCode};
use domain::audience::{Audience, AudienceQuery, ResidentTraits};
use domain::headcount::HeadCount;
use domain::ids::AlertId;
use domain::language::Language;
use domain::outcome::Channel;
use platform::http::{Access, Json, PathId, Problem, Routes, StaffCaller, routes};
use resident::headcount::{Counts as Headcounts, ToldCounts};
use serde::Serialize;
use utoipa::ToSchema;

use super::forecaster::Forecaster;
use crate::Error;
use crate::routes::WATCHERS;

/// People shown as samples: enough to see who they are like, too few to learn who they are.
const SAMPLES: usize = 8;
/// Of fewer people none are shown.
const LEAST_SAMPLED: u64 = 100;
/// Looked through for samples of a selection.
const LOOKED_THROUGH: i64 = 4_000;

pub(super) fn routes() -> Routes<Forecaster> {
    Routes::new("dispatch").allow(Access::Staff(WATCHERS), routes!(read))
}

/// For whom an alert is, as of now, in tens; 9 stands for fewer than ten (CQ14).
#[derive(Serialize, ToSchema)]
struct AlertAudience {
    /// In it; of an exercise, those who are enrolled.
    people: HeadCount,
    /// Reached by the app first.
    app: HeadCount,
    /// By SMS first.
    sms: HeadCount,
    /// By neither: their community follows up.
    unreachable: HeadCount,
    /// By district, the largest first; only those with ten people and more.
    districts: Vec<PeopleIn>,
    /// By township, the largest first; only those with ten people and more.
    townships: Vec<PeopleIn>,
    /// Some of them, without anything that names them; none of fewer than a hundred, nor of people named by records.
    samples: Vec<Sample>,
}

/// People of one place.
#[derive(Serialize, ToSchema)]
struct PeopleIn {
    #[schema(value_type = String, example = "500103")]
    area: Area,
    people: HeadCount,
}

/// Somebody in the audience, masked (CQ14).
#[derive(Serialize, ToSchema)]
struct Sample {
    #[schema(value_type = String, example = "500103001001")]
    community: CommunityCode,
    language: Language,
    /// What reaches them first; none: neither app nor SMS.
    channel: Option<Channel>,
}

/// For whom an alert is: people by channel and place, and masked samples
#[utoipa::path(get, path = "/api/v1/alerts/{id}/audience", operation_id = "audience", params(("id" = AlertId, Path, description = "The alert")),
    responses((status = 200, description = "As of now", body = AlertAudience), (status = 404, description = "Unknown")))]
async fn read(
    State(forecaster): State<Forecaster>,
    caller: StaffCaller,
    platform::http::Path(alert_id): PathId<AlertId>,
) -> Result<Json<AlertAudience>, Problem> {
    let stored = sqlx::query!(
        r#"select district, audience as "audience!", exercise as "exercise!", approved as "approved!" from review.alert_audience where alert_id = $1"#,
        alert_id.uuid()
    )
    .fetch_optional(forecaster.database.pool())
    .await
    .map_err(Error::from)?
    .ok_or(Error::NoSuchAlert)?;
    let district = stored.district.map(DistrictCode::try_from).transpose().map_err(|error| Error::damaged("district", alert_id, error))?;
    if !AlertView::of(caller.role, &caller.scope).shows(district, stored.approved) {
        return Err(Error::NoSuchAlert.into());
    }
    let audience = Audience::from_bytes(&stored.audience).map_err(|error| Error::damaged("audience", alert_id, error))?;
    // who edits a draft and looks at its audience asks as who counts a selection does
    forecaster.questions.ask(&caller, &audience).await?;
    let counted = forecaster.count_rounded(&audience).await?.counts().clone();
    let own = caller.scope.district().filter(|_| district.is_none() && !stored.exercise);
    // Where those live who are enrolled for exercises is not counted.
    let (everybody, districts, townships): (Headcounts, _, _) = if stored.exercise {
        (counted.drill, BTreeMap::new(), BTreeMap::new())
    } else {
        (counted.everybody, counted.districts, counted.townships)
    };
    let area = district.map_or(Area::City, Area::District);
    // of an alert of the whole city a district sees its own part
    let is_seen = |(area, _): &(Area, i64)| caller.scope.covers(*area);
    let places = |places: BTreeMap<Area, i64>| {
        let told = places.into_iter().map(|(area, people)| PeopleIn { area, people: HeadCount::of(people.max(0).unsigned_abs()) });
        let mut largest: Vec<_> = told.filter(|place| !place.people.is_few()).collect();
        // by what is told: the order of those that are told alike tells nothing
        largest.sort_by_key(|place| std::cmp::Reverse(place.people));
        largest
    };
    // of an alert of the whole city a district is told of its own people alone
    let everybody = own.map_or(everybody, |own| districts.get(&own).copied().unwrap_or_default());
    let ToldCounts { people, app, sms, unreachable, .. } = everybody.told();
    // of a handful, or of people named one by one, a sample would tell who they are
    let may_sample = caller.scope.covers(area) && people.told() >= LEAST_SAMPLED;
    Ok(Json(AlertAudience {
        people,
        app,
        sms,
        unreachable,
        districts: places(
            districts.into_iter().map(|(district, counts)| (Area::District(district), counts.people)).filter(is_seen).collect(),
        ),
        townships: places(townships.into_iter().map(|(township, people)| (Area::Township(township), people)).filter(is_seen).collect()),
        samples: match &audience {
            Audience::Query(query) if may_sample => forecaster.samples(query).await?,
            _ => Vec::new(),
        },
    }))
}

impl Forecaster {
    async fn samples(&self, query: &AudienceQuery) -> Result<Vec<Sample>, Error> {
        let districts = districts_of(query);
        let rows = sqlx::query!(
            r#"select community as "community!", industry, language as "language!", app as "app!", sms as "sms!" from resident.reach
                where $1::int[] is null or district = any($1) limit $2"#,
            districts.as_deref(),
            LOOKED_THROUGH
        )
        .fetch_all(self.database.pool())
        .await?;
        let mut samples = Vec::new();
        for row in rows {
            let damaged = |error| Error::damaged("community of a resident", row.community, error);
            let community = CommunityCode::try_from(row.community).map_err(damaged)?;
            let traits = ResidentTraits {
                home: Area::Community(community),
                industry: row.industry.and_then(|industry| industry.parse().ok()),
                language: row.language.parse().unwrap_or_default(),
            };
            if query.selects(&traits) {
                samples.push(Sample { community, language: traits.language, channel: Channel::first(row.app, row.sms) });
            }
            if samples.len() == SAMPLES {
                break;
            }
        }
        Ok(samples)
    }
}

/// The districts that everybody selected lives in; none: anywhere.
fn districts_of(query: &AudienceQuery) -> Option<Vec<i32>> {
    let areas = query.include.iter().flat_map(|selection| &selection.areas);
    areas.map(|area| area.district().map(|district| district.get().cast_signed())).collect()
}
