//! What the operator sets.

use std::num::NonZeroU32;

use chrono::TimeDelta;
use domain::retention;
use domain::sign_in::Terms;
use domain::web_push::PushServices;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Settings of resident; section `[resident]` of the configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long a one-time code is good for.
    ///
    /// An SMS takes seconds, a busy network a minute or two.
    pub code_valid_s: u32,
    /// How long until a person may ask for another code.
    ///
    /// So that impatience costs no second SMS.
    pub code_again_s: u32,
    /// How many codes may be asked for in a day to one phone number; from a network from which it has registered before, as many again.
    ///
    /// Bounds what a prank can cost, and how far a number can be pestered.
    ///
    /// Unit: codes
    pub codes_per_day: u32,
    /// How many codes may be asked for in a minute from one network, /24 of IPv4 or /64 of IPv6.
    ///
    /// Mobile carriers put thousands of phones behind one address, so it is not small. Behind a proxy that is not named in `http.trusted_proxies`
    /// everybody is one network.
    ///
    /// Unit: codes
    pub codes_per_minute_from_a_network: NonZeroU32,
    /// How many codes may be asked for in a minute in the whole city, by numbers and networks that do not know each other.
    ///
    /// Not more than `sms.codes_per_second` sends: what waits longer than a code is good for helps nobody.
    ///
    /// Unit: codes
    pub codes_per_minute: NonZeroU32,
    /// After how many wrong codes of one number in a day each of its codes has one try instead of five.
    ///
    /// Guessing stays hopeless however many codes are asked for, and nobody is locked out: the right code still opens.
    ///
    /// Unit: codes
    pub wrong_codes_per_day: u32,
    /// How long nothing may be heard of a person until whoever registers with their number has to show that they are that person, or begins anew.
    ///
    /// Carriers give a number out again after 90 days. At least 30.
    ///
    /// Unit: days
    pub silent_after_days: u32,
    /// How long a sign-in of the app holds without being used.
    ///
    /// A phone in a drawer, or sold. At least 30.
    ///
    /// Unit: days
    pub sign_in_idle_days: u32,
    /// How long a sign-in of the app holds at most, unless it was used in the last 14 days.
    ///
    /// No forgotten device opens an inbox for ever. At least 30.
    ///
    /// Unit: days
    pub sign_in_longest_days: u32,
    /// How long somebody may object whose identity document was proved to be another person's.
    ///
    /// Long enough to see the SMS after a week's absence.
    ///
    /// Unit: days
    pub objection_days: u32,
    /// Signature 签名 in front of one-time codes, shown as 【…】.
    ///
    /// SMS centres pass on only what bears the signature agreed with them.
    pub signature: String,
    /// The number that people who write by SMS are told to call, where no alert names another.
    ///
    /// What they wrote is read, but not at once: 12320 is the national health hotline.
    pub hotline: String,
    /// How many people's names and phones one member of staff may open in a day.
    ///
    /// Each opening is traced; this bounds what somebody can carry away before anybody looks at the trace.
    ///
    /// Unit: people
    pub contacts_per_day: u32,
    /// From this many names and phones on that one member of staff opens in a day, each takes a second factor that was just shown.
    ///
    /// A visit takes one or two; whoever opens more sits down to it, and has their phone beside them.
    ///
    /// Unit: people
    pub contacts_before_fresh_proof: u32,
    /// How many questions about the size of an audience one member of staff may ask in a day. The same in every process.
    ///
    /// Each is traced, and answered in tens; this bounds what somebody can put together from many answers. Composing an alert takes some twenty.
    ///
    /// Unit: questions
    pub audience_questions_per_day: u32,
    /// How many questions whether something stands against a person one key may ask in a minute.
    ///
    /// A hospital's desk asks some; who asks thousands is collecting. Each is traced, and shown to the person.
    ///
    /// Unit: questions
    pub standing_questions_per_minute: NonZeroU32,
    /// How many devices one resident may have; the oldest leaves.
    ///
    /// Bounds what one alert costs for one person.
    ///
    /// Unit: devices
    pub devices: u32,
    /// The greatest share of one alert's devices that may be marked as gone because their providers say so.
    ///
    /// More is a mistake of a provider or of the settings of push, and would cost people the app: then none is marked, and an alarm rings. Who knows
    /// that it is right, after years without an alert, sets it higher for a while.
    ///
    /// Unit: percent
    pub gone_percent: u32,
    /// For how many months before the present one acknowledgements are kept, by when their alert was made; older ones are dropped. At
    /// least 3.
    ///
    /// An alert is written in one month and may hold until the third after it; beyond that the table of retention says why.
    pub keep_acknowledgements_months: u32,
    /// What browsers are offered, if Web Push is set; no setting of its own: whoever puts the services together takes it from those of push.
    #[serde(skip)]
    pub web_push: Option<WebPushOffer>,
}

const A_HUNDRED_AND_TWENTY: NonZeroU32 = NonZeroU32::new(120).expect("not zero");
const SIXTY: NonZeroU32 = NonZeroU32::new(60).expect("not zero");
const TWELVE_HUNDRED: NonZeroU32 = NonZeroU32::new(1_200).expect("not zero");

/// Fewer days of silence are a holiday or a hospital, not a number that was given out again.
const FEWEST_DAYS: u32 = 30;

impl Settings {
    /// Nobody is put out after days that anybody may be away.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let spans = [
            ("resident.silent_after_days", self.silent_after_days),
            ("resident.sign_in_idle_days", self.sign_in_idle_days),
            ("resident.sign_in_longest_days", self.sign_in_longest_days),
        ];
        match spans.into_iter().find(|(_, days)| *days < FEWEST_DAYS) {
            Some((name, _)) => {
                Err(platform::Error::Setting { name, reason: format!("at least {FEWEST_DAYS} days: people are away for weeks") }.into())
            }
            None => Ok(()),
        }
    }

    /// How long somebody may object.
    pub(crate) fn objection_within(&self) -> TimeDelta {
        TimeDelta::days(self.objection_days.into())
    }

    /// How long a number may be silent.
    pub(crate) fn silent_after(&self) -> TimeDelta {
        TimeDelta::days(self.silent_after_days.into())
    }

    /// How long sign-ins hold.
    pub(crate) fn sign_in_terms(&self) -> Terms {
        Terms { idle: TimeDelta::days(self.sign_in_idle_days.into()), longest: TimeDelta::days(self.sign_in_longest_days.into()) }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            code_valid_s: retention::CODES.keeping.length(),
            code_again_s: 60,
            codes_per_day: 10,
            codes_per_minute_from_a_network: A_HUNDRED_AND_TWENTY,
            codes_per_minute: TWELVE_HUNDRED,
            wrong_codes_per_day: 15,
            silent_after_days: 90,
            sign_in_idle_days: 90,
            sign_in_longest_days: 365,
            objection_days: 7,
            signature: "烽火".to_owned(),
            hotline: "12320".to_owned(),
            contacts_per_day: 200,
            contacts_before_fresh_proof: 5,
            audience_questions_per_day: 500,
            standing_questions_per_minute: SIXTY,
            devices: 5,
            gone_percent: 10,
            keep_acknowledgements_months: retention::ACKNOWLEDGEMENTS.keeping.length(),
            web_push: None,
        }
    }
}

/// What browsers are offered; made from the settings of push, whose key it is.
#[derive(Clone, Debug)]
pub struct WebPushOffer {
    /// The platform's public key in base64url (RFC 8292 §3.2): a browser's push service takes messages of its owner alone.
    pub public_key: String,
    /// The push services that messages are sent to.
    pub services: PushServices,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::as_they_are(Settings::default(), true)]
    #[case::just_long_enough(Settings { silent_after_days: 30, sign_in_idle_days: 30, sign_in_longest_days: 30, ..Settings::default() }, true)]
    #[case::silence(Settings { silent_after_days: 29, ..Settings::default() }, false)]
    #[case::unused(Settings { sign_in_idle_days: 0, ..Settings::default() }, false)]
    #[case::longest(Settings { sign_in_longest_days: 7, ..Settings::default() }, false)]
    fn nobody_is_put_out_after_a_holiday(#[case] settings: Settings, #[case] good: bool) {
        assert_eq!(settings.check().is_ok(), good);
    }
}
