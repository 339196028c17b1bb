//! A browser maker's push service: `POST /send/<id>`, as a subscription's endpoint says.
//!
//! Sources: RFC 8030 (the protocol), RFC 8188 and RFC 8291 (the body), RFC 8292 (who sends). [`vapid`] checks who sends, [`message`] what is
//! sent, [`refusal`] says no. What a message says this simulator cannot read, as no push service can: it keeps the body for whoever has
//! the subscription's own key.
//!
//! A subscription comes into being with the first message to it, and belongs to the key that sent it: messages of another key are refused.

mod message;
mod refusal;
mod vapid;

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header, request::Parts};

use self::{
    refusal::Refusal,
    vapid::{Checked, Verifier},
};
use crate::{
    dice::Dice,
    fault::{FaultKind, Faults},
    http2::{Action, Answer, PushProvider},
    ledger::{Kept, Ledger},
    options::Options,
    received::{Provider, ReceivedPush},
    statistics::Tallies,
    struck::{Objection, Struck, strike},
    time,
};

/// The simulator of a push service.
#[derive(Debug)]
pub(crate) struct WebPush {
    strict: bool,
    origin: String,
    verifier: Verifier,
    /// Whose subscriptions are: the public key that sent first.
    owners: Mutex<HashMap<String, String>>,
    sent: AtomicU64,
    pub(crate) faults: Faults,
    pub(crate) ledger: Ledger,
    pub(crate) kept: Kept<ReceivedPush>,
    pub(crate) tallies: Tallies,
}

/// What a connection remembers: the token it has already checked.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    dice: Dice,
    token: Option<Checked>,
}

impl WebPush {
    pub(crate) fn new(options: &Options, address: SocketAddr, changed: Arc<tokio::sync::Notify>) -> Self {
        let origin = format!("https://{address}");
        Self {
            strict: options.strict,
            verifier: Verifier::new(&origin, options.token_age_checked),
            origin,
            owners: Mutex::default(),
            sent: AtomicU64::new(0),
            faults: Faults::default(),
            ledger: Ledger::new(options.counting),
            kept: Kept::new(options.keep_payloads),
            tallies: Tallies::new(changed),
        }
    }

    /// Forgets what arrived and whose the subscriptions are.
    pub(crate) fn reset(&self) {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.ledger.reset();
        self.kept.reset();
        self.tallies.reset();
    }

    /// Everything that a push service checks: path, who sends, headers, body, whose the subscription is. `authorised` tells how far it came.
    fn check<'a>(&self, request: &'a Parts, body: &Bytes, memory: &mut Memory, authorised: &mut bool) -> Result<&'a str, Refusal> {
        if request.method != http::Method::POST {
            return Err(Refusal::MethodNotAllowed);
        }
        let id = request.uri.path().strip_prefix("/send/").filter(|id| message::is_id(id)).ok_or(Refusal::NoSuchSubscription)?;
        if !self.strict {
            *authorised = true;
            return Ok(id);
        }
        let authorization = request.headers.get(header::AUTHORIZATION).ok_or(Refusal::Unauthorized)?;
        let sender = self.verifier.check(authorization, &mut memory.token)?;
        *authorised = true;
        message::check(&request.headers, body)?;
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        let owner = owners.entry(id.to_owned()).or_insert_with(|| sender.to_owned());
        if owner == sender { Ok(id) } else { Err(Refusal::OtherKey) }
    }

    fn accept(&self, id: &str, request: &Parts, body: &Bytes) {
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        self.ledger.record(id, header("topic").unwrap_or_default());
        self.kept.keep(id, || {
            let header = |name: &str| header(name).map(str::to_owned);
            ReceivedPush {
                provider: Provider::WebPush,
                at: time::now(),
                collapse_id: header("topic"),
                priority: header("urgency"),
                expiration: header("ttl"),
                push_type: None,
                topic: None,
                project: None,
                payload: serde_json::json!({ "content_encoding": header("content-encoding"), "body": URL_SAFE_NO_PAD.encode(body) }),
            }
        });
        self.tallies.changed();
    }

    fn refuse(&self, refusal: Refusal, retry_after_s: u32) -> Action {
        self.tallies.refused(refusal.word());
        let mut response = refusal.response();
        if retry_after_s > 0 {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after_s));
        }
        Action::Respond(response)
    }

    fn strike(&self, fault: &FaultKind, id: &str, request: &Parts, body: &Bytes) -> Action {
        let objection = match strike(fault, &self.tallies, || self.accept(id, request, body)) {
            Struck::Ended(action) => return action,
            Struck::Taken => return Action::Respond(self.created(request)),
            Struck::Refused(objection) => objection,
        };
        let (refusal, retry_after_s) = match objection {
            Objection::Gone { .. } => (Refusal::Gone, 0),
            Objection::Foreign => (Refusal::OtherKey, 0),
            Objection::BadMessage => (Refusal::TooLarge, 0),
            Objection::BadRecipient => (Refusal::NoSuchSubscription, 0),
            Objection::Throttled { retry_after_s } => (Refusal::TooManyRequests, retry_after_s),
            Objection::InternalError => (Refusal::InternalError, 0),
            Objection::Unavailable => (Refusal::Unavailable, 0),
            Objection::CredentialsRefused | Objection::ThirdPartyAuthError => (Refusal::Forbidden, 0),
            Objection::CredentialsExpired => (Refusal::Unauthorized, 0),
        };
        self.refuse(refusal, retry_after_s)
    }

    /// 201 with the message's own address (RFC 8030 §5).
    fn created(&self, request: &Parts) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::CREATED;
        let number = self.sent.fetch_add(1, Relaxed);
        if let Ok(mut location) = HeaderValue::try_from(format!("{}/message/{number:016x}", self.origin)) {
            // Unique per answer: kept out of HPACK's table, which it would only churn.
            location.set_sensitive(true);
            response.headers_mut().insert(header::LOCATION, location);
        }
        if let Some(ttl) = request.headers.get("ttl") {
            response.headers_mut().insert("ttl", ttl.clone());
        }
        response
    }
}

impl PushProvider for WebPush {
    type Memory = Memory;
    const ONE_STREAM_FIRST: bool = false;

    fn answer(&self, request: &Parts, body: &Bytes, memory: &mut Memory) -> Answer {
        self.tallies.request();
        let mut authorised = false;
        let action = match self.check(request, body, memory, &mut authorised) {
            Err(refusal) => self.refuse(refusal, 0),
            Ok(id) => {
                let faults = self.faults.now();
                match faults.strikes(id, &mut memory.dice) {
                    Some(fault) => self.strike(fault, id, request, body),
                    None => {
                        self.accept(id, request, body);
                        Action::Respond(self.created(request))
                    }
                }
            }
        };
        Answer { action, authorised }
    }

    fn faults(&self) -> &Faults {
        &self.faults
    }

    fn tallies(&self) -> &Tallies {
        &self.tallies
    }
}
