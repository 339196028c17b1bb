//! Decisions about many alerts at once, each for itself: what is refused holds up nothing else.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::extract::State as Shared;
use domain::alert_state::State;
use domain::ids::AlertId;
use domain::many_decisions::{MOST, permit};
use platform::http::{Access, FieldFault, Json, Limits, Problem, Routes, StaffCaller, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{REVIEWING, looks};
use crate::decisions::{self, DecisionRequest};
use crate::{Error, Service};

/// Each of them may count an audience: whoever asked hears what became of every one.
const LIMITS: Limits = Limits { body: 1024 * 1024, time: Some(Duration::from_secs(180)) };

pub(super) fn routes() -> Routes<Service> {
    Routes::new("review").allow_within(LIMITS, Access::Staff(REVIEWING), routes!(decide_many))
}

/// Decisions about several alerts.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ManyDecisions {
    /// 1 to 30 of them.
    #[schema(min_items = 1, max_items = 30)]
    decisions: Vec<OneOfMany>,
}

/// A decision about one of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OneOfMany {
    alert_id: AlertId,
    /// As it is made singly: pass, approve, confirm, return, refuse or decline.
    decision: DecisionRequest,
}

/// What became of them, in the order in which they were asked.
#[derive(Serialize, ToSchema)]
struct ManyDecided {
    results: Vec<OneDecided>,
}

/// What became of one.
#[derive(Serialize, ToSchema)]
struct OneDecided {
    alert_id: AlertId,
    decided: bool,
    /// Where it stands now, and its version; none where nothing was decided.
    state: Option<State>,
    version: Option<i32>,
    /// Why nothing was decided, as a single decision would have been told.
    #[schema(value_type = Option<platform::http::ProblemDocument>)]
    problem: Option<Problem>,
}

/// Decide about several alerts, each for itself
///
/// Only about alerts that the caller has said they have before them (`/look`), in that version. Each decision is checked, taken and kept as if it
/// were made singly; one that is refused says why and holds up none of the others. Whoever gets no answer reads the alerts again: some may be decided.
#[utoipa::path(post, path = "/api/v1/alerts/decisions", request_body = ManyDecisions,
    responses((status = 200, description = "What became of each", body = ManyDecided)))]
async fn decide_many(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Json(many): Json<ManyDecisions>,
) -> Result<axum::Json<ManyDecided>, Problem> {
    if !(1..=MOST).contains(&many.decisions.len()) {
        let fault =
            FieldFault::new("decisions", format!("一次 1 至 {MOST} 条，请分批提交"), format!("1 to {MOST} at once: send them in parts"));
        return Err(Problem::invalid(vec![fault]));
    }
    let ids: Vec<_> = many.decisions.iter().map(|one| one.alert_id).collect();
    let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    let looked_at = looks::at(&mut connection, &ids, caller.id).await?;
    drop(connection);
    let (mut before, mut results) = (BTreeSet::new(), Vec::with_capacity(ids.len()));
    for OneOfMany { alert_id, decision } in many.decisions {
        let already = !before.insert(alert_id);
        let decided = match permit(decision.action(), decision.version(), looked_at.get(&alert_id).copied(), already) {
            Ok(()) => decisions::take_one(&service, &caller, alert_id, &decision).await,
            Err(refusal) => Err(Error::from(refusal).into()),
        };
        metrics::counter!("alert_decisions_in_bulk_total", "taken" => if decided.is_ok() { "yes" } else { "no" }).increment(1);
        results.push(match decided {
            Ok(detail) => {
                OneDecided { alert_id, decided: true, state: Some(detail.state()), version: Some(detail.version()), problem: None }
            }
            Err(problem) => OneDecided { alert_id, decided: false, state: None, version: None, problem: Some(problem) },
        });
    }
    Ok(axum::Json(ManyDecided { results }))
}
