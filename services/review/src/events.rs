//! The live line of the console: which alerts changed, as it happens.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State as Shared;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use chrono::SecondsFormat;
use futures::stream::{self, Stream, StreamExt as _};
use platform::clock::Clock;
use platform::http::{Access, Limits, Routes, StaffCaller, routes};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::Service;
use crate::feed::Change;
use crate::reading::{READING, view};

/// A comment that often keeps the connection open, and lets the platform notice that a page has gone.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("review").allow_within(Limits::stream(), Access::ANY_STAFF, routes!(events))
}

/// What changes, live
///
/// Server-sent events: `clock` with the platform's time, first and after every jump of the clock; `alert` with a list of
/// `{alert_id, version, state, urgent, retraction}` of alerts in the caller's area that changed. An empty list says that some were missed: look at everything.
#[utoipa::path(get, path = "/api/v1/events",
    responses((status = 200, description = "Events", body = Vec<Change>, content_type = "text/event-stream")))]
async fn events(Shared(service): Shared<Service>, caller: StaffCaller) -> impl IntoResponse {
    let line = Line { changes: service.feed.listen(), clock: service.platform.clock.clone(), caller, told_time: false };
    let stopping = service.platform.tasks.token().clone();
    Sse::new(line.follow().take_until(stopping.cancelled_owned())).keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("keep-alive"))
}

/// One page that listens.
struct Line {
    changes: Receiver<Arc<[Change]>>,
    clock: Clock,
    caller: StaffCaller,
    told_time: bool,
}

impl Line {
    fn follow(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut line| async move {
            if !line.told_time {
                line.told_time = true;
                let now = line.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true);
                return Some((Ok(Event::default().event("clock").data(now)), line));
            }
            loop {
                let clock = line.clock.clone();
                let heard = tokio::select! {
                    heard = line.changes.recv() => heard,
                    () = clock.next_move() => {
                        line.told_time = false;
                        Ok(Arc::from([]))
                    }
                };
                let missed = matches!(heard, Err(RecvError::Lagged(_)));
                let own: Vec<Change> = match heard {
                    Ok(changes) => changes.iter().filter(|change| concerns(&line.caller, change)).cloned().collect(),
                    Err(RecvError::Lagged(_)) => Vec::new(),
                    // The reader has stopped, so the process is stopping.
                    Err(RecvError::Closed) => return None,
                };
                if own.is_empty() && !missed && line.told_time {
                    continue;
                }
                let event = Event::default().event("alert").json_data(&own).ok()?;
                return Some((Ok(event), line));
            }
        })
    }
}

/// Whether the caller may see the alert, as in a queue.
fn concerns(caller: &StaffCaller, change: &Change) -> bool {
    READING.contains(&caller.role) && view(caller).shows(change.district, change.approved)
}
