//! Administrators look after the keys of source systems.

use axum::extract::State;
use domain::ids::ApiKeyId;
use domain::staff::Role;
use http::StatusCode;
use platform::http::{Access, Json, Path, PathId, Problem, Routes, StaffCaller, routes};
use serde::Serialize;
use utoipa::ToSchema;

use super::identity::Identity;
use crate::SCHEMA;
use crate::api_key::{self, ApiKey, NewApiKey};

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

/// A key that was just made.
#[derive(Debug, Serialize, ToSchema)]
struct ApiKeyWithToken {
    /// The key.
    key: ApiKey,
    /// What the source system presents as `Authorization: Bearer`. It is shown this once.
    token: String,
}

/// Make an API key for a source system. The answer holds its token, which is shown only once.
#[utoipa::path(post, path = "/api/v1/api-keys", request_body = NewApiKey, responses(
    (status = 201, description = "Made", body = ApiKeyWithToken),
    (status = 422, description = "A field is wrong"),
))]
async fn create(
    State(identity): State<Identity>,
    caller: StaffCaller,
    Json(new): Json<NewApiKey>,
) -> Result<(StatusCode, Json<ApiKeyWithToken>), Problem> {
    let now = identity.now();
    let mut tx = identity.platform.database.begin().await?;
    let (token, key) = api_key::create(&mut tx, new, caller.id, now).await?;
    tx.publish(SCHEMA, &caller.did("api_key.create", "api_key", key.id, now)).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(ApiKeyWithToken { key, token: token.into_text() })))
}

/// Revoke an API key: it stops at once. Doing it twice changes nothing.
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
