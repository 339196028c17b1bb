//! What a city sets about dispatch.

use chrono::TimeDelta;
use domain::batch::BATCH_SIZE;
use domain::quiet_hours::QuietHours;
use serde::{Deserialize, Serialize};

use crate::forecast::ForecastSettings;

/// Settings of dispatch; section `[dispatch]` of the configuration.
#[derive(Deserialize, Serialize, Clone, Debug, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Recipients in a planned batch.
    pub batch_size: u16,
    /// Recipients planned in one transaction.
    pub chunk: u32,
    /// Recipients planned in the first transaction of a wave: small, so that sending begins at once (CQ3).
    pub first_chunk: u32,
    /// Batches between released and closed, for each channel and class. Urgent alerts have a window of their own.
    pub window: u16,
    /// Seconds within which a released batch must be claimed, else it is released again.
    pub lease_s: u32,
    /// Milliseconds between two looks of the pump when nobody signals: the longest wait of a window that other processes empty.
    pub pump_interval_ms: u32,
    /// Months before the present one for which the ledger is kept; older ones are dropped a month at a time.
    pub keep_ledger_months: u32,
    /// The hours in which routine alerts are held back (CQ10).
    pub quiet_hours: QuietHours,
    /// How the forecast of deadlines is made.
    pub forecast: ForecastSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            batch_size: BATCH_SIZE,
            chunk: 50_000,
            first_chunk: 5_000,
            window: 32,
            lease_s: 30,
            pump_interval_ms: 200,
            keep_ledger_months: 24,
            quiet_hours: QuietHours::default(),
            forecast: ForecastSettings::default(),
        }
    }
}

impl Settings {
    pub(crate) fn lease(&self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.lease_s))
    }

    /// Nobody can plan in chunks of none.
    pub(crate) fn checked(self) -> Result<Self, crate::Error> {
        for (name, value) in [
            ("dispatch.batch_size", u32::from(self.batch_size)),
            ("dispatch.chunk", self.chunk),
            ("dispatch.first_chunk", self.first_chunk),
            ("dispatch.window", u32::from(self.window)),
            ("dispatch.lease_s", self.lease_s),
            ("dispatch.pump_interval_ms", self.pump_interval_ms),
            // alerts live across the end of a month
            ("dispatch.keep_ledger_months", self.keep_ledger_months),
        ] {
            if value == 0 {
                return Err(crate::Error::Setting { name, reason: "must be at least 1" });
            }
        }
        // The ledger counts a batch's recipients in 16 bits with sign.
        if self.batch_size > 10_000 {
            return Err(crate::Error::Setting { name: "dispatch.batch_size", reason: "must be at most 10000" });
        }
        self.forecast.check()?;
        Ok(self)
    }
}
