//! Administrators look after the accounts of staff.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::ids::StaffId;
use domain::second_factor::{Act, FactorKind};
use domain::second_person;
use domain::staff::{Role, Scope};
use http::StatusCode;
use platform::database::Tx;
use platform::http::{Access, Json, Path, PathId, Problem, Routes, StaffCaller, routes};
use proto::AuditEntry;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::identity::{Identity, ProposalMade, Waiting};
use crate::account::{self, NewStaff, Staff};
use crate::factor::{self, Enrolled};
use crate::proposal::{Proposed, Standing};
use crate::{Error, SCHEMA};

pub(super) fn routes() -> Routes<Identity> {
    const ADMINISTRATOR: Access = Access::Staff(&[Role::Administrator]);
    Routes::new("staff")
        .allow(Access::Staff(&[Role::Administrator, Role::Auditor]), routes!(list))
        .allow(Access::ANY_STAFF, routes!(colleagues))
        .allow(ADMINISTRATOR, routes!(create))
        .allow(ADMINISTRATOR, routes!(change))
        .allow(ADMINISTRATOR, routes!(disable))
        .allow(ADMINISTRATOR, routes!(enable))
        .allow(ADMINISTRATOR, routes!(end_sessions))
        .allow(ADMINISTRATOR, routes!(reset))
        .allow(ADMINISTRATOR, routes!(lift_waiting))
}

/// An account, with what its owner has beside the password.
#[derive(Debug, Serialize, ToSchema)]
struct ListedStaff {
    #[serde(flatten)]
    staff: Staff,
    /// Kinds of second factors that it has.
    factors: Vec<FactorKind>,
    /// When the newest was enrolled.
    factor_enrolled_at: Option<DateTime<Utc>>,
    /// When the first was enrolled by who had shown a password alone, if it was, though it may be gone since: ask its owner whether it was they.
    factor_on_password_at: Option<DateTime<Utc>>,
}

/// All accounts of staff, by login name.
#[utoipa::path(get, path = "/api/v1/staff", responses((status = 200, description = "All accounts", body = Vec<ListedStaff>)))]
async fn list(State(identity): State<Identity>) -> Result<Json<Vec<ListedStaff>>, Problem> {
    let enrolled = factor::of_everybody(&mut identity.platform.database.pool().acquire().await?).await?;
    let mut enrolled: BTreeMap<StaffId, Enrolled> = enrolled.into_iter().map(|enrolled| (enrolled.staff, enrolled)).collect();
    let listed = account::all(&identity.platform).await?.into_iter().map(|staff| match enrolled.remove(&staff.id) {
        Some(Enrolled { kinds, newest_at, on_password_at, .. }) => {
            ListedStaff { staff, factors: kinds, factor_enrolled_at: Some(newest_at), factor_on_password_at: on_password_at }
        }
        None => ListedStaff { staff, factors: Vec::new(), factor_enrolled_at: None, factor_on_password_at: None },
    });
    Ok(Json(listed.collect()))
}

/// Who somebody is that a history names.
#[derive(Debug, Serialize, ToSchema)]
struct Colleague {
    /// The account.
    id: StaffId,
    /// Name shown to colleagues.
    name: String,
    /// What they are.
    role: Role,
    /// Where they are it.
    scope: Scope,
}

/// Who the colleagues are, those whose account is disabled too: histories go on naming them.
#[utoipa::path(get, path = "/api/v1/colleagues", responses((status = 200, description = "All colleagues", body = Vec<Colleague>)))]
async fn colleagues(State(identity): State<Identity>) -> Result<Json<Vec<Colleague>>, Problem> {
    let known = account::all(&identity.platform).await?.into_iter();
    Ok(Json(known.map(|Staff { id, name, role, scope, .. }| Colleague { id, name, role, scope }).collect()))
}

/// Propose an account. Another administrator confirms it
///
/// Its owner sets a password with a code (`POST /api/v1/session/activation`): the first half is in this answer, the second in that of the
/// confirmation. Each is shown only once, and to one of the two.
#[utoipa::path(post, path = "/api/v1/staff", request_body = NewStaff, responses(
    (status = 202, description = "Proposed", body = ProposalMade),
    (status = 409, description = "The login name is taken"),
    (status = 422, description = "A field is wrong, or the role does not go with the scope"),
))]
async fn create(State(identity): State<Identity>, caller: StaffCaller, Json(new): Json<NewStaff>) -> Result<Waiting, Problem> {
    new.check()?;
    if account::find(&identity.platform, &new.login).await?.is_some() {
        return Err(Error::LoginTaken { login: new.login }.into());
    }
    identity.propose(&caller, &Proposed::MakeAccount { account: new }, None).await
}

/// What is to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StaffChange {
    /// Name shown to colleagues.
    name: Option<String>,
    /// What they are from now on.
    role: Option<Role>,
    /// Where from now on.
    scope: Option<Scope>,
}

/// Change name, role or scope of an account
///
/// What only lessens its power holds from its next request on; anything else is proposed, and another administrator confirms it.
#[utoipa::path(patch, path = "/api/v1/staff/{id}", params(("id" = StaffId, Path, description = "The account")),
    request_body = StaffChange, responses(
    (status = 200, description = "Changed: it has less power than before", body = Staff),
    (status = 202, description = "Proposed", body = ProposalMade),
    (status = 404, description = "There is no such account"),
    (status = 409, description = "It is one's own account, or it is like that already"),
    (status = 422, description = "The role does not go with the scope"),
))]
async fn change(
    State(identity): State<Identity>,
    caller: StaffCaller,
    Path(id): PathId<StaffId>,
    Json(change): Json<StaffChange>,
) -> Result<Response, Problem> {
    second_person::lessen(&caller.member(), Some(id)).map_err(Error::from)?;
    if let Some(fault) = change.name.as_deref().and_then(account::name_fault) {
        return Err(Error::Invalid(vec![fault]).into());
    }
    let mut tx = identity.platform.database.begin().await?;
    let staff = account::lock(&mut tx, id).await?;
    let before = Standing::of(&staff);
    let after = Standing {
        name: change.name.map_or_else(|| before.name.clone(), |name| name.trim().to_owned()),
        role: change.role.unwrap_or(before.role),
        scope: change.scope.unwrap_or(before.scope),
    };
    account::check_scope(after.role, after.scope)?;
    if after == before {
        return Err(Error::NothingToChange.into());
    }
    let proposed = Proposed::ChangeAccount { before, after };
    if proposed.change(Some(staff.post()))?.gives_power() {
        tx.rollback().await?;
        return Ok(identity.propose(&caller, &proposed, Some(id)).await?.into_response());
    }
    caller.must_have_proved(Act::Silence, identity.now())?;
    let Proposed::ChangeAccount { before, after } = proposed else { return Err(Error::NothingToChange.into()) };
    account::alter(&mut tx, id, &after, None).await?;
    let was_and_is = json!({ "login": staff.login, "role": [before.role, after.role], "scope": [before.scope, after.scope] });
    let entry = AuditEntry { detail_json: was_and_is.to_string(), ..caller.did("staff.change", "staff", id, identity.now()) };
    tx.publish(SCHEMA, &entry).await?;
    tx.commit().await?;
    let Standing { name, role, scope } = after;
    Ok(Json(Staff { name, role, scope, ..staff }).into_response())
}

/// Disable an account: its sessions end at once, without a second administrator. Doing it twice changes nothing
///
/// What its owner had beside the password goes with it, and the password when it is enabled again. Takes a fresh proof.
///
/// Where no other administrator would be left, or fewer than two officers of the city command, it is only proposed, and another administrator
/// confirms it; its sessions can be ended at once all the same.
#[utoipa::path(post, path = "/api/v1/staff/{id}/disable", params(("id" = StaffId, Path, description = "The account")), responses(
    (status = 202, description = "Proposed: too few would be left", body = ProposalMade),
    (status = 204, description = "Disabled"),
    (status = 404, description = "There is no such account"),
    (status = 409, description = "It is one's own account"),
))]
async fn disable(State(identity): State<Identity>, caller: StaffCaller, Path(id): PathId<StaffId>) -> Result<Response, Problem> {
    second_person::lessen(&caller.member(), Some(id)).map_err(Error::from)?;
    let now = identity.now();
    caller.must_have_proved(Act::Silence, now)?;
    let mut tx = identity.platform.database.begin().await?;
    let left = account::left_without(&mut tx, id, caller.id, now).await?;
    let staff = account::lock(&mut tx, id).await?;
    let acts = staff.disabled_at.is_none() && !staff.awaits_owner && staff.member().acts_at(now);
    if acts && left.is_too_few(staff.role) {
        tx.rollback().await?;
        return Ok(identity.propose(&caller, &Proposed::DisableAccount, Some(id)).await?.into_response());
    }
    account::disable(&mut tx, id, now).await?;
    silenced(&mut tx, &caller, &staff, now).await?;
    tx.publish(SCHEMA, &of_account(&caller, "staff.disable", &staff, now)).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// End all sessions of an account at once, without a second administrator: for one that somebody else may be using.
///
/// Takes a fresh proof.
#[utoipa::path(delete, path = "/api/v1/staff/{id}/sessions", params(("id" = StaffId, Path, description = "The account")), responses(
    (status = 204, description = "Ended"),
    (status = 404, description = "There is no such account"),
    (status = 409, description = "It is one's own account"),
))]
async fn end_sessions(State(identity): State<Identity>, caller: StaffCaller, Path(id): PathId<StaffId>) -> Result<StatusCode, Problem> {
    second_person::lessen(&caller.member(), Some(id)).map_err(Error::from)?;
    let now = identity.now();
    caller.must_have_proved(Act::Silence, now)?;
    let mut tx = identity.platform.database.begin().await?;
    let staff = account::lock(&mut tx, id).await?;
    account::end_sessions(&mut tx, id).await?;
    silenced(&mut tx, &caller, &staff, now).await?;
    tx.publish(SCHEMA, &of_account(&caller, "staff.end_sessions", &staff, now)).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Propose that a disabled account may be used again. Another administrator confirms it
///
/// Its owner sets a new password with a code and enrols a factor, as after a reset: the code's first half is in this answer, the second in that of
/// the confirmation.
#[utoipa::path(post, path = "/api/v1/staff/{id}/enable", params(("id" = StaffId, Path, description = "The account")), responses(
    (status = 202, description = "Proposed", body = ProposalMade),
    (status = 404, description = "There is no such account"),
    (status = 409, description = "It is one's own account, or it is enabled already"),
))]
async fn enable(State(identity): State<Identity>, caller: StaffCaller, Path(id): PathId<StaffId>) -> Result<Waiting, Problem> {
    let staff = known(&identity, id).await?;
    if staff.disabled_at.is_none() {
        return Err(Error::NothingToChange.into());
    }
    identity.propose(&caller, &Proposed::EnableAccount, Some(id)).await
}

/// Propose that the owner of an account sets a new password. Another administrator confirms it
///
/// With the confirmation the old password, all second factors, recovery codes, known devices and sessions end, and the owner sets a new password
/// with a code and enrols a factor: the code's first half is in this answer, the second in that of the confirmation.
#[utoipa::path(post, path = "/api/v1/staff/{id}/reset", params(("id" = StaffId, Path, description = "The account")), responses(
    (status = 202, description = "Proposed", body = ProposalMade),
    (status = 404, description = "There is no such account"),
    (status = 409, description = "It is one's own account"),
))]
async fn reset(State(identity): State<Identity>, caller: StaffCaller, Path(id): PathId<StaffId>) -> Result<Waiting, Problem> {
    known(&identity, id).await?;
    identity.propose(&caller, &Proposed::ResetAccount, Some(id)).await
}

/// Propose that a new, changed, enabled or reset account need not wait any longer before it approves, confirms or sends. Another administrator
/// confirms it; no emergency takes their place.
#[utoipa::path(post, path = "/api/v1/staff/{id}/waiting-lifted", params(("id" = StaffId, Path, description = "The account")), responses(
    (status = 202, description = "Proposed", body = ProposalMade),
    (status = 404, description = "There is no such account"),
    (status = 409, description = "It is one's own account, or it does not wait"),
))]
async fn lift_waiting(State(identity): State<Identity>, caller: StaffCaller, Path(id): PathId<StaffId>) -> Result<Waiting, Problem> {
    if known(&identity, id).await?.member().acts_at(identity.now()) {
        return Err(Error::NothingToChange.into());
    }
    identity.propose(&caller, &Proposed::LiftWaiting, Some(id)).await
}

async fn known(identity: &Identity, id: StaffId) -> Result<Staff, Error> {
    let mut connection = identity.platform.database.pool().acquire().await?;
    account::by_id(&mut connection, id).await?.ok_or(Error::NoSuchStaff(id))?.into_staff()
}

/// Who stops somebody with a say has no emergency for a while.
pub(super) async fn silenced(tx: &mut Tx, caller: &StaffCaller, staff: &Staff, now: DateTime<Utc>) -> Result<(), Error> {
    if staff.role.objects() { account::note_silencing(tx, caller.id, now).await } else { Ok(()) }
}

/// The trace of what one administrator did with an account, which it names.
pub(super) fn of_account(caller: &StaffCaller, action: &str, staff: &Staff, now: DateTime<Utc>) -> AuditEntry {
    AuditEntry {
        district: staff.scope.district().map(|district| district.get()),
        detail_json: json!({ "login": staff.login, "role": staff.role, "scope": staff.scope }).to_string(),
        ..caller.did(action, "staff", staff.id, now)
    }
}
