//! How many people an audience has, asked before an alert is submitted or confirmed.

use axum::extract::State;
use domain::area::Area;
use domain::audience::{Audience, AudienceQuery};
use domain::staff::Role;
use platform::http::{Access, FieldFault, Json, Problem, Routes, StaffCaller, routes};

use crate::headcount::ToldAudience;
use crate::{Error, Service};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("audience").allow(
        Access::Staff(&[Role::CityCommandOfficer, Role::DistrictReviewer, Role::SubmittingUnit, Role::IndustrySupervisor]),
        routes!(size),
    )
}

/// Count the people a selection would reach
///
/// By channel and provider, by district and by township, each community in tens by itself: 9 stands for fewer than ten, and a place with fewer is not listed (CQ14). Each
/// question is traced, and a day has only so many. A channel is no part of a selection: who needs an alert does not depend on how
/// they are reached.
#[utoipa::path(post, path = "/api/v1/audience/size", request_body = AudienceQuery,
    responses((status = 200, description = "As of now", body = ToldAudience)))]
async fn size(
    State(service): State<Service>,
    caller: StaffCaller,
    Json(query): Json<AudienceQuery>,
) -> Result<axum::Json<ToldAudience>, Problem> {
    let audience = Audience::Query(query);
    audience.validate().map_err(|error| Error::Invalid(vec![FieldFault::new("include", error.to_string(), error.english())]))?;
    let own = caller.scope.district().map_or(Area::City, Area::District);
    let Audience::Query(query) = &audience else { return Err(Error::OutsideScope.into()) };
    if !query.lies_within(own) {
        return Err(Error::OutsideScope.into());
    }
    service.questions.ask(&caller, &audience).await?;
    Ok(axum::Json(service.headcount.rounded(&audience).await?.told()))
}
