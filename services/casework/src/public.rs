//! Cases of people who do not sign in: brought with a request that names itself, looked at by number and PIN.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::State as Shared;
use domain::casework::{CaseNumber, Channel, Event, Kind, Pin};
use domain::network::Network;
use http::{HeaderMap, StatusCode};
use platform::cache::Tokens;
use platform::http::{Access, ClientAddress, Json, Problem, Routes, routes};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::citizen::{self, CitizenCase, Wish};
use crate::intake::{self, CaseRequest, CaseTaken, RequestName, Source};
use crate::numbered::Numbered;
use crate::service::Parts;
use crate::store::{self, Kept};
use crate::{Error, Service};

const AN_HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("cases").allow(Access::Public, routes!(bring)).allow(Access::Public, routes!(look)).allow(Access::Public, routes!(step))
}

/// Bring a matter: a question, a complaint, a call for help, a report
///
/// Nobody has to sign in or say who they are. The request is named by the header `Idempotency-Key`; a repeat is told the same number and PIN.
#[utoipa::path(post, path = "/api/v1/cases", request_body = CaseRequest,
    params(("Idempotency-Key" = String, Header, description = "The client's own name for this request, 8 to 64 characters")),
    responses((status = 201, description = "Taken: number and PIN", body = CaseTaken)))]
async fn bring(
    Shared(service): Shared<Service>,
    ClientAddress(from): ClientAddress,
    headers: HeaderMap,
    Json(request): Json<CaseRequest>,
) -> Result<(StatusCode, axum::Json<CaseTaken>), Problem> {
    let name = RequestName::of(&headers)?;
    admit(&service, from, request.kind).await?;
    let taken = intake::take(&service, &request, &name, Source { channel: Channel::Web, resident: None, writer: None }).await?;
    Ok((StatusCode::CREATED, axum::Json(taken)))
}

/// What opens a case.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CasePin {
    /// The six digits that were told with the number.
    #[schema(example = "402917")]
    pin: String,
}

/// How my matter stands
///
/// In plain words: the step, who has it, until when and why that day, the answer. Five wrong PINs in an hour close the case for that hour.
#[utoipa::path(post, path = "/api/v1/cases/{number}/state", params(("number" = String, Path, description = "As told or dictated")),
    request_body = CasePin, responses((status = 200, description = "How it stands", body = CitizenCase)))]
async fn look(
    Shared(service): Shared<Service>,
    ClientAddress(from): ClientAddress,
    Numbered(number): Numbered,
    Json(request): Json<CasePin>,
) -> Result<axum::Json<CitizenCase>, Problem> {
    admit_look(&service, from).await?;
    let kept = opened(&service, number, &request.pin).await?;
    let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    Ok(axum::Json(citizen::shown(&mut connection, &service, &kept).await?))
}

/// What is done with a case by number and PIN.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CaseStepByPin {
    /// The six digits that were told with the number.
    #[schema(example = "402917")]
    pin: String,
    /// `supplement`, `chase`, `satisfied`, `not_satisfied` or `withdraw`.
    event: Event,
    /// What there is to say, up to 5,000 characters; a supplement and what did not satisfy need it.
    #[serde(default)]
    text: Option<String>,
}

/// Add to my matter, chase it, rate the answer, or take it back
#[utoipa::path(post, path = "/api/v1/cases/{number}/steps", params(("number" = String, Path, description = "As told or dictated")),
    request_body = CaseStepByPin, responses((status = 200, description = "Done; how it stands", body = CitizenCase)))]
async fn step(
    Shared(service): Shared<Service>,
    ClientAddress(from): ClientAddress,
    Numbered(number): Numbered,
    Json(request): Json<CaseStepByPin>,
) -> Result<axum::Json<CitizenCase>, Problem> {
    admit_look(&service, from).await?;
    let number = opened(&service, number, &request.pin).await?.number;
    let wish = Wish { event: request.event, text: request.text.as_deref() };
    // number and PIN have been shown
    Ok(axum::Json(citizen::step(&service, number, &wish, |_| Ok(())).await?))
}

/// The case, if number and PIN fit; a wrong one is counted, and the answer is the same whether the number exists or not.
async fn opened(service: &Parts, number: CaseNumber, pin: &str) -> Result<Kept, Error> {
    let cache = &service.platform.cache;
    let tried = format!("case-pin-tries:{number}");
    if cache.incr(&tried, AN_HOUR).await? > u64::from(service.settings.wrong_pins_per_hour) {
        metrics::counter!("casework_pins_refused_total").increment(1);
        return Err(Error::TooManyTries { after: AN_HOUR, hotline: service.settings.hotline.clone() });
    }
    let pin: Pin = pin.parse().map_err(|_| Error::NumberOrPin)?;
    let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    let kept = match store::load(&mut connection, number, false).await {
        Err(Error::NoSuchCase) => return Err(Error::NumberOrPin),
        kept => kept?,
    };
    // both sides are keyed hashes, so comparing them tells nothing about the PIN
    if kept.pin_hash != intake::pin_hash(&service.platform.keyring, number, &pin) {
        return Err(Error::NumberOrPin);
    }
    cache.delete(&tried).await?;
    Ok(kept)
}

/// What a site has beside one of its networks: one customer's /48 of IPv6 holds as many /64 as they like.
const NETWORKS_OF_A_SITE: u32 = 4;

/// Whether one more case is taken from this network now. Urgent help has its own part of what the city takes: a flood of others does not stop it.
async fn admit(service: &Parts, from: IpAddr, kind: Kind) -> Result<(), Error> {
    let settings = &service.settings;
    let of_city = if kind == Kind::UrgentHelp { "cases:city-help" } else { "cases:city" };
    let of_network = from_network(service, "cases", from, settings.cases_per_minute_from_a_network.get()).await?;
    let waits = match of_network {
        None => take(service, of_city, settings.cases_per_minute.get()).await?,
        waits => waits,
    };
    let Some(after) = waits else { return Ok(()) };
    metrics::counter!("casework_cases_refused_total").increment(1);
    Err(Error::TooManyCases { after, hotline: settings.hotline.clone() })
}

/// Whether one more question for a case is answered to this network now.
async fn admit_look(service: &Parts, from: IpAddr) -> Result<(), Error> {
    let settings = &service.settings;
    match from_network(service, "case-looks", from, settings.looks_per_minute_from_a_network.get()).await? {
        None => Ok(()),
        Some(after) => Err(Error::TooOften { after, hotline: settings.hotline.clone() }),
    }
}

/// Takes one of what a network, and the site that it belongs to, have in a minute; how long it waits where there is none left.
async fn from_network(service: &Parts, what: &str, from: IpAddr, a_minute: u32) -> Result<Option<Duration>, Error> {
    let network = Network::of(from);
    if let Some(after) = take(service, &format!("{what}:network:{network}"), a_minute).await? {
        return Ok(Some(after));
    }
    match network.site() {
        Some(site) => take(service, &format!("{what}:site:{site}"), a_minute.saturating_mul(NETWORKS_OF_A_SITE)).await,
        None => Ok(None),
    }
}

async fn take(service: &Parts, bucket: &str, a_minute: u32) -> Result<Option<Duration>, Error> {
    match service.platform.cache.take_tokens(bucket, f64::from(a_minute) / 60.0, a_minute, 1).await? {
        Tokens::Granted => Ok(None),
        Tokens::WaitUntil(at) => Ok(Some((at - service.now()).to_std().unwrap_or_default())),
    }
}
