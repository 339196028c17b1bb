//! The directory's signed word about who somebody is (ID token): checked, and then read.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use domain::directory::{SKEW, SubjectIdentifier, Told, came_with, shown_name};
use domain::second_factor::CameWith;
use openidconnect::core::{CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJwsSigningAlgorithm};
use openidconnect::{ClaimsVerificationError, ClientId, Nonce, SignatureVerificationError};
use serde_json::Value;

use super::Fault;
use super::errand::Errand;
use super::provider::Known;
use super::settings::Sound;

/// What is signed so was signed by the directory: with its private key, whose public half it shows. Neither nothing nor a shared secret is among them.
const PROVING: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What a word is held against.
pub(super) struct Expected<'a> {
    pub errand: &'a Errand,
    pub settings: &'a Sound,
    pub now: DateTime<Utc>,
}

/// Somebody who came by the directory.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    /// Whom it means.
    pub subject: SubjectIdentifier,
    /// How it calls them: it binds nothing.
    pub name: String,
    /// With what they came.
    pub came_with: CameWith,
}

/// A word that holds: of this directory, to us, about this errand, now.
pub(super) fn checked(token: &CoreIdToken, provider: &Known, expected: &Expected<'_>) -> Result<CoreIdTokenClaims, Fault> {
    let Expected { errand, settings, now } = *expected;
    let client = ClientId::new(settings.client_id.clone());
    let verifier = CoreIdTokenVerifier::new_public_client(client.clone(), settings.issuer.clone(), provider.keys())
        .set_allowed_algs(PROVING)
        .set_time_fn(move || now - SKEW)
        .set_issue_time_verifier_fn(move |at| if at > now + SKEW { Err("issued later than now".to_owned()) } else { Ok(()) });
    let claims = token.claims(&verifier, &Nonce::new(errand.nonce.clone())).map_err(|error| match error {
        ClaimsVerificationError::Expired(_) => Fault::OutOfTime,
        ClaimsVerificationError::InvalidAudience(_) => Fault::WrongAudience,
        ClaimsVerificationError::InvalidIssuer(_) => Fault::WrongIssuer,
        ClaimsVerificationError::InvalidNonce(_) => Fault::WrongNonce,
        ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey
            | SignatureVerificationError::CryptoError(_)
            | SignatureVerificationError::AmbiguousKeyId(_)
            | SignatureVerificationError::InvalidKey(_),
        ) => Fault::Unsigned,
        ClaimsVerificationError::SignatureVerification(_) | ClaimsVerificationError::Unsupported(_) => Fault::Unproving,
        _ => Fault::Unreadable,
    })?;
    // said to us among others it counts, as it does for the library; meant for another it does not
    if claims.authorized_party().is_some_and(|party| *party != client) {
        return Err(Fault::WrongAudience);
    }
    Ok(claims.clone())
}

/// Who a checked word is about, and what it is worth.
pub(super) fn read(token: &CoreIdToken, claims: &CoreIdTokenClaims, expected: &Expected<'_>) -> Result<Arrived, Fault> {
    let Expected { errand, settings, .. } = *expected;
    let subject = claims.subject().parse().map_err(|_| Fault::Nobody)?;
    let told = Told {
        asked_at: errand.begun_at,
        authenticated_at: claims.auth_time(),
        methods: claims.auth_method_refs().into_iter().flatten().map(|method| method.as_str().to_owned()).collect(),
        class: claims.auth_context_ref().map(|class| class.as_str().to_owned()),
    };
    let came_with = came_with(&told, &settings.second_factors).map_err(|_| Fault::NotAskedAnew)?;
    let name = text_of(token, &settings.name_claim).unwrap_or_default();
    Ok(Arrived { subject, name: shown_name(&name), came_with })
}

/// The text of any claim, also of one that the standard does not know.
fn text_of(token: &CoreIdToken, claim: &str) -> Option<String> {
    let written = token.to_string();
    let claims = URL_SAFE_NO_PAD.decode(written.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims.get(claim)?.as_str().map(str::to_owned)
}
