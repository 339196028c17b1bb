//! What somebody did: their own entries of the trace, which they may read as anybody may read about themselves.

use axum::extract::State;
use chrono::{DateTime, Utc};
use platform::http::{FieldFault, Json, Problem, Query, StaffCaller};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{LARGEST_PAGE, Reading, USUAL_PAGE};
use crate::trace::{self, Filter, Page};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ActsQuery {
    /// Only entries before this number: `next` of the page before.
    before: Option<i64>,
    /// Entries on the page, 1 to 500; usually 50.
    limit: Option<i64>,
}

/// A page of what the caller did, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ActsPage {
    acts: Vec<Act>,
    /// What to give as `before` for the next page, if there may be one.
    next: Option<i64>,
}

/// Something that the caller did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OwnAct)]
struct Act {
    /// Its place in the trace.
    sequence: i64,
    at: DateTime<Utc>,
    /// What, such as `alert_approve`.
    action: String,
    /// To what kind of thing.
    object_kind: String,
    /// To which one.
    object: String,
    /// In which district, where it is of one.
    district: Option<u32>,
    /// What else belongs to it; never personal data.
    detail: Value,
}

/// What I did, newest first.
///
/// The caller's own entries of the audit trace.
#[utoipa::path(get, path = "/api/v1/session/acts", operation_id = "own_acts", params(ActsQuery), responses(
    (status = 200, description = "A page", body = ActsPage),
    (status = 422, description = "A parameter is wrong"),
))]
pub(super) async fn acts(
    State(Reading { platform, .. }): State<Reading>,
    caller: StaffCaller,
    Query(query): Query<ActsQuery>,
) -> Result<Json<ActsPage>, Problem> {
    let limit = query.limit.unwrap_or(USUAL_PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::invalid(vec![FieldFault::new("limit", "须为 1 到 500", "is 1 to 500")]));
    }
    let own = Filter { actor: Some(caller.id.to_string()), ..Filter::default() };
    let Page { entries, next } = trace::newest(&platform.database, &own, query.before, limit).await?;
    let acts = entries.into_iter().filter_map(|entry| {
        Some(Act {
            sequence: entry.sequence,
            at: DateTime::from_timestamp_millis(entry.at_ms)?,
            action: entry.action,
            object_kind: entry.object_kind,
            object: entry.object,
            district: entry.district,
            detail: entry.detail,
        })
    });
    Ok(Json(ActsPage { acts: acts.collect(), next }))
}
