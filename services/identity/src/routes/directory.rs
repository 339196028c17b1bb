//! Signing in through the city's directory: the browser is sent there and comes back.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use domain::console_path::ConsolePath;
use domain::directory::{DirectoryRefusal, GONE_FOR};
use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use platform::http::{Access, Json, Problem, Query, Routes, routes};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::identity::Identity;
use super::session::entered;
use super::visitor::Knock;
use crate::Error;
use crate::directory::{Directory, Returned};

/// Cookie with what a browser takes along to the directory, where it is sent over https only: then no other host of the city can set it.
const ERRAND_COOKIE: &str = "__Host-fenghuo_directory";
/// The same where pages are served without TLS.
const ERRAND_COOKIE_IN_THE_CLEAR: &str = "fenghuo_directory";

pub(super) fn routes() -> Routes<Identity> {
    Routes::new("session")
        .allow(Access::Public, routes!(offered))
        .allow(Access::Public, routes!(begin))
        .allow(Access::Public, routes!(come_back))
}

/// What the sign-in page offers beside password and passkey.
#[derive(Serialize, ToSchema)]
struct DirectoryOffered {
    /// What staff call the city's directory, in Chinese; none: there is none to sign in through.
    name: Option<String>,
    /// The same in English.
    name_en: Option<String>,
}

/// Whether staff can sign in through a directory of the city, and what they call it
#[utoipa::path(get, path = "/api/v1/session/directory", responses((status = 200, description = "What is offered", body = DirectoryOffered)))]
async fn offered(State(identity): State<Identity>) -> Json<DirectoryOffered> {
    let names = identity.directory.as_deref().map(Directory::names);
    Json(DirectoryOffered { name: names.map(|(name, _)| name.to_owned()), name_en: names.map(|(_, name)| name.to_owned()) })
}

/// Where somebody wants to go.
#[derive(Deserialize, IntoParams)]
struct Going {
    /// The page of the console to which it goes in the end; left out, the first.
    #[param(value_type = Option<String>)]
    to: Option<ConsolePath>,
}

/// Go to the directory to sign in: for a browser, which is led there and comes back to `/api/v1/session/directory/return`
///
/// It takes a cookie along by which it is known again when it comes back. Where the directory does not answer, it is led to the sign-in page, which
/// says so.
#[utoipa::path(get, path = "/api/v1/session/directory/begin", params(Going), responses(
    (status = 303, description = "To the directory, or back to the sign-in page"),
    (status = 404, description = "The city has no directory"),
    (status = 422, description = "`to` is no page of the console"),
))]
async fn begin(State(identity): State<Identity>, knock: Knock, Query(Going { to }): Query<Going>) -> Result<Response, Problem> {
    let directory = identity.directory()?;
    match directory.begin(to.unwrap_or_default(), knock.device()).await {
        Ok(begun) => led(&begun.address, [errand_cookie(&begun.errand, identity.cookie_secure)?], HeaderMap::new()),
        Err(error) => turned_back(&identity, error),
    }
}

/// What the directory has a browser bring back; what else it says is not looked at.
#[derive(Deserialize, IntoParams)]
struct Answer {
    /// A code, where it let somebody in.
    code: Option<String>,
    /// What the browser was sent with.
    #[serde(default)]
    state: String,
    /// Which directory it is (RFC 9207).
    iss: Option<String>,
}

/// Come back from the directory: the session begins, in its cookie, and the browser is led to the page that it wanted
///
/// Whoever has a second factor shows it then, unless the directory has asked for one that counts here. Where it comes to nothing, the browser is led
/// to the sign-in page, which says why (`?directory=…`).
#[utoipa::path(get, path = "/api/v1/session/directory/return", params(Answer), responses(
    (status = 303, description = "To the page of the console, or back to the sign-in page"),
    (status = 404, description = "The city has no directory"),
))]
async fn come_back(
    State(identity): State<Identity>,
    knock: Knock,
    headers: HeaderMap,
    Query(answer): Query<Answer>,
) -> Result<Response, Problem> {
    identity.directory()?;
    let cookies = CookieJar::from_headers(&headers);
    let errand = cookies.get(errand_cookie_name(identity.cookie_secure)).map(|cookie| cookie.value());
    match come_in(&identity, knock, errand.unwrap_or_default(), answer).await {
        Ok((to, cookies)) => {
            metrics::counter!("staff_directory_sign_ins_total", "outcome" => "begun").increment(1);
            led(to.as_str(), [errand_cookie("", identity.cookie_secure)?], cookies)
        }
        Err(error) => turned_back(&identity, error),
    }
}

async fn come_in(identity: &Identity, knock: Knock, errand: &str, answer: Answer) -> Result<(ConsolePath, HeaderMap), Error> {
    let Answer { code, state, iss } = answer;
    let directory = identity.directory()?;
    let errand = directory.errand(errand, &state).await?;
    // what makes the browser known here it does not send when it comes from elsewhere
    let knock = knock.with(errand.device.as_deref());
    let returned = Returned { code, issuer: iss };
    let begun = identity.sign_in.by_directory(directory, &errand, returned, &knock.visitor).await?;
    let (given, _) = entered(identity, begun, true, &knock).await?;
    Ok((errand.to, given.headers))
}

/// Back to the sign-in page, which says why. What is our own fault is told as that.
fn turned_back(identity: &Identity, error: Error) -> Result<Response, Problem> {
    let refusal = match &error {
        Error::Directory(fault) => fault.refusal(),
        Error::NotBound => DirectoryRefusal::NotBound,
        Error::TooManyAttempts { .. } => DirectoryRefusal::TooMany,
        _ => return Err(error.into()),
    };
    metrics::counter!("staff_directory_sign_ins_total", "outcome" => refusal.as_ref().to_owned()).increment(1);
    led(ConsolePath::of_refusal(refusal.as_ref()).as_str(), [errand_cookie("", identity.cookie_secure)?], HeaderMap::new())
}

/// Leads a browser on.
fn led(to: &str, cookies: [HeaderValue; 1], mut headers: HeaderMap) -> Result<Response, Problem> {
    let to = HeaderValue::from_str(to).map_err(|_| Error::Stored { what: "address of the directory" })?;
    headers.insert(LOCATION, to);
    headers.extend(cookies.map(|cookie| (SET_COOKIE, cookie)));
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

const fn errand_cookie_name(secure: bool) -> &'static str {
    if secure { ERRAND_COOKIE } else { ERRAND_COOKIE_IN_THE_CLEAR }
}

/// The cookie of an errand: not for scripts, and for other sites only where they lead a browser back here. Without a value it is gone.
fn errand_cookie(errand: &str, secure: bool) -> Result<HeaderValue, Error> {
    let (name, seconds) = (errand_cookie_name(secure), if errand.is_empty() { 0 } else { GONE_FOR.num_seconds() });
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={errand}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).map_err(|_| Error::Stored { what: "errand" })
}
