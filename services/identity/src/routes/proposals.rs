//! What was proposed about accounts and keys, and what becomes of it.

use axum::extract::State;
use domain::ids::ProposalId;
use domain::second_factor::Act;
use domain::second_person::{self, Confirmed, ProposalState};
use domain::staff::Role;
use http::StatusCode;
use platform::http::{Access, FieldFault, Json, Path, PathId, Problem, Routes, StaffCaller, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::identity::Identity;
use crate::proposal::{self, Half, Proposal};
use crate::{Error, SCHEMA};

/// Longest reason, in characters.
const LONGEST_REASON: usize = 500;

pub(super) fn routes() -> Routes<Identity> {
    const ADMINISTRATOR: Access = Access::Staff(&[Role::Administrator]);
    Routes::new("proposals")
        .allow(Access::Staff(&[Role::Administrator, Role::CityCommandOfficer, Role::Auditor]), routes!(list))
        .allow(ADMINISTRATOR, routes!(confirm))
        .allow(ADMINISTRATOR, routes!(withdraw))
        .allow(ADMINISTRATOR, routes!(declare_emergency))
        .allow(Access::Staff(&[Role::Administrator, Role::CityCommandOfficer]), routes!(object))
}

/// Changes of accounts and keys that were proposed in the last thirty days, newest first
///
/// Each says what the caller can do about it. Those with an emergency are for the city command and the auditor to look at.
#[utoipa::path(get, path = "/api/v1/proposals", responses((status = 200, description = "The proposals", body = Vec<Proposal>)))]
async fn list(State(identity): State<Identity>, caller: StaffCaller) -> Result<Json<Vec<Proposal>>, Problem> {
    let now = identity.now();
    let mut connection = identity.platform.database.pool().acquire().await?;
    let stored = proposal::listed(&mut connection, now).await?;
    Ok(Json(stored.into_iter().map(|stored| stored.seen_by(&caller, now)).collect()))
}

/// A change that holds now.
#[derive(Serialize, ToSchema)]
struct ProposalConfirmed {
    /// The proposal.
    proposal: Proposal,
    /// The second half of the code or key, for whoever has the account or key; the administrator who proposed it has the first. It is shown this
    /// once.
    #[serde(skip_serializing_if = "Option::is_none")]
    second_half: Option<String>,
}

/// Confirm what another administrator proposed: it holds at once
///
/// In an emergency whoever proposed it may confirm it, after the delay and unless somebody objected.
#[utoipa::path(post, path = "/api/v1/proposals/{id}/confirmation", params(("id" = Uuid, Path, description = "The proposal")), responses(
    (status = 200, description = "It holds", body = ProposalConfirmed),
    (status = 403, description = "The caller's own account is too new, or a fresh proof is needed first"),
    (status = 404, description = "There is no such proposal"),
    (status = 409, description = "The caller proposed it, is the one whom it is about, or it is not waiting or not as it was any more"),
))]
async fn confirm(
    State(identity): State<Identity>,
    caller: StaffCaller,
    Path(id): PathId<ProposalId>,
) -> Result<Json<ProposalConfirmed>, Problem> {
    let now = identity.now();
    caller.may_act(now)?;
    caller.must_have_proved(Act::ConfirmProposal, now)?;
    let mut tx = identity.platform.database.begin().await?;
    let stored = proposal::lock(&mut tx, id, now).await?;
    let how = second_person::confirm(stored.decision(), &caller.member(), stored.proposer(), stored.hearing(), now).map_err(Error::from)?;
    let effect = proposal::take(&mut tx, &identity.platform, &stored, identity.delays).await?;
    proposal::end(&mut tx, id, ProposalState::Effective, caller.id, effect.made, now).await?;
    let (kind, object) = effect.object;
    let entry = stored.trace(caller.did(stored.proposed().action(), kind, object, now));
    tx.publish(SCHEMA, &entry).await?;
    let after = proposal::one(&mut tx, id, now).await?;
    tx.commit().await?;
    metrics::counter!("staff_changes_total", "step" => "confirmed").increment(1);
    if how == Confirmed::Alone {
        tracing::warn!(proposal = %id, change = entry.action, "an administrator changed an account or key alone, in an emergency");
    }
    Ok(Json(ProposalConfirmed { proposal: after.seen_by(&caller, now), second_half: effect.second_half.map(Half::into_text) }))
}

/// Take back what one proposed oneself.
#[utoipa::path(post, path = "/api/v1/proposals/{id}/withdrawal", params(("id" = Uuid, Path, description = "The proposal")), responses(
    (status = 204, description = "Withdrawn"),
    (status = 404, description = "There is no such proposal"),
    (status = 409, description = "Somebody else proposed it, or it does not wait any more"),
))]
async fn withdraw(State(identity): State<Identity>, caller: StaffCaller, Path(id): PathId<ProposalId>) -> Result<StatusCode, Problem> {
    let now = identity.now();
    let mut tx = identity.platform.database.begin().await?;
    let stored = proposal::lock(&mut tx, id, now).await?;
    second_person::withdraw(stored.decision(), &caller.member(), now).map_err(Error::from)?;
    proposal::end(&mut tx, id, ProposalState::Withdrawn, caller.id, None, now).await?;
    tx.publish(SCHEMA, &stored.trace(caller.did("proposal.withdraw", "proposal", id, now))).await?;
    tx.commit().await?;
    metrics::counter!("staff_changes_total", "step" => "withdrawn").increment(1);
    Ok(StatusCode::NO_CONTENT)
}

/// Stop what an administrator proposed: it never holds. For other administrators and the city command.
#[utoipa::path(post, path = "/api/v1/proposals/{id}/objection", params(("id" = Uuid, Path, description = "The proposal")), responses(
    (status = 204, description = "Stopped"),
    (status = 404, description = "There is no such proposal"),
    (status = 409, description = "The caller proposed it, or it does not wait any more"),
))]
async fn object(State(identity): State<Identity>, caller: StaffCaller, Path(id): PathId<ProposalId>) -> Result<StatusCode, Problem> {
    let now = identity.now();
    let mut tx = identity.platform.database.begin().await?;
    let stored = proposal::lock(&mut tx, id, now).await?;
    second_person::object(stored.decision(), &caller.member(), now).map_err(Error::from)?;
    proposal::end(&mut tx, id, ProposalState::Objected, caller.id, None, now).await?;
    tx.publish(SCHEMA, &stored.trace(caller.did("proposal.object", "proposal", id, now))).await?;
    tx.commit().await?;
    metrics::counter!("staff_changes_total", "step" => "objected").increment(1);
    Ok(StatusCode::NO_CONTENT)
}

/// Why a change cannot wait.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EmergencyDeclared {
    /// Why no second administrator can be waited for, in at most 500 characters.
    reason: String,
}

/// Say that one's proposal cannot wait for another administrator: an alarm
///
/// After a delay, and for two hours, its proposer may confirm it alone, unless another administrator or the city command objects. They and the
/// auditor are told. Administrators, keys and the time in which a new account waits are never changed this way, and nothing by whoever has
/// disabled or signed out somebody in the last day who could have objected.
#[utoipa::path(post, path = "/api/v1/proposals/{id}/emergency", params(("id" = Uuid, Path, description = "The proposal")),
    request_body = EmergencyDeclared, responses(
    (status = 200, description = "Declared", body = Proposal),
    (status = 404, description = "There is no such proposal"),
    (status = 409, description = "Somebody else proposed it, it does not wait any more, it is none that one may do alone, or nobody could object"),
    (status = 422, description = "The reason is missing or too long"),
))]
async fn declare_emergency(
    State(identity): State<Identity>,
    caller: StaffCaller,
    Path(id): PathId<ProposalId>,
    Json(declared): Json<EmergencyDeclared>,
) -> Result<Json<Proposal>, Problem> {
    let now = identity.now();
    let reason = declared.reason.trim();
    if !(1..=LONGEST_REASON).contains(&reason.chars().count()) {
        let fault = FieldFault::new("reason", "须写明理由，最多 500 个字符", "takes 1 to 500 characters");
        return Err(Error::Invalid(vec![fault]).into());
    }
    let mut tx = identity.platform.database.begin().await?;
    let stored = proposal::lock(&mut tx, id, now).await?;
    second_person::declare_emergency(stored.decision(), &caller.member(), stored.hearing(), now).map_err(Error::from)?;
    proposal::declare_emergency(&mut tx, id, reason, now + identity.delays.emergency, now).await?;
    let after = proposal::one(&mut tx, id, now).await?;
    tx.publish(SCHEMA, &after.trace(caller.did("proposal.emergency", "proposal", id, now))).await?;
    tx.commit().await?;
    metrics::counter!("staff_emergencies_total").increment(1);
    tracing::warn!(proposal = %id, "an administrator declared an emergency, to change an account or key alone");
    Ok(Json(after.seen_by(&caller, now)))
}
