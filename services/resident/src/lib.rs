//! The resident app's server: registration, consent, inbox, acknowledgement.
//!
//! A resident registers with a phone number, proved by a one-time code, and with consent to a text that was shown
//! ([`registration`], [`consent`], CQ1). Phone number, name and device tokens are sealed at rest and looked up by keyed
//! hash; an identity number is never stored, only its keyed hash ([`directory`]).
//!
//! When dispatch releases an alert, its audience arrives here as one bitmap ([`alerts`]); the inbox is the live alerts
//! whose bitmap holds the resident ([`inbox`]). An acknowledgement counts once per person and alert, whether it came by
//! the button or by SMS ([`acknowledgement`], [`replies`], CQ11).
//!
//! Guarantees: for nobody without standing consent does the view `resident.reach` name a channel or `resident.endpoint` an
//! address, and by these two everything is planned and sent; opening a person's phone number leaves a trace ([`contact`],
//! CQ14).

mod acknowledgement;
mod alerts;
mod audience;
mod consent;
mod contact;
mod devices;
mod directory;
mod error;
pub mod generate;
mod inbox;
mod profile;
mod registration;
mod replies;
mod session;

use std::sync::Arc;

use platform::Platform;
use platform::http::Routes;
use serde::{Deserialize, Serialize};

pub use error::Error;
pub use session::SessionAuthenticator;

/// The service's part of the database.
pub const SCHEMA: &str = "resident";

/// Its tables and views.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// What the operator sets.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long a one-time code is good for, in seconds.
    pub code_valid_s: u32,
    /// How long until a person may ask for another code, in seconds.
    pub code_again_s: u32,
    /// How many codes one phone number may ask for in a day.
    pub codes_per_day: u32,
    /// Signature in front of one-time codes, as the SMS centre wants it.
    pub signature: String,
    /// How many devices one resident may have; the oldest leaves.
    pub devices: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { code_valid_s: 300, code_again_s: 60, codes_per_day: 10, signature: "烽火".to_owned(), devices: 5 }
    }
}

/// What every handler stands on.
#[derive(Clone)]
struct Service {
    platform: Platform,
    settings: Arc<Settings>,
    inboxes: inbox::LiveAlerts,
}

/// Subscribes to what concerns residents and returns the routes.
///
/// # Errors
/// When the bus refuses a subscription.
pub async fn start(platform: &Platform, settings: Settings) -> Result<Routes, Error> {
    let service =
        Service { platform: platform.clone(), settings: Arc::new(settings), inboxes: inbox::LiveAlerts::new(platform.database.clone()) };
    platform.bus.start_relay(SCHEMA);
    alerts::subscribe(&service)?;
    replies::subscribe(&service)?;
    devices::subscribe(&service)?;
    Ok(registration::routes()
        .merge(consent::routes())
        .merge(profile::routes())
        .merge(devices::routes())
        .merge(inbox::routes())
        .merge(acknowledgement::routes())
        .merge(audience::routes())
        .merge(contact::routes())
        .with_state(service))
}
