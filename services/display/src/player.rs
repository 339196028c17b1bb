//! What a screen calls: its list, the list live, signs of life, proof of play.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::{
        IntoResponse,
        sse::{Event, KeepAlive, Sse},
    },
};
use chrono::{DateTime, Utc};
use domain::ids::ScreenId;
use futures::{Stream, StreamExt, stream};
use platform::http::{Access, FieldFault, Json, Limits, Problem, Routes, ScreenCaller, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Display,
    feed::Feed,
    playlist::{Playlist, Profile},
    plays::{self, Play, PlaysTaken},
    screens,
};

/// Plays that may come in one report.
const PLAYS_LIMIT: usize = 1000;

pub(crate) fn routes() -> Routes<Display> {
    Routes::new("screens")
        .allow(Access::Screen, routes!(playlist))
        .allow_within(Limits::stream(), Access::Screen, routes!(events))
        .allow(Access::Screen, routes!(heartbeat))
        .allow(Access::Screen, routes!(report_plays))
}

/// What to show now
///
/// Urgent alerts first. Fetching the list is the hand-over of the alerts in it.
#[utoipa::path(get, path = "/api/v1/screen/playlist", responses((status = 200, description = "The list", body = Playlist)))]
async fn playlist(State(display): State<Display>, screen: ScreenCaller) -> Result<Json<Playlist>, Problem> {
    let profile = screens::profile_of(&display.platform, screen.id).await?;
    let playlist = display.feed.clone().playlist(&profile);
    plays::handed_over(&display.platform, screen.id, &playlist).await?;
    Ok(Json(playlist))
}

/// The list, and every change of it
///
/// Server-sent events named `playlist`, each with the whole list as data and its revision as id. A screen that comes back
/// with `Last-Event-ID` is told at once if the list is another by now. Comments keep the connection alive.
#[utoipa::path(get, path = "/api/v1/screen/events",
    params(("Last-Event-ID" = Option<i64>, Header, description = "Revision of the last list received")),
    responses((status = 200, description = "Events", body = String, content_type = "text/event-stream")))]
async fn events(
    State(display): State<Display>,
    screen: ScreenCaller,
    headers: axum::http::HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let profile = screens::profile_of(&display.platform, screen.id).await?;
    // An id that is none of ours is as good as none: the list is sent.
    let known = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(display.settings.keep_alive_s.into())).text("keep-alive");
    let stopping = display.platform.tasks.token().clone();
    let follower = Follower { feed: display.feed.clone(), display, screen: screen.id, profile, known };
    Ok(Sse::new(follower.follow().take_until(stopping.cancelled_owned())).keep_alive(keep_alive))
}

/// One screen that listens.
struct Follower {
    display: Display,
    feed: Feed,
    screen: ScreenId,
    profile: Profile,
    /// Revision of the list that the screen has.
    known: Option<i64>,
}

impl Follower {
    /// One event for every list that differs from the one before.
    fn follow(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut follower| async move {
            loop {
                let playlist = follower.feed.playlist(&follower.profile);
                if follower.known == Some(playlist.revision) {
                    follower.feed.changed().await;
                    continue;
                }
                match plays::handed_over(&follower.display.platform, follower.screen, &playlist).await {
                    Ok(true) => {}
                    // Retired meanwhile: the stream ends, and the key opens no other.
                    Ok(false) => return None,
                    // Without a record there is no hand-over; the screen reconnects and asks again.
                    Err(error) => {
                        tracing::warn!(error = platform::tasks::chain(&error), "an event stream ends");
                        return None;
                    }
                }
                follower.known = Some(playlist.revision);
                let event = Event::default().event("playlist").id(playlist.revision.to_string());
                return event.json_data(&playlist).ok().map(|event| (Ok(event), follower));
            }
        })
    }
}

/// A sign of life.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Heartbeat {
    /// Revision of the list that the screen is showing.
    revision: i64,
}

/// What the screen should know.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
struct HeartbeatAnswer {
    /// Our time, for the proof of play.
    now: DateTime<Utc>,
    /// Revision of its list; if it shows another, it should fetch.
    revision: i64,
}

/// Give a sign of life
#[utoipa::path(post, path = "/api/v1/screen/heartbeat", request_body = Heartbeat,
    responses((status = 200, description = "Noted", body = HeartbeatAnswer)))]
async fn heartbeat(
    State(display): State<Display>,
    screen: ScreenCaller,
    Json(beat): Json<Heartbeat>,
) -> Result<Json<HeartbeatAnswer>, Problem> {
    screens::heartbeat(&display.platform, screen.id, beat.revision).await?;
    let profile = screens::profile_of(&display.platform, screen.id).await?;
    let revision = display.feed.clone().playlist(&profile).revision;
    Ok(Json(HeartbeatAnswer { now: display.platform.clock.now(), revision }))
}

/// Proof of play.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Plays {
    /// Up to 1,000.
    #[schema(max_items = 1000)]
    plays: Vec<Play>,
}

/// Report what was shown
///
/// May be sent again: a play is counted once.
#[utoipa::path(post, path = "/api/v1/screen/plays", request_body = Plays,
    responses((status = 200, description = "Noted", body = PlaysTaken)))]
async fn report_plays(
    State(display): State<Display>,
    screen: ScreenCaller,
    Json(Plays { plays }): Json<Plays>,
) -> Result<Json<PlaysTaken>, Problem> {
    if plays.len() > PLAYS_LIMIT {
        return Err(Problem::invalid(vec![FieldFault::new("plays", "一次最多上报 1000 条", "takes at most 1000 at once")]));
    }
    Ok(Json(plays::record(&display.platform, screen.id, &plays, display.settings.plays_per_day).await?))
}
