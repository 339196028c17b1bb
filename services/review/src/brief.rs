//! An alert in brief: what every list shows of it, a queue as well as what a search found.

use chrono::{DateTime, Utc};
use domain::alert::{AckWindow, DeliveryClass};
use domain::alert_state::State;
use domain::area::DistrictCode;
use domain::ids::AlertId;
use domain::retraction::Kind;
use serde::Serialize;
use utoipa::ToSchema;

/// What a list shows of an alert.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertInBrief)]
pub(crate) struct Brief {
    pub(crate) alert_id: AlertId,
    pub(crate) short_code: String,
    pub(crate) state: State,
    pub(crate) class: DeliveryClass,
    /// None: the whole city.
    #[schema(value_type = Option<String>)]
    pub(crate) district: Option<DistrictCode>,
    /// In Chinese.
    pub(crate) headline: String,
    pub(crate) version: i32,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) changed_at: DateTime<Utc>,
    pub(crate) approved_at: Option<DateTime<Utc>>,
    pub(crate) handed_over_at: Option<DateTime<Utc>>,
    /// Why it was last returned, refused or cancelled.
    pub(crate) last_reason: Option<String>,
    pub(crate) exercise: bool,
    /// The alert that it corrects.
    pub(crate) corrects: Option<AlertId>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// How long recipients have to acknowledge, in seconds.
    #[schema(value_type = Option<u32>, maximum = 2_592_000)]
    pub(crate) ack_window_s: Option<AckWindow>,
    /// Since when it is stopped, until it is known whether it holds.
    pub(crate) held_at: Option<DateTime<Utc>>,
    /// What waits for a second person to say it of this alert.
    pub(crate) retraction: Option<Kind>,
    pub(crate) retraction_asked_at: Option<DateTime<Utc>>,
}
