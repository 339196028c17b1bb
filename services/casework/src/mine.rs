//! Cases of residents who are signed in to the app.

use std::time::Duration;

use axum::extract::State as Shared;
use chrono::{DateTime, Utc};
use domain::casework::{CaseNumber, Channel, Event, Kind, State};
use domain::ids::ResidentNo;
use http::{HeaderMap, StatusCode};
use platform::http::{Access, Json, Problem, ResidentCaller, Routes, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::citizen::{self, CitizenCase, Wish};
use crate::intake::{self, CaseRequest, CaseTaken, RequestName, Source};
use crate::numbered::Numbered;
use crate::store::{self, Kept};
use crate::{Error, Service};

const A_DAY: Duration = Duration::from_secs(24 * 3600);

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("own cases")
        .allow(Access::Resident, routes!(bring))
        .allow(Access::Resident, routes!(list))
        .allow(Access::Resident, routes!(look))
        .allow(Access::Resident, routes!(step))
}

/// Bring a matter of mine
#[utoipa::path(post, path = "/api/v1/me/cases", request_body = CaseRequest,
    params(("Idempotency-Key" = String, Header, description = "The app's own name for this request, 8 to 64 characters")),
    responses((status = 201, description = "Taken: number and PIN", body = CaseTaken)))]
async fn bring(
    Shared(service): Shared<Service>,
    caller: ResidentCaller,
    headers: HeaderMap,
    Json(request): Json<CaseRequest>,
) -> Result<(StatusCode, axum::Json<CaseTaken>), Problem> {
    let name = RequestName::of(&headers)?;
    let within_a_day = sqlx::query_scalar!(
        r#"select count(*) as "many!" from casework.matter where resident_no = $1 and received_at > $2"#,
        caller.no.get().cast_signed(),
        service.now() - A_DAY
    )
    .fetch_one(service.platform.database.pool())
    .await
    .map_err(Error::database("counting a resident's cases"))?;
    if within_a_day >= i64::from(service.settings.cases_per_day) {
        return Err(Error::TooManyCases { after: A_DAY, hotline: service.settings.hotline.clone() }.into());
    }
    let from = Source { channel: Channel::App, resident: Some(caller.no), writer: None };
    Ok((StatusCode::CREATED, axum::Json(intake::take(&service, &request, &name, from).await?)))
}

/// One of my cases.
#[derive(Serialize, ToSchema)]
struct CitizenLine {
    #[schema(value_type = String, example = "261128-4071-3392-1")]
    number: CaseNumber,
    kind: Kind,
    state: State,
    received_at: DateTime<Utc>,
    /// The unit that has it.
    who: Option<String>,
    /// Until when what is next is promised.
    due: Option<DateTime<Utc>>,
}

/// My cases, newest first
#[utoipa::path(get, path = "/api/v1/me/cases", responses((status = 200, description = "The last 50", body = Vec<CitizenLine>)))]
async fn list(Shared(service): Shared<Service>, caller: ResidentCaller) -> Result<axum::Json<Vec<CitizenLine>>, Problem> {
    let rows = sqlx::query!(
        r#"select m.number, m.kind, m.state, m.received_at, m.due_at, u.name as "name?"
             from casework.matter m left join casework.unit u on u.unit_id = m.lead
            where m.resident_no = $1 order by m.received_at desc limit 50"#,
        caller.no.get().cast_signed()
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("reading a resident's cases"))?;
    let lines = rows.into_iter().map(|row| {
        Ok::<_, Error>(CitizenLine {
            number: store::number(row.number)?,
            kind: row.kind.parse().map_err(Error::stored("kind"))?,
            state: row.state.parse().map_err(Error::stored("state"))?,
            received_at: row.received_at,
            who: row.name,
            due: Some(row.due_at).filter(|at| *at != crate::clocks::NOTHING_DUE),
        })
    });
    Ok(axum::Json(platform::database::readable("cases of a resident", lines)))
}

/// How one of my cases stands
#[utoipa::path(get, path = "/api/v1/me/cases/{number}", params(("number" = String, Path, description = "The case")),
    responses((status = 200, description = "How it stands", body = CitizenCase)))]
async fn look(
    Shared(service): Shared<Service>,
    caller: ResidentCaller,
    Numbered(number): Numbered,
) -> Result<axum::Json<CitizenCase>, Problem> {
    let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    let kept = store::load(&mut connection, number, false).await?;
    owned(&kept, caller.no)?;
    Ok(axum::Json(citizen::shown(&mut connection, &service, &kept).await?))
}

/// What is done with a case of mine.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CitizenStep {
    /// `supplement`, `chase`, `satisfied`, `not_satisfied` or `withdraw`.
    event: Event,
    /// What there is to say, up to 5,000 characters; a supplement and what did not satisfy need it.
    #[serde(default)]
    text: Option<String>,
}

/// Add to a case of mine, chase it, rate the answer, or take it back
#[utoipa::path(post, path = "/api/v1/me/cases/{number}/steps", params(("number" = String, Path, description = "The case")),
    request_body = CitizenStep, responses((status = 200, description = "Done; how it stands", body = CitizenCase)))]
async fn step(
    Shared(service): Shared<Service>,
    caller: ResidentCaller,
    Numbered(number): Numbered,
    Json(request): Json<CitizenStep>,
) -> Result<axum::Json<CitizenCase>, Problem> {
    let wish = Wish { event: request.event, text: request.text.as_deref() };
    Ok(axum::Json(citizen::step(&service, number, &wish, |kept| owned(kept, caller.no)).await?))
}

/// The same answer for "does not exist" and "not yours", so that numbers cannot be probed.
fn owned(kept: &Kept, no: ResidentNo) -> Result<(), Error> {
    if kept.resident == Some(no) { Ok(()) } else { Err(Error::NoSuchCase) }
}
