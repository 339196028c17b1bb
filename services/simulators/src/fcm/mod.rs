//! Firebase Cloud Messaging, HTTP v1: `POST /v1/projects/{project}/messages:send`, one message a request.
//!
//! Source: Firebase, "REST Resource: projects.messages" and "ErrorCode". [`token_endpoint`] gives the access tokens that [`oauth`] grants,
//! [`message`] reads and checks the body, [`refusal`] says no in Google's words, [`offline`] keeps what a device cannot get now.

mod message;
mod oauth;
mod offline;
mod refusal;
mod token_endpoint;

use std::{
    str,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use http::{Response, StatusCode, request::Parts};

pub(crate) use self::oauth::ServiceAccount;
pub(crate) use self::token_endpoint::listen as listen_oauth;
use self::{
    message::Target,
    oauth::{Access, Authority},
    offline::{Offline, Waiting},
    refusal::{Refusal, json},
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

/// The simulator of FCM.
#[derive(Debug)]
pub(crate) struct Fcm {
    strict: bool,
    /// Of the projects that may send.
    paths: Vec<String>,
    name_prefix: String,
    sent: AtomicU64,
    authority: Authority,
    offline: Offline,
    pub(crate) faults: Faults,
    pub(crate) ledger: Ledger,
    pub(crate) kept: Kept<ReceivedPush>,
    pub(crate) tallies: Tallies,
}

/// What a connection remembers: the access token it has already checked.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    dice: Dice,
    access: Option<Access>,
}

impl Fcm {
    pub(crate) fn new(options: &Options, account: &ServiceAccount, changed: Arc<tokio::sync::Notify>) -> Result<Self, crate::Error> {
        let project = &options.fcm_project;
        let projects = std::iter::once(project).chain(&options.fcm_other_projects);
        Ok(Self {
            strict: options.strict,
            paths: projects.map(|project| format!("/v1/projects/{project}/messages:send")).collect(),
            name_prefix: format!(r#"{{"name":"projects/{project}/messages/0:"#),
            sent: AtomicU64::new(0),
            authority: Authority::new(account, options.token_age_checked)?,
            offline: Offline::default(),
            faults: Faults::default(),
            ledger: Ledger::new(options.counting),
            kept: Kept::new(options.keep_payloads),
            tallies: Tallies::new(changed),
        })
    }

    /// Everything that Google checks: path, access token, message. `authorised` tells how far it came.
    fn check<'a>(&self, request: &Parts, body: &'a [u8], memory: &mut Memory, authorised: &mut bool) -> Result<Target<'a>, Refusal> {
        if !self.paths.iter().any(|path| path == request.uri.path()) || request.method != http::Method::POST {
            return Err(Refusal::NotFound);
        }
        let authorization = request.headers.get(http::header::AUTHORIZATION).ok_or(Refusal::Unauthenticated)?;
        if self.strict && !self.authority.check(authorization, &mut memory.access) {
            return Err(Refusal::Unauthenticated);
        }
        *authorised = true;
        if self.strict { message::check(body) } else { message::target(body) }
    }

    /// A device loses its connection.
    pub(crate) fn leave(&self, token: &str) {
        self.offline.leave(token);
    }

    /// It is back, and gets what was kept for it.
    pub(crate) fn come_back(&self, token: &str) {
        for Waiting { path, body } in self.offline.come_back(token) {
            if let Ok(target) = message::target(&body) {
                self.arrive(&path, &target, &body);
            }
        }
    }

    pub(crate) fn reset(&self) {
        self.offline.reset();
        self.ledger.reset();
        self.kept.reset();
        self.tallies.reset();
    }

    fn accept(&self, request: &Parts, target: &Target<'_>, body: &Bytes) {
        let path = request.uri.path();
        if !self.offline.keeps(target, || Waiting { path: path.to_owned(), body: body.clone() }) {
            self.arrive(path, target, body);
        }
    }

    fn arrive(&self, path: &str, target: &Target<'_>, body: &[u8]) {
        self.ledger.record(&target.recipient, target.place().unwrap_or_default());
        self.kept.keep(&target.recipient, || {
            let mut payload: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
            let message = payload.get_mut("message").map(serde_json::Value::take).unwrap_or_default();
            let android = |field: &str| message.pointer(&format!("/android/{field}")).and_then(|value| value.as_str()).map(str::to_owned);
            ReceivedPush {
                provider: Provider::Fcm,
                at: time::now(),
                collapse_id: target.place().map(str::to_owned),
                priority: android("priority"),
                expiration: android("ttl"),
                push_type: None,
                topic: None,
                // /v1/projects/{project}/messages:send
                project: path.split('/').nth(3).map(str::to_owned),
                payload: message,
            }
        });
        self.tallies.changed();
    }

    fn refuse(&self, refusal: Refusal, retry_after_s: u32) -> Action {
        self.tallies.refused(refusal.error_code());
        Action::Respond(refusal.response(retry_after_s))
    }

    fn strike(&self, fault: &FaultKind, request: &Parts, target: &Target<'_>, body: &Bytes) -> Action {
        let objection = match strike(fault, &self.tallies, || self.accept(request, target, body)) {
            Struck::Ended(action) => return action,
            Struck::Taken => return Action::Respond(self.success()),
            Struck::Refused(objection) => objection,
        };
        match objection {
            Objection::Gone { .. } => self.refuse(Refusal::Unregistered, 0),
            Objection::Foreign => self.refuse(Refusal::SenderIdMismatch, 0),
            Objection::BadMessage => self.refuse(Refusal::InvalidArgument("Android message is too big".to_owned()), 0),
            Objection::BadRecipient => self.refuse(Refusal::InvalidToken, 0),
            Objection::Throttled { retry_after_s } => self.refuse(Refusal::QuotaExceeded, retry_after_s),
            Objection::InternalError => self.refuse(Refusal::Internal, 0),
            Objection::Unavailable => self.refuse(Refusal::Unavailable, 0),
            Objection::CredentialsRefused => self.refuse(Refusal::Unauthenticated, 0),
            Objection::CredentialsExpired => {
                // The access token is void from now on; the token endpoint gives a new one.
                self.authority.revoke_all();
                self.refuse(Refusal::Unauthenticated, 0)
            }
            Objection::ThirdPartyAuthError => self.refuse(Refusal::ThirdPartyAuthError, 0),
        }
    }

    /// `{"name":"projects/…/messages/0:<number>"}`
    fn success(&self) -> Response<Bytes> {
        let mut body = String::with_capacity(self.name_prefix.len() + 20);
        body.push_str(&self.name_prefix);
        body.push_str(&format!("{:016x}\"}}", self.sent.fetch_add(1, Relaxed)));
        json(StatusCode::OK, Bytes::from(body))
    }
}

impl PushProvider for Fcm {
    type Memory = Memory;
    const ONE_STREAM_FIRST: bool = false;

    fn answer(&self, request: &Parts, body: &Bytes, memory: &mut Memory) -> Answer {
        self.tallies.request();
        let mut authorised = false;
        let action = match self.check(request, body, memory, &mut authorised) {
            Err(refusal) => self.refuse(refusal, 0),
            Ok(target) => {
                let faults = self.faults.now();
                match faults.strikes(&target.recipient, &mut memory.dice) {
                    Some(fault) => self.strike(fault, request, &target, body),
                    None => {
                        self.accept(request, &target, body);
                        Action::Respond(self.success())
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
