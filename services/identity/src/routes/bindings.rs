//! Administrators decide who in the city's directory may sign in as which account.

use axum::extract::State;
use domain::directory::SubjectIdentifier;
use domain::ids::StaffId;
use domain::second_factor::Act;
use domain::second_person;
use domain::staff::Role;
use http::StatusCode;
use platform::http::{Access, Json, Path, PathId, Problem, Routes, StaffCaller, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::identity::{Identity, ProposalMade, Waiting};
use super::staff::{of_account, silenced};
use crate::account;
use crate::directory::arrival::{self, Arrival};
use crate::directory::binding::{self, Bound};
use crate::proposal::Proposed;
use crate::{Error, SCHEMA};

pub(super) fn routes() -> Routes<Identity> {
    const ADMINISTRATOR: Access = Access::Staff(&[Role::Administrator]);
    Routes::new("staff")
        .allow(Access::Staff(&[Role::Administrator, Role::Auditor]), routes!(bindings))
        .allow(ADMINISTRATOR, routes!(bind))
        .allow(ADMINISTRATOR, routes!(unbind))
}

/// How accounts and the directory belong together.
#[derive(Serialize, ToSchema)]
struct DirectoryBindings {
    /// Which directory it is, as it calls itself; none: the city has none.
    issuer: Option<String>,
    /// Accounts that are bound to somebody in it, or in another that was set before.
    bound: Vec<Bound>,
    /// Who came by it lately and is bound to none, the last first.
    arrivals: Vec<Arrival>,
}

/// Which accounts are bound to somebody in the city's directory, and who came by it lately and is bound to none
#[utoipa::path(get, path = "/api/v1/staff-directory", responses((status = 200, description = "How they belong together", body = DirectoryBindings)))]
async fn bindings(State(identity): State<Identity>) -> Result<Json<DirectoryBindings>, Problem> {
    let issuer = identity.directory.as_deref().map(|directory| directory.issuer().to_owned());
    let mut connection = identity.platform.database.pool().acquire().await?;
    let bound = binding::of_everybody(&mut connection).await?;
    let arrivals = match &issuer {
        Some(issuer) => arrival::listed(&mut connection, issuer, identity.now()).await?,
        None => Vec::new(),
    };
    Ok(Json(DirectoryBindings { issuer, bound, arrivals }))
}

/// Who is meant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SubjectNamed {
    /// What the directory calls somebody (`sub`): neither a name nor an address.
    subject: SubjectIdentifier,
}

/// Propose that somebody in the city's directory may sign in as this account. Another administrator confirms it; no emergency takes their place
///
/// Whoever it was bound to before is signed out and may no longer. An account that approves, confirms or sends waits then, as after a reset.
#[utoipa::path(put, path = "/api/v1/staff/{id}/directory", params(("id" = StaffId, Path, description = "The account")),
    request_body = SubjectNamed, responses(
    (status = 202, description = "Proposed", body = ProposalMade),
    (status = 404, description = "There is no such account, or the city has no directory"),
    (status = 409, description = "It is one's own account, or somebody else's is bound to this subject"),
    (status = 422, description = "It is nobody's subject"),
))]
async fn bind(
    State(identity): State<Identity>,
    caller: StaffCaller,
    Path(id): PathId<StaffId>,
    Json(SubjectNamed { subject }): Json<SubjectNamed>,
) -> Result<Waiting, Problem> {
    let issuer = identity.directory()?.issuer().to_owned();
    let mut connection = identity.platform.database.pool().acquire().await?;
    account::by_id(&mut connection, id).await?.ok_or(Error::NoSuchStaff(id))?;
    match binding::account_of(&mut connection, &issuer, &subject).await? {
        Some(bound) if bound.id == id.uuid() => return Err(Error::NothingToChange.into()),
        Some(_) => return Err(Error::SubjectTaken.into()),
        None => {}
    }
    drop(connection);
    identity.propose(&caller, &Proposed::BindDirectory { issuer, subject }, Some(id)).await
}

/// Nobody in the directory may sign in as this account any more: its sessions end at once, without a second administrator
///
/// Its password stays. Takes a fresh proof.
#[utoipa::path(delete, path = "/api/v1/staff/{id}/directory", params(("id" = StaffId, Path, description = "The account")), responses(
    (status = 204, description = "Unbound"),
    (status = 403, description = "A fresh proof is needed first"),
    (status = 404, description = "There is no such account"),
    (status = 409, description = "It is one's own account, or bound to nobody"),
))]
async fn unbind(State(identity): State<Identity>, caller: StaffCaller, Path(id): PathId<StaffId>) -> Result<StatusCode, Problem> {
    second_person::lessen(&caller.member(), Some(id)).map_err(Error::from)?;
    let now = identity.now();
    caller.must_have_proved(Act::Silence, now)?;
    let mut tx = identity.platform.database.begin().await?;
    let staff = account::lock(&mut tx, id).await?;
    if !binding::unbind(&mut tx, id).await? {
        return Err(Error::NotBoundYet.into());
    }
    account::end_sessions(&mut tx, id).await?;
    silenced(&mut tx, &caller, &staff, now).await?;
    tx.publish(SCHEMA, &of_account(&caller, "staff.unbind_directory", &staff, now)).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
