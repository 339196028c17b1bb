//! What is asked of an authenticator app, a passkey or the city's directory, on its way to the browser and back.
//!
//! Nothing of it is kept here: the browser brings it back, sealed, so that nobody fills a store by asking. It names what it is for and, where
//! there is one, whose it is, and is good for a while and once: what was used is remembered for as long as it would have been good.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use domain::directory::GONE_FOR;
use domain::ids::StaffId;
use platform::Platform;
use platform::crypto::{Purpose, Sealed};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::token::TokenHash;

/// No offer is longer.
const LONGEST: usize = 4_096;

/// What an offer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum What {
    /// Enrolling an authenticator app.
    Totp,
    /// Enrolling a passkey.
    NewPasskey,
    /// Showing a passkey.
    Passkey,
    /// Signing in at the city's directory.
    Directory,
}

impl What {
    fn good_for(self) -> TimeDelta {
        match self {
            // an app may have to be installed first
            Self::Totp => TimeDelta::minutes(15),
            Self::NewPasskey | Self::Passkey => TimeDelta::minutes(5),
            Self::Directory => GONE_FOR,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Offer {
    what: What,
    staff: Option<StaffId>,
    good_until: DateTime<Utc>,
    state: Vec<u8>,
}

/// Seals what has to come back.
pub(crate) fn make(platform: &Platform, what: What, staff: Option<StaffId>, state: Vec<u8>) -> Result<String, Error> {
    let offer = Offer { what, staff, good_until: platform.clock.now() + what.good_for(), state };
    let plain = serde_json::to_vec(&offer).map_err(|_| Error::Stored { what: "offer" })?;
    Ok(URL_SAFE_NO_PAD.encode(platform.keyring.seal(Purpose::FactorOffer, &plain).into_bytes()))
}

/// An offer that came back and can still be used once.
pub(crate) struct Taken {
    pub state: Vec<u8>,
    name: String,
    left: Duration,
}

/// Opens what came back: only what was made for this, for this person, and not too long ago.
pub(crate) fn take(platform: &Platform, what: What, staff: Option<StaffId>, presented: &str) -> Option<Taken> {
    if presented.len() > LONGEST {
        return None;
    }
    let sealed = Sealed::from_bytes(URL_SAFE_NO_PAD.decode(presented).ok()?).ok()?;
    let plain = platform.keyring.open(Purpose::FactorOffer, &sealed).ok()?;
    let offer: Offer = serde_json::from_slice(&plain).ok()?;
    let left = (offer.good_until - platform.clock.now()).to_std().ok().filter(|left| !left.is_zero())?;
    // sealed anew it would read otherwise: what it says names it
    let name = format!("identity:offer-used:{}", TokenHash::of(&hex::encode(&*plain)).hex());
    (offer.what == what && offer.staff == staff).then_some(Taken { state: offer.state, name, left })
}

impl Taken {
    /// Uses it up: of two who bring it at once, one goes on. `None` where it was used before.
    pub(crate) async fn use_up(self, platform: &Platform) -> Result<Option<()>, Error> {
        Ok(platform.cache.set_if_absent(&self.name, b"1", self.left).await?.then_some(()))
    }
}
