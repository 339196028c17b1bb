//! Provider tokens: ES256 JWTs with key id and team id, at most an hour old ("Establishing a token-based connection to APNs").
//!
//! A sender uses one token for many requests, so a connection remembers the last one with its verdict; only its age is looked at again.

use http::HeaderValue;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, get_current_timestamp};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde::Deserialize;

use super::Reason;
use crate::error::Error;

const OLDEST_S: u64 = 3_600;
/// How far the sender's clock may run ahead.
const SKEW_S: u64 = 300;

/// The key that the platform signs with.
pub(crate) struct ProviderKey {
    pub(crate) p8: String,
    pub(crate) key_id: String,
    pub(crate) team_id: String,
    public_pem: String,
}

impl ProviderKey {
    pub(crate) fn generate() -> Result<Self, Error> {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        Ok(Self {
            p8: pair.serialize_pem(),
            public_pem: pair.public_key_pem(),
            key_id: "SIMULATED1".to_owned(),
            team_id: "SIMCITY001".to_owned(),
        })
    }
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    iat: u64,
}

/// A token that was looked at, and what came of it.
#[derive(Debug)]
pub(super) struct Checked {
    authorization: HeaderValue,
    issued_at: Result<u64, Reason>,
}

/// Checks provider tokens.
#[derive(Debug)]
pub(super) struct Verifier {
    key: DecodingKey,
    key_id: String,
    team_id: String,
    validation: Validation,
    age_checked: bool,
}

impl Verifier {
    pub(super) fn new(key: &ProviderKey, age_checked: bool) -> Result<Self, Error> {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_required_spec_claims::<&str>(&[]);
        validation.validate_exp = false;
        let (key_id, team_id) = (key.key_id.clone(), key.team_id.clone());
        Ok(Self { key: DecodingKey::from_ec_pem(key.public_pem.as_bytes())?, key_id, team_id, validation, age_checked })
    }

    /// Checks an `authorization` header, from memory when it is the same as before.
    pub(super) fn check(&self, authorization: &HeaderValue, memory: &mut Option<Checked>) -> Result<(), Reason> {
        let issued_at = match memory {
            Some(checked) if checked.authorization == authorization => checked.issued_at,
            _ => {
                let issued_at = self.verify(authorization);
                *memory = Some(Checked { authorization: authorization.clone(), issued_at });
                issued_at
            }
        }?;
        let now = get_current_timestamp();
        match () {
            () if !self.age_checked => Ok(()),
            () if issued_at > now + SKEW_S => Err(Reason::InvalidProviderToken),
            () if issued_at + OLDEST_S < now => Err(Reason::ExpiredProviderToken),
            () => Ok(()),
        }
    }

    fn verify(&self, authorization: &HeaderValue) -> Result<u64, Reason> {
        let text = authorization.to_str().map_err(|_| Reason::InvalidProviderToken)?;
        let (scheme, token) = text.split_once(' ').ok_or(Reason::MissingProviderToken)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Reason::MissingProviderToken);
        }
        let header = decode_header(token).map_err(|_| Reason::InvalidProviderToken)?;
        if header.kid.as_deref() != Some(&self.key_id) {
            return Err(Reason::InvalidProviderToken);
        }
        let claims = decode::<Claims>(token, &self.key, &self.validation).map_err(|_| Reason::InvalidProviderToken)?.claims;
        (claims.iss == self.team_id).then_some(claims.iat).ok_or(Reason::InvalidProviderToken)
    }
}
