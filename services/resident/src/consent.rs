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
    end(&mut tx, caller.no, By::App, service.platform.clock.now()).await?;
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
         on conflict (resident_no, given_at) do update set withdrawn_at = null, withdrawn_by = null, withdrawn_from = null",
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

/// A consent is taken back by SMS, and such a withdrawal taken back, so often in a day; after that a person reads what is meant.
const TAKEN_BACK_A_DAY: i64 = 3;

/// By what way a consent ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum By<'a> {
    /// The person did it in the app.
    App,
    /// A message from this phone, by its hash.
    Sms(&'a [u8]),
}

impl By<'_> {
    fn way(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Sms(_) => "sms",
        }
    }

    fn phone(self) -> Option<Vec<u8>> {
        match self {
            Self::App => None,
            Self::Sms(phone) => Some(phone.to_vec()),
        }
    }
}

/// Whether a message from this phone may take the last withdrawal back: what an SMS did, an SMS undoes, from the same phone, not long after, not
/// again and again, and only where the consent was to the notice that is in force.
pub(crate) async fn may_resume(database: &Database, no: ResidentNo, phone: &[u8], now: DateTime<Utc>) -> Result<bool, Error> {
    let may = sqlx::query_scalar!(
        r#"select (last.withdrawn_by = 'sms' and last.withdrawn_from = $2 and last.withdrawn_at >= $3 and last.version = $4
                   and (select count(*) from resident.reply r where r.resident_no = $1 and r.meaning = 'resumed' and r.received_at > $5) < $6) as "may"
             from resident.consent last where last.resident_no = $1 order by last.given_at desc limit 1"#,
        directory::stored(no),
        phone,
        now - TAKEN_BACK_WITHIN,
        stored_version(),
        now - TimeDelta::days(1),
        TAKEN_BACK_A_DAY,
    )
    .fetch_optional(database.pool())
    .await
    .map_err(Error::database("reading the last consent"))?;
    Ok(may.flatten().unwrap_or(false))
}

/// Consents anew to what the person had consented to when an SMS withdrew it, and traces it. That it was withdrawn, and for how long, stays written.
pub(crate) async fn resume(tx: &mut Tx, no: ResidentNo, now: DateTime<Utc>) -> Result<(), Error> {
    let stored = directory::stored(no);
    sqlx::query!(
        "insert into resident.consent (resident_no, version, told_at, given_at)
         select resident_no, version, told_at, $2 from resident.consent
          where resident_no = $1 and withdrawn_by = 'sms' and version = $3
            and given_at = (select max(given_at) from resident.consent where resident_no = $1)
         on conflict (resident_no, given_at) do update set withdrawn_at = null, withdrawn_by = null, withdrawn_from = null",
        stored,
        now,
        stored_version(),
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

/// Ends the standing consent, if one stands, and tells whether notices stopped by it. Who withdraws in the app what an SMS has withdrawn already
/// means it: no SMS takes that back.
pub(crate) async fn end(tx: &mut Tx, no: ResidentNo, by: By<'_>, now: DateTime<Utc>) -> Result<bool, Error> {
    let stored = directory::stored(no);
    sqlx::query!(
        "update resident.consent set withdrawn_at = coalesce(withdrawn_at, $2), withdrawn_by = $3, withdrawn_from = $4
          where resident_no = $1 and (withdrawn_at is null or ($3 = 'app' and withdrawn_by = 'sms'))",
        stored,
        now,
        by.way(),
        by.phone(),
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
    tx.publish(SCHEMA, &by_resident(no, "consent_withdrawn", by.way(), now)).await?;
    Ok(true)
}
