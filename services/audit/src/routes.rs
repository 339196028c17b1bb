//! What auditors see: the trace, page by page, the proof of it, and what shows that it was not rewritten ([`merkle`]); and what everybody on the staff sees of
//! it, their own part ([`acts`]).

mod acts;
mod merkle;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::staff::Role;
use futures::stream::{self, StreamExt};
use http::header;
use platform::Platform;
use platform::database::Database;
use platform::http::{Access, FieldFault, Json, Limits, Problem, Query, Routes, StaffCaller, routes};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::chain::{Hash, Head, ProofLine};
use crate::head::PublicKey;
use crate::signing::Signing;
use crate::trace::{self, Entry, Filter, Page};
use crate::{Error, SCHEMA};

/// Entries on a page unless asked otherwise, and at most.
const USUAL_PAGE: i64 = 50;
const LARGEST_PAGE: i64 = 500;
/// Entries of a proof that are read at once.
const PROOF_PAGE: i64 = 1000;

/// What the routes stand on.
#[derive(Clone)]
struct Reading {
    platform: Platform,
    signing: Arc<Signing>,
}

impl Reading {
    /// The key that signs heads, if it can be opened.
    async fn key(&self) -> Result<PublicKey, Error> {
        Ok(self.signing.signer(&self.platform).await?.key())
    }
}

pub(crate) fn routes(platform: &Platform, signing: Arc<Signing>) -> Routes {
    const AUDITOR: Access = Access::Staff(&[Role::Auditor]);
    Routes::new("audit")
        .allow(Access::ANY_STAFF, routes!(acts::acts))
        .allow(AUDITOR, routes!(entries))
        .allow_within(Limits::stream(), AUDITOR, routes!(proof))
        .allow(AUDITOR, routes!(merkle::heads))
        .allow(AUDITOR, routes!(merkle::public_key))
        .allow(AUDITOR, routes!(merkle::inclusion))
        .allow(AUDITOR, routes!(merkle::consistency))
        .allow(AUDITOR, routes!(merkle::losses))
        .with_state(Reading { platform: platform.clone(), signing })
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EntriesQuery {
    /// By this actor.
    actor: Option<String>,
    /// Of this action, such as `alert.approve`.
    action: Option<String>,
    /// On this kind of object.
    object_kind: Option<String>,
    /// On this object.
    object: Option<String>,
    /// In this district (GB/T 2260 code).
    district: Option<i32>,
    /// Done at this time or later.
    from: Option<DateTime<Utc>>,
    /// Done before this time.
    until: Option<DateTime<Utc>>,
    /// Only entries before this number: `next` of the page before.
    before: Option<i64>,
    /// Entries on the page, 1 to 500; usually 50.
    limit: Option<i64>,
}

/// A page of the trace, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct EntriesPage {
    /// The entries.
    entries: Vec<Entry>,
    /// What to give as `before` for the next page, if there may be one.
    next: Option<i64>,
}

/// Read the audit trace, newest first.
#[utoipa::path(get, path = "/api/v1/audit/entries", params(EntriesQuery), responses(
    (status = 200, description = "A page", body = EntriesPage),
    (status = 422, description = "A parameter is wrong"),
))]
async fn entries(State(Reading { platform, .. }): State<Reading>, Query(query): Query<EntriesQuery>) -> Result<Json<EntriesPage>, Problem> {
    let limit = query.limit.unwrap_or(USUAL_PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::invalid(vec![FieldFault::new("limit", "须为 1 到 500", "is 1 to 500")]));
    }
    let filter = Filter {
        actor: query.actor,
        action: query.action,
        object_kind: query.object_kind,
        object: query.object,
        district: query.district,
        from: query.from,
        until: query.until,
    };
    let Page { entries, next } = trace::newest(&platform.database, &filter, query.before, limit).await?;
    Ok(Json(EntriesPage { entries, next }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ProofQuery {
    /// Number of the last entry of a proof that one has already; usually 0, for the whole.
    #[serde(default)]
    after: i64,
}

/// Export the proof: every entry with its hash, one JSON object a line, and the head last. Anybody can check it offline.
#[utoipa::path(get, path = "/api/v1/audit/proof", params(ProofQuery), responses(
    (status = 200, description = "The proof", body = String, content_type = "application/x-ndjson"),
))]
async fn proof(
    State(Reading { platform, .. }): State<Reading>,
    caller: StaffCaller,
    Query(query): Query<ProofQuery>,
) -> Result<Response, Problem> {
    let mut tx = platform.database.begin().await?;
    let head = trace::head(&mut tx).await?;
    tx.publish(SCHEMA, &caller.did("audit.export", "audit", head.sequence, platform.clock.now())).await?;
    tx.commit().await?;
    let headers =
        [(header::CONTENT_TYPE, "application/x-ndjson"), (header::CONTENT_DISPOSITION, "attachment; filename=\"audit-proof.ndjson\"")];
    Ok((headers, Body::from_stream(lines(platform.database, query.after, head))).into_response())
}

/// The lines of a proof, read page by page: no transaction stays open while the client reads.
fn lines(database: Database, after: i64, head: Head) -> impl futures::Stream<Item = Result<Bytes, Error>> {
    let pages = stream::try_unfold((database, after), move |(database, after)| async move {
        let links = trace::links(&database, after, head.sequence, PROOF_PAGE).await?;
        let Some((last, ..)) = links.last() else { return Ok(None) };
        let last = *last;
        let lines = links.into_iter().map(|(sequence, body, hash)| entry_line(sequence, body, hash)).collect::<Result<String, _>>()?;
        Ok(Some((Bytes::from(lines), (database, last))))
    });
    let end = stream::once(async move { line(head.sequence, &ProofLine::Head { head }).map(Bytes::from) });
    pages.chain(end)
}

fn entry_line(sequence: i64, body: String, hash: Hash) -> Result<String, Error> {
    let entry = RawValue::from_string(body).map_err(|source| Error::Stored { sequence, source })?;
    line(sequence, &ProofLine::Entry { entry, hash })
}

fn line(sequence: i64, line: &ProofLine) -> Result<String, Error> {
    let mut text = serde_json::to_string(line).map_err(|source| Error::Stored { sequence, source })?;
    text.push('\n');
    Ok(text)
}
