//! What a resident says about an alert of theirs, and reads as an answer.

use std::time::Duration;

use axum::extract::State;
use domain::ids::{AlertId, ResidentNo};
use http::StatusCode;
use platform::Platform;
use platform::database::readable;
use platform::http::{Access, FieldFault, Json, Path, Problem, ResidentCaller, Routes, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Feedback, FeedbackBy, FeedbackKind, Row, sealed};
use crate::{Error, Service, directory};

/// How often one person may write in a day.
const A_DAY: u64 = 20;
const DAY: Duration = Duration::from_secs(24 * 3600);

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("feedback").allow(Access::Resident, routes!(say)).allow(Access::Resident, routes!(own))
}

/// What a resident says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Said {
    kind: FeedbackKind,
    /// 1 to 500 characters.
    text: String,
}

/// Feedback that was taken.
#[derive(Serialize, ToSchema)]
struct FeedbackTaken {
    feedback_id: i64,
}

/// Say something about an alert of mine: that it is unclear, wrong, or a question
#[utoipa::path(post, path = "/api/v1/me/alerts/{alert_id}/feedback", params(("alert_id" = AlertId, Path, description = "The alert")),
    request_body = Said, responses((status = 201, description = "Taken; the answer comes to the app", body = FeedbackTaken)))]
async fn say(
    State(service): State<Service>,
    caller: ResidentCaller,
    Path(alert): Path<AlertId>,
    Json(said): Json<Said>,
) -> Result<(StatusCode, axum::Json<FeedbackTaken>), Problem> {
    let (platform, now) = (&service.platform, service.platform.clock.now());
    let words = sealed(&platform.keyring, "text", &said.text)?;
    if said.kind == FeedbackKind::Objection {
        let (fault, fault_en) = ("异议请在“弹窗状态”中提出。", "Object where it is shown what stands against you.");
        return Err(Error::Invalid(vec![FieldFault::new("kind", fault, fault_en)]).into());
    }
    if !service.inboxes.holds(alert, caller.no, now).await? {
        return Err(Error::NotInInbox(alert).into());
    }
    within_the_day(platform, caller.no).await?;
    let feedback_id = sqlx::query_scalar!(
        "insert into resident.feedback (resident_no, alert_id, kind, text_sealed, district, community, at)
         select resident_no, $2, $3, $4, district, community, $5 from resident.resident where resident_no = $1 returning feedback_id",
        directory::stored(caller.no),
        alert.uuid(),
        said.kind.as_ref(),
        words,
        now
    )
    .fetch_optional(platform.database.pool())
    .await
    .map_err(Error::database("keeping feedback"))?
    .ok_or(Error::NoSuchResident(caller.no))?;
    metrics::counter!("feedback_total", "kind" => said.kind.as_ref().to_owned(), "by" => FeedbackBy::App.as_ref().to_owned()).increment(1);
    Ok((StatusCode::CREATED, axum::Json(FeedbackTaken { feedback_id })))
}

/// Counts what somebody writes, and refuses more in a day than anybody reads.
pub(crate) async fn within_the_day(platform: &Platform, no: ResidentNo) -> Result<(), Error> {
    if platform.cache.incr(&format!("feedback-day:{no}"), DAY).await? > A_DAY { Err(Error::TooManyCodes { after: DAY }) } else { Ok(()) }
}

/// What I said and was answered, newest first
#[utoipa::path(get, path = "/api/v1/me/feedback", responses((status = 200, description = "The last 50", body = Vec<Feedback>)))]
async fn own(State(service): State<Service>, caller: ResidentCaller) -> Result<axum::Json<Vec<Feedback>>, Problem> {
    let rows = sqlx::query_as!(
        Row,
        r#"select feedback_id, alert_id, (select content #>> '{texts,zh-CN,headline}' from resident.alert a where a.alert_id = f.alert_id) as headline,
                  kind, by, urgent, text_sealed, at, answer_sealed, answered_at, community, standing_id, answer_by, sent_by, false as "had_a_hand!"
             from resident.feedback f where resident_no = $1 order by feedback_id desc limit 50"#,
        directory::stored(caller.no)
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("reading feedback"))?;
    Ok(axum::Json(readable("feedback of a resident", rows.into_iter().map(|row| row.open(&service.platform.keyring, None)))))
}
