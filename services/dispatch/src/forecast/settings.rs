//! What a city sets about the forecast.

use std::num::NonZeroU32;

use domain::forecast::Margin;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Settings of the forecast; section `[dispatch.forecast]` of the configuration.
#[derive(Deserialize, Serialize, Clone, Debug, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct ForecastSettings {
    /// Seconds between two forecasts.
    pub every_s: u32,
    /// An alert with less to spare than so many seconds is in danger.
    pub margin_s: u32,
    /// The alarm is raised again when an alert has become later by so many seconds; it ends when there are so many to spare beyond the margin.
    pub step_s: u32,
    /// Seconds back to which a channel's rate is observed.
    pub observed_s: u32,
    /// Seconds for which a channel must have had something to send in that time before its rate counts.
    pub enough_s: u32,
    /// Messages a second that APNs is taken to accept where `push.apns.rate_per_second` names no limit and nothing was observed lately.
    pub apns_per_second: NonZeroU32,
    /// Messages a second that all processes of the platform hand over at most, on all lanes together; no limit when absent.
    pub processes_per_second: Option<NonZeroU32>,
    /// Of a hundred recipients with the app, how many it is taken not to reach, so that they get an SMS; used until an alert has shown its own share.
    pub fallback_percent: u8,
    /// Parts that an SMS is taken to have where its text is not known yet.
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
