//! What the accounts of push and sms allow, as dispatch is told when it starts.

use domain::forecast::{LaneRate, Rates};
use domain::outcome::Channel;

use super::seen::Seen;
use crate::settings::ForecastSettings;

/// What the accounts at the providers may send, over all processes. It stands in the settings of push, sms and resident; all processes read the same
/// configuration, so dispatch knows it as well.
#[derive(Clone, Debug, PartialEq)]
pub struct Capacity {
    /// Messages a second to Apple's devices.
    pub apns: LaneRate,
    /// Messages a second to Google's devices, by all Firebase projects together.
    pub fcm: LaneRate,
    /// Messages a second to browsers, by all push services together.
    pub web: LaneRate,
    /// Message parts a second at the SMS centre.
    pub sms: LaneRate,
    /// The signature in front of every SMS: part of its length.
    pub sms_signature: String,
    /// How many questions about audiences a member of staff may ask in a day: a setting of the service that counts residents.
    pub audience_questions_per_day: u32,
}

impl Default for Capacity {
    /// Every provider is there and none has a limit.
    fn default() -> Self {
        let unlimited = LaneRate::Unlimited;
        Self {
            apns: unlimited,
            fcm: unlimited,
            web: unlimited,
            sms: unlimited,
            sms_signature: "烽火".to_owned(),
            audience_questions_per_day: 500,
        }
    }
}

impl Capacity {
    /// Recipients a second that a channel may take at most; none where no limit is known. Of the app: where all its providers are busy.
    pub(crate) fn recipients_per_second(&self, channel: Channel, settings: &ForecastSettings) -> Option<f64> {
        let granted = |lane: LaneRate, assumed: Option<f64>| match lane {
            LaneRate::Absent => Some(0.0),
            LaneRate::Granted(rate) | LaneRate::Assumed(rate) => Some(rate),
            LaneRate::Unlimited => assumed,
        };
        let rate = match channel {
            Channel::App => {
                let apple = granted(self.apns, Some(f64::from(settings.apns_per_second.get())))?;
                apple + granted(self.fcm, None)? + granted(self.web, None)?
            }
            Channel::Sms => granted(self.sms, None)? / f64::from(settings.sms_parts.max(1)),
            Channel::Display => return None,
        };
        (rate > 0.0).then_some(rate)
    }

    /// The rates at a moment in which the channels were seen to do this.
    pub(super) fn rates(&self, settings: &ForecastSettings, seen: Seen) -> Rates {
        let apns = match self.apns {
            // Apple names no limit, but nobody is infinitely fast.
            LaneRate::Unlimited => LaneRate::Assumed(f64::from(settings.apns_per_second.get())),
            limited => limited,
        };
        let processes = settings.processes_per_second.map(|rate| f64::from(rate.get()));
        Rates { apns, fcm: self.fcm, web: self.web, sms: self.sms, seen_app: seen.app, seen_sms: seen.sms, processes }
    }
}
