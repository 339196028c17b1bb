//! The deadline forecast: when the last recipient of every alert will be reached, and whether that holds its deadline (CQ3, CQ10).
//!
//! [`of_line`] plays what is in line forward from now. What it takes to be true:
//!
//! * **Order**: urgent first, then by deadline, then by approval. On each channel one alert is sent at a time; the next begins when the one
//!   before it is done there. Routine alerts pause in quiet hours.
//! * **The app channel is one line**, whatever the phones: a batch holds owners of iPhones, Android phones and browsers as they come, and is done when
//!   all their providers have taken it. So the faster provider waits for the slower one, and the channel is as fast as the slowest lane that
//!   the alert needs allows.
//! * **Rates**: a lane sends what its accounts are granted, all Firebase projects together ([`LaneRate`]). Where the channel was seen to hand over
//!   less than that while it had enough to do, that counts instead ([`Rates::seen_app`], [`seen_rate`]).
//! * **Fallback**: a share of the app's recipients cannot be reached there and gets an SMS as well ([`Mix::fallback`]).
//!
//! What is not foreseen: alerts not yet approved, reminders not yet planned, failures to come.

mod alarm;
mod line;
mod rate;
mod sentence;
#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::alert::DeliveryClass;
use crate::outcome::Channel;

pub use alarm::{Alarm, Margin, TOLD_OF_DANGER, alarm};
pub use line::of_line;
pub use rate::{LaneRate, Mix, Rates, Reach, seen_rate};
pub use sentence::Sentence;

/// No later than this is looked: what is not done by then counts as done then.
pub const HORIZON: TimeDelta = TimeDelta::days(7);

crate::words! {
    /// The accounts that share the load of one provider.
    pub enum Lane {
        /// Apple's service.
        Apns,
        /// Google's service, all Firebase projects together.
        Fcm,
        /// The push services of browsers, all together.
        WebPush,
        /// The SMS centre.
        Sms,
    }
}

impl Lane {
    /// The channel that it serves.
    #[must_use]
    pub const fn channel(self) -> Channel {
        match self {
            Self::Apns | Self::Fcm | Self::WebPush => Channel::App,
            Self::Sms => Channel::Sms,
        }
    }
}

/// One alert's wave in line: what of it is still to be handed over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Work {
    /// Its class: urgent goes first and through quiet hours.
    pub class: DeliveryClass,
    /// When everybody is to be reached.
    pub due_at: DateTime<Utc>,
    /// When it was approved: of two with the same deadline the earlier goes first.
    pub approved_at: DateTime<Utc>,
    /// Not sent before then.
    pub begins_at: DateTime<Utc>,
    /// People still to be sent to by the app.
    pub app: u64,
    /// People still to be sent to by SMS, without those who will fall back.
    pub sms: u64,
    /// What each of them costs the lanes.
    pub mix: Mix,
    /// Some of the app's recipients are not tried before then: a provider said so, or they are tried again.
    pub app_waits_until: Option<DateTime<Utc>>,
    /// The same for SMS.
    pub sms_waits_until: Option<DateTime<Utc>>,
}

/// What is foreseen for one alert's wave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Outlook {
    /// When everybody is to be reached.
    pub due_at: DateTime<Utc>,
    /// When the last recipient will be handed over.
    pub last_at: DateTime<Utc>,
    /// The lanes that still have recipients.
    pub lanes: Vec<LaneOutlook>,
    /// What the last hand-over hangs on; none when nothing is left.
    pub slowest: Option<Slowest>,
}

/// What is foreseen for one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LaneOutlook {
    /// Which.
    pub lane: Lane,
    /// Recipients still to be sent to.
    pub recipients: u64,
    /// Recipients of alerts that go before this one.
    pub ahead: u64,
    /// Messages a minute that its accounts allow, or are taken to allow; none where nothing limits them.
    pub per_minute: Option<u64>,
    /// Whether that is only assumed.
    pub assumed: bool,
    /// Seconds that it would take for all of these by itself.
    pub takes_s: i64,
    /// When the last of the recipients will be handed over. The same for all lanes of the app, which send the same batches.
    pub last_at: DateTime<Utc>,
}

/// What a last hand-over hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Slowest {
    /// What holds it up.
    pub brake: Brake,
    /// Messages a minute that it lets through; 0 where it is a wait.
    pub per_minute: u64,
    /// Recipients of this alert that pass it.
    pub recipients: u64,
    /// Recipients of alerts that go before this one.
    pub ahead: u64,
    /// Messages to each recipient, where it is more than one: the parts of a long SMS.
    pub parts: u8,
    /// Seconds of sending for all of these.
    pub takes_s: i64,
}

/// What holds an alert up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "of", rename_all = "snake_case")]
pub enum Brake {
    /// What the accounts of a lane may send.
    Rate(Lane),
    /// What the channel was lately seen to hand over, less than its accounts allow: a provider or we ourselves are slow.
    Seen(Channel),
    /// What the platform's processes hand over together.
    Processes,
    /// Some batches wait until a time: a provider asked for it, or they are tried again later.
    Waiting(Channel),
}

impl Brake {
    /// A name for logs, metrics and events, such as `rate_fcm`.
    #[must_use]
    pub fn label(self) -> String {
        match self {
            Self::Rate(lane) => format!("rate_{lane}"),
            Self::Seen(channel) => format!("seen_{channel}"),
            Self::Processes => "processes".to_owned(),
            Self::Waiting(channel) => format!("waiting_{channel}"),
        }
    }
}

/// Whether a deadline is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// With so many seconds to spare.
    Holds {
        /// 0 or more.
        spare_s: i64,
    },
    /// By so many seconds.
    Misses {
        /// More than 0.
        by_s: i64,
        /// What holds it up; none where nothing is left and it is late already.
        because: Option<Slowest>,
    },
}

impl Outlook {
    /// Seconds between the last hand-over and the deadline, begun ones not counted; negative when it is missed.
    #[must_use]
    pub fn spare_s(&self) -> i64 {
        (self.due_at - self.last_at).num_milliseconds().div_euclid(1000)
    }

    /// Whether the deadline is held.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.spare_s() {
            spare_s @ 0.. => Verdict::Holds { spare_s },
            late => Verdict::Misses { by_s: -late, because: self.slowest },
        }
    }

    /// Whether the deadline is held.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.spare_s() >= 0
    }
}
