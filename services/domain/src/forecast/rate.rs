//! How fast lanes and channels are, and what a recipient costs them.

use crate::outcome::Channel;

use super::{Brake, Lane};

/// What a lane may send.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum LaneRate {
    /// There is no such account: the lane's recipients get an SMS.
    Absent,
    /// Messages a second that its accounts are granted, all together.
    Granted(f64),
    /// Messages a second that are taken to be possible where nobody has named a limit and nothing was seen yet.
    Assumed(f64),
    /// As many as one likes.
    #[default]
    Unlimited,
}

/// The rates of all lanes at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Apple's service.
    pub apns: LaneRate,
    /// Google's service, its projects together.
    pub fcm: LaneRate,
    /// The push services of browsers, all together.
    pub web: LaneRate,
    /// The SMS centre, in message parts.
    pub sms: LaneRate,
    /// Messages a second that the app channel was lately seen to hand over while it had enough to do, by its lanes together.
    pub seen_app: Option<f64>,
    /// Message parts a second that the SMS channel was lately seen to hand over while it had enough to do.
    pub seen_sms: Option<f64>,
    /// Messages a second that the platform's processes hand over at most, on all lanes together.
    pub processes: Option<f64>,
}

/// How many people of an audience each way reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// By the app, on any phone or in a browser.
    pub app: u64,
    /// Of them: on an iPhone.
    pub apns: u64,
    /// Of them: on an Android phone. Who has both counts in both.
    pub fcm: u64,
    /// Of them: in a browser. Who has a phone's app too counts there as well.
    pub web: u64,
    /// Without the app, by SMS.
    pub sms: u64,
}

/// What the recipients of one alert cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mix {
    /// Messages by APNs for each recipient of the app.
    pub apns: f64,
    /// Messages by FCM for each recipient of the app.
    pub fcm: f64,
    /// Messages by Web Push for each recipient of the app.
    pub web: f64,
    /// Recipients by SMS for each recipient of the app: those whom it does not reach.
    pub fallback: f64,
    /// Message parts for each recipient by SMS.
    pub sms_parts: u8,
}

impl Mix {
    /// The mix of an audience, of which the app fails to reach `fallback_share` (0 to 1) of those who have it. Who has the app only on phones whose
    /// provider is not set up falls back as well. Of an audience nobody has counted (no app user in `reach`), every recipient is taken to
    /// need both providers: the slower one then rules.
    #[must_use]
    pub fn of(reach: &Reach, rates: &Rates, fallback_share: f64, sms_parts: u8) -> Self {
        let lanes = [(reach.apns, rates.apns), (reach.fcm, rates.fcm), (reach.web, rates.web)];
        let [apns, fcm, web] = lanes.map(|(people, rate)| (people, rate != LaneRate::Absent));
        let app = reach.app as f64;
        let share = |(people, has): (u64, bool)| match (has, reach.app) {
            (false, _) => 0.0,
            (true, 0) => 1.0,
            (true, _) => people as f64 / app,
        };
        // How many have several kinds of device is not counted. So where a lane is missing and two are there, nobody is taken to have both a
        // device of the missing lane and another, unless there would be too few people.
        let present = || [apns, fcm, web].into_iter().filter(|(_, has)| *has).map(|(people, _)| people);
        let missed: u64 = [apns, fcm, web].iter().filter(|(_, has)| !has).map(|(people, _)| people).sum();
        let served = match (present().count(), reach.app) {
            (_, 0) if apns.1 || fcm.1 => 1.0,
            (0, _) | (_, 0) => 0.0,
            (3, _) => 1.0,
            (1, people) => present().sum::<u64>().min(people) as f64 / app,
            (_, people) => people.saturating_sub(missed).max(present().max().unwrap_or(0)).min(people) as f64 / app,
        };
        Self {
            apns: share(apns),
            fcm: share(fcm),
            // Of an audience nobody has counted, nobody is taken to use a browser.
            web: if reach.app == 0 { 0.0 } else { share(web) },
            fallback: 1.0 - served * (1.0 - fallback_share.clamp(0.0, 1.0)),
            sms_parts: sms_parts.max(1),
        }
    }

    /// Messages by a lane for each recipient of its channel.
    pub(super) fn cost(&self, lane: Lane) -> f64 {
        match lane {
            Lane::Apns => self.apns,
            Lane::Fcm => self.fcm,
            Lane::WebPush => self.web,
            Lane::Sms => f64::from(self.sms_parts),
        }
    }

    /// Messages for each recipient of a channel, by all its lanes.
    #[must_use]
    pub fn messages(&self, channel: Channel) -> f64 {
        lanes_of(channel).iter().map(|lane| self.cost(*lane)).sum()
    }
}

/// A channel seen at this share of what its accounts allow is held up by them, not by anything else.
const NEARLY: f64 = 0.9;

impl Rates {
    /// What a lane may send.
    #[must_use]
    pub fn lane(&self, lane: Lane) -> LaneRate {
        match lane {
            Lane::Apns => self.apns,
            Lane::Fcm => self.fcm,
            Lane::WebPush => self.web,
            Lane::Sms => self.sms,
        }
    }

    /// What a channel was seen to do.
    pub(super) fn seen(&self, channel: Channel) -> Option<f64> {
        match channel {
            Channel::App => self.seen_app,
            Channel::Sms => self.seen_sms,
            Channel::Display => None,
        }
    }

    /// Recipients a second of this mix that the channel takes, and what keeps it from taking more. What was seen counts where it is less than what is
    /// granted, and in the place of what is only assumed.
    pub(super) fn pace(&self, channel: Channel, mix: &Mix) -> (f64, Option<Brake>) {
        let slowest = |of: fn(LaneRate) -> Option<f64>| {
            let lanes = lanes_of(channel).iter().filter(|lane| mix.cost(**lane) > 0.0);
            let paces = lanes.filter_map(|lane| of(self.lane(*lane)).map(|rate| (rate / mix.cost(*lane), *lane)));
            paces.min_by(|(one, _), (other, _)| one.total_cmp(other))
        };
        let granted = slowest(|rate| if let LaneRate::Granted(rate) = rate { Some(rate) } else { None });
        let messages = mix.messages(channel);
        match (granted, self.seen(channel).filter(|_| messages > 0.0).map(|seen| seen / messages)) {
            (Some((pace, lane)), Some(seen)) if seen >= NEARLY * pace => (pace.min(seen), Some(Brake::Rate(lane))),
            (_, Some(seen)) => (seen, Some(Brake::Seen(channel))),
            (granted, None) => {
                let assumed = slowest(|rate| if let LaneRate::Assumed(rate) = rate { Some(rate) } else { None });
                let least = granted.into_iter().chain(assumed).min_by(|(one, _), (other, _)| one.total_cmp(other));
                least.map_or((f64::INFINITY, None), |(pace, lane)| (pace, Some(Brake::Rate(lane))))
            }
        }
    }
}

/// The lanes of a channel.
pub(super) const fn lanes_of(channel: Channel) -> &'static [Lane] {
    match channel {
        Channel::App => &[Lane::Apns, Lane::Fcm, Lane::WebPush],
        Channel::Sms => &[Lane::Sms],
        Channel::Display => &[],
    }
}

/// Messages a second that a channel was seen to hand over: `seen` are stretches of time, in seconds, in which it had more to do than it did, with
/// the messages handed over in them. None before there is `enough_s` of it.
///
/// One message more than was seen is counted, so that a standstill is a lane that gets slower the longer it stands, and a few recipients are not
/// given up after half a minute.
#[must_use]
pub fn seen_rate(seen: impl IntoIterator<Item = (f64, f64)>, enough_s: f64) -> Option<f64> {
    let (seconds, messages) = seen.into_iter().fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
    (seconds > 0.0 && seconds >= enough_s).then(|| (messages + 1.0) / seconds)
}
