//! The shell from outside: who gets in, what failures look like, how it is served.

mod access;
mod encrypted;
mod failures;
mod serving;
mod while_admitted;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use domain::area::{Area, DistrictCode};
use domain::ids::{ApiKeyId, ResidentNo, ScreenId, StaffId};
use domain::risk_record::{Origin, RecordKind};
use domain::second_factor::{Needs, Proof};
use domain::staff::{Role, Scope};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde::Deserialize;
use tokio::sync::Notify;
use tower::ServiceExt;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::*;

/// Knows four tokens.
struct FourCallers;

#[async_trait]
impl Authenticator for FourCallers {
    fn prefixes(&self) -> &'static [&'static str] {
        &["fhs_", "fhk_", "fhr_", "fhd_"]
    }

    async fn authenticate(&self, token: &str) -> Result<Option<Caller>, Problem> {
        let staff = |role, scope| {
            Caller::Staff(StaffCaller {
                id: StaffId::new(),
                name: "王主任".to_owned(),
                role,
                scope,
                acts_from: None,
                session: "reference".to_owned(),
                proof: Proof::NotAsked,
            })
        };
        Ok(match token {
            "fhs_city" => Some(staff(Role::CityCommandOfficer, Scope::City)),
            "fhs_unproved" => Some(Caller::Unproved(Unproved {
                id: StaffId::new(),
                name: "王主任".to_owned(),
                role: Role::CityCommandOfficer,
                scope: Scope::City,
                acts_from: None,
                session: "reference".to_owned(),
                needs: Needs::Proof,
            })),
            "fhs_district" => Some(staff(Role::DistrictReviewer, Scope::District(district("500103")))),
            "fhk_source" => Some(Caller::Source(SourceCaller {
                key_id: ApiKeyId::new(),
                unit: "市疾控中心".to_owned(),
                origin: Origin::Surveillance,
                area: Area::District(district("500103")),
                kinds: vec![RecordKind::Case],
                asks: Vec::new(),
                networks: Vec::new(),
            })),
            "fhr_resident" => Some(Caller::Resident(ResidentCaller { no: ResidentNo::from(7) })),
            "fhd_screen" => Some(Caller::Screen(ScreenCaller { id: ScreenId::new() })),
            _ => None,
        })
    }
}

fn district(code: &str) -> DistrictCode {
    code.parse().unwrap()
}

#[derive(Clone, Default)]
struct Bell(Arc<Notify>);

#[derive(Deserialize, ToSchema)]
struct Note {
    title: String,
    place: Place,
}

#[derive(Deserialize, ToSchema)]
struct Place {
    floor: u8,
}

#[derive(Deserialize, IntoParams)]
struct Page {
    limit: u16,
}

macro_rules! answering_ok {
    ($($name:ident $path:literal),+) => {$(
        /// Answers.
        #[utoipa::path(get, path = $path, responses((status = 200, description = "Done")))]
        async fn $name() -> &'static str {
            "ok"
        }
    )+};
}
answering_ok! { public "/public", staff "/staff", officer "/officer", resident "/resident", source "/source", either "/either", screen "/screen", own_session "/own-session" }

/// Changes something.
#[utoipa::path(post, path = "/staff", responses((status = 200, description = "Done")))]
async fn change(caller: StaffCaller) -> String {
    caller.name
}

/// Looks into a district.
#[utoipa::path(get, path = "/districts/{code}", params(("code" = String, Path)), responses((status = 200, description = "Done")))]
async fn look(caller: StaffCaller, Path(code): PathId<DistrictCode>) -> Result<&'static str, Problem> {
    caller.must_cover(Area::District(code))?;
    Ok("ok")
}

/// Takes a note.
#[utoipa::path(post, path = "/notes", responses((status = 200, description = "Done")))]
async fn note(Json(note): Json<Note>) -> String {
    format!("{} on floor {}", note.title, note.place.floor)
}

/// Reads a page.
#[utoipa::path(get, path = "/pages/{id}", params(("id" = Uuid, Path), Page), responses((status = 200, description = "Done")))]
async fn page(Path(id): Path<Uuid>, Query(page): Query<Page>) -> String {
    format!("{id} {}", page.limit)
}

/// Never answers.
#[utoipa::path(get, path = "/hang", responses((status = 200, description = "Never")))]
async fn hang() -> &'static str {
    std::future::pending().await
}

/// Answers when told to.
#[utoipa::path(get, path = "/wait", responses((status = 200, description = "Done")))]
async fn wait(axum::extract::State(bell): axum::extract::State<Bell>) -> &'static str {
    bell.0.notify_one();
    bell.0.notified().await;
    "ok"
}

/// Breaks.
#[utoipa::path(get, path = "/panic", responses((status = 200, description = "Never")))]
async fn break_down() -> &'static str {
    panic!("on purpose")
}

/// Takes a large body.
#[utoipa::path(post, path = "/upload", request_body(content = String, content_type = "application/octet-stream"), responses((status = 200, description = "Done")))]
async fn upload(body: bytes::Bytes) -> String {
    body.len().to_string()
}

fn all(bell: Bell) -> Routes {
    Routes::new("test notes")
        .allow(Access::Public, routes!(public))
        .allow(Access::ANY_STAFF, routes!(staff, change))
        .allow(Access::Staff(&[Role::CityCommandOfficer]), routes!(officer))
        .allow(Access::Resident, routes!(resident))
        .allow(Access::Source, routes!(source))
        .allow(Access::SourceOrStaff(&[Role::DistrictReviewer]), routes!(either))
        .allow(Access::Screen, routes!(screen))
        .allow(Access::SessionOwner, routes!(own_session))
        .allow(Access::ANY_STAFF, routes!(look))
        .allow(Access::Public, routes!(note))
        .allow(Access::Public, routes!(page))
        .allow_within(Limits { time: Some(Duration::from_millis(1)), ..Limits::default() }, Access::Public, routes!(hang))
        .allow(Access::Public, routes!(wait))
        .allow(Access::Public, routes!(break_down))
        .allow_within(Limits::upload(64), Access::Public, routes!(upload))
        .with_state(bell)
}

fn shell() -> Shell {
    Shell::new(all(Bell::default()), Authenticators::new().with(FourCallers))
        .settings(HttpSettings { body_limit: 128, ..HttpSettings::default() })
}

fn router() -> Router {
    shell().router()
}

fn get(path: &str) -> http::request::Builder {
    Request::get(path)
}

async fn send(request: http::request::Builder, body: impl Into<Body>) -> Response {
    router().oneshot(request.body(body.into()).unwrap()).await.unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

async fn problem(response: Response) -> Problem {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let status = response.status();
    let problem: Problem = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(problem.status, status.as_u16());
    assert!(!problem.detail.is_empty() && !problem.detail_en.is_empty());
    problem
}
