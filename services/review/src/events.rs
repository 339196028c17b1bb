//! The live line of the console: which alerts changed, and who is at work on them, as it happens.

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
use crate::feed::{Change, News, WorkChange};
use crate::reading::{READING, view};

/// A comment that often keeps the connection open, and lets the platform notice that a page has gone.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("review").allow_within(Limits::stream(), Access::ANY_STAFF, routes!(events))
}

/// What changes, live
///
/// Server-sent events: `clock` with the platform's time, first and after every jump of the clock; `alert` with a list of
/// `{alert_id, version, state, urgent, retraction}` of alerts in the caller's area that changed; `work` with a list of `{alert_id, what, at}` of drafts that
/// the caller sees, where a `claim`, the `comments` or the `presence` of colleagues is to be read again. An empty list says that some were missed: look at
/// everything.
#[utoipa::path(get, path = "/api/v1/events",
    responses((status = 200, description = "Events", body = Vec<Change>, content_type = "text/event-stream")))]
async fn events(Shared(service): Shared<Service>, caller: StaffCaller) -> impl IntoResponse {
    let (news, clock) = (service.feed.listen(), service.platform.clock.clone());
    let line = Line { news, clock, caller, told_time: false, of_work: None };
    let stopping = service.platform.tasks.token().clone();
    Sse::new(line.follow().take_until(stopping.cancelled_owned())).keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("keep-alive"))
}

/// One page that listens.
struct Line {
    news: Receiver<Arc<News>>,
    clock: Clock,
    caller: StaffCaller,
    told_time: bool,
    /// What is told next.
    of_work: Option<Event>,
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
                if let Some(event) = line.of_work.take() {
                    return Some((Ok(event), line));
                }
                let clock = line.clock.clone();
                let heard = tokio::select! {
                    heard = line.news.recv() => heard,
                    () = clock.next_move() => {
                        line.told_time = false;
                        Ok(Arc::default())
                    }
                };
                let missed = matches!(heard, Err(RecvError::Lagged(_)));
                let news = match heard {
                    Ok(news) => news,
                    Err(RecvError::Lagged(_)) => Arc::default(),
                    // The reader has stopped, so the process is stopping.
                    Err(RecvError::Closed) => return None,
                };
                let alerts: Vec<Change> = news.alerts.iter().filter(|change| concerns(&line.caller, change)).cloned().collect();
                let work: Vec<WorkChange> = news.work.iter().filter(|change| is_theirs(&line.caller, change)).cloned().collect();
                if !work.is_empty() {
                    line.of_work = Some(Event::default().event("work").json_data(&work).ok()?);
                }
                if !alerts.is_empty() || missed || !line.told_time {
                    let event = Event::default().event("alert").json_data(&alerts).ok()?;
                    return Some((Ok(event), line));
                }
            }
        })
    }
}

/// Whether the caller may see the alert, as in a queue.
fn concerns(caller: &StaffCaller, change: &Change) -> bool {
    READING.contains(&caller.role) && view(caller).shows(change.district, change.approved)
}

/// Whether the caller sees the alert as those who make it do.
fn is_theirs(caller: &StaffCaller, change: &WorkChange) -> bool {
    READING.contains(&caller.role) && view(caller).shows(change.district, false)
}
