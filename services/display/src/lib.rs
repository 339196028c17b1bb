//! Public screens at airports, stations and malls (CQ9 c).
//!
//! A screen is registered by staff and gets a key. When an alert is released that is meant for screens, every screen whose
//! place touches the places of the alert shows it, urgent ones first, until it expires, is cancelled or is corrected. A
//! screen fetches its list or follows it live, gives signs of life, and proves what it played.
//!
//! What is guaranteed:
//! * An alert that has ended leaves every list with the event that ended it, or at its expiry, whichever is first, and never
//!   comes back, in whatever order the events arrive. Where two people have said that it was false or is over, the screens that showed it say so
//!   for a while. One that is being checked is shown with a line that says so.
//! * A screen that lost its connection gets the current list when it returns, not a history.
//! * An exercise is shown on the screens of the drill only.
//! * Handed over means that the screen fetched the alert; shown means that it proved it. Both are kept per screen.
//!
//! How the parts meet: [`alerts`] keeps what is released and ended; [`feed`] holds the current state for all that listen;
//! [`playlist`] decides, without I/O, what one screen shows; [`player`] is the screens' face, [`staff`] the staff's;
//! [`screens`] is the registry, [`plays`] the record.

mod alerts;
mod display;
mod error;
mod feed;
mod player;
pub mod playlist;
mod plays;
mod schema;
mod screens;
mod settings;
mod staff;
mod trace;

use platform::compiled_once;
use std::{sync::Arc, time::Duration};

use platform::{
    Platform,
    bus::understood,
    http::{Authenticator, Routes},
    jobs::Job,
    worker::Wake,
};
use proto::{
    AlertClosed, AlertHeld, AlertReleased, AlertStopped,
    topology::{DISPLAY_CLOSED, DISPLAY_HELD, DISPLAY_RELEASED, DISPLAY_STOPPED},
};

pub use error::Error;
pub use schema::{MIGRATOR, SCHEMA};
pub use settings::Settings;

use alerts::Alerts;
use display::Display;
use feed::Feed;

/// What it does on schedule.
pub const JOBS: &[Job] = &[alerts::TAKE_OVER, plays::FORGET];

/// Knows the keys of screens (`fhd_…`).
pub fn authenticator(platform: &Platform) -> impl Authenticator {
    screens::ScreenKeys { platform: platform.clone() }
}

/// Starts the service: follows the alerts, returns its routes.
#[compiled_once]
pub async fn start(platform: &Platform, settings: Settings) -> Result<Routes, Error> {
    let alerts = Alerts { platform: platform.clone(), changed: Wake::new() };
    let feed = Feed::start(alerts.clone(), Duration::from_millis(settings.refresh_ms.into())).await?;

    let released = alerts.clone();
    platform.bus.subscribe(&DISPLAY_RELEASED, 4, move |event: AlertReleased| {
        let alerts = released.clone();
        async move { Ok(alerts.released(understood("alert id", event.alert_id.parse())?).await?) }
    })?;
    let stopped = alerts.clone();
    platform.bus.subscribe(&DISPLAY_STOPPED, 4, move |event: AlertStopped| {
        let alerts = stopped.clone();
        async move { Ok(alerts.ended(understood("alert id", event.alert_id.parse())?).await?) }
    })?;
    let held = alerts.clone();
    platform.bus.subscribe(&DISPLAY_HELD, 4, move |event: AlertHeld| {
        let alerts = held.clone();
        async move { Ok(alerts.checked(understood("alert id", event.alert_id.parse())?).await?) }
    })?;
    let swept = alerts.clone();
    platform.jobs.register(&alerts::TAKE_OVER, move || {
        let alerts = swept.clone();
        async move { alerts.sweep().await }
    })?;
    platform.bus.subscribe(&DISPLAY_CLOSED, 4, move |event: AlertClosed| {
        let alerts = alerts.clone();
        async move { Ok(alerts.ended(understood("alert id", event.alert_id.parse())?).await?) }
    })?;
    plays::forget_old(platform, &settings)?;
    platform.bus.start_relay(SCHEMA);

    let display = Display { platform: platform.clone(), settings: Arc::new(settings), feed };
    Ok(player::routes().merge(staff::routes()).with_state(display))
}
