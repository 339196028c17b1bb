//! Consent (CQ1): what is told, and taking it back.
//!
//! After withdrawal nothing is planned for or sent to the person any more; what was acknowledged stays acknowledged.

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::consent;
use domain::ids::ResidentNo;
use domain::language::Language;
use http::StatusCode;
use platform::http::{Access, Json, Problem, ResidentCaller, Routes, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Error, SCHEMA, Service, directory};
use platform::database::Tx;

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

/// Ends the standing consent, if one stands. `by` is `app` or `sms`.
pub(crate) async fn end(tx: &mut Tx, no: ResidentNo, by: &str, now: DateTime<Utc>) -> Result<(), Error> {
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
        return Ok(());
    }
    tx.publish(
        SCHEMA,
        &proto::AuditEntry {
            entry_id: uuid::Uuid::now_v7().to_string(),
            actor_kind: "resident".to_owned(),
            actor: no.to_string(),
            action: "consent_withdrawn".to_owned(),
            object_kind: "resident".to_owned(),
            object: no.to_string(),
            at_ms: now.timestamp_millis(),
            detail_json: serde_json::json!({ "by": by }).to_string(),
            ..Default::default()
        },
    )
    .await?;
    Ok(())
}
