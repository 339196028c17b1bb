//! What staff read of feedback in their area, and answer.

use axum::extract::State;
use chrono::TimeDelta;
use domain::area::{Area, CommunityCode};
use domain::ids::AlertId;
use domain::staff::Role;
use http::StatusCode;
use platform::database::readable;
use platform::http::{Access, Json, Path, Problem, Query, Routes, StaffCaller, Within, routes};
use platform::reading;
use proto::AuditEntry;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Feedback, FeedbackBy, FeedbackKind, Row, may_answer, sealed};
use crate::{Error, SCHEMA, Service, short_message};

/// Who answers (CQ5: communities collect opinions, districts and the city explain and correct).
const ANSWERING: Access = Access::Staff(&[Role::CommunityWorker, Role::DistrictReviewer, Role::CityCommandOfficer]);
/// An answer by SMS is tried for so long.
const GOOD_FOR: TimeDelta = TimeDelta::hours(24);
/// A page.
const PAGE: i64 = 100;

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("feedback").allow(ANSWERING, routes!(list)).allow(ANSWERING, routes!(summary)).allow(ANSWERING, routes!(answer))
}

/// Which feedback.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FeedbackFilter {
    /// What was answered, instead of what waits.
    #[serde(default)]
    answered: bool,
    /// Only of this kind.
    kind: Option<FeedbackKind>,
    /// Only about this alert.
    alert: Option<AlertId>,
    /// The last id of the page before.
    #[serde(default)]
    after: i64,
}

/// Feedback of my area, 100 at a time: who seems to be in need first, then the oldest
///
/// What phones wrote by SMS that are not registered is shown to the city.
#[utoipa::path(get, path = "/api/v1/feedback", params(FeedbackFilter), responses((status = 200, description = "A page", body = Vec<Feedback>)))]
async fn list(
    State(service): State<Service>,
    caller: StaffCaller,
    Query(filter): Query<FeedbackFilter>,
) -> Result<axum::Json<Vec<Feedback>>, Problem> {
    let within = Within::of(&caller.scope);
    let rows = sqlx::query_as!(
        Row,
        r#"select feedback_id, alert_id, (select content #>> '{texts,zh-CN,headline}' from resident.alert a where a.alert_id = f.alert_id) as headline,
                  kind, by, urgent, text_sealed, at, answer_sealed, answered_at, community, standing_id, answer_by, sent_by,
                  exists (select from review.had_a_hand h where h.alert_id = f.alert_id and h.staff = $8) as "had_a_hand!"
             from resident.feedback f
            where ($1 or district = $2 or community = $3) and (answered_at is not null) = $4 and ($5::uuid is null or alert_id = $5)
              and ($9::text is null or kind = $9)
              and (not urgent, feedback_id) > (coalesce((select not urgent from resident.feedback where feedback_id = $6), false), $6)
            order by not urgent, feedback_id limit $7"#,
        within.everywhere,
        within.district,
        within.community,
        filter.answered,
        filter.alert.map(AlertId::uuid),
        filter.after,
        PAGE,
        caller.id.uuid(),
        filter.kind.map(|kind| kind.as_ref().to_owned())
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("reading feedback"))?;
    if !rows.is_empty() {
        let shown: Vec<i64> = rows.iter().map(|row| row.feedback_id).collect();
        let detail_json = serde_json::json!({ "feedback": shown }).to_string();
        let entry = caller.did(
            "feedback.read",
            "feedback",
            filter.alert.map(|alert| alert.to_string()).unwrap_or_default(),
            service.platform.clock.now(),
        );
        let entry = AuditEntry { detail_json, ..entry };
        reading::note(&service.platform, SCHEMA, &caller, entry, &shown).await.map_err(Error::from)?;
    }
    Ok(axum::Json(readable("feedback", rows.into_iter().map(|row| row.open(&service.platform.keyring, Some(&caller.scope))))))
}

/// About which alert.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct About {
    alert: AlertId,
}

/// What residents of my area find about an alert, in numbers.
#[derive(Default, Serialize, ToSchema)]
struct FeedbackSummary {
    unclear: i64,
    wrong: i64,
    question: i64,
    objection: i64,
    unanswered: i64,
}

/// What residents find about an alert, in numbers
#[utoipa::path(get, path = "/api/v1/feedback/summary", params(About), responses((status = 200, description = "As of now", body = FeedbackSummary)))]
async fn summary(
    State(service): State<Service>,
    caller: StaffCaller,
    Query(about): Query<About>,
) -> Result<axum::Json<FeedbackSummary>, Problem> {
    let within = Within::of(&caller.scope);
    let row = sqlx::query!(
        r#"select count(*) filter (where kind = 'unclear') as "unclear!", count(*) filter (where kind = 'wrong') as "wrong!",
                  count(*) filter (where kind = 'question') as "question!", count(*) filter (where kind = 'objection') as "objection!",
                  count(*) filter (where answered_at is null) as "unanswered!"
             from resident.feedback where alert_id = $4 and ($1 or district = $2 or community = $3)"#,
        within.everywhere,
        within.district,
        within.community,
        about.alert.uuid()
    )
    .fetch_one(service.platform.database.pool())
    .await
    .map_err(Error::database("counting feedback"))?;
    Ok(axum::Json(FeedbackSummary {
        unclear: row.unclear,
        wrong: row.wrong,
        question: row.question,
        objection: row.objection,
        unanswered: row.unanswered,
    }))
}

/// What the resident is told.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FeedbackAnswer)]
struct Answer {
    /// 1 to 500 characters.
    answer: String,
}

/// Answer a resident's feedback; once
///
/// Who wrote by SMS is answered by SMS.
#[utoipa::path(post, path = "/api/v1/feedback/{id}/answer", params(("id" = i64, Path, description = "The feedback")), request_body = Answer,
    responses((status = 204, description = "The resident reads it in the app, or as an SMS"), (status = 403, description = "It objects to what the caller's unit sent"), (status = 409, description = "It has an answer")))]
async fn answer(
    State(service): State<Service>,
    caller: StaffCaller,
    Path(id): Path<i64>,
    Json(said): Json<Answer>,
) -> Result<StatusCode, Problem> {
    let (platform, now) = (&service.platform, service.platform.clock.now());
    caller.may_act(now)?;
    let words = sealed(&platform.keyring, "answer", &said.answer)?;
    let mut tx = platform.database.begin().await.map_err(Error::from)?;
    let row = sqlx::query!(
        r#"select alert_id, community, answered_at, by, sent_by,
                  exists (select from review.had_a_hand h where h.alert_id = f.alert_id and h.staff = $2) as "had_a_hand!",
                  coalesce(phone_sealed, (select r.phone_sealed from resident.resident r where r.resident_no = f.resident_no)) as phone_sealed
             from resident.feedback f where feedback_id = $1 for update"#,
        id,
        caller.id.uuid()
    )
        .fetch_optional(&mut *tx)
        .await
        .map_err(Error::database("reading feedback"))?
        .ok_or(Error::NoSuchFeedback)?;
    let community = row.community.map(CommunityCode::try_from).transpose().map_err(|_| Error::Stored { what: "community" })?;
    // The same answer for "does not exist" and "not yours".
    if !caller.scope.covers(community.map_or(Area::City, Area::Community)) {
        return Err(Error::NoSuchFeedback.into());
    }
    if !may_answer(&caller.scope, row.sent_by, row.had_a_hand)? {
        return Err(Error::ObjectionToOwnAlert.into());
    }
    if row.answered_at.is_some() {
        return Err(Error::FeedbackAnswered.into());
    }
    sqlx::query!(
        "update resident.feedback set answer_sealed = $2, answered_at = $3, answered_by = $4 where feedback_id = $1",
        id,
        words,
        now,
        caller.id.uuid()
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("answering feedback"))?;
    if let (Ok(FeedbackBy::Sms), Some(phone)) = (row.by.parse(), row.phone_sealed) {
        let text = format!("【{}】{}", service.settings.signature, said.answer.trim());
        short_message::send(&mut tx, platform, phone, &text, now + GOOD_FOR).await?;
    }
    let entry = AuditEntry {
        district: community.map(|community| community.district().get()),
        detail_json: serde_json::json!({ "alert_id": row.alert_id }).to_string(),
        ..caller.did("feedback.answer", "feedback", id, now)
    };
    tx.publish(SCHEMA, &entry).await.map_err(Error::from)?;
    tx.commit().await.map_err(Error::from)?;
    Ok(StatusCode::NO_CONTENT)
}
