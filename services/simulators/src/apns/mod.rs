//! Apple Push Notification service, the HTTP/2 provider API with token authentication.
//!
//! Source: Apple, "Sending notification requests to APNs" and "Handling notification responses from APNs".
//! [`provider_token`] checks who sends, [`headers`] what is sent, [`reason`] says no in Apple's words.

mod headers;
mod provider_token;
mod reason;

use std::{str, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, request::Parts};

use self::provider_token::{Checked, Verifier};
pub(crate) use self::{provider_token::ProviderKey, reason::Reason};
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

/// The simulator of APNs.
#[derive(Debug)]
pub(crate) struct Apns {
    strict: bool,
    topics: Vec<String>,
    verifier: Verifier,
    pub(crate) faults: Faults,
    pub(crate) ledger: Ledger,
    pub(crate) kept: Kept<ReceivedPush>,
    pub(crate) tallies: Tallies,
}

/// What a connection remembers: a sender's token and payload hardly change from request to request.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    dice: Dice,
    token: Option<Checked>,
    valid_payload: Option<Bytes>,
}

impl Apns {
    pub(crate) fn new(options: &Options, key: &ProviderKey, changed: Arc<tokio::sync::Notify>) -> Result<Self, crate::Error> {
        Ok(Self {
            strict: options.strict,
            topics: options.apns_topics.clone(),
            verifier: Verifier::new(key, options.token_age_checked)?,
            faults: Faults::default(),
            ledger: Ledger::new(options.counting),
            kept: Kept::new(options.keep_payloads),
            tallies: Tallies::new(changed),
        })
    }

    /// Everything that Apple checks, in Apple's order: path, credentials, headers, payload. `authorised` tells how far it came.
    fn check<'a>(&self, request: &'a Parts, body: &Bytes, memory: &mut Memory, authorised: &mut bool) -> Result<&'a str, Reason> {
        if request.method != http::Method::POST {
            return Err(Reason::MethodNotAllowed);
        }
        let token = request.uri.path().strip_prefix("/3/device/").ok_or(Reason::BadPath)?;
        let authorization = request.headers.get(http::header::AUTHORIZATION).ok_or(Reason::MissingProviderToken)?;
        if self.strict {
            self.verifier.check(authorization, &mut memory.token)?;
        }
        *authorised = true;
        if token.is_empty() {
            return Err(Reason::MissingDeviceToken);
        }
        if body.len() > headers::LARGEST_PAYLOAD {
            return Err(Reason::PayloadTooLarge);
        }
        if self.strict {
            headers::check_device_token(token)?;
            headers::check(&request.headers, &self.topics)?;
            if memory.valid_payload.as_ref() != Some(body) {
                headers::check_payload(body)?;
                memory.valid_payload = Some(body.clone());
            }
        }
        Ok(token)
    }

    fn accept(&self, token: &str, request: &Parts, body: &Bytes) {
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        self.ledger.record(token, header("apns-collapse-id").unwrap_or_default());
        self.kept.keep(token, || {
            let header = |name: &str| header(name).map(str::to_owned);
            ReceivedPush {
                provider: Provider::Apns,
                at: time::now(),
                collapse_id: header("apns-collapse-id"),
                priority: header("apns-priority"),
                expiration: header("apns-expiration"),
                push_type: header("apns-push-type"),
                topic: header("apns-topic"),
                project: None,
                payload: serde_json::from_slice(body).unwrap_or_default(),
            }
        });
        self.tallies.changed();
    }

    fn refuse(&self, request: &Parts, dice: &mut Dice, reason: Reason, retry_after_s: u32) -> Action {
        self.refuse_since(request, dice, reason, retry_after_s, time::now().timestamp_millis())
    }

    fn refuse_since(&self, request: &Parts, dice: &mut Dice, reason: Reason, retry_after_s: u32, since_ms: i64) -> Action {
        self.tallies.refused(reason.text());
        let mut response = with_id(request, dice, reason.status(), reason.body(since_ms));
        if retry_after_s > 0 {
            response.headers_mut().insert(http::header::RETRY_AFTER, HeaderValue::from(retry_after_s));
        }
        Action::Respond(response)
    }

    fn strike(&self, fault: &FaultKind, token: &str, request: &Parts, body: &Bytes, dice: &mut Dice) -> Action {
        let objection = match strike(fault, &self.tallies, || self.accept(token, request, body)) {
            Struck::Ended(action) => return action,
            Struck::Taken => return Action::Respond(with_id(request, dice, StatusCode::OK, Bytes::new())),
            Struck::Refused(objection) => objection,
        };
        let (reason, retry_after_s) = match objection {
            Objection::Gone { at_ms: Some(at_ms) } => return self.refuse_since(request, dice, Reason::Unregistered, 0, at_ms),
            Objection::Gone { at_ms: None } => (Reason::Unregistered, 0),
            Objection::Foreign => (Reason::DeviceTokenNotForTopic, 0),
            Objection::BadMessage => (Reason::InvalidPushType, 0),
            Objection::BadRecipient => (Reason::BadDeviceToken, 0),
            Objection::Throttled { retry_after_s } => (Reason::TooManyRequests, retry_after_s),
            Objection::InternalError => (Reason::InternalServerError, 0),
            Objection::Unavailable => (Reason::ServiceUnavailable, 0),
            Objection::CredentialsRefused | Objection::ThirdPartyAuthError => (Reason::InvalidProviderToken, 0),
            Objection::CredentialsExpired => (Reason::ExpiredProviderToken, 0),
        };
        self.refuse(request, dice, reason, retry_after_s)
    }
}

impl PushProvider for Apns {
    type Memory = Memory;
    const ONE_STREAM_FIRST: bool = true;

    fn answer(&self, request: &Parts, body: &Bytes, memory: &mut Memory) -> Answer {
        self.tallies.request();
        let mut authorised = false;
        let action = match self.check(request, body, memory, &mut authorised) {
            Err(reason) => self.refuse(request, &mut memory.dice, reason, 0),
            Ok(token) => {
                let faults = self.faults.now();
                match faults.strikes(token, &mut memory.dice) {
                    Some(fault) => self.strike(fault, token, request, body, &mut memory.dice),
                    None => {
                        self.accept(token, request, body);
                        Action::Respond(with_id(request, &mut memory.dice, StatusCode::OK, Bytes::new()))
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

/// Every answer carries the request's `apns-id`, or one made for it.
fn with_id(request: &Parts, dice: &mut Dice, status: StatusCode, body: Bytes) -> Response<Bytes> {
    let id = request.headers.get("apns-id").cloned().or_else(|| {
        let mut buffer = uuid::Uuid::encode_buffer();
        HeaderValue::from_str(dice.uuid().hyphenated().encode_upper(&mut buffer)).ok()
    });
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if let Some(mut id) = id {
        // Unique per answer: kept out of HPACK's table, which it would only churn.
        id.set_sensitive(true);
        response.headers_mut().insert("apns-id", id);
    }
    response
}
