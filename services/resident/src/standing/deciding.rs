//! Staff lift what stands against somebody of their area, where the rule lets them, with a reason that stays in the trace.

use axum::extract::State;
use domain::area::DistrictCode;
use domain::standing::Lifter;
use http::StatusCode;
use platform::http::{FieldFault, Json, Path, Problem, Routes, StaffCaller, Within, routes};
use proto::AuditEntry;
use serde::Deserialize;
use utoipa::ToSchema;

use super::area::LOOKING_AFTER;
use super::places::share;
use super::{settling, shown};
use crate::{Error, SCHEMA, Service};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("standing").allow(LOOKING_AFTER, routes!(lift))
}

/// Why it is lifted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StandingLift)]
struct Lifting {
    /// 5 to 200 characters; kept in the trace.
    reason: String,
}

/// Lift what stands against somebody of my area
#[utoipa::path(post, path = "/api/v1/standings/{standing_id}/lift", params(("standing_id" = i64, Path, description = "What stands")),
    request_body = Lifting,
    responses((status = 204, description = "It stands no more, and the person is told so"), (status = 404, description = "Nothing of the kind in my area"),
        (status = 403, description = "The rule does not let my role lift it"), (status = 409, description = "It does not stand any more")))]
async fn lift(
    State(service): State<Service>,
    caller: StaffCaller,
    Path(standing): Path<i64>,
    Json(said): Json<Lifting>,
) -> Result<StatusCode, Problem> {
    let (platform, now, within) = (&service.platform, service.platform.clock.now(), Within::of(&caller.scope));
    caller.may_act(now)?;
    let reason = said.reason.trim();
    if !(5..=200).contains(&reason.chars().count()) || reason.chars().any(char::is_control) {
        let fault = FieldFault::new("reason", "请写明解除原因，5 到 200 个字，不换行。", "Say why, in 5 to 200 characters on one line.");
        return Err(Error::Invalid(vec![fault]).into());
    }
    let mut tx = platform.database.begin().await.map_err(Error::from)?;
    share(&mut tx).await?;
    let row = sqlx::query!(
        "select s.ends_at, s.district, s.alert_id, t.terms from resident.standing s join resident.standing_terms t using (alert_id)
          where s.standing_id = $1 and ($2 or s.district = $3 or s.community = $4) for update of s",
        standing,
        within.everywhere,
        within.district,
        within.community
    )
    .fetch_optional(&mut *tx)
    .await
    .map_err(Error::database("finding what is lifted"))?
    // the same answer for "does not exist" and "not yours"
    .ok_or(Error::NoSuchStanding)?;
    let terms = shown::terms(row.terms)?;
    if !Lifter::of(caller.role).is_some_and(|own| terms.who.contains(&own)) {
        return Err(Error::MayNotLift.into());
    }
    if row.ends_at <= now {
        return Err(Error::StandingIsOver.into());
    }
    sqlx::query!("update resident.standing set decided_at = $2, decided_by = $3 where standing_id = $1", standing, now, caller.id.uuid())
        .execute(&mut *tx)
        .await
        .map_err(Error::database("lifting a standing"))?;
    settling::settle(&mut tx, &[standing], now).await?;
    let entry = AuditEntry {
        district: DistrictCode::try_from(row.district).ok().map(DistrictCode::get),
        detail_json: serde_json::json!({ "alert_id": row.alert_id, "reason": reason }).to_string(),
        ..caller.did("standing.lift", "standing", standing, now)
    };
    tx.publish(SCHEMA, &entry).await.map_err(Error::from)?;
    tx.commit().await.map_err(Error::from)?;
    Ok(StatusCode::NO_CONTENT)
}
