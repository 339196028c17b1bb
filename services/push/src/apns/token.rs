//! The provider token: an ES256 JWT that says who sends (Apple, "Establishing a token-based connection to APNs").
//!
//! Apple refuses tokens older than an hour and senders that renew more often than every 20 minutes. So a token is renewed at 40
//! minutes by the platform's clock, and earlier only when APNs calls it expired and it is 20 minutes old.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderValue;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use platform::clock::Clock;
use serde::Serialize;

/// A token of this age is replaced.
const RENEWED_AFTER: TimeDelta = TimeDelta::minutes(40);
/// A token younger than this is not replaced, whatever happens.
const KEPT_FOR: TimeDelta = TimeDelta::minutes(20);

/// The signing key and the token made with it last.
pub(super) struct ProviderToken {
    key: EncodingKey,
    header: Header,
    team_id: String,
    clock: Clock,
    current: Mutex<Option<Signed>>,
}

#[derive(Clone)]
struct Signed {
    authorization: HeaderValue,
    at: DateTime<Utc>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: i64,
}

impl ProviderToken {
    /// Tokens of the team, signed with the key (the text of a `.p8` file) under its id.
    pub(super) fn new(key_p8: &str, key_id: &str, team_id: &str, clock: Clock) -> Result<Self, jsonwebtoken::errors::Error> {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(key_id.to_owned());
        header.typ = None;
        let key = EncodingKey::from_ec_pem(key_p8.as_bytes())?;
        let token = Self { key, header, team_id: team_id.to_owned(), clock, current: Mutex::new(None) };
        // A key that cannot sign is a fault of the settings: better found at the start than at the first alert.
        token.sign()?;
        Ok(token)
    }

    /// The `authorization` header of this moment.
    pub(super) fn authorization(&self) -> Result<HeaderValue, jsonwebtoken::errors::Error> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        if let Some(signed) = current.as_ref().filter(|signed| now - signed.at < RENEWED_AFTER) {
            return Ok(signed.authorization.clone());
        }
        let signed = self.sign()?;
        let authorization = signed.authorization.clone();
        *current = Some(signed);
        Ok(authorization)
    }

    /// APNs calls `authorization` expired. False when it is too young for that: then the clocks differ, and a new token will not help.
    pub(super) fn expired(&self, authorization: &HeaderValue) -> bool {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match current.as_ref() {
            Some(signed) if signed.authorization == authorization => {
                let old_enough = self.clock.now() - signed.at >= KEPT_FOR;
                if old_enough {
                    *current = None;
                }
                old_enough
            }
            // Somebody else has renewed it already.
            _ => true,
        }
    }

    fn sign(&self) -> Result<Signed, jsonwebtoken::errors::Error> {
        let at = self.clock.now();
        let token = jsonwebtoken::encode(&self.header, &Claims { iss: &self.team_id, iat: at.timestamp() }, &self.key)?;
        // base64url and dots only
        let authorization = HeaderValue::try_from(format!("bearer {token}")).expect("a JWT is printable ASCII");
        Ok(Signed { authorization, at })
    }
}

impl std::fmt::Debug for ProviderToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderToken").field("team_id", &self.team_id).field("key_id", &self.header.kid).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn token() -> (ProviderToken, Clock, Vec<u8>) {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let clock = Clock::moved(DateTime::from_timestamp(1_700_000_000, 0).unwrap());
        let token = ProviderToken::new(&key.serialize_pem(), "KEY4567890", "TEAM567890", clock.clone()).unwrap();
        (token, clock, key.public_key_pem().into_bytes())
    }

    #[test]
    fn a_token_names_key_team_and_time_and_is_signed() {
        let (token, _, public) = token();
        let authorization = token.authorization().unwrap();
        let jwt = authorization.to_str().unwrap().strip_prefix("bearer ").unwrap();
        let mut rules = jsonwebtoken::Validation::new(Algorithm::ES256);
        rules.set_required_spec_claims::<&str>(&[]);
        rules.validate_exp = false;
        let key = jsonwebtoken::DecodingKey::from_ec_pem(&public).unwrap();
        let read = jsonwebtoken::decode::<serde_json::Value>(jwt, &key, &rules).unwrap();
        assert_eq!(read.header.kid.as_deref(), Some("KEY4567890"));
        assert_eq!(read.claims, serde_json::json!({ "iss": "TEAM567890", "iat": 1_700_000_000 }));
    }

    #[test]
    fn a_token_is_used_for_forty_minutes_of_the_platforms_clock_and_then_renewed() {
        let (token, clock, _) = token();
        let first = token.authorization().unwrap();
        clock.forward(MINUTE * 39);
        assert_eq!(token.authorization().unwrap(), first);
        clock.forward(MINUTE);
        assert_ne!(token.authorization().unwrap(), first);
    }

    #[test]
    fn a_token_that_apns_calls_expired_is_renewed_unless_it_is_younger_than_apple_allows() {
        let (token, clock, _) = token();
        let first = token.authorization().unwrap();
        clock.forward(MINUTE * 19);
        assert!(!token.expired(&first));
        assert_eq!(token.authorization().unwrap(), first);
        clock.forward(MINUTE);
        assert!(token.expired(&first));
        let second = token.authorization().unwrap();
        assert_ne!(second, first);
        assert!(token.expired(&first), "a late answer to the first token");
        assert_eq!(token.authorization().unwrap(), second, "does not cost the second");
    }

    #[test]
    fn what_is_no_key_is_found_at_the_start() {
        let clock = Clock::real();
        assert!(ProviderToken::new("no key", "KEY4567890", "TEAM567890", clock).is_err());
    }
}
