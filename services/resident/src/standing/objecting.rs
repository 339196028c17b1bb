//! A person objects to what stands against them: a numbered feedback of its own kind, with the time by which it is answered (CQ12, HL6).

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::standing::objection;
use http::StatusCode;
use platform::http::{Access, Json, Path, Problem, ResidentCaller, Routes, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::feedback::{FeedbackBy, FeedbackKind, saying, sealed};
use crate::{Error, Service, directory};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("standing").allow(Access::Resident, routes!(object))
}

/// Why it is not so.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StandingObjection)]
struct Objecting {
    /// 1 to 500 characters.
    text: String,
}

/// An objection that was taken.
#[derive(Serialize, ToSchema)]
struct ObjectionTaken {
    /// Its number.
    feedback_id: i64,
    /// Until when it is answered, by others than those who sent the alert.
    answer_by: DateTime<Utc>,
}

/// Object to what stands against me
#[utoipa::path(post, path = "/api/v1/me/standings/{standing_id}/objection", params(("standing_id" = i64, Path, description = "What stands")),
    request_body = Objecting,
    responses((status = 201, description = "Taken; the answer comes to the app", body = ObjectionTaken),
        (status = 404, description = "Nothing of the kind stands against me"), (status = 409, description = "An objection waits already, or it is long over")))]
async fn object(
    State(service): State<Service>,
    caller: ResidentCaller,
    Path(standing): Path<i64>,
    Json(said): Json<Objecting>,
) -> Result<(StatusCode, axum::Json<ObjectionTaken>), Problem> {
    let (platform, now) = (&service.platform, service.platform.clock.now());
    let words = sealed(&platform.keyring, "text", &said.text)?;
    let mut tx = platform.database.begin().await.map_err(Error::from)?;
    let ends_at = sqlx::query_scalar!(
        "select ends_at from resident.standing where standing_id = $1 and resident_no = $2 for update",
        standing,
        directory::stored(caller.no)
    )
    .fetch_optional(&mut *tx)
    .await
    .map_err(Error::database("finding what is objected to"))?
    .ok_or(Error::NoSuchStanding)?;
    if ends_at + objection::OBJECTED_WITHIN <= now {
        return Err(Error::StandingLongOver.into());
    }
    let answer_by = objection::answer_by(now);
    let waits = sqlx::query_scalar!(
        r#"select exists (select from resident.feedback where standing_id = $1 and answered_at is null) as "waits!""#,
        standing
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(Error::database("looking for an objection that waits"))?;
    if waits {
        return Err(Error::ObjectionWaits.into());
    }
    saying::within_the_day(platform, caller.no).await?;
    let feedback_id = sqlx::query_scalar!(
        "insert into resident.feedback (resident_no, alert_id, kind, text_sealed, district, community, at, standing_id, answer_by, sent_by)
         select s.resident_no, s.alert_id, $2, $3, s.district, s.community, $4, s.standing_id, $5, t.sent_by
           from resident.standing s join resident.standing_terms t using (alert_id) where s.standing_id = $1 returning feedback_id",
        standing,
        FeedbackKind::Objection.as_ref(),
        words,
        now,
        answer_by
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(Error::database("keeping an objection"))?;
    tx.commit().await.map_err(Error::from)?;
    let (kind, by) = (FeedbackKind::Objection.as_ref().to_owned(), FeedbackBy::App.as_ref().to_owned());
    metrics::counter!("feedback_total", "kind" => kind, "by" => by).increment(1);
    Ok((StatusCode::CREATED, axum::Json(ObjectionTaken { feedback_id, answer_by })))
}
