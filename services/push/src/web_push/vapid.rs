//! Who we are, to a push service (RFC 8292): an ES256 JWT for its origin, and the public key that browsers subscribed with.
//!
//! A push service refuses tokens that are good for more than a day. Ours are good for twelve hours of the platform's clock and are
//! renewed after six, so that the clocks may differ.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderValue;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use platform::clock::Clock;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Serialize;

use crate::error::Error;

/// A token is good for so long.
const GOOD_FOR: TimeDelta = TimeDelta::hours(12);
/// A token of this age is replaced.
const RENEWED_AFTER: TimeDelta = TimeDelta::hours(6);
/// Tokens that are kept.
const MOST_TOKENS: usize = 256;

/// The signing key and the tokens made with it.
pub(super) struct Vapid {
    key: EncodingKey,
    header: Header,
    public_key: String,
    subject: String,
    clock: Clock,
    /// By origin.
    current: Mutex<HashMap<String, Signed>>,
}

struct Signed {
    authorization: HeaderValue,
    at: DateTime<Utc>,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    exp: i64,
    sub: &'a str,
}

impl Vapid {
    /// Tokens signed with the key (PKCS#8 PEM), with a way to reach the operator.
    pub(super) fn new(key_pem: &str, subject: &str, clock: Clock) -> Result<Self, Error> {
        let vapid = Self {
            key: EncodingKey::from_ec_pem(key_pem.as_bytes()).map_err(Error::VapidKey)?,
            header: Header::new(Algorithm::ES256),
            public_key: public_key(key_pem)?,
            subject: subject.to_owned(),
            clock,
            current: Mutex::default(),
        };
        // A key that cannot sign is a fault of the settings: better found at the start than at the first alert.
        vapid.sign("https://example.com").map_err(Error::VapidKey)?;
        Ok(vapid)
    }

    /// The `authorization` header of this moment for an origin.
    pub(super) fn authorization(&self, origin: &str) -> Result<HeaderValue, jsonwebtoken::errors::Error> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        if let Some(signed) = current.get(origin).filter(|signed| now - signed.at < RENEWED_AFTER) {
            return Ok(signed.authorization.clone());
        }
        if current.len() >= MOST_TOKENS {
            current.clear();
        }
        let signed = self.sign(origin)?;
        let authorization = signed.authorization.clone();
        current.insert(origin.to_owned(), signed);
        Ok(authorization)
    }

    fn sign(&self, origin: &str) -> Result<Signed, jsonwebtoken::errors::Error> {
        let at = self.clock.now();
        let claims = Claims { aud: origin, exp: (at + GOOD_FOR).timestamp(), sub: &self.subject };
        let token = jsonwebtoken::encode(&self.header, &claims, &self.key)?;
        // base64url, dots, commas and blanks only
        let authorization = HeaderValue::try_from(format!("vapid t={token}, k={}", self.public_key)).expect("a JWT is printable ASCII");
        Ok(Signed { authorization, at })
    }
}

impl std::fmt::Debug for Vapid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vapid").field("public_key", &self.public_key).field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// The public key that belongs to a key in PKCS#8 PEM: a point of P-256, uncompressed, in base64url.
pub(super) fn public_key(key_pem: &str) -> Result<String, Error> {
    let wrong = Error::Setting { name: "push.web_push.key", reason: "must be a P-256 key in PKCS#8 PEM" };
    let Ok(der) = PrivatePkcs8KeyDer::from_pem_slice(key_pem.as_bytes()) else { return Err(wrong) };
    match EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der()) {
        Ok(pair) => Ok(URL_SAFE_NO_PAD.encode(pair.public_key().as_ref())),
        Err(_) => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const GOOGLE: &str = "https://fcm.googleapis.com";

    fn vapid() -> (Vapid, Clock, KeyPair) {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let clock = Clock::moved(DateTime::from_timestamp(1_700_000_000, 0).unwrap());
        let vapid = Vapid::new(&key.serialize_pem(), "mailto:duty@example.com", clock.clone()).unwrap();
        (vapid, clock, key)
    }

    #[test]
    fn a_token_names_the_push_service_its_end_and_the_operator_and_carries_the_public_key() {
        let (vapid, _, key) = vapid();
        let authorization = vapid.authorization(GOOGLE).unwrap();
        let (token, public) = authorization.to_str().unwrap().strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        assert_eq!(public, vapid.public_key);
        assert_eq!(URL_SAFE_NO_PAD.decode(public).unwrap().len(), 65);
        let mut rules = jsonwebtoken::Validation::new(Algorithm::ES256);
        rules.validate_exp = false;
        rules.set_audience(&[GOOGLE]);
        let decoding = jsonwebtoken::DecodingKey::from_ec_pem(key.public_key_pem().as_bytes()).unwrap();
        let read = jsonwebtoken::decode::<serde_json::Value>(token, &decoding, &rules).unwrap();
        assert_eq!((read.header.alg, read.header.typ.as_deref()), (Algorithm::ES256, Some("JWT")));
        let end = 1_700_000_000 + 12 * 3600;
        assert_eq!(read.claims, serde_json::json!({ "aud": GOOGLE, "exp": end, "sub": "mailto:duty@example.com" }));
    }

    #[test]
    fn a_token_is_used_for_six_hours_and_every_push_service_has_its_own() {
        let (vapid, clock, _) = vapid();
        let first = vapid.authorization(GOOGLE).unwrap();
        assert_ne!(vapid.authorization("https://web.push.apple.com").unwrap(), first);
        clock.forward(HOUR * 5);
        assert_eq!(vapid.authorization(GOOGLE).unwrap(), first);
        clock.forward(HOUR);
        assert_ne!(vapid.authorization(GOOGLE).unwrap(), first);
    }

    #[test]
    fn what_is_no_key_of_p256_is_found_at_the_start() {
        let other_curve = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap().serialize_pem();
        for key in ["no key", &other_curve] {
            assert!(Vapid::new(key, "mailto:duty@example.com", Clock::real()).is_err());
            assert!(public_key(key).is_err());
        }
    }
}
