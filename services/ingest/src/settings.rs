//! What the operator sets.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// Settings of ingest; section `[ingest]` of the configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The city's time zone, by its IANA name.
    ///
    /// Times in lists may come without an offset; they are then the city's.
    pub time_zone: Tz,
    /// Largest file of a list.
    ///
    /// A file is read as it arrives, so this bounds mistakes, not memory; only a workbook (xlsx, xls) is read whole and has 32 MiB at most.
    /// An NDJSON stream has no limit, a JSON batch has 5,000 records and 16 MiB.
    ///
    /// Unit: bytes
    pub upload_bytes: usize,
    /// Rows of a chunk, which is stored in one transaction, whole or not at all.
    ///
    /// Larger ones load faster; smaller ones are lost in smaller pieces when a transfer breaks off.
    ///
    /// Unit: rows
    pub chunk_rows: usize,
    /// How long ago an event may have happened.
    ///
    /// What is older is refused, because its year is more likely wrong than right: rules would pass it over, and nobody would be told.
    ///
    /// Unit: days
    pub oldest_event_days: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { time_zone: Tz::Asia__Shanghai, upload_bytes: 4 << 30, chunk_rows: 5_000, oldest_event_days: 731 }
    }
}
