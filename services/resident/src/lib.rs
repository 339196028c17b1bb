//! The resident app's server: registration, consent, inbox, acknowledgement.
//!
//! A resident registers with a phone number, proved by a one-time code ([`codes`]), and with consent to a text that was shown
//! ([`registration`], [`consent`], CQ1). Phone number, name and device tokens are sealed at rest and looked up by keyed
//! hash; an identity number is never stored, only its keyed hash ([`directory`]), and counts when it is proved ([`identity`]).
//! A number that changes hands takes nobody with it ([`former`]); a person who changes their number stays who they are ([`number`]).
//!
//! When dispatch releases an alert, its audience arrives here as one bitmap ([`alerts`]); the inbox is the live alerts
//! whose bitmap holds the resident ([`inbox`]). An acknowledgement counts once per person and alert, whether it came by
//! the button or by SMS ([`acknowledgement`], [`replies`], CQ11). What many ask at the same moment goes to the database
//! together ([`platform::gather`]): sessions and acknowledgements.
//!
//! What stands against a person because of an alert, and what lifts it, is kept, shown and answered in [`standing`].
//!
//! How many people an audience has is answered from cells that are counted in the transaction of every change ([`headcount`]).
//!
//! Guarantees: an acknowledgement is durable before it is answered, and a repeat is told the time of the first; for nobody without
//! standing consent does the view `resident.reach` name a channel or `resident.endpoint` an
//! address, and by these two everything is planned and sent; opening a person's phone number leaves a trace ([`contact`],
//! CQ14).

mod acknowledgement;
mod acknowledging;
mod alerts;
mod arrivals;
mod audience;
mod codes;
mod consent;
mod contact;
mod devices;
mod directory;
mod error;
mod feedback;
mod former;
pub mod generate;
mod gone_devices;
pub mod headcount;
mod heard;
mod identity;
mod inbox;
mod notices;
mod number;
mod over;
mod profile;
mod registration;
mod replies;
mod schema;
mod service;
mod session;
mod settings;
mod short_message;
mod sign_ins;
mod standing;
mod web_push;

use platform::compiled_once;
use std::sync::Arc;

use domain::retention;
use headcount::Headcount;
use platform::Platform;
use platform::http::Routes;
use platform::jobs::Job;

pub use error::Error;
pub use schema::{MIGRATOR, SCHEMA};
pub use session::SessionAuthenticator;
pub use settings::{Settings, WebPushOffer};

use acknowledgement::Acknowledgements;
use inbox::live_alerts::LiveAlerts;
use service::{Parts, Service};

/// What it does on schedule.
pub const JOBS: &[Job] = &[
    acknowledgement::KEEP_ACKNOWLEDGEMENTS,
    alerts::TAKE_OVER,
    arrivals::FORGET,
    gone_devices::DELETE_GONE,
    headcount::FOLD,
    over::FORGET,
    replies::FORGET,
    replies::second_look::LOOK_AGAIN,
    standing::again::FORGET,
    standing::again::LOOK_AGAIN,
];

/// Subscribes to what concerns residents, keeps the headcount up to date and returns the routes.
///
/// # Errors
/// When the bus refuses a subscription, acknowledgements should be kept for less time than an alert may take, or silence counts too soon.
#[compiled_once]
pub async fn start(platform: &Platform, settings: Settings) -> Result<Routes, Error> {
    let months = settings.keep_acknowledgements_months;
    if months < retention::FEWEST_MONTHS {
        let reason = retention::TOO_FEW_MONTHS.to_owned();
        return Err(platform::Error::Setting { name: "resident.keep_acknowledgements_months", reason }.into());
    }
    settings.check()?;
    let inboxes = LiveAlerts::new(platform);
    let acknowledgements = Acknowledgements::start(platform, &inboxes, months)?;
    let headcount = Headcount::new(platform.database.clone());
    let questions = headcount::AudienceQuestions::new(platform, SCHEMA, settings.audience_questions_per_day);
    let service = Service(Arc::new(Parts { platform: platform.clone(), settings, inboxes, acknowledgements, headcount, questions }));
    platform.bus.start_relay(SCHEMA);
    service.headcount.keep(&platform.tasks, &platform.clock);
    headcount::keep_folded(platform)?;
    arrivals::forget_old(platform)?;
    over::forget_old(&service)?;
    alerts::subscribe(&service)?;
    replies::subscribe(&service)?;
    gone_devices::start(&service)?;
    identity::paired::subscribe(&service)?;
    standing::subscribe(&service)?;
    standing::again::start(&service)?;
    Ok(registration::routes()
        .merge(consent::routes())
        .merge(profile::routes())
        .merge(session::routes())
        .merge(sign_ins::routes())
        .merge(identity::routes())
        .merge(number::routes())
        .merge(notices::routes())
        .merge(devices::routes())
        .merge(web_push::routes())
        .merge(inbox::routes())
        .merge(acknowledging::routes())
        .merge(audience::routes())
        .merge(contact::routes())
        .merge(feedback::saying::routes())
        .merge(feedback::answering::routes())
        .merge(standing::routes())
        .with_state(service))
}
