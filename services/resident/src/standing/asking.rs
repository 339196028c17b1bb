//! A source system asks whether something stands against a person, for a purpose that the city's rules name (CQ14).
//!
//! Each question is traced and shown to the person. Whoever is not known here, stands by nothing, or by something that may not be asked about for this purpose, is
//! answered in the same words after the same work.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::identity_document::IdentityKind;
use domain::language::Language;
use platform::http::{Access, Json, Problem, Routes, SourceCaller, routes};
use proto::AuditEntry;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{Error, SCHEMA, Service, directory, identity};

const MINUTE: Duration = Duration::from_mins(1);

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("standing").allow(Access::Source, routes!(ask))
}

/// About whom, and for what.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StandingQuestion {
    /// The number of their identity document. It is not kept.
    identity_number: String,
    /// What kind of document it is; needed where the number could be of several.
    identity_kind: Option<IdentityKind>,
    /// The country that issued it, by its name or its code of letters; needed for a passport.
    #[schema(example = "GBR")]
    identity_country: Option<String>,
    /// For what: a purpose that a rule in force names and the key may ask for.
    #[schema(example = "hospital_visit")]
    purpose: String,
}

/// Whether something stands.
#[derive(Serialize, ToSchema)]
struct StandingAnswer {
    stands: bool,
    /// Until when, unless it is lifted before.
    until: Option<DateTime<Utc>>,
    /// What the person is asked to do, by language.
    measure: Option<BTreeMap<Language, String>>,
}

/// Ask whether something stands against a person
///
/// The person is shown who asked, when and for what.
#[utoipa::path(post, path = "/api/v1/standings/question", request_body = StandingQuestion,
    responses((status = 200, description = "As of now; the same for somebody who is not known here and somebody against whom nothing stands", body = StandingAnswer),
        (status = 403, description = "No rule in force names the purpose, or the key may not ask for it")))]
async fn ask(
    State(service): State<Service>,
    caller: SourceCaller,
    Json(question): Json<StandingQuestion>,
) -> Result<axum::Json<StandingAnswer>, Problem> {
    let (platform, now) = (&service.platform, service.platform.clock.now());
    let most = u64::from(service.settings.standing_questions_per_minute.get());
    if platform.cache.incr(&format!("standing-questions:{}", caller.key_id), MINUTE).await.map_err(Error::from)? > most {
        metrics::counter!("standing_questions_total", "outcome" => "too_many").increment(1);
        return Err(Error::TooManyCodes { after: MINUTE }.into());
    }
    let document = identity::read(&question.identity_number, question.identity_kind, question.identity_country.as_deref())?;
    let Some(label) = named(&service, &caller, &question.purpose).await? else {
        metrics::counter!("standing_questions_total", "outcome" => "purpose_not_named").increment(1);
        return Err(Error::PurposeNotNamed.into());
    };
    let hash = directory::identity_hash(&platform.keyring, &document);
    let mut tx = platform.database.begin().await.map_err(Error::from)?;
    let found = sqlx::query_file!("src/standing/question.sql", &hash[..], now, question.purpose, caller.unit, label)
        .fetch_one(&mut *tx)
        .await
        .map_err(Error::database("answering whether something stands"))?;
    // also where nobody was found: how often somebody asks is seen there, and nobody learns by how long it takes whom we know
    let entry = AuditEntry {
        entry_id: uuid::Uuid::now_v7().to_string(),
        actor_kind: "source".to_owned(),
        actor: caller.key_id.to_string(),
        action: "standing.asked".to_owned(),
        object_kind: "resident".to_owned(),
        object: found.resident_no.map(|no| directory::resident_no(no).to_string()).unwrap_or_default(),
        at_ms: now.timestamp_millis(),
        detail_json: json!({ "unit": caller.unit, "purpose": question.purpose, "stands": found.until.is_some() }).to_string(),
        ..AuditEntry::default()
    };
    tx.publish(SCHEMA, &entry).await.map_err(Error::from)?;
    tx.commit().await.map_err(Error::from)?;
    metrics::counter!("standing_questions_total", "outcome" => "answered").increment(1);
    let measure = found.measure.map(serde_json::from_value).transpose().map_err(|_| Error::Stored { what: "measure of a standing" })?;
    Ok(axum::Json(StandingAnswer { stands: found.until.is_some(), until: found.until, measure }))
}

/// The purpose in words, if the key may ask for it and a rule in force names it.
async fn named(service: &Service, caller: &SourceCaller, purpose: &str) -> Result<Option<serde_json::Value>, Error> {
    if !caller.asks.iter().any(|own| own == purpose) {
        return Ok(None);
    }
    sqlx::query_scalar!(r#"select label as "label!" from rules.asked_for where code = $1 limit 1"#, purpose)
        .fetch_optional(service.platform.database.pool())
        .await
        .map_err(Error::database("asking for what may be asked"))
}
