//! Who has an alert open and writes in it (`domain::presence`). Kept in the cache, and lost with it: nobody is kept from their work by that.

use std::time::Duration;

use axum::extract::State as Shared;
use chrono::{DateTime, Utc};
use domain::ids::{AlertId, StaffId};
use domain::presence::{LASTS, Present, arrived, left, still_there};
use http::StatusCode;
use platform::database::Connection;
use platform::http::{Access, Json, Path, Problem, Routes, StaffCaller, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::work::{self, What};
use super::{WORKING, must_see_draft};
use crate::{Error, Service, store};

/// Tries to write over nobody, before a heartbeat is let go: the next one comes within seconds.
const TRIES: usize = 5;
/// So long a page waits to hear who else is there; it asks again within seconds.
const PATIENCE: Duration = Duration::from_millis(300);

pub(super) fn routes() -> Routes<Service> {
    Routes::new("review").allow(Access::Staff(WORKING), routes!(stay)).allow(Access::Staff(WORKING), routes!(leave))
}

/// How somebody has an alert open.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Presence {
    /// Whether they are writing in it.
    editing: bool,
}

/// Who else has it open.
#[derive(Serialize, ToSchema)]
struct OthersPresent {
    others: Vec<OtherPresent>,
    /// Whether that is known at the moment.
    known: bool,
}

/// A colleague who has it open.
#[derive(Serialize, ToSchema)]
struct OtherPresent {
    staff: StaffId,
    /// Whether they are writing in it.
    editing: bool,
    since: DateTime<Utc>,
}

/// Say that I have an alert open, and hear who else has
///
/// To be said every few seconds: after 45 of them somebody counts as gone. Never refused because it cannot be known who is there.
#[utoipa::path(put, path = "/api/v1/alerts/{alert_id}/presence", params(("alert_id" = AlertId, Path, description = "The alert")),
    request_body = Presence, responses((status = 200, description = "Who else is there", body = OthersPresent)))]
async fn stay(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Path(id): Path<AlertId>,
    Json(presence): Json<Presence>,
) -> Result<axum::Json<OthersPresent>, Problem> {
    let now = service.platform.clock.now();
    let people = change(&service, &caller, id, now, |people| arrived(people, caller.id, presence.editing, now)).await?;
    let Some(people) = people else { return Ok(axum::Json(OthersPresent { others: Vec::new(), known: false })) };
    let others: Vec<_> = people.into_iter().filter(|one| one.staff != caller.id).collect();
    let there = signed_in(&service, &others, now).await?;
    let others = others.into_iter().filter(|one| there.contains(&one.staff));
    let others = others.map(|one| OtherPresent { staff: one.staff, editing: one.editing, since: one.since }).collect();
    Ok(axum::Json(OthersPresent { others, known: true }))
}

/// Say that I have left it
#[utoipa::path(delete, path = "/api/v1/alerts/{alert_id}/presence", params(("alert_id" = AlertId, Path, description = "The alert")),
    responses((status = 204, description = "Gone")))]
async fn leave(Shared(service): Shared<Service>, caller: StaffCaller, Path(id): Path<AlertId>) -> Result<StatusCode, Problem> {
    let now = service.platform.clock.now();
    change(&service, &caller, id, now, |people| left(still_there(people, now), caller.id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes who is there, over nobody else's change, and has it told where that is news. None: it cannot be known at the moment.
async fn change(
    service: &Service,
    caller: &StaffCaller,
    id: AlertId,
    now: DateTime<Utc>,
    change: impl Fn(Vec<Present>) -> (Vec<Present>, bool),
) -> Result<Option<Vec<Present>>, Error> {
    let mut connection = connect(service).await?;
    let alert = store::load(&mut connection, id, false).await?;
    must_see_draft(caller, &alert)?;
    // nobody who decides waits for a connection because a cache is slow
    drop(connection);
    let (people, is_news) = match tokio::time::timeout(PATIENCE, keep(service, id, change)).await {
        Ok(Ok(kept)) => kept,
        Ok(Err(error)) => {
            tracing::debug!(alert = %id, error = platform::tasks::chain(&error), "who has an alert open is not known");
            return Ok(None);
        }
        Err(_) => {
            tracing::debug!(alert = %id, "who has an alert open is not known: the cache does not answer");
            return Ok(None);
        }
    };
    if is_news {
        work::tell(&mut connect(service).await?, id, What::Presence, now).await?;
        service.changed.wake();
    }
    Ok(Some(people))
}

async fn connect(service: &Service) -> Result<Connection, Error> {
    service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))
}

async fn keep(
    service: &Service,
    id: AlertId,
    change: impl Fn(Vec<Present>) -> (Vec<Present>, bool),
) -> Result<(Vec<Present>, bool), platform::Error> {
    let (cache, key) = (&service.platform.cache, format!("review:presence:{id}"));
    let lasts = Duration::from_secs(LASTS.num_seconds().unsigned_abs());
    let mut seen = (Vec::new(), false);
    for _ in 0..TRIES {
        let was = cache.get(&key).await?;
        // what cannot be read is written anew
        let people = was.as_deref().and_then(|was| serde_json::from_slice(was).ok()).unwrap_or_default();
        seen = change(people);
        let is = serde_json::to_vec(&seen.0).unwrap_or_default();
        let kept = match was {
            Some(was) => cache.replace(&key, &was, &is, lasts).await?,
            None => cache.set_if_absent(&key, &is, lasts).await?,
        };
        if kept {
            return Ok(seen);
        }
    }
    Ok((seen.0, false))
}

/// Those of them who have not signed out.
async fn signed_in(service: &Service, people: &[Present], now: DateTime<Utc>) -> Result<Vec<StaffId>, Error> {
    let ids: Vec<Uuid> = people.iter().map(|one| one.staff.uuid()).collect();
    let rows = sqlx::query_scalar!(
        r#"select staff_id as "staff_id!" from identity.officer where staff_id = any($1) and session_until > $2"#,
        &ids,
        now
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("reading who is signed in"))?;
    Ok(rows.into_iter().map(StaffId::from_uuid).collect())
}
