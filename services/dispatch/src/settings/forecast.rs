//! What a city sets about the forecast.

use std::num::NonZeroU32;

use domain::forecast::Margin;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Settings of the forecast; section `[dispatch.forecast]` of the configuration.
#[derive(Deserialize, Serialize, Clone, Debug, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct ForecastSettings {
    /// Time between two forecasts.
    ///
    /// An alarm comes at most so much later than it could.
    pub every_s: u32,
    /// An alert with less to spare than this is in danger: the alarm rings.
    ///
    /// Enough for an operator to do something before the deadline.
    pub margin_s: u32,
    /// It rings again when the alert has become later by so much, and ends when there is so much to spare beyond the margin.
    ///
    /// An alarm that repeats itself every few seconds is not heard any more.
    pub step_s: u32,
    /// How far back it is observed what a channel hands over. Less than its accounts allow then counts instead of them.
    ///
    /// Short enough to notice a slow provider in time, long enough not to be alarmed by a breath.
    pub observed_s: u32,
    /// How much of that time the channel must have had something to send before it counts.
    ///
    /// An idle channel is not a slow one.
    pub enough_s: u32,
    /// Messages a second that APNs is taken to accept where `push.apns.rate_per_second` names no rate and nothing was observed lately.
    ///
    /// Apple names no limit, and a forecast has to assume one.
    pub apns_per_second: NonZeroU32,
    /// Messages a second that all processes of the platform hand over at most, by all channels together. No limit when absent.
    ///
    /// Providers may be faster than the platform: set what a load test has shown.
    ///
    /// Example: 20000
    pub processes_per_second: Option<NonZeroU32>,
    /// Of a hundred recipients with the app, how many it is taken not to reach, so that they get an SMS; used until the alert itself
    /// has shown how many.
    ///
    /// Some have removed the app since.
    pub fallback_percent: u8,
    /// Parts that an SMS is taken to have where its text is not known yet.
    ///
    /// Each part counts against the rate of `[sms]`.
    ///
    /// Unit: parts
    pub sms_parts: u8,
}

impl Default for ForecastSettings {
    fn default() -> Self {
        Self {
            every_s: 5,
            margin_s: 300,
            step_s: 300,
            observed_s: 120,
            enough_s: 30,
            apns_per_second: NonZeroU32::MIN.saturating_add(9_999),
            processes_per_second: None,
            fallback_percent: 5,
            sms_parts: 2,
        }
    }
}

impl ForecastSettings {
    pub(crate) fn margin(&self) -> Margin {
        Margin { spare_s: i64::from(self.margin_s), step_s: i64::from(self.step_s) }
    }

    pub(crate) fn fallback_share(&self) -> f64 {
        f64::from(self.fallback_percent) / 100.0
    }

    /// A rate needs time to be observed in, an alarm a step to be told by.
    pub(crate) fn check(&self) -> Result<(), Error> {
        for (name, value) in [
            ("dispatch.forecast.every_s", self.every_s),
            ("dispatch.forecast.step_s", self.step_s),
            ("dispatch.forecast.enough_s", self.enough_s),
            ("dispatch.forecast.sms_parts", u32::from(self.sms_parts)),
        ] {
            if value == 0 {
                return Err(Error::Setting { name, reason: "must be at least 1" });
            }
        }
        if self.observed_s < self.enough_s {
            return Err(Error::Setting { name: "dispatch.forecast.observed_s", reason: "must be at least enough_s" });
        }
        if self.fallback_percent > 100 {
            return Err(Error::Setting { name: "dispatch.forecast.fallback_percent", reason: "must be at most 100" });
        }
        Ok(())
    }
}
