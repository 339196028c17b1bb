//! Turns risk records into draft alerts by versioned rules (CQ7).
//!
//! ```text
//! records.stored ─▶ gathering ─▶ open draft of (rule, version, district) ─▶ closing ─▶ draft.gathered
//!                     │  ▲                                          when its window ends    │
//!                     │  └ rulebook: the active versions, compiled                          │
//!                     └ matching: which rule meets which record          drafting: its texts and audience
//! ```
//!
//! Staff write versions and activate them ([`install_shipped`] does it for the rules of the platform), try them on records, and
//! fill in what their district has to offer ([`set_district_facts`]).
//!
//! Guarantees:
//! - a load is evaluated once, however often its event comes and however many processes read it; one rule meets one record once;
//! - what matches within a window is one draft per rule and district, published once, in the transaction that closes it;
//! - whom a rule has told is not gathered by it again within its cooldown (CQ4), across districts and processes; what review refuses or
//!   cancels has told nobody ([`settled`]);
//! - a record that its source corrects or takes back leaves open drafts; whom it brought into an alert is told to review ([`ended`]);
//! - a record that lifts what stands against a person is told at once, by whichever version of a rule it stands ([`lifting`]);
//! - a version is never changed once saved, and only saved without a fault; a draft is made by one version;
//! - a record about somebody who is not registered waits in ingest: it matches when they register.

mod access;
mod authoring;
mod closing;
mod cooled;
mod district_facts;
mod drafting;
mod ended;
mod error;
mod foresight;
mod gathering;
mod library;
mod lifting;
mod matched_records;
mod matching;
mod nearest;
mod open_drafts;
mod record;
mod rulebook;
mod schema;
mod service;
mod settings;
mod settled;
mod trial;

use platform::compiled_once;
use std::sync::Arc;

use platform::Platform;
use platform::http::Routes;
use platform::jobs::Job;

pub use district_facts::set_district_facts;
pub use error::Error;
pub use foresight::{Foreseen, Foresight, NearMisses, RuleMatches, RulesInForce};
pub use library::install_shipped;
pub use matching::NobodyToTell;
pub use nearest::{NearMiss, RuleName, Verdict};
pub use schema::{MIGRATOR, SCHEMA};
pub use settings::Settings;

use access::{AUTHORS, READERS};
use service::Service;

/// What it does on schedule.
pub const JOBS: &[Job] = &[lifting::FORGET];

/// Subscribes to stored records, starts closing drafts, and returns the routes.
///
/// # Errors
/// When a setting makes no sense or the bus refuses the subscription.
#[compiled_once]
pub async fn start(platform: &Platform, settings: Settings) -> Result<Routes, Error> {
    let service = Service {
        platform: platform.clone(),
        settings: Arc::new(settings.checked()?),
        rulebook: Arc::new(rulebook::Shelf::new(platform.database.clone())),
    };
    platform.bus.start_relay(SCHEMA);
    gathering::subscribe(&service)?;
    settled::subscribe(&service)?;
    ended::subscribe(&service)?;
    closing::start(&service);
    settled::start(&service);
    lifting::forget_old(platform)?;
    Ok(authoring::routes()
        .merge(trial::routes())
        .merge(district_facts::routes())
        .merge(open_drafts::routes())
        .merge(matched_records::routes())
        .with_state(service))
}
