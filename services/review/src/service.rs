//! What every handler stands on.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::quiet_hours::QuietHours;
use platform::Platform;
use platform::worker::Wake;
use resident::headcount::Headcount;

use crate::feed::Feed;

/// The stores, and what this process knows of alerts that change.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) platform: Platform,
    pub(crate) signature: Arc<str>,
    /// When dispatch sends nothing routine.
    pub(crate) quiet_hours: QuietHours,
    pub(crate) headcount: Headcount,
    /// An alert to more people than this is approved with a fresh proof of the second factor only.
    pub(crate) fresh_proof_over_people: u64,
    /// Lists that somebody may take along in a day.
    pub(crate) exports_a_day: u32,
    /// How long somebody's review of an alert is shown to others before they have to say so again.
    pub(crate) claim_lasts: TimeDelta,
    /// Tells the feed of this process that an alert changed.
    pub(crate) changed: Wake,
    pub(crate) feed: Feed,
}
