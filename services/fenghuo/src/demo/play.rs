//! What only the demo has: its accounts with their passwords, phones to look at, and a clock that can be put forward.
//!
//! For the guide of `fenghuo up`, where providers are simulated and nobody is real. Mounted only where the demo listens on this
//! machine alone; no other way of running has these addresses.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use domain::area::DistrictCode;
use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, StatusCode};
use platform::clock::Clock;
use resident::generate::People;
use serde::{Deserialize, Serialize};
use simulators::Simulators;

use super::CENTRE;
use super::accounts::{Access, Accounts};

/// The clock's lead, so that a demo that starts again goes on where it was.
const AHEAD: &str = "clock-ahead";
/// One step of the clock at most: a week.
const LONGEST_STEP_MIN: u64 = 7 * 24 * 60;
/// Phones shown at most.
const PHONES: usize = 12;

/// What the guide asks for.
#[derive(Clone)]
struct Play(Arc<Inner>);

struct Inner {
    data: PathBuf,
    accounts: Accounts,
    clock: Clock,
    simulators: Simulators,
    people: People,
}

/// A clock that runs and can be put forward, as far ahead as it was when the demo last stopped.
pub(crate) fn clock(data: &Path) -> Clock {
    let ahead = std::fs::read_to_string(data.join(AHEAD)).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    Clock::shifted(Duration::from_secs(ahead))
}

pub(crate) fn router(data: PathBuf, accounts: Accounts, clock: Clock, simulators: Simulators, people: People) -> Router {
    Router::new()
        .route("/demo/accounts", get(list_accounts))
        .route("/demo/clock/forward", post(put_forward))
        .route("/demo/sms", get(sms))
        .route("/demo/phones", get(phones))
        .route("/demo/providers", get(providers))
        .with_state(Play(Arc::new(Inner { data, accounts, clock, simulators, people })))
        .layer(middleware::from_fn(only_from_here))
}

/// The passwords of the demo are for whoever sits at this machine: not for a page elsewhere that has its name resolved to this address,
/// nor for whom a proxy brings.
async fn only_from_here(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).or_else(|| request.uri().authority().map(Authority::as_str));
    let name = host.and_then(|host| host.parse::<Authority>().ok());
    let is_here = name.is_some_and(|name| {
        let host = name.host().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
    });
    let is_brought = ["forwarded", "x-forwarded-for", "x-real-ip"].iter().any(|header| request.headers().contains_key(*header));
    if is_here && !is_brought { next.run(request).await } else { StatusCode::NOT_FOUND.into_response() }
}

#[derive(Serialize)]
struct Account {
    login: String,
    password: String,
    /// The code that is the second factor; none for a key.
    code: Option<String>,
    title: String,
}

/// The staff of the demo city, as its file has them.
async fn list_accounts(State(Play(play)): State<Play>) -> Response {
    match play.accounts.read() {
        Ok(known) if !known.is_empty() => {
            let account = |Access { login, secret, code, title }| Account { login, password: secret, code, title };
            Json(known.into_iter().map(account).collect::<Vec<_>>()).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

#[derive(Deserialize)]
struct Step {
    minutes: u64,
}

async fn put_forward(State(Play(play)): State<Play>, headers: HeaderMap, Json(step): Json<Step>) -> Response {
    // A form of another site cannot set a header.
    if !headers.contains_key("x-fenghuo-request") || step.minutes > LONGEST_STEP_MIN {
        return StatusCode::BAD_REQUEST.into_response();
    }
    play.clock.forward(Duration::from_secs(step.minutes * 60));
    if let Err(error) = tokio::fs::write(play.data.join(AHEAD), play.clock.ahead().num_seconds().to_string()).await {
        tracing::warn!(%error, "how far the demo's clock is ahead could not be kept");
    }
    Json(serde_json::json!({ "now": play.clock.now() })).into_response()
}

#[derive(Deserialize)]
struct Of {
    phone: String,
}

/// What a phone got by SMS, oldest first.
async fn sms(State(Play(play)): State<Play>, Query(Of { phone }): Query<Of>) -> Response {
    let texts: Vec<String> = play.simulators.sms_to(&phone).into_iter().map(|message| message.text).collect();
    Json(texts).into_response()
}

#[derive(Serialize)]
struct Providers {
    /// Where the simulators tell what they received.
    control: String,
    /// What the addresses of subscriptions begin with that the simulated push service of browsers serves.
    web_push: String,
}

/// Where the simulated providers are.
async fn providers(State(Play(play)): State<Play>) -> Response {
    let addresses = play.simulators.addresses();
    Json(Providers { control: addresses.control_url(), web_push: addresses.web_push_url("") }).into_response()
}

#[derive(Serialize)]
struct Phone {
    phone: String,
    community: String,
}

/// Some residents of the city's centre, to be played.
async fn phones(State(Play(play)): State<Play>) -> Response {
    let Ok(centre) = DistrictCode::try_from(CENTRE) else { return StatusCode::NOT_FOUND.into_response() };
    let phones: Vec<Phone> = play
        .people
        .of_district(centre)
        .filter_map(|no| play.people.person(no))
        .take(PHONES)
        .map(|person| Phone { phone: person.phone, community: person.community.to_string() })
        .collect();
    Json(phones).into_response()
}
