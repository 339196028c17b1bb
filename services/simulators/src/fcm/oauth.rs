//! Who gets access tokens: whoever signs an assertion with the service account's key (RFC 7523).

use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use base64::{
    Engine,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::HeaderValue;
use jsonwebtoken::{Algorithm, DecodingKey, crypto::verify, get_current_timestamp};
use rcgen::{KeyPair, PKCS_RSA_SHA256};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::Error;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SCOPES: [&str; 2] = ["https://www.googleapis.com/auth/firebase.messaging", "https://www.googleapis.com/auth/cloud-platform"];
const LIFETIME: Duration = Duration::from_secs(3_599);

/// The account that the platform signs assertions with.
pub(crate) struct ServiceAccount {
    private_pem: String,
    public_pem: String,
    email: String,
    project: String,
}

impl ServiceAccount {
    pub(crate) fn generate(project: &str) -> Result<Self, Error> {
        let pair = KeyPair::generate_for(&PKCS_RSA_SHA256)?;
        let email = format!("sender@{project}.iam.gserviceaccount.com");
        Ok(Self { private_pem: pair.serialize_pem(), public_pem: pair.public_key_pem(), email, project: project.to_owned() })
    }

    /// The service-account file as Google hands it out, with the simulator as token endpoint.
    pub(crate) fn file(&self, token_uri: &str) -> String {
        let file = json!({
            "type": "service_account",
            "project_id": self.project,
            "private_key_id": "simulated",
            "private_key": self.private_pem,
            "client_email": self.email,
            "client_id": "100000000000000000000",
            "token_uri": token_uri,
        });
        format!("{file:#}\n")
    }
}

/// Google takes assertions with and without padding, and its own libraries send both.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&URL_SAFE, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));
/// How far the sender's clock may be off, in seconds.
const SKEW_S: u64 = 300;

/// Who gets access tokens, and which are valid.
pub(super) struct Authority {
    key: DecodingKey,
    email: String,
    age_checked: bool,
    issued: RwLock<HashMap<String, Instant>>,
    /// Counts revocations, so that connections forget what they remember.
    revocations: AtomicU64,
}

/// An access token that was found valid.
#[derive(Debug)]
pub(super) struct Access {
    authorization: HeaderValue,
    until: Instant,
    revocations: u64,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Authority").finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Header {
    alg: Algorithm,
}

#[derive(Deserialize)]
struct Assertion {
    iss: String,
    scope: String,
    exp: u64,
}

#[derive(Deserialize)]
pub(super) struct TokenRequest {
    grant_type: String,
    assertion: String,
}

#[derive(Serialize)]
pub(super) struct TokenResponse {
    access_token: String,
    expires_in: u64,
    token_type: &'static str,
}

impl Authority {
    pub(super) fn new(account: &ServiceAccount, age_checked: bool) -> Result<Self, Error> {
        Ok(Self {
            key: DecodingKey::from_rsa_pem(account.public_pem.as_bytes())?,
            email: account.email.clone(),
            age_checked,
            issued: RwLock::default(),
            revocations: AtomicU64::new(0),
        })
    }

    /// Checks an `authorization` header, from memory when it is the same as before.
    pub(super) fn check(&self, authorization: &HeaderValue, memory: &mut Option<Access>) -> bool {
        let (now, revocations) = (Instant::now(), self.revocations.load(Relaxed));
        if memory
            .as_ref()
            .is_some_and(|access| access.authorization == authorization && access.revocations == revocations && now < access.until)
        {
            return true;
        }
        let until = self.valid_until(authorization).filter(|until| now < *until);
        *memory = until.map(|until| Access { authorization: authorization.clone(), until, revocations });
        memory.is_some()
    }

    fn valid_until(&self, authorization: &HeaderValue) -> Option<Instant> {
        let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
        let issued = self.issued.read().unwrap_or_else(PoisonError::into_inner);
        scheme.eq_ignore_ascii_case("bearer").then(|| issued.get(token).copied()).flatten()
    }

    /// The claims of an assertion that this account signed (RFC 7519 §7.2).
    fn verify(&self, assertion: &str) -> Option<Assertion> {
        let (signed, signature) = assertion.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Header = serde_json::from_slice(&BASE64.decode(header).ok()?).ok()?;
        let signature = signature.trim_end_matches('=');
        let genuine = header.alg == Algorithm::RS256 && verify(signature, signed.as_bytes(), &self.key, Algorithm::RS256).ok()?;
        let claims: Assertion = serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()?;
        let in_time = !self.age_checked || claims.exp + SKEW_S > get_current_timestamp();
        (genuine && in_time && claims.iss == self.email).then_some(claims)
    }

    pub(super) fn revoke_all(&self) {
        self.issued.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.revocations.fetch_add(1, Relaxed);
    }

    pub(super) fn grant(&self, request: &TokenRequest) -> Result<TokenResponse, Denial> {
        if request.grant_type != GRANT_TYPE {
            return Err(Denial("unsupported_grant_type", "Invalid grant_type"));
        }
        let invalid = Denial("invalid_grant", "Invalid JWT: signature, issuer or time is wrong.");
        let assertion = self.verify(&request.assertion).ok_or(invalid)?;
        if !assertion.scope.split(' ').any(|scope| SCOPES.contains(&scope)) {
            return Err(Denial("invalid_scope", "The scope does not allow sending messages."));
        }
        let access_token = format!("ya29.simulated-{:032x}", rand::random::<u128>());
        self.issued.write().unwrap_or_else(PoisonError::into_inner).insert(access_token.clone(), Instant::now() + LIFETIME);
        Ok(TokenResponse { access_token, expires_in: LIFETIME.as_secs(), token_type: "Bearer" })
    }
}

/// RFC 6749 §5.2: code and description.
pub(super) struct Denial(pub &'static str, pub &'static str);
