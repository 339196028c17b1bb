//! Administrators look after the keys of source systems.

use axum::extract::State;
use domain::address_block::AddressBlock;
use domain::ids::ApiKeyId;
use domain::second_factor::Act;
use domain::staff::Role;
use http::StatusCode;
use platform::http::{Access, Json, Path, PathId, Problem, Routes, StaffCaller, routes};
use serde::Deserialize;
use utoipa::ToSchema;

use super::identity::{Identity, ProposalMade, Waiting};
use crate::api_key::{self, ApiKey, NewApiKey};
use crate::proposal::Proposed;
use crate::{Error, SCHEMA};

pub(super) fn routes() -> Routes<Identity> {
    const ADMINISTRATOR: Access = Access::Staff(&[Role::Administrator]);
    Routes::new("api keys")
        .allow(Access::Staff(&[Role::Administrator, Role::Auditor]), routes!(list))
        .allow(ADMINISTRATOR, routes!(create))
        .allow(ADMINISTRATOR, routes!(move_key))
        .allow(ADMINISTRATOR, routes!(revoke))
}

/// All API keys of source systems, newest first, without their secrets.
#[utoipa::path(get, path = "/api/v1/api-keys", responses((status = 200, description = "All keys", body = Vec<ApiKey>)))]
async fn list(State(identity): State<Identity>) -> Result<Json<Vec<ApiKey>>, Problem> {
    Ok(Json(api_key::all(&identity.platform.database).await?))
}

/// Propose an API key for a source system. Another administrator confirms it
///
/// The source's token is the first half that this answer holds, followed without a space by the second half that the confirmation holds. Each is
/// shown only once, and to one of the two.
#[utoipa::path(post, path = "/api/v1/api-keys", request_body = NewApiKey, responses(
    (status = 202, description = "Proposed", body = ProposalMade),
    (status = 403, description = "A fresh proof is needed first"),
    (status = 422, description = "A field is wrong"),
))]
async fn create(State(identity): State<Identity>, caller: StaffCaller, Json(new): Json<NewApiKey>) -> Result<Waiting, Problem> {
    caller.must_have_proved(Act::IssueKey, identity.now())?;
    new.check(identity.now())?;
    identity.propose(&caller, &Proposed::MakeKey { key: new }, None).await
}

/// From where a key is to be good.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct KeyNetworks {
    /// Addresses and networks (CIDR), at most 32; none: from everywhere.
    networks: Vec<AddressBlock>,
}

/// Propose that an API key is good from other networks. Another administrator confirms it
///
/// Asked from elsewhere it is refused (`key_elsewhere`), and that leaves a trace. Behind a proxy it counts whom the proxy brings.
#[utoipa::path(put, path = "/api/v1/api-keys/{id}/networks", params(("id" = ApiKeyId, Path, description = "The key")),
    request_body = KeyNetworks, responses(
    (status = 202, description = "Proposed", body = ProposalMade),
    (status = 403, description = "A fresh proof is needed first"),
    (status = 404, description = "There is no such key in force"),
    (status = 409, description = "It is good from there already"),
    (status = 422, description = "A network is none, or there are too many"),
))]
async fn move_key(
    State(identity): State<Identity>,
    caller: StaffCaller,
    Path(id): PathId<ApiKeyId>,
    Json(KeyNetworks { networks }): Json<KeyNetworks>,
) -> Result<Waiting, Problem> {
    let now = identity.now();
    caller.must_have_proved(Act::IssueKey, now)?;
    api_key::check_networks(&networks)?;
    let key = api_key::in_force(&mut identity.platform.database.pool().acquire().await?, id, now).await?;
    let after = api_key::each_once(&networks);
    if key.networks == after {
        return Err(Error::NothingToChange.into());
    }
    identity.propose(&caller, &Proposed::MoveKey { key: id, unit: key.unit, before: key.networks, after }, None).await
}

/// Revoke an API key: it stops at once, without a second administrator. Doing it twice changes nothing.
#[utoipa::path(delete, path = "/api/v1/api-keys/{id}", params(("id" = ApiKeyId, Path, description = "The key")), responses(
    (status = 204, description = "Revoked"),
    (status = 404, description = "There is no such key"),
))]
async fn revoke(State(identity): State<Identity>, caller: StaffCaller, Path(id): PathId<ApiKeyId>) -> Result<StatusCode, Problem> {
    let now = identity.now();
    let mut tx = identity.platform.database.begin().await?;
    if api_key::revoke(&mut tx, id, now).await? {
        tx.publish(SCHEMA, &caller.did("api_key.revoke", "api_key", id, now)).await?;
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
