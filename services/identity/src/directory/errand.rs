//! What a browser takes along to the directory and brings back: sealed, in a cookie of its own, good for a while and once.
//!
//! Nothing of it is kept here. Without it an answer of the directory is worth nothing, so nobody is led into another's sign-in, and a code or a
//! word that was seen elsewhere opens nothing.

use chrono::{DateTime, Utc};
use domain::console_path::ConsolePath;
use platform::Platform;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Fault;
use crate::Error;
use crate::offer::{self, What};

/// What a browser takes along.
// no Debug: it holds what proves that the answer is for this browser
#[derive(Serialize, Deserialize)]
pub(crate) struct Errand {
    /// What the answer has to bring back.
    pub state: String,
    /// What the word has to repeat.
    pub nonce: String,
    /// What the code has to be asked for with.
    pub verifier: String,
    /// To which page of the console it goes in the end.
    pub to: ConsolePath,
    /// The token by which the browser is known here.
    pub device: Option<String>,
    /// When it set out.
    pub begun_at: DateTime<Utc>,
}

impl Errand {
    pub(super) fn sealed(&self, platform: &Platform) -> Result<String, Error> {
        let state = serde_json::to_vec(self).map_err(|_| Error::Stored { what: "errand" })?;
        offer::make(platform, What::Directory, None, state)
    }
}

/// The errand in this cookie, which answers to this state and is used up.
pub(super) async fn take(platform: &Platform, cookie: &str, state: &str) -> Result<Errand, Error> {
    let offer = offer::take(platform, What::Directory, None, cookie).ok_or(Fault::AnotherErrand)?;
    let errand: Errand = serde_json::from_slice(&offer.state).map_err(|_| Fault::AnotherErrand)?;
    // hashed, so that comparing them tells nothing
    if Sha256::digest(&errand.state) != Sha256::digest(state) {
        return Err(Fault::AnotherErrand.into());
    }
    offer.use_up(platform).await?.ok_or(Fault::AnotherErrand)?;
    Ok(errand)
}
