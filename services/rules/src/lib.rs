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
//! - whom a rule has told is not gathered by it again within its cooldown (CQ4), across districts and processes;
//! - a version is never changed once saved, and only saved without a fault; a draft is made by one version;
//! - a record about somebody who is not registered waits in ingest: it matches when they register.

mod authoring;
mod closing;
mod district_facts;
mod drafting;
mod error;
mod gathering;
mod library;
mod matched_records;
mod matching;
mod open_drafts;
mod record;
mod rulebook;
mod trial;

use platform::compiled_once;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use domain::staff::Role;
use platform::Platform;
use platform::http::{Access, Routes};
use serde::{Deserialize, Serialize};

pub use district_facts::set_district_facts;
pub use error::Error;
pub use library::install_shipped;

/// The service's part of the database.
pub const SCHEMA: &str = "rules";

/// Its tables.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// Who decides about rules (CQ5).
const AUTHORS: Access = Access::Staff(&[Role::CityCommandOfficer]);
/// Who sees them: everybody who sees the alerts they make.
const READERS: Access = Access::Staff(&[
    Role::CityCommandOfficer,
    Role::DistrictReviewer,
    Role::SubmittingUnit,
    Role::IndustrySupervisor,
    Role::CommunityWorker,
    Role::TechnicalOperator,
    Role::Auditor,
]);

/// What the operator sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Time between two looks for drafts whose window has ended.
    ///
    /// So much later than its window a draft goes to its district at most.
    pub close_interval_ms: u32,
    /// Records of a delivery that are read and evaluated at a time.
    ///
    /// Bounds the memory that a delivery of millions takes.
    ///
    /// Unit: records
    pub chunk: u32,
    /// Deliveries that are evaluated at the same time in one process.
    ///
    /// Evaluating is work for the processor; the services beside it need some too.
    ///
    /// Unit: deliveries
    pub loads_at_once: u16,
    /// The city's time zone, by its IANA name.
    ///
    /// Texts name the day of a record, and a day begins when the city's does.
    pub time_zone: Tz,
}

impl Default for Settings {
    fn default() -> Self {
        Self { close_interval_ms: 2_000, chunk: 20_000, loads_at_once: 2, time_zone: Tz::Asia__Shanghai }
    }
}

impl Settings {
    fn checked(self) -> Result<Self, Error> {
        for (name, value) in [("rules.close_interval_ms", self.close_interval_ms), ("rules.chunk", self.chunk)] {
            if value == 0 {
                return Err(Error::Setting { name, reason: "must be at least 1" });
            }
        }
        Ok(self)
    }

    fn close_interval(&self) -> Duration {
        Duration::from_millis(self.close_interval_ms.into())
    }
}

/// What every handler stands on.
#[derive(Clone)]
struct Service {
    platform: Platform,
    settings: Arc<Settings>,
    rulebook: Arc<rulebook::Shelf>,
}

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
    closing::start(&service);
    Ok(authoring::routes()
        .merge(trial::routes())
        .merge(district_facts::routes())
        .merge(open_drafts::routes())
        .merge(matched_records::routes())
        .with_state(service))
}
