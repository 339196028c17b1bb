//! The trace of what staff do, and of every opening of personal data (CQ13, CQ15).
//!
//! Services publish an `AuditEntry` in the transaction of the act; this one consumes them and appends each to a **chain**
//! ([`chain`]): the hash of an entry covers the hash of the entry before it, so nothing in the middle can be altered,
//! left out or moved without every later hash being wrong. [`trace`] writes and reads the table, [`routes`] shows it to
//! auditors and exports the proof, which anybody can check offline with [`verify`] and nothing of ours but this crate.
//!
//! Alarms about deadlines are appended as well ([`alarms`]): inspections look at timeliness (CQ15).
//!
//! What is guaranteed: an entry is appended exactly once however often it arrives; there is one writer at a time, also over
//! several processes; the database refuses to change or delete an entry. What a chain alone cannot show is that its
//! newest end is missing: therefore a proof ends with its head, and auditors keep the heads they have seen.

mod alarms;
pub mod chain;
mod error;
mod routes;
mod schema;
pub mod trace;

use platform::Platform;
use platform::compiled_once;
use platform::http::Routes;
use proto::topology::AUDIT_ENTRIES;
use serde::{Deserialize, Serialize};

pub use chain::{Broken, Head, verify};
pub use error::Error;
pub use schema::{MIGRATOR, SCHEMA};

/// The section `audit` of the configuration: there is nothing to set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {}

/// Starts to consume and returns the routes.
#[compiled_once]
pub async fn start(platform: &Platform, _settings: Settings) -> Result<Routes, Error> {
    let database = platform.database.clone();
    let consume = move |entry| {
        let database = database.clone();
        async move {
            trace::append(&database, entry).await?;
            Ok(())
        }
    };
    // More at once would only wait for each other at the head.
    platform.bus.subscribe(&AUDIT_ENTRIES, 1, consume)?;
    alarms::subscribe(platform)?;
    platform.bus.start_relay(SCHEMA);
    Ok(routes::routes(platform))
}
