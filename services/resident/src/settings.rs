//! What the operator sets.

use domain::retention;
use domain::web_push::PushServices;
use serde::{Deserialize, Serialize};

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
    /// How many codes one phone number may ask for in a day.
    ///
    /// Bounds what a prank can cost, and how far a number can be pestered.
    ///
    /// Unit: codes
    pub codes_per_day: u32,
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

impl Default for Settings {
    fn default() -> Self {
        Self {
            code_valid_s: retention::CODES.keeping.length(),
            code_again_s: 60,
            codes_per_day: 10,
            signature: "烽火".to_owned(),
            hotline: "12320".to_owned(),
            contacts_per_day: 200,
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
