//! Who reviews an alert just now: claimed, prolonged, taken over, let go (`domain::claim`).

use axum::extract::State as Shared;
use chrono::{DateTime, Utc};
use domain::claim::{Claim, claimed, may_claim};
use domain::ids::{AlertId, StaffId};
use http::StatusCode;
use platform::database::{Connection, Tx};
use platform::http::{Access, Json, Path, Problem, Routes, StaffCaller, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::work::{self, What};
use super::{REVIEWING, leave_trace, must_see_draft};
use crate::actor::actor_for;
use crate::store;
use crate::{Error, Service};

pub(super) fn routes() -> Routes<Service> {
    Routes::new("review").allow(Access::Staff(REVIEWING), routes!(claim)).allow(Access::Staff(REVIEWING), routes!(release))
}

/// How an alert is claimed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClaimRequest {
    /// Whether it is taken over from a colleague who reviews it.
    #[serde(default)]
    take_over: bool,
}

/// Who reviews an alert just now.
#[derive(Serialize, ToSchema)]
struct Claimed {
    claimed_by: StaffId,
    /// Until when, unless they say so again.
    claimed_until: DateTime<Utc>,
}

impl From<Claim> for Claimed {
    fn from(claim: Claim) -> Self {
        Self { claimed_by: claim.by, claimed_until: claim.until }
    }
}

/// Say that I review an alert just now
///
/// Colleagues see it, and are asked before they decide; nothing is locked. It lapses by itself, with a decision, and when I sign out. Said again, it
/// lasts longer. What a colleague has claimed is taken over with `take_over`; they are told on the live line.
#[utoipa::path(put, path = "/api/v1/alerts/{alert_id}/claim", params(("alert_id" = AlertId, Path, description = "The alert")),
    request_body = ClaimRequest, responses((status = 200, description = "Claimed", body = Claimed)))]
async fn claim(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Path(id): Path<AlertId>,
    Json(request): Json<ClaimRequest>,
) -> Result<axum::Json<Claimed>, Problem> {
    let now = service.platform.clock.now();
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    // of two at once one comes second
    let alert = store::load(&mut tx, id, true).await?;
    must_see_draft(&caller, &alert)?;
    may_claim(alert.state, &alert.participants, &actor_for(&caller, &alert)).map_err(Error::from)?;
    let standing = standing(&mut tx, id, now).await?;
    let claim = claimed(standing, caller.id, request.take_over, now, service.claim_lasts).map_err(Error::from)?;
    sqlx::query!(
        "insert into review.claim (alert_id, staff, claimed_at, until) values ($1, $2, $3, $4)
         on conflict (alert_id) do update set staff = excluded.staff, until = excluded.until,
             claimed_at = case when claim.staff = excluded.staff then claim.claimed_at else excluded.claimed_at end",
        id.uuid(),
        caller.id.uuid(),
        now,
        claim.until
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("claiming an alert"))?;
    let action = match standing {
        Some(own) if own.by == caller.id => None,
        Some(_) => Some("alert_take_over_claim"),
        None => Some("alert_claim"),
    };
    if let Some(action) = action {
        leave_trace(&mut tx, &caller, action, &alert, now).await?;
        metrics::counter!("alert_claims_total", "how" => if standing.is_some() { "taken_over" } else { "claimed" }).increment(1);
    }
    work::tell(&mut tx, id, What::Claim, now).await?;
    tx.commit().await.map_err(Error::from)?;
    service.changed.wake();
    Ok(axum::Json(claim.into()))
}

/// Say that I do not review an alert any more
///
/// What a colleague has claimed stays theirs.
#[utoipa::path(delete, path = "/api/v1/alerts/{alert_id}/claim", params(("alert_id" = AlertId, Path, description = "The alert")),
    responses((status = 204, description = "It is not the caller's")))]
async fn release(Shared(service): Shared<Service>, caller: StaffCaller, Path(id): Path<AlertId>) -> Result<StatusCode, Problem> {
    let now = service.platform.clock.now();
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    let alert = store::load(&mut tx, id, true).await?;
    must_see_draft(&caller, &alert)?;
    let standing = standing(&mut tx, id, now).await?;
    if standing.is_some_and(|claim| claim.by == caller.id) {
        end(&mut tx, id, now).await?;
        leave_trace(&mut tx, &caller, "alert_release_claim", &alert, now).await?;
        tx.commit().await.map_err(Error::from)?;
        service.changed.wake();
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The claim that stands.
pub(super) async fn standing(connection: &mut Connection, alert: AlertId, now: DateTime<Utc>) -> Result<Option<Claim>, Error> {
    let row = sqlx::query!(
        r#"select claim.staff, claim.until, coalesce(officer.session_until > $2, false) as "signed_in!"
             from review.claim left join identity.officer on officer.staff_id = claim.staff where claim.alert_id = $1"#,
        alert.uuid(),
        now
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::database("reading a claim"))?;
    Ok(row.and_then(|row| still_standing(row.staff, row.until, row.signed_in, now)))
}

/// The claim of somebody who may have signed out, if it stands.
pub(crate) fn still_standing(by: Uuid, until: DateTime<Utc>, signed_in: bool, now: DateTime<Utc>) -> Option<Claim> {
    Some(Claim { by: StaffId::from_uuid(by), until }).filter(|claim| claim.stands(signed_in, now))
}

/// Ends the claim on an alert, whosever it is: somebody has decided.
pub(crate) async fn end(tx: &mut Tx, alert: AlertId, now: DateTime<Utc>) -> Result<(), Error> {
    let ended = sqlx::query!("delete from review.claim where alert_id = $1", alert.uuid())
        .execute(&mut **tx)
        .await
        .map_err(Error::database("ending a claim"))?;
    if ended.rows_affected() > 0 {
        work::tell(tx, alert, What::Claim, now).await?;
    }
    Ok(())
}
