//! How many people an audience has, asked before an alert is submitted or confirmed.

use axum::extract::State;
use domain::area::{Area, CommunityCode};
use domain::audience::{Audience, AudienceQuery, ResidentTraits};
use domain::industry::Industry;
use domain::language::Language;
use domain::staff::Role;
use platform::http::{Access, FieldFault, Json, Problem, Routes, StaffCaller, routes};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Error, Service};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("audience").allow(
        Access::Staff(&[Role::CityCommandOfficer, Role::DistrictReviewer, Role::SubmittingUnit, Role::IndustrySupervisor]),
        routes!(size),
    )
}

/// The size of an audience and how it would be reached.
#[derive(Default, Serialize, ToSchema)]
struct AudienceSize {
    /// Residents selected.
    people: i64,
    /// Of them: reached by the app.
    app: i64,
    /// Of them: without the app, reached by SMS.
    sms: i64,
    /// Of them: neither, for instance after withdrawing consent.
    unreachable: i64,
}

/// Count the people a selection would reach
#[utoipa::path(post, path = "/api/v1/audience/size", request_body = AudienceQuery,
    responses((status = 200, description = "As of now", body = AudienceSize)))]
async fn size(
    State(service): State<Service>,
    caller: StaffCaller,
    Json(query): Json<AudienceQuery>,
) -> Result<axum::Json<AudienceSize>, Problem> {
    Audience::Query(query.clone()).validate().map_err(|error| {
        Error::Invalid(vec![FieldFault::new("include", error.to_string(), "The selection is empty or names an unknown area.")])
    })?;
    let own = caller.scope.district().map_or(Area::City, Area::District);
    if !query.lies_within(own) {
        return Err(Error::OutsideScope.into());
    }
    // One row for each combination of traits; which of them are selected is decided in one place, by the domain.
    let groups = sqlx::query!(
        r#"select community as "community!", industry, language as "language!", app as "app!", sms as "sms!", count(*) as "people!"
           from resident.reach group by community, industry, language, app, sms"#
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("counting an audience"))?;
    let mut size = AudienceSize::default();
    for group in groups {
        let community = CommunityCode::try_from(group.community.unsigned_abs()).map_err(|_| Error::Stored { what: "community" })?;
        let traits = ResidentTraits {
            home: Area::Community(community),
            industry: group.industry.and_then(|industry| industry.parse::<Industry>().ok()),
            language: group.language.parse::<Language>().unwrap_or_default(),
        };
        if query.selects(&traits) {
            size.people += group.people;
            match (group.app, group.sms) {
                (true, _) => size.app += group.people,
                (false, true) => size.sms += group.people,
                (false, false) => size.unreachable += group.people,
            }
        }
    }
    Ok(axum::Json(size))
}
