//! What the operator sets.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// Settings of ingest; section `[ingest]` of the configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The city's time zone, by its IANA name.
    ///
    /// Times in CSV files may come without an offset; they are then the city's.
    pub time_zone: Tz,
    /// Largest CSV file.
    ///
    /// A file is read as it arrives, so this bounds mistakes, not memory. An NDJSON stream has no limit, a JSON batch has 5,000 records
    /// and 16 MiB.
    ///
    /// Unit: bytes
    pub upload_bytes: usize,
    /// Rows of a chunk, which is stored in one transaction, whole or not at all.
    ///
    /// Larger ones load faster; smaller ones are lost in smaller pieces when a transfer breaks off.
    ///
    /// Unit: rows
    pub chunk_rows: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { time_zone: Tz::Asia__Shanghai, upload_bytes: 4 << 30, chunk_rows: 5_000 }
    }
}
