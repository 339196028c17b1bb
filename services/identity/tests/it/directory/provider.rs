//! A directory on loopback, whose word can be made wrong: what a good one never does.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use platform::clock::Clock;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// As whom it knows the platform.
pub const CLIENT: &str = "fenghuo";

/// With what it signs its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signs {
    /// With the key that it shows.
    WithItsKey,
    /// With one that it does not show.
    WithAnothersKey,
    /// With the secret that it shares with the platform.
    WithTheSecret,
    /// Not at all.
    NotAtAll,
}

/// What it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Description,
    Keys,
    Token,
}

fn fresh_key() -> SigningKey {
    SigningKey::from_slice(&rand::random::<[u8; 32]>()).unwrap()
}

type Change = Box<dyn Fn(&mut Value) + Send>;

struct Told {
    key: SigningKey,
    number: usize,
    signs: Signs,
    change: Change,
    description: Change,
    is_away: bool,
    pads: Option<(Answer, usize)>,
    codes: BTreeMap<String, Question>,
    /// How many codes it has given.
    given: usize,
}

/// What a browser was sent with.
#[derive(Clone)]
struct Question {
    subject: String,
    name: String,
    nonce: String,
    challenge: String,
}

struct Shared {
    clock: Clock,
    issuer: String,
    told: Mutex<Told>,
    descriptions: AtomicUsize,
}

/// A directory.
#[derive(Clone)]
pub struct Provider(Arc<Shared>);

impl Provider {
    /// One that goes by this clock.
    pub async fn opens(clock: Clock) -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let told = Told {
            key: fresh_key(),
            number: 1,
            signs: Signs::WithItsKey,
            change: Box::new(|_| {}),
            description: Box::new(|_| {}),
            is_away: false,
            pads: None,
            codes: BTreeMap::new(),
            given: 0,
        };
        let provider = Self(Arc::new(Shared { clock, issuer, told: Mutex::new(told), descriptions: AtomicUsize::new(0) }));
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        provider
    }

    pub fn issuer(&self) -> String {
        self.0.issuer.clone()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.told.lock().unwrap()
    }

    /// Its word is changed like this from now on.
    pub fn says(&self, change: impl Fn(&mut Value) + Send + 'static) {
        self.told().change = Box::new(change);
    }

    /// Its description is changed like this from now on.
    pub fn describes_itself(&self, change: impl Fn(&mut Value) + Send + 'static) {
        self.told().description = Box::new(change);
    }

    pub fn signs(&self, signs: Signs) {
        self.told().signs = signs;
    }

    /// It signs with another key, which it shows.
    pub fn changes_its_key(&self) {
        let mut told = self.told();
        (told.key, told.number) = (fresh_key(), told.number + 1);
    }

    pub fn is_away(&self, is_away: bool) {
        self.told().is_away = is_away;
    }

    /// This answer is so much longer from now on (bytes), and as good as it was.
    pub fn pads(&self, answer: Answer, by: usize) {
        self.told().pads = Some((answer, by));
    }

    /// How often it was asked to describe itself.
    pub fn descriptions(&self) -> usize {
        self.0.descriptions.load(Ordering::Relaxed)
    }

    /// Somebody who was led to this address signs in here; with what they are led back.
    pub fn lets_in(&self, subject: &str, name: &str, address: &str) -> BTreeMap<String, String> {
        let asked = asked(address);
        assert_eq!((asked["client_id"].as_str(), asked["code_challenge_method"].as_str()), (CLIENT, "S256"));
        assert_eq!((asked["prompt"].as_str(), asked["max_age"].as_str()), ("login", "0"), "whoever sits there now is asked");
        let question = Question {
            subject: subject.into(),
            name: name.into(),
            nonce: asked["nonce"].clone(),
            challenge: asked["code_challenge"].clone(),
        };
        let mut told = self.told();
        told.given += 1;
        let code = format!("code-{}", told.given);
        told.codes.insert(code.clone(), question);
        [("code".to_owned(), code), ("state".to_owned(), asked["state"].clone())].into()
    }
}

/// What an address asks.
pub fn asked(address: &str) -> BTreeMap<String, String> {
    address.parse::<openidconnect::url::Url>().unwrap().query_pairs().into_owned().collect()
}

fn faulty(provider: &Provider) -> Option<Response> {
    provider.told().is_away.then(|| StatusCode::BAD_GATEWAY.into_response())
}

/// An answer, with what nobody reads beside it where it is to be long.
fn padded(told: &Told, answer: Answer, mut body: Value) -> Response {
    if let Some((_, by)) = told.pads.filter(|(padded, _)| *padded == answer) {
        body["padding"] = json!("a".repeat(by));
    }
    Json(body).into_response()
}

async fn describe(State(provider): State<Provider>) -> Response {
    provider.0.descriptions.fetch_add(1, Ordering::Relaxed);
    if let Some(fault) = faulty(&provider) {
        return fault;
    }
    let issuer = provider.issuer();
    let mut description = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
    });
    let told = provider.told();
    (told.description)(&mut description);
    padded(&told, Answer::Description, description)
}

async fn keys(State(provider): State<Provider>) -> Response {
    let told = provider.told();
    let point = told.key.verifying_key().to_encoded_point(false);
    let coordinate = |octets: Option<&p256::FieldBytes>| URL_SAFE_NO_PAD.encode(octets.unwrap());
    let key = json!({
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": format!("key-{}", told.number),
        "x": coordinate(point.x()), "y": coordinate(point.y()),
    });
    padded(&told, Answer::Keys, json!({ "keys": [key] }))
}

async fn token(State(provider): State<Provider>, Form(form): Form<BTreeMap<String, String>>) -> Response {
    if let Some(fault) = faulty(&provider) {
        return fault;
    }
    let now = provider.0.clock.now().timestamp();
    let mut told = provider.told();
    // each code once, and for whoever asked for it
    let question = form.get("code").and_then(|code| told.codes.remove(code));
    let proved = |question: &Question| {
        let verifier = form.get("code_verifier").map(String::as_str).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == question.challenge
    };
    let Some(question) = question.filter(proved) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    };
    let mut word = json!({
        "iss": provider.0.issuer, "aud": CLIENT, "sub": question.subject, "nonce": question.nonce,
        "iat": now, "exp": now + 300, "auth_time": now, "preferred_username": question.name,
    });
    (told.change)(&mut word);
    let token = signed(&told, &word);
    let answer = json!({ "access_token": "opaque", "token_type": "Bearer", "expires_in": 300, "id_token": token });
    padded(&told, Answer::Token, answer)
}

fn signed(told: &Told, word: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = |algorithm: &str| part(&json!({ "alg": algorithm, "typ": "JWT", "kid": format!("key-{}", told.number) }));
    let by_a_key = |key: &SigningKey| {
        let said = format!("{}.{}", header("ES256"), part(word));
        let signature: Signature = key.sign(said.as_bytes());
        format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    };
    match told.signs {
        Signs::WithItsKey => by_a_key(&told.key),
        Signs::WithAnothersKey => by_a_key(&fresh_key()),
        Signs::WithTheSecret => {
            let said = format!("{}.{}", header("HS256"), part(word));
            let key = hmac(super::SECRET.as_bytes(), said.as_bytes());
            format!("{said}.{}", URL_SAFE_NO_PAD.encode(key))
        }
        Signs::NotAtAll => format!("{}.{}.", header("none"), part(word)),
    }
}

/// HMAC-SHA-256 (RFC 2104).
fn hmac(key: &[u8], said: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |with: u8| block.map(|octet| octet ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(said).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}
