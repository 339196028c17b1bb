//! A delivery, live: the whole of it whenever it has changed, at most once a second.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use domain::ids::AlertId;
use futures::stream::{self, Stream, StreamExt as _};
use platform::http::{PathId, Problem, StaffCaller};
use platform::tasks::chain;
use tokio::sync::Mutex;

use super::Shared;
use super::delivery::{self, Delivery};
use crate::Error;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Looks are kept for alerts that somebody watched in the last second; beyond so many the older ones are dropped.
const WATCHED: usize = 256;

/// The last look at each alert that is watched: a thousand pages that watch one alert are one look a second.
#[derive(Clone, Debug, Default)]
pub(super) struct Looks(Arc<Mutex<HashMap<AlertId, Look>>>);

/// A delivery as JSON, and when it was looked at.
type Look = (Instant, Arc<str>);

impl Looks {
    async fn at(&self, shared: &Shared, alert_id: AlertId) -> Result<Arc<str>, Error> {
        let mut looks = self.0.lock().await;
        // A little less than the pause, so that every page's next look finds news.
        if let Some((_, seen)) = looks.get(&alert_id).filter(|(at, _)| at.elapsed() < PAUSE * 9 / 10) {
            return Ok(Arc::clone(seen));
        }
        let (delivery, _) = delivery::load(shared, alert_id).await?;
        let seen: Arc<str> = serde_json::to_string(&delivery).map_err(|error| Error::damaged("delivery", alert_id, error))?.into();
        if looks.len() >= WATCHED {
            looks.retain(|_, (at, _)| at.elapsed() < PAUSE);
        }
        looks.insert(alert_id, (Instant::now(), Arc::clone(&seen)));
        Ok(seen)
    }
}

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
    let events = follow(shared, alert_id).take_until(stopping.cancelled_owned());
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("keep-alive")))
}

fn follow(shared: Shared, alert_id: AlertId) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold((shared, None::<Arc<str>>), move |(shared, mut told)| async move {
        loop {
            if told.is_some() {
                tokio::time::sleep(PAUSE).await;
            }
            match shared.looks.at(&shared, alert_id).await {
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
