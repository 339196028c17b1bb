//! What an operator sets.

use domain::retention;
use serde::{Deserialize, Serialize};

/// Settings of the service, section `[display]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// A screen counts as silent after so long without a sign of life.
    ///
    /// Somebody should then look at its power and network.
    pub stale_after_s: u32,
    /// Time between signs of life on a quiet event stream.
    ///
    /// Below what proxies cut off at.
    pub keep_alive_s: u32,
    /// After so long a process sees what another process changed.
    ///
    /// An alert is on the screens this much later at most.
    pub refresh_ms: u32,
    /// How many showings one screen may report in a day; more are ignored.
    ///
    /// One that changes its picture every five seconds has 17,280. Bounds what a stolen screen key can write.
    ///
    /// Unit: showings
    pub plays_per_day: u32,
    /// How long each showing is kept.
    ///
    /// As long as a year's inspection looks back; how often a screen showed an alert, first and last, is kept for good.
    ///
    /// Unit: days
    pub keep_plays_days: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            stale_after_s: 120,
            keep_alive_s: 15,
            refresh_ms: 500,
            plays_per_day: 20_000,
            keep_plays_days: retention::PLAYS.keeping.length(),
        }
    }
}
