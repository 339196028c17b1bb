//! Administrators look after the keys of source systems.

use axum::extract::State;
use domain::ids::ApiKeyId;
use domain::second_factor::Act;
use domain::staff::Role;
use http::StatusCode;
use platform::http::{Access, Json, Path, PathId, Problem, Routes, StaffCaller, routes};

use super::identity::{Identity, ProposalMade, Waiting};
use crate::SCHEMA;
use crate::api_key::{self, ApiKey, NewApiKey};
use crate::proposal::Proposed;

pub(super) fn routes() -> Routes<Identity> {
    const ADMINISTRATOR: Access = Access::Staff(&[Role::Administrator]);
    Routes::new("api keys")
        .allow(Access::Staff(&[Role::Administrator, Role::Auditor]), routes!(list))
        .allow(ADMINISTRATOR, routes!(create))
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
