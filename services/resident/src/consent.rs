//! Consent (CQ1): what is told, and taking it back.
//!
//! After withdrawal nothing is planned for or sent to the person any more; what was acknowledged stays acknowledged.

use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use domain::consent;
use domain::ids::ResidentNo;
use domain::language::Language;
use http::StatusCode;
use platform::http::{Access, Json, Problem, ResidentCaller, Routes, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Error, SCHEMA, Service, directory};
use platform::database::{Database, Tx};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("consent")
        .allow(Access::Public, routes!(notice))
        .allow(Access::Resident, routes!(history))
        .allow(Access::Resident, routes!(withdraw))
        .allow(Access::Resident, routes!(give))
}

/// The privacy notice that has to be shown before consent.
#[derive(Serialize, ToSchema)]
struct Notice {
    version: u16,
    language: Language,
    /// Why personal data is collected.
    purpose: &'static str,
    /// How it is collected and kept.
    manner: &'static str,
    /// Which data.
    scope: &'static str,
    /// How to take consent back.
    withdrawal: &'static str,
}

/// The current privacy notice
#[utoipa::path(get, path = "/api/v1/consent/notice", responses((status = 200, description = "The text to show, by language", body = Vec<Notice>)))]
async fn notice() -> axum::Json<Vec<Notice>> {
    let current = consent::TEXTS.iter().filter(|text| text.version == consent::CURRENT_VERSION);
    axum::Json(
        current
            .map(|text| Notice {
                version: text.version,
                language: text.language,
                purpose: text.purpose,
                manner: text.manner,
                scope: text.scope,
                withdrawal: text.withdrawal,
            })
            .collect(),
    )
}

/// One consent.
#[derive(Serialize, ToSchema)]
struct Given {
    version: i16,
    told_at: DateTime<Utc>,
    given_at: DateTime<Utc>,
    /// When it was taken back, if it was.
    withdrawn_at: Option<DateTime<Utc>>,
}

/// My consents, newest first
#[utoipa::path(get, path = "/api/v1/me/consent", responses((status = 200, description = "Every consent and its end", body = Vec<Given>)))]
async fn history(State(service): State<Service>, caller: ResidentCaller) -> Result<axum::Json<Vec<Given>>, Problem> {
    let rows = sqlx::query_as!(
        Given,
        "select version, told_at, given_at, withdrawn_at from resident.consent where resident_no = $1 order by given_at desc limit 50",
        directory::stored(caller.no)
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("reading consents"))?;
    Ok(axum::Json(rows))
}

/// Take my consent back: no further alerts
#[utoipa::path(delete, path = "/api/v1/me/consent", responses((status = 204, description = "Nothing will be sent any more")))]
async fn withdraw(State(service): State<Service>, caller: ResidentCaller) -> Result<StatusCode, Problem> {
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    end(&mut tx, caller.no, "app", service.platform.clock.now()).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Consents to the notice.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Consenting {
    /// Version of the notice that was shown.
    version: u16,
}

/// Consent again
#[utoipa::path(post, path = "/api/v1/me/consent", request_body = Consenting,
    responses((status = 204, description = "Alerts will be sent again")))]
async fn give(State(service): State<Service>, caller: ResidentCaller, Json(request): Json<Consenting>) -> Result<StatusCode, Problem> {
    if request.version != consent::CURRENT_VERSION {
        return Err(Error::ConsentMissing { current: consent::CURRENT_VERSION }.into());
    }
    let (no, now) = (directory::stored(caller.no), service.platform.clock.now());
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    sqlx::query!(
        "insert into resident.consent (resident_no, version, told_at, given_at)
         select $1, $2, $3, $3 where not exists (select from resident.consent where resident_no = $1 and version = $2 and withdrawn_at is null)
         on conflict (resident_no, given_at) do update set withdrawn_at = null, withdrawn_by = null",
        no,
        stored_version(),
        now
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("recording consent"))?;
    sqlx::query!("update resident.resident set notices = true where resident_no = $1", no)
        .execute(&mut *tx)
        .await
        .map_err(Error::database("resuming notices"))?;
    tx.commit().await.map_err(Error::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The current version as the tables keep it.
pub(crate) fn stored_version() -> i16 {
    consent::CURRENT_VERSION.cast_signed()
}

/// For so long a withdrawal by SMS is taken back by SMS: as long as the answer to it says.
const TAKEN_BACK_WITHIN: TimeDelta = TimeDelta::days(30);

/// Whether the last consent was withdrawn by SMS, not long ago: what an SMS did, an SMS undoes.
pub(crate) async fn was_ended_by_sms(database: &Database, no: ResidentNo, now: DateTime<Utc>) -> Result<bool, Error> {
    let ended = sqlx::query!(
        "select withdrawn_at, withdrawn_by from resident.consent where resident_no = $1 order by given_at desc limit 1",
        directory::stored(no)
    )
    .fetch_optional(database.pool())
    .await
    .map_err(Error::database("reading the last consent"))?;
    Ok(ended.is_some_and(|last| {
        last.withdrawn_by.as_deref() == Some("sms") && last.withdrawn_at.is_some_and(|at| now - at <= TAKEN_BACK_WITHIN)
    }))
}

/// Has the last consent, which an SMS withdrew, stand again, and traces it.
pub(crate) async fn resume(tx: &mut Tx, no: ResidentNo, now: DateTime<Utc>) -> Result<(), Error> {
    let stored = directory::stored(no);
    sqlx::query!(
        "update resident.consent set withdrawn_at = null, withdrawn_by = null
          where resident_no = $1 and withdrawn_by = 'sms'
            and given_at = (select max(given_at) from resident.consent where resident_no = $1)",
        stored
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("taking a withdrawal back"))?;
    sqlx::query!("update resident.resident set notices = true where resident_no = $1", stored)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("resuming notices"))?;
    Ok(tx.publish(SCHEMA, &by_resident(no, "consent_resumed", "sms", now)).await?)
}

fn by_resident(no: ResidentNo, action: &str, by: &str, now: DateTime<Utc>) -> proto::AuditEntry {
    proto::AuditEntry {
        entry_id: uuid::Uuid::now_v7().to_string(),
        actor_kind: "resident".to_owned(),
        actor: no.to_string(),
        action: action.to_owned(),
        object_kind: "resident".to_owned(),
        object: no.to_string(),
        at_ms: now.timestamp_millis(),
        detail_json: serde_json::json!({ "by": by }).to_string(),
        ..Default::default()
    }
}

/// Ends the standing consent, if one stands, and tells whether notices stopped by it. `by` is `app` or `sms`.
pub(crate) async fn end(tx: &mut Tx, no: ResidentNo, by: &str, now: DateTime<Utc>) -> Result<bool, Error> {
    let stored = directory::stored(no);
    sqlx::query!(
        "update resident.consent set withdrawn_at = $2, withdrawn_by = $3 where resident_no = $1 and withdrawn_at is null",
        stored,
        now,
        by
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("withdrawing consent"))?;
    let stopped = sqlx::query!("update resident.resident set notices = false where resident_no = $1 and notices", stored)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("stopping notices"))?;
    if stopped.rows_affected() == 0 {
        return Ok(false);
    }
    tx.publish(SCHEMA, &by_resident(no, "consent_withdrawn", by, now)).await?;
    Ok(true)
}
