//! Administrators look after the accounts of staff.

use axum::extract::State;
use domain::ids::StaffId;
use domain::staff::{Role, Scope};
use http::StatusCode;
use platform::http::{Access, Json, Path, PathId, Problem, Routes, StaffCaller, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::identity::Identity;
use crate::account::{self, NewStaff, Staff};
use crate::password::Password;
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
        .allow(ADMINISTRATOR, routes!(reset_password))
}

/// All accounts of staff, by login name.
#[utoipa::path(get, path = "/api/v1/staff", responses((status = 200, description = "All accounts", body = Vec<Staff>)))]
async fn list(State(identity): State<Identity>) -> Result<Json<Vec<Staff>>, Problem> {
    Ok(Json(account::all(&identity.platform).await?))
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

/// An account with a password that was just made.
#[derive(Debug, Serialize, ToSchema)]
struct StaffWithPassword {
    /// The account.
    staff: Staff,
    /// Its password. It is shown this once.
    password: String,
}

/// Make an account. The answer holds its generated password, which is shown only once.
#[utoipa::path(post, path = "/api/v1/staff", request_body = NewStaff, responses(
    (status = 201, description = "Made", body = StaffWithPassword),
    (status = 409, description = "The login name is taken"),
    (status = 422, description = "A field is wrong, or the role does not go with the scope"),
))]
async fn create(
    State(identity): State<Identity>,
    caller: StaffCaller,
    Json(new): Json<NewStaff>,
) -> Result<(StatusCode, Json<StaffWithPassword>), Problem> {
    new.check()?;
    let password = Password::generate();
    let hash = identity.hasher.hash(password.clone()).await?;
    let login = new.login.clone();
    let mut tx = identity.platform.database.begin().await?;
    let now = identity.now();
    let staff = account::insert(&mut tx, new, &hash, now).await?.ok_or(Error::LoginTaken { login })?;
    tx.publish(SCHEMA, &caller.did("staff.create", "staff", staff.id, now)).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(StaffWithPassword { staff, password: password.into_text() })))
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

/// Change name, role or scope of an account. It holds from the account's next request on.
#[utoipa::path(patch, path = "/api/v1/staff/{id}", params(("id" = StaffId, Path, description = "The account")),
    request_body = StaffChange, responses(
    (status = 200, description = "Changed", body = Staff),
    (status = 404, description = "There is no such account"),
    (status = 409, description = "It is one's own account"),
    (status = 422, description = "The role does not go with the scope"),
))]
async fn change(
    State(identity): State<Identity>,
    caller: StaffCaller,
    Path(id): PathId<StaffId>,
    Json(change): Json<StaffChange>,
) -> Result<Json<Staff>, Problem> {
    not_oneself(&caller, id)?;
    if let Some(fault) = change.name.as_deref().and_then(account::name_fault) {
        return Err(Error::Invalid(vec![fault]).into());
    }
    let mut tx = identity.platform.database.begin().await?;
    let before = sqlx::query_as!(account::Row, "select * from identity.staff where id = $1 for update", id.uuid())
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NoSuchStaff(id))?
        .into_staff()?;
    let Staff { name, role, scope, .. } = before.clone();
    let after = Staff {
        name: change.name.map_or(name, |name| name.trim().to_owned()),
        role: change.role.unwrap_or(role),
        scope: change.scope.unwrap_or(scope),
        ..before
    };
    account::check_scope(after.role, after.scope)?;
    sqlx::query!(
        "update identity.staff set name = $2, role = $3, scope = $4 where id = $1",
        id.uuid(),
        after.name,
        after.role.as_ref(),
        after.scope.to_string(),
    )
    .execute(&mut *tx)
    .await?;
    let was_and_is = serde_json::json!({
        "role": [role.to_string(), after.role.to_string()],
        "scope": [scope.to_string(), after.scope.to_string()],
    });
    let entry = proto::AuditEntry { detail_json: was_and_is.to_string(), ..caller.did("staff.change", "staff", id, identity.now()) };
    tx.publish(SCHEMA, &entry).await?;
    tx.commit().await?;
    Ok(Json(after))
}

/// Disable an account: its sessions end at once. Doing it twice changes nothing.
#[utoipa::path(post, path = "/api/v1/staff/{id}/disable", params(("id" = StaffId, Path, description = "The account")), responses(
    (status = 204, description = "Disabled"),
    (status = 404, description = "There is no such account"),
    (status = 409, description = "It is one's own account"),
))]
async fn disable(State(identity): State<Identity>, caller: StaffCaller, Path(id): PathId<StaffId>) -> Result<StatusCode, Problem> {
    not_oneself(&caller, id)?;
    set_disabled(&identity, &caller, id, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let a disabled account sign in again.
#[utoipa::path(post, path = "/api/v1/staff/{id}/enable", params(("id" = StaffId, Path, description = "The account")), responses(
    (status = 204, description = "Enabled"),
    (status = 404, description = "There is no such account"),
))]
async fn enable(State(identity): State<Identity>, caller: StaffCaller, Path(id): PathId<StaffId>) -> Result<StatusCode, Problem> {
    set_disabled(&identity, &caller, id, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set_disabled(identity: &Identity, caller: &StaffCaller, id: StaffId, disabled: bool) -> Result<(), Error> {
    let now = identity.now();
    let mut tx = identity.platform.database.begin().await?;
    // The revision ends the sessions for good: they must not come back when the account is enabled again.
    sqlx::query_scalar!(
        "update identity.staff set disabled_at = case when $2 then coalesce(disabled_at, $3) end,
             credential_revision = credential_revision + 1
         where id = $1 returning id",
        id.uuid(),
        disabled,
        now,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::NoSuchStaff(id))?;
    let action = if disabled { "staff.disable" } else { "staff.enable" };
    tx.publish(SCHEMA, &caller.did(action, "staff", id, now)).await?;
    Ok(tx.commit().await?)
}

/// A password that was just made.
#[derive(Debug, Serialize, ToSchema)]
struct NewPassword {
    /// The password. It is shown this once.
    password: String,
}

/// Give an account a new generated password, shown only once. Its sessions end.
#[utoipa::path(post, path = "/api/v1/staff/{id}/password", params(("id" = StaffId, Path, description = "The account")), responses(
    (status = 200, description = "Reset", body = NewPassword),
    (status = 404, description = "There is no such account"),
))]
async fn reset_password(
    State(identity): State<Identity>,
    caller: StaffCaller,
    Path(id): PathId<StaffId>,
) -> Result<Json<NewPassword>, Problem> {
    let password = Password::generate();
    let hash = identity.hasher.hash(password.clone()).await?;
    let mut tx = identity.platform.database.begin().await?;
    account::set_password(&mut tx, id, &hash).await?;
    tx.publish(SCHEMA, &caller.did("staff.reset_password", "staff", id, identity.now())).await?;
    tx.commit().await?;
    Ok(Json(NewPassword { password: password.into_text() }))
}

/// An administrator who changes themselves could leave the city without one.
fn not_oneself(caller: &StaffCaller, id: StaffId) -> Result<(), Error> {
    if caller.id == id { Err(Error::OwnAccount) } else { Ok(()) }
}
