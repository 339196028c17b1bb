//! What the operator sets.

use std::time::Duration;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Settings of rules; section `[rules]` of the configuration.
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
    pub(crate) fn checked(self) -> Result<Self, Error> {
        for (name, value) in [("rules.close_interval_ms", self.close_interval_ms), ("rules.chunk", self.chunk)] {
            if value == 0 {
                return Err(Error::Setting { name, reason: "must be at least 1" });
            }
        }
        Ok(self)
    }

    pub(crate) fn close_interval(&self) -> Duration {
        Duration::from_millis(self.close_interval_ms.into())
    }
}
