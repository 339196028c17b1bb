//! The desk: somebody writes down for somebody else what they call, come or ask for.

use axum::extract::State as Shared;
use domain::area::Area;
use domain::casework::Channel;
use domain::staff::Role;
use http::{HeaderMap, StatusCode};
use platform::http::{Json, Problem, Routes, StaffCaller, routes};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::access::TAKING;
use crate::intake::{self, CaseRequest, CaseTaken, RequestName, Source};
use crate::{Error, Service};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("casework").allow(TAKING, routes!(write_down))
}

/// What somebody brings, as it is written down for them.
#[derive(Deserialize, ToSchema)]
struct CaseOfCaller {
    /// `call`, `visit`, or `proxy` where a community enters it for somebody.
    channel: Channel,
    #[serde(flatten)]
    request: CaseRequest,
}

/// Write down what somebody calls about, comes with, or has entered for them
///
/// Number and PIN are read out or handed over. An operator then answers at once or registers it, as a step.
#[utoipa::path(post, path = "/api/v1/casework/cases", request_body = CaseOfCaller,
    params(("Idempotency-Key" = String, Header, description = "The page's own name for this request, 8 to 64 characters")),
    responses((status = 201, description = "Taken: number and PIN, to be told", body = CaseTaken)))]
async fn write_down(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    headers: HeaderMap,
    Json(written): Json<CaseOfCaller>,
) -> Result<(StatusCode, axum::Json<CaseTaken>), Problem> {
    let fitting = match caller.role {
        Role::CommunityWorker => written.channel == Channel::Proxy,
        _ => matches!(written.channel, Channel::Call | Channel::Visit | Channel::Proxy),
    };
    if !fitting {
        let (reason, reason_en) =
            ("坐席登记来电、来访或代办，社区登记代办", "is call, visit or proxy at the hotline, proxy in a community");
        return Err(Error::field("channel", reason, reason_en).into());
    }
    let request = &written.request;
    let area: Option<Area> = request.community.map(Area::Community).or(request.district.map(Area::District));
    // a district's hotline takes what concerns the district, the city's everything; a community enters for its people, wherever it happened
    if let Some(area) = area.filter(|_| caller.role == Role::HotlineOperator) {
        caller.must_cover(area)?;
    }
    let name = RequestName::of(&headers)?;
    let source = Source { channel: written.channel, resident: None, writer: Some(&caller) };
    Ok((StatusCode::CREATED, axum::Json(intake::take(&service, request, &name, source).await?)))
}
