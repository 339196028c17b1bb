//! What a person sees: why me, on what evidence, until when, what lifts it, whom to ask; what stood before; and who asked about them.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::ids::AlertId;
use domain::language::Language;
use domain::standing::objection;
use platform::crypto::Purpose;
use platform::database::readable;
use platform::http::{Access, Problem, ResidentCaller, Routes, routes};
use serde::Serialize;
use utoipa::ToSchema;

use super::shown::{self, Row, StandingShown};
use crate::{Error, Service, contact, directory};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("standing").allow(Access::Resident, routes!(list)).allow(Access::Resident, routes!(questions))
}

/// Something that stands against me, or stood.
#[derive(Serialize, ToSchema)]
struct MyStanding {
    standing_id: i64,
    alert_id: AlertId,
    /// The alert's Chinese headline; empty when it is no longer kept.
    headline: String,
    #[serde(flatten)]
    shown: StandingShown,
    /// Whom to ask.
    contact: String,
    /// My newest objection.
    objection: Option<MyObjection>,
    /// Whether I may object now: none waits for its answer, and it is not long over.
    may_object: bool,
}

/// What I objected, and was answered.
#[derive(Serialize, ToSchema)]
struct MyObjection {
    /// Its number.
    feedback_id: i64,
    said_at: DateTime<Utc>,
    /// Until when it is answered.
    answer_by: Option<DateTime<Utc>>,
    answer: Option<String>,
    answered_at: Option<DateTime<Utc>>,
}

/// What stands against me, and what stood: what stands first, then the newest
#[utoipa::path(get, path = "/api/v1/me/standings", responses((status = 200, description = "Up to 50", body = Vec<MyStanding>)))]
async fn list(State(service): State<Service>, caller: ResidentCaller) -> Result<axum::Json<Vec<MyStanding>>, Problem> {
    let (pool, now) = (service.platform.database.pool(), service.platform.clock.now());
    // by the person, whose are few, and then sorted: what stands ends after now, so it comes first
    let rows = sqlx::query!(
        r#"select s.standing_id, s.alert_id, s.opened_at, s.since, s.until, s.counted, s.lifted_how, s.lifted_at, s.ends_at, t.terms, t.contact,
                  (select content #>> '{texts,zh-CN,headline}' from resident.alert a where a.alert_id = s.alert_id) as headline,
                  o.feedback_id as "feedback_id?", o.at as "said_at?", o.answer_by as "answer_by?", o.answer_sealed as "answer_sealed?",
                  o.answered_at as "answered_at?"
             from resident.standing s join resident.standing_terms t using (alert_id)
             left join lateral (select feedback_id, at, answer_by, answer_sealed, answered_at from resident.feedback f
                                 where f.standing_id = s.standing_id order by feedback_id desc limit 1) as o on true
            where s.resident_no = $1 order by s.ends_at > $2 desc, case when s.ends_at > $2 then s.ends_at end desc, s.standing_id desc limit 50"#,
        directory::stored(caller.no),
        now
    )
    .fetch_all(pool)
    .await
    .map_err(Error::database("reading what stands against a resident"))?;
    let ids: Vec<i64> = rows.iter().map(|row| row.standing_id).collect();
    let mut behind = shown::evidence(pool, &ids).await?;
    let keyring = &service.platform.keyring;
    let standings = rows.into_iter().map(|row| {
        let objection = match (row.feedback_id, row.said_at) {
            (Some(feedback_id), Some(said_at)) => Some(MyObjection {
                feedback_id,
                said_at,
                answer_by: row.answer_by,
                answer: contact::open_text(keyring, Purpose::Feedback, row.answer_sealed)?,
                answered_at: row.answered_at,
            }),
            _ => None,
        };
        let waits = objection.as_ref().is_some_and(|said| said.answered_at.is_none());
        let may_object = !waits && row.ends_at + objection::OBJECTED_WITHIN > now;
        let kept = Row {
            opened_at: row.opened_at,
            since: row.since,
            until: row.until,
            counted: row.counted,
            lifted_how: row.lifted_how,
            lifted_at: row.lifted_at,
            ends_at: row.ends_at,
        };
        Ok::<_, Error>(MyStanding {
            standing_id: row.standing_id,
            alert_id: AlertId::from_uuid(row.alert_id),
            headline: row.headline.unwrap_or_default(),
            shown: kept.shown(shown::terms(row.terms)?, behind.remove(&row.standing_id).unwrap_or_default(), now)?,
            contact: row.contact,
            objection,
            may_object,
        })
    });
    Ok(axum::Json(readable("standings of a resident", standings)))
}

/// Somebody asked whether something stands against me.
#[derive(Serialize, ToSchema)]
struct StandingAsked {
    asked_at: DateTime<Utc>,
    /// The unit that asked.
    unit: String,
    /// For what: its code.
    purpose: String,
    /// The same in words.
    label: BTreeMap<Language, String>,
    /// Whether it was told that something stands.
    stood: bool,
}

/// Who asked whether something stands against me, and for what
#[utoipa::path(get, path = "/api/v1/me/standing-questions", responses((status = 200, description = "The last 100, newest first", body = Vec<StandingAsked>)))]
async fn questions(State(service): State<Service>, caller: ResidentCaller) -> Result<axum::Json<Vec<StandingAsked>>, Problem> {
    let rows = sqlx::query!(
        "select asked_at, unit, purpose, label, stood from resident.standing_question where resident_no = $1 order by question_id desc limit 100",
        directory::stored(caller.no)
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("reading who asked about a resident"))?;
    let asked = rows.into_iter().map(|row| {
        let label = serde_json::from_value(row.label).map_err(|_| Error::Stored { what: "purpose of a question" })?;
        Ok::<_, Error>(StandingAsked { asked_at: row.asked_at, unit: row.unit, purpose: row.purpose, label, stood: row.stood })
    });
    Ok(axum::Json(readable("questions about a resident", asked)))
}
