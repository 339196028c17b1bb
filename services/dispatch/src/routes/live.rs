//! A delivery, live: the whole of it whenever it has changed, at most once a second.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use domain::ids::AlertId;
use domain::staff::Scope;
use futures::stream::{self, Stream, StreamExt as _};
use platform::http::{PathId, Problem, StaffCaller};
use platform::tasks::chain;

use super::delivery::{self, Delivery};
use super::shared::Shared;
use crate::Error;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A delivery, live
///
/// Server-sent events named `delivery`, each with what `GET …/delivery` answers, whenever that has changed and at most once a second.
#[utoipa::path(get, path = "/api/v1/alerts/{id}/delivery/events", params(("id" = AlertId, Path, description = "The alert")),
    responses((status = 200, description = "Events", body = Delivery, content_type = "text/event-stream"),
        (status = 404, description = "Not approved yet, or unknown")))]
pub(super) async fn live(
    State(shared): State<Shared>,
    caller: StaffCaller,
    platform::http::Path(alert_id): PathId<AlertId>,
) -> Result<impl IntoResponse, Problem> {
    caller.must_cover_alert_of(delivery::district_of(&shared, alert_id).await?)?;
    let stopping = shared.stopping.clone();
    let events = follow(shared, alert_id, caller.scope).take_until(stopping.cancelled_owned());
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("keep-alive")))
}

fn follow(shared: Shared, alert_id: AlertId, scope: Scope) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold((shared, None::<Arc<str>>), move |(shared, mut told)| async move {
        loop {
            if told.is_some() {
                tokio::time::sleep(PAUSE).await;
            }
            match shared.looks.of((alert_id, scope), look(&shared, alert_id, scope)).await {
                Ok(seen) if told.as_ref() == Some(&seen) => {}
                Ok(seen) => {
                    told = Some(Arc::clone(&seen));
                    return Some((Ok(Event::default().event("delivery").data(&*seen)), (shared, told)));
                }
                // The page connects again, and is told what is wrong if it still is.
                Err(error) => {
                    tracing::warn!(error = chain(&error), %alert_id, "a live delivery ends");
                    return None;
                }
            }
        }
    })
}

/// The delivery as it is now for staff of this scope, as JSON.
async fn look(shared: &Shared, alert_id: AlertId, scope: Scope) -> Result<Arc<str>, Error> {
    let (delivery, _) = delivery::load(shared, alert_id).await?;
    let delivery = delivery.seen_from(&scope);
    Ok(serde_json::to_string(&delivery).map_err(|error| Error::damaged("delivery", alert_id, error))?.into())
}
