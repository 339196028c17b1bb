//! The trace of what staff do, and of every opening of personal data (CQ13, CQ15): a log that nobody can rewrite unseen.
//!
//! Services publish an `AuditEntry` in the transaction of the act; this one consumes them and appends each to a **chain**
//! ([`chain`]), the hash of an entry covers the hash of the entry before it, and to a **Merkle tree** ([`tree`], RFC 6962). [`trace`] writes and
//! reads the table, [`routes`] shows it to auditors and exports it.
//!
//! Hashes alone can all be computed anew by whoever may write to the database. Therefore the head of the tree is signed every minute in which
//! something came ([`signing`]), with a key that stands sealed in the database, and is written where others keep it ([`publishing`]). Whoever
//! has kept heads and the public key finds with [`check`] what was edited, deleted, moved, cut off or forked, offline and with nothing of ours but
//! this crate; [`proofs`] of single entries, and of growing, need not the whole trace.
//!
//! What never came is found as well: publishers number their entries, and tell how many there were ([`losses`]).
//!
//! Alarms about deadlines are appended as well ([`alarms`]): inspections look at timeliness (CQ15).
//!
//! What is guaranteed: an entry is appended exactly once however often it arrives; there is one writer at a time, also over
//! several processes; appending takes as long in a trace of millions as in an empty one; the database refuses to change or delete an entry; and
//! what is done past that refusal shows against any head that was kept. What happened in the last minute no head covers yet.

mod alarms;
pub mod chain;
pub mod check;
mod error;
mod gaps;
pub mod head;
mod kept;
mod losses;
mod minute;
mod proofs;
mod publishing;
mod routes;
mod schema;
mod signing;
pub mod trace;
pub mod tree;

use std::path::PathBuf;
use std::sync::Arc;

use platform::bus::understood;
use platform::compiled_once;
use platform::http::{Check, Routes};
use platform::jobs::Job;
use platform::{BoxError, Platform};
use proto::topology::AUDIT_ENTRIES;
use serde::{Deserialize, Serialize};

pub use chain::{Broken, Head, verify};
pub use check::{Finding, Report, check_proof};
pub use error::Error;
pub use kept::Unkept;
pub use losses::Loss;
pub use minute::check_database;
pub use schema::{MIGRATOR, SCHEMA};
use signing::Signing;

/// What this service does on schedule.
pub const JOBS: &[Job] = &[minute::SIGN_HEADS];

/// The section `audit` of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Folder into which every signed head of the trace is written, as a file of its own, with the key that signs them.
    ///
    /// Only what somebody else keeps shows that the trace was not rewritten by those who run the platform: name a share of another party, best
    /// one that can be written once. Where it is not set, auditors fetch the heads.
    ///
    /// Example: "/mnt/auditor/heads"
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_heads_to: Option<PathBuf>,
}

/// Starts to consume and to sign, and returns the routes. A trace that was damaged keeps nothing from starting: it is told of by `/readyz`, and
/// what comes is appended.
#[compiled_once]
pub async fn start(platform: &Platform, settings: Settings) -> Result<Routes, Error> {
    let database = platform.database.clone();
    let signing = Arc::new(Signing::publishing_to(settings.publish_heads_to));
    // what was there before there was a tree; both are tried again every minute
    let begun = match signing.signer(platform).await {
        Ok(_) => trace::grown(&database).await.map(drop),
        Err(error) => Err(error),
    };
    if let Err(error) = begun {
        metrics::counter!("audit_heads_refused_total").increment(1);
        tracing::error!(error = platform::tasks::chain(&error), "heads of the audit trace cannot be signed");
    }
    minute::register(platform, Arc::clone(&signing))?;
    let consume = move |entry| {
        let database = database.clone();
        async move {
            match trace::append(&database, entry).await {
                Err(error @ Error::NotAnEntry { .. }) => understood("audit entry", Err(error)).map_err(BoxError::from),
                appended => appended.map(drop).map_err(BoxError::from),
            }
        }
    };
    // More at once would only wait for each other at the head.
    platform.bus.subscribe(&AUDIT_ENTRIES, 1, consume)?;
    alarms::subscribe(platform)?;
    platform.bus.start_relay(SCHEMA);
    Ok(routes::routes(platform, signing))
}

/// What `/readyz` tells of the trace: heads that could not be signed or published, entries that were lost.
pub fn check(platform: &Platform, settings: &Settings) -> Check {
    let (platform, publishes) = (platform.clone(), settings.publish_heads_to.is_some());
    Check::noting("audit", move || {
        let platform = platform.clone();
        async move { minute::trouble(&platform, publishes).await.map_err(|error| error.to_string()) }
    })
}

/// What an operator has to look at, if anything.
///
/// # Errors
/// When the database does not answer.
pub async fn trouble(platform: &Platform, settings: &Settings) -> Result<Option<String>, Error> {
    minute::trouble(platform, settings.publish_heads_to.is_some()).await
}
