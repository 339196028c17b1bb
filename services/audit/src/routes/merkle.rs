//! Signed heads, the key, proofs of single entries and of growing, and what never came.

use axum::extract::{Path, State};
use platform::http::{FieldFault, Json, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Reading;
use crate::head::{PublicKey, SignedHead};
use crate::losses::{self, Loss};
use crate::proofs::{self, Consistency, Inclusion};
use crate::signing::{self, Which};
use crate::trace;

/// Heads on a page.
const PAGE: i64 = 500;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HeadsQuery {
    /// Only heads over more entries than this: `next` of the page before.
    #[serde(default)]
    after: i64,
}

/// Signed heads, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditSignedHeads)]
pub(super) struct SignedHeads {
    /// The key that signs them.
    public_key: PublicKey,
    /// The heads.
    heads: Vec<SignedHead>,
    /// What to give as `after` for the next page, if there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

/// The signed heads of the trace, the oldest first: keep them, they show that it was not rewritten.
#[utoipa::path(get, path = "/api/v1/audit/heads", params(HeadsQuery), responses((status = 200, description = "A page", body = SignedHeads)))]
pub(super) async fn heads(State(reading): State<Reading>, Query(query): Query<HeadsQuery>) -> Result<Json<SignedHeads>, Problem> {
    let heads = signing::heads(&reading.platform.database, Which::After(query.after), PAGE).await?;
    let full = i64::try_from(heads.len()) == Ok(PAGE);
    let next = heads.last().map(|head| head.size).filter(|_| full);
    Ok(Json(SignedHeads { public_key: reading.key().await?, heads, next }))
}

/// The key that signs heads of the trace.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditPublicKey)]
pub(super) struct SigningKey {
    /// Ed25519, as 64 hexadecimal digits.
    public_key: PublicKey,
    /// What people compare.
    fingerprint: String,
}

/// The key that signs heads of the trace.
#[utoipa::path(get, path = "/api/v1/audit/key", responses((status = 200, description = "The public half", body = SigningKey)))]
pub(super) async fn public_key(State(reading): State<Reading>) -> Result<Json<SigningKey>, Problem> {
    let public_key = reading.key().await?;
    Ok(Json(SigningKey { public_key, fingerprint: public_key.fingerprint() }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct InclusionQuery {
    /// The size of the tree that it is proved to be in; usually the whole.
    size: Option<u64>,
}

/// Prove that an entry is in the trace (RFC 6962).
#[utoipa::path(get, path = "/api/v1/audit/entries/{sequence}/proof", params(("sequence" = u64, Path, description = "Number of the entry"), InclusionQuery),
responses(
    (status = 200, description = "The proof", body = Inclusion),
    (status = 404, description = "There is no such entry in a tree of this size"),
    (status = 422, description = "The trace has no such size"),
))]
pub(super) async fn inclusion(
    State(reading): State<Reading>,
    Path(sequence): Path<u64>,
    Query(query): Query<InclusionQuery>,
) -> Result<Json<Inclusion>, Problem> {
    let database = &reading.platform.database;
    let whole = trace::grown(database).await?.size();
    let size = query.size.unwrap_or(whole);
    if size > whole {
        return Err(no_such_size("size", whole));
    }
    proofs::inclusion(database, sequence, size).await?.map(Json).ok_or_else(|| {
        Problem::not_found(
            "entry_not_found",
            "这个大小的审计记录中没有此条。请核对序号和大小。",
            "The trace of this size has no such entry. Check the number and the size.",
        )
    })
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ConsistencyQuery {
    /// The smaller size, from 1.
    from: u64,
    /// The larger size; usually the whole.
    to: Option<u64>,
}

/// Prove that the trace goes on from what it was (RFC 6962).
#[utoipa::path(get, path = "/api/v1/audit/consistency", params(ConsistencyQuery), responses(
    (status = 200, description = "The proof", body = Consistency),
    (status = 422, description = "The trace has no such size"),
))]
pub(super) async fn consistency(
    State(reading): State<Reading>,
    Query(query): Query<ConsistencyQuery>,
) -> Result<Json<Consistency>, Problem> {
    let database = &reading.platform.database;
    let whole = trace::grown(database).await?.size();
    let to = query.to.unwrap_or(whole);
    if to > whole {
        return Err(no_such_size("to", whole));
    }
    if !(1..=to).contains(&query.from) {
        return Err(no_such_size("from", to));
    }
    Ok(Json(proofs::consistency(database, query.from, to).await?))
}

fn no_such_size(field: &'static str, most: u64) -> Problem {
    Problem::invalid(vec![FieldFault::new(field, format!("须为 1 到 {most}"), format!("is 1 to {most}"))])
}

/// Entries that services published and that never reached the trace.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditLosses)]
pub(super) struct Losses {
    /// By publisher.
    losses: Vec<Loss>,
}

/// Entries that were published and never reached the trace: deleted on their way.
#[utoipa::path(get, path = "/api/v1/audit/losses", responses((status = 200, description = "They", body = Losses)))]
pub(super) async fn losses(State(reading): State<Reading>) -> Result<Json<Losses>, Problem> {
    Ok(Json(Losses { losses: losses::lost(&reading.platform.database).await? }))
}
