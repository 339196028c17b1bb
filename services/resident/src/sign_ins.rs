//! On which devices somebody is signed in, and signing out from afar. A device that is signed out hears no alert any more.

use axum::extract::State;
use chrono::{DateTime, NaiveDate, Utc};
use domain::sign_in::{Presented, SignIn};
use http::StatusCode;
use platform::database::Tx;
use platform::http::{Access, Credential, Path, Problem, ResidentCaller, Routes, routes};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Error, Service, devices, directory, session};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("sign-ins")
        .allow(Access::Resident, routes!(list))
        .allow(Access::Resident, routes!(end_one))
        .allow(Access::Resident, routes!(end_others))
}

domain::words! {
    /// Why a session ended.
    pub(crate) enum Because {
        /// Its owner signed out, on this device or another one.
        SignedOut,
        /// The phone number went to somebody else.
        NumberChangedHands,
    }
}

/// Octets of a session's hash that name it: enough to tell one person's apart, and of no use for anything else.
const NAME: usize = 8;

/// A device on which I am signed in.
#[derive(Serialize, ToSchema)]
struct SignInOn {
    /// Names it, for signing out.
    sign_in: String,
    /// What kind of device it is, where it said so.
    device: Option<String>,
    since: DateTime<Utc>,
    /// The day on which it was used last.
    used_on: NaiveDate,
    /// Whether it is the one that asks.
    this: bool,
    /// Whether alerts are pushed to it.
    alerts: bool,
}

/// My devices, the last used first
#[utoipa::path(get, path = "/api/v1/me/sign-ins", responses((status = 200, description = "Where I am signed in", body = Vec<SignInOn>)))]
async fn list(
    State(service): State<Service>,
    caller: ResidentCaller,
    credential: Credential,
) -> Result<axum::Json<Vec<SignInOn>>, Problem> {
    let (now, terms) = (service.platform.clock.now(), service.settings.sign_in_terms());
    let rows = sqlx::query!(
        r#"select token_hash, device, created_at, last_used_at, counts_from, greatest(last_used_at, counts_from) as "used!",
                  exists (select from resident.device d where d.session_hash = s.token_hash and d.gone_at is null) as "alerts!"
             from resident.session s
            where resident_no = $1 and ended_at is null and greatest(last_used_at, counts_from) >= $2
            order by last_used_at desc, created_at desc limit 100"#,
        directory::stored(caller.no),
        now - terms.idle
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("reading sign-ins"))?;
    let this = session::hash(credential.token());
    let holds = |since, used| SignIn { since, used }.presented(now, terms) != Presented::Over;
    let sign_ins = rows.into_iter().filter(|row| holds(row.counts_from, row.used)).map(|row| SignInOn {
        sign_in: hex::encode(row.token_hash.get(..NAME).unwrap_or_default()),
        device: row.device,
        since: row.created_at,
        used_on: row.last_used_at.date_naive(),
        this: row.token_hash == this,
        alerts: row.alerts,
    });
    Ok(axum::Json(sign_ins.collect()))
}

/// Sign out on one of my devices
#[utoipa::path(delete, path = "/api/v1/me/sign-ins/{sign_in}", params(("sign_in" = String, Path, description = "As the list names it")),
    responses((status = 204, description = "It is signed out, and hears no alert any more")))]
async fn end_one(State(service): State<Service>, caller: ResidentCaller, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    let which = hex::decode(&name).ok().filter(|name| name.len() == NAME).map(Which::Named).ok_or(Error::NoSuchSignIn)?;
    if end_of(&service, caller, which).await? == 0 {
        return Err(Error::NoSuchSignIn.into());
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Sign out on all my other devices
#[utoipa::path(delete, path = "/api/v1/me/sign-ins", responses((status = 204, description = "Only this device is signed in")))]
async fn end_others(State(service): State<Service>, caller: ResidentCaller, credential: Credential) -> Result<StatusCode, Problem> {
    end_of(&service, caller, Which::AllBut(session::hash(credential.token()).to_vec())).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn end_of(service: &Service, caller: ResidentCaller, which: Which) -> Result<usize, Error> {
    let mut tx = service.platform.database.begin().await?;
    let ended = end(&mut tx, directory::stored(caller.no), which, Because::SignedOut, service.platform.clock.now()).await?;
    tx.commit().await?;
    Ok(ended)
}

/// Which of somebody's sign-ins.
pub(crate) enum Which {
    /// The one with this hash.
    One(Vec<u8>),
    /// The one that the list calls so.
    Named(Vec<u8>),
    AllBut(Vec<u8>),
    All,
}

/// Ends them, with what is pushed to their devices. Returns how many there were.
pub(crate) async fn end(tx: &mut Tx, stored: i32, which: Which, because: Because, now: DateTime<Utc>) -> Result<usize, Error> {
    let (begins, but) = match which {
        Which::One(hash) | Which::Named(hash) => (hash, None),
        Which::AllBut(hash) => (Vec::new(), Some(hash)),
        Which::All => (Vec::new(), None),
    };
    let ended = sqlx::query_scalar!(
        "update resident.session set ended_at = $4, ended_because = $5
          where resident_no = $1 and ended_at is null and substring(token_hash for length($2::bytea)) = $2 and ($3::bytea is null or token_hash <> $3)
         returning token_hash",
        stored,
        begins,
        but,
        now,
        because.as_ref()
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("ending sessions"))?;
    let silenced = sqlx::query!("delete from resident.device where resident_no = $1 and session_hash = any($2)", stored, &ended)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("silencing the devices of ended sessions"))?;
    if silenced.rows_affected() > 0 {
        devices::count_again(tx, &[stored]).await?;
    }
    Ok(ended.len())
}
