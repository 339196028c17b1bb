//! Web Push subscriptions (RFC 8030, RFC 8291): where a browser wants to be told, and how to write so that only it can read.
//!
//! A subscription comes from a resident, and the platform sends requests to the address in it. So the address is not believed: it is
//! read strictly, and only a push service on the list ([`PushServices`]) is ever called. Nobody can make the platform call an address of
//! their choosing.

mod address;
mod services;
#[cfg(test)]
mod tests;

use aws_lc_rs::agreement::{ECDH_P256, ParsedPublicKey, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

pub use address::{AddressFault, PushAddress};
pub use services::{PushServices, ServiceFault};

/// Octets of an uncompressed point of P-256.
const POINT: usize = 65;
/// Octets of the authentication secret (RFC 8291 §3.2).
const SECRET: usize = 16;

/// A browser that wants to be told. Printed as dots: whoever has it can write to a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscription {
    address: PushAddress,
    p256dh: [u8; POINT],
    auth: [u8; SECRET],
}

/// What is wrong with a subscription, by the field that the app sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubscriptionFault {
    /// `endpoint` is no address of a push service.
    #[error("the endpoint cannot be used: {0}")]
    Endpoint(#[from] AddressFault),
    /// `endpoint` is at no push service that is allowed.
    #[error("the endpoint is at no push service that is allowed")]
    OtherService,
    /// `keys.p256dh` is no point of P-256.
    #[error("p256dh is no point of the curve P-256")]
    Key,
    /// `keys.auth` is not 16 octets.
    #[error("auth is not 16 octets")]
    Secret,
}

/// A subscription that was stored and cannot be read any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no stored subscription")]
pub struct NoSubscription;

/// As it is sealed.
#[derive(Deserialize, Serialize)]
struct Stored<'a> {
    endpoint: &'a str,
    p256dh: &'a str,
    auth: &'a str,
}

impl Subscription {
    /// Reads what a browser says (`PushSubscription.toJSON()`), as far as it is at one of these push services.
    ///
    /// # Errors
    /// When a part is not what it should be, or the push service is another one.
    pub fn parse(endpoint: &str, p256dh: &str, auth: &str, services: &PushServices) -> Result<Self, SubscriptionFault> {
        let address = PushAddress::parse(endpoint)?;
        if services.of(&address).is_none() {
            return Err(SubscriptionFault::OtherService);
        }
        let p256dh = octets(p256dh).ok_or(SubscriptionFault::Key)?;
        ParsedPublicKey::try_from(UnparsedPublicKey::new(&ECDH_P256, &p256dh)).map_err(|_| SubscriptionFault::Key)?;
        let auth = octets(auth).ok_or(SubscriptionFault::Secret)?;
        Ok(Self { address, p256dh, auth })
    }

    /// As it is sealed and stored.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (endpoint, p256dh, auth) = (self.address.to_string(), URL_SAFE_NO_PAD.encode(self.p256dh), URL_SAFE_NO_PAD.encode(self.auth));
        serde_json::to_vec(&Stored { endpoint: &endpoint, p256dh: &p256dh, auth: &auth }).expect("a struct of texts always serializes")
    }

    /// Reads what was stored. The push service was allowed when it was stored: whether it still is has to be asked.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NoSubscription> {
        let stored: Stored<'_> = serde_json::from_slice(bytes).map_err(|_| NoSubscription)?;
        Ok(Self {
            address: PushAddress::parse(stored.endpoint).map_err(|_| NoSubscription)?,
            p256dh: octets(stored.p256dh).ok_or(NoSubscription)?,
            auth: octets(stored.auth).ok_or(NoSubscription)?,
        })
    }

    /// Where messages go.
    #[must_use]
    pub const fn address(&self) -> &PushAddress {
        &self.address
    }

    /// The browser's public key, an uncompressed point of P-256.
    #[must_use]
    pub const fn p256dh(&self) -> &[u8; POINT] {
        &self.p256dh
    }

    /// The secret that the browser and we share.
    #[must_use]
    pub const fn auth(&self) -> &[u8; SECRET] {
        &self.auth
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subscription(…)")
    }
}

/// So many octets in base64url; some browsers pad it.
fn octets<const N: usize>(text: &str) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?.try_into().ok()
}
