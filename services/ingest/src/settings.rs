//! What the operator sets.

use chrono_tz::Tz;
use domain::retention;
use domain::unusual_list::Limits;
use serde::{Deserialize, Serialize};

use crate::sender::Sender;

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
    /// A list with so many times the rows that its source usually brings waits for a person before anything of it counts; so does one that is
    /// all of one district, lacks a column or is refused nearly whole where that is not usual. 0: no list ever waits.
    ///
    /// The usual is learnt: nine of ten days of the source had no longer list, or a person has released one.
    ///
    /// Unit: times
    pub hold_times: u32,
    /// A list with fewer rows than this never waits for their number.
    ///
    /// Ten times of very little is still little, and would only keep people busy.
    ///
    /// Unit: rows
    pub hold_rows: u64,
    /// What a list looks like is compared from so many rows on.
    ///
    /// In fewer, one district or an empty column may be chance.
    ///
    /// Unit: rows
    pub hold_compared_rows: u64,
    /// A source has a usual after so many deliveries; before, no list of it waits.
    ///
    /// Fewer hold lists back by what one or two others happened to look like.
    ///
    /// Unit: deliveries
    pub hold_after: u32,
    /// Sources that are trusted with saying whose an identity document is, by the unit of their key; none by default.
    ///
    /// A record of theirs may name a phone and a document of one person: a resident with this phone who claims this document has proved it by that.
    /// Name only those who see the document and call the number, as hospitals do.
    ///
    /// Unit: names of units
    ///
    /// Example: ["市中心医院"]
    pub document_sources: Vec<String>,
    /// How long a list waits for a person; then it is given up and its rows are deleted.
    ///
    /// What nobody decides about in a month is out of date, and its rows may name people.
    ///
    /// Unit: days
    pub keep_waiting_days: u32,
}

impl Settings {
    /// Whether what this sender says of phones and documents together is believed. Staff confirm documents in person instead.
    pub(crate) fn trusts_with_documents(&self, sender: &Sender) -> bool {
        sender.staff().is_none() && self.document_sources.iter().any(|trusted| trusted == sender.source())
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            times: self.hold_times,
            fewest_rows: self.hold_rows,
            fewest_profiled: self.hold_compared_rows,
            deliveries: u64::from(self.hold_after),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            time_zone: Tz::Asia__Shanghai,
            upload_bytes: 4 << 30,
            chunk_rows: 5_000,
            oldest_event_days: 731,
            hold_times: 10,
            hold_rows: 1_000,
            hold_compared_rows: 20,
            hold_after: 5,
            document_sources: Vec::new(),
            keep_waiting_days: retention::WAITING_LISTS.keeping.length(),
        }
    }
}
