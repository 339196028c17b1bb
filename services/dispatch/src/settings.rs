//! What a city sets about dispatch.

mod forecast;

use chrono::TimeDelta;
use domain::batch::BATCH_SIZE;
use domain::outcome::Channel;
use domain::quiet_hours::QuietHours;
use domain::retention;
use serde::{Deserialize, Serialize};

pub use forecast::ForecastSettings;

/// Settings of dispatch; section `[dispatch]` of the configuration.
#[derive(Deserialize, Serialize, Clone, Debug, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Recipients in a planned batch, at most 10000.
    ///
    /// Taking and closing a batch costs the database the same whatever its size. What a crash repeats is bounded by the checkpoints,
    /// not by this.
    ///
    /// Unit: recipients
    pub batch_size: u16,
    /// Recipients in a planned batch of short messages, where that is fewer.
    ///
    /// An SMS centre takes some hundred people a second, a push provider tens of thousands: the same batch lasts longer there. Below a rate at
    /// which such a batch is two seconds of work, dispatch cuts smaller ones by itself.
    ///
    /// Unit: recipients
    pub sms_batch_size: u16,
    /// Recipients planned in one transaction.
    ///
    /// Longer transactions plan faster and hold their rows longer.
    ///
    /// Unit: recipients
    pub chunk: u32,
    /// Recipients planned in the first transaction of a wave.
    ///
    /// Small, so that sending begins at once (CQ3).
    ///
    /// Unit: recipients
    pub first_chunk: u32,
    /// Batches between released and closed at most, for each channel and class. Urgent alerts have a window of their own.
    ///
    /// Short, because what is in the broker cannot be overtaken; long enough to last all senders for one `pump_interval_ms`. Where a channel's
    /// rate is known there are never more than it sends in half of `lease_s`.
    ///
    /// Unit: batches
    pub window: u16,
    /// Time within which a released batch must be claimed, else it is released again, unless the senders are at work and it merely waits there.
    ///
    /// Twice what is released at once: longer makes the window longer, shorter repeats messages to a broker that lost none.
    pub lease_s: u32,
    /// Time between two looks of the pump when nobody signals.
    ///
    /// The longest wait of a window that other processes empty.
    pub pump_interval_ms: u32,
    /// How long who has an urgent alert in a browser only is given to acknowledge it, before it goes out to them by SMS as well.
    ///
    /// A browser's push service takes a message for weeks, whether or not anybody opens the browser. Of the 30 minutes of an urgent alert most are
    /// left then.
    ///
    /// Unit: minutes
    ///
    /// Example: 10
    pub browser_patience_min: u32,
    /// How many more people than its approver was shown an alert may be planned for, in the hundred of those.
    ///
    /// Audiences grow a little while an alert waits for the morning. When more are found nothing more of it is sent until an officer has said so: an area
    /// that got lost between author and sender wakes a county.
    ///
    /// Unit: percent
    pub more_people_percent: u32,
    /// And so many people beside.
    ///
    /// For small audiences, of which a few new neighbours are a great part.
    ///
    /// Unit: people
    pub more_people: u64,
    /// Lists of deliveries and follow-ups that one member of staff may export in a day.
    ///
    /// Each is in the trace all the same; the number keeps one account from carrying everything away unnoticed. Raise it where reports take more.
    ///
    /// Unit: files
    pub exports_a_day: u32,
    /// Months before the present one for which batches, and with them who was reached, are kept; older ones are dropped a month at a
    /// time. At least 3.
    ///
    /// They go by the month in which an alert was first written, and its draft may lie for a month before it holds for another; beyond that
    /// the table of retention says why.
    pub keep_ledger_months: u32,
    /// The local hours in which routine alerts are held back 免打扰时段. Urgent alerts ignore them (CQ10).
    pub quiet_hours: QuietHours,
    /// The forecast: when the last recipient of each alert will be reached, the alarm before a deadline is missed, and the answer
    /// before an approval. It knows the rates of `[push]` and `[sms]`, so these must be the same in every process.
    pub forecast: ForecastSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            batch_size: BATCH_SIZE,
            sms_batch_size: 1_000,
            chunk: 50_000,
            first_chunk: 5_000,
            window: 32,
            lease_s: 30,
            pump_interval_ms: 200,
            browser_patience_min: 10,
            more_people_percent: 20,
            more_people: 100,
            exports_a_day: 20,
            keep_ledger_months: retention::LEDGER.keeping.length(),
            quiet_hours: QuietHours::default(),
            forecast: ForecastSettings::default(),
        }
    }
}

impl Settings {
    pub(crate) fn lease(&self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.lease_s))
    }

    /// Recipients in a planned batch of a channel.
    pub(crate) fn size_of(&self, channel: Channel) -> u16 {
        if channel == Channel::Sms { self.sms_batch_size.min(self.batch_size) } else { self.batch_size }
    }

    /// Nobody can plan in chunks of none.
    pub(crate) fn checked(self) -> Result<Self, crate::Error> {
        for (name, value) in [
            ("dispatch.batch_size", u32::from(self.batch_size)),
            ("dispatch.sms_batch_size", u32::from(self.sms_batch_size)),
            ("dispatch.chunk", self.chunk),
            ("dispatch.first_chunk", self.first_chunk),
            ("dispatch.window", u32::from(self.window)),
            ("dispatch.lease_s", self.lease_s),
            ("dispatch.pump_interval_ms", self.pump_interval_ms),
        ] {
            if value == 0 {
                return Err(crate::Error::Setting { name, reason: "must be at least 1" });
            }
        }
        if self.keep_ledger_months < retention::FEWEST_MONTHS {
            return Err(crate::Error::Setting { name: "dispatch.keep_ledger_months", reason: retention::TOO_FEW_MONTHS });
        }
        // The ledger counts a batch's recipients in 16 bits with sign.
        if self.batch_size > 10_000 {
            return Err(crate::Error::Setting { name: "dispatch.batch_size", reason: "must be at most 10000" });
        }
        self.forecast.check()?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_that_is_shorter_than_an_alert_may_live_is_refused_at_start() {
        for (months, right) in [(0, false), (1, false), (2, false), (retention::FEWEST_MONTHS, true), (24, true)] {
            let checked = Settings { keep_ledger_months: months, ..Settings::default() }.checked();
            assert_eq!(checked.is_ok(), right, "{months} months");
            assert!(
                checked.is_ok() || checked.is_err_and(|error| error.to_string().contains("dispatch.keep_ledger_months must be at least 3"))
            );
        }
    }
}
