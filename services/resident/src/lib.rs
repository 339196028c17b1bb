//! The resident app's server: registration, consent, inbox, acknowledgement.
//!
//! A resident registers with a phone number, proved by a one-time code, and with consent to a text that was shown
//! ([`registration`], [`consent`], CQ1). Phone number, name and device tokens are sealed at rest and looked up by keyed
//! hash; an identity number is never stored, only its keyed hash ([`directory`]).
//!
//! When dispatch releases an alert, its audience arrives here as one bitmap ([`alerts`]); the inbox is the live alerts
//! whose bitmap holds the resident ([`inbox`]). An acknowledgement counts once per person and alert, whether it came by
//! the button or by SMS ([`acknowledgement`], [`replies`], CQ11). What many ask at the same moment goes to the database
//! together ([`platform::gather`]): sessions and acknowledgements.
//!
//! How many people an audience has is answered from cells that are counted in the transaction of every change ([`headcount`]).
//!
//! Guarantees: an acknowledgement is durable before it is answered, and a repeat is told the time of the first; for nobody without
//! standing consent does the view `resident.reach` name a channel or `resident.endpoint` an
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
mod feedback;
pub mod generate;
pub mod headcount;
mod inbox;
mod profile;
mod registration;
mod replies;
mod session;
mod web_push;

use platform::compiled_once;
use std::ops::Deref;
use std::sync::Arc;

use domain::retention;
use headcount::Headcount;
use platform::Platform;
use platform::http::Routes;
use platform::jobs::Job;
use serde::{Deserialize, Serialize};

use acknowledgement::Acknowledgements;
pub use error::Error;
use inbox::LiveAlerts;
pub use session::SessionAuthenticator;
pub use web_push::WebPushOffer;

/// The service's part of the database.
pub const SCHEMA: &str = "resident";

/// Its tables and views.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// What it does on schedule.
pub const JOBS: &[Job] = &[acknowledgement::KEEP_ACKNOWLEDGEMENTS, headcount::FOLD];

/// What the operator sets.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long a one-time code is good for.
    ///
    /// An SMS takes seconds, a busy network a minute or two.
    pub code_valid_s: u32,
    /// How long until a person may ask for another code.
    ///
    /// So that impatience costs no second SMS.
    pub code_again_s: u32,
    /// How many codes one phone number may ask for in a day.
    ///
    /// Bounds what a prank can cost, and how far a number can be pestered.
    ///
    /// Unit: codes
    pub codes_per_day: u32,
    /// Signature 签名 in front of one-time codes, shown as 【…】.
    ///
    /// SMS centres pass on only what bears the signature agreed with them.
    pub signature: String,
    /// How many devices one resident may have; the oldest leaves.
    ///
    /// Bounds what one alert costs for one person.
    ///
    /// Unit: devices
    pub devices: u32,
    /// For how many months before the present one acknowledgements are kept, by when their alert was made; older ones are dropped. At
    /// least 3.
    ///
    /// An alert is written in one month and may hold until the third after it; beyond that the table of retention says why.
    pub keep_acknowledgements_months: u32,
    /// What browsers are offered, if Web Push is set; no setting of its own: whoever puts the services together takes it from those of push.
    #[serde(skip)]
    pub web_push: Option<WebPushOffer>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            code_valid_s: retention::CODES.keeping.length(),
            code_again_s: 60,
            codes_per_day: 10,
            signature: "烽火".to_owned(),
            devices: 5,
            keep_acknowledgements_months: retention::ACKNOWLEDGEMENTS.keeping.length(),
            web_push: None,
        }
    }
}

/// What every handler stands on. Clones share it: one is made for every request.
#[derive(Clone)]
struct Service(Arc<Parts>);

struct Parts {
    platform: Platform,
    settings: Settings,
    inboxes: LiveAlerts,
    acknowledgements: Acknowledgements,
    headcount: Headcount,
}

impl Deref for Service {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Subscribes to what concerns residents, keeps the headcount up to date and returns the routes.
///
/// # Errors
/// When the bus refuses a subscription, or acknowledgements should be kept for less time than an alert may take.
#[compiled_once]
pub async fn start(platform: &Platform, settings: Settings) -> Result<Routes, Error> {
    let months = settings.keep_acknowledgements_months;
    if months < retention::FEWEST_MONTHS {
        let reason = "must be at least 3: an alert is written in one month and may hold until the third after it".to_owned();
        return Err(platform::Error::Setting { name: "resident.keep_acknowledgements_months", reason }.into());
    }
    let inboxes = LiveAlerts::new(platform.database.clone());
    let acknowledgements = Acknowledgements::start(platform, &inboxes, months)?;
    let headcount = Headcount::new(platform.database.clone());
    let service = Service(Arc::new(Parts { platform: platform.clone(), settings, inboxes, acknowledgements, headcount }));
    platform.bus.start_relay(SCHEMA);
    service.headcount.keep(&platform.tasks, &platform.clock);
    headcount::keep_folded(platform)?;
    alerts::subscribe(&service)?;
    replies::subscribe(&service)?;
    devices::subscribe(&service)?;
    Ok(registration::routes()
        .merge(consent::routes())
        .merge(profile::routes())
        .merge(session::routes())
        .merge(devices::routes())
        .merge(web_push::routes())
        .merge(inbox::routes())
        .merge(acknowledgement::routes())
        .merge(audience::routes())
        .merge(contact::routes())
        .merge(feedback::routes())
        .with_state(service))
}
