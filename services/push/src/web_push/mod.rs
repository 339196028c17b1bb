//! Web Push: browsers, each at the push service of its maker (RFC 8030), with messages that only the browser can read (RFC 8291).
//!
//! [`WebPush::letter`] makes what all recipients of a batch in one language share, once ([`letter`]); [`WebPush::send`] seals it for one
//! browser ([`sealing`]) and reads the answer ([`reply`]). [`vapid`] says who we are, to each push service by itself.
//!
//! Where a message goes is in the subscription, which a resident has sent. So a [`Line`] to a push service is only opened where the settings allow
//! it ([`domain::web_push`]), and then kept: there is one for each origin, and only so many.

mod letter;
mod reply;
mod sealing;
mod vapid;

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use domain::web_push::{PushAddress, PushServices};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::uri::PathAndQuery;
use platform::clock::Clock;
use secrecy::ExposeSecret;

use crate::answer::ProviderAnswer;
use crate::endpoint::{Addressed, Endpoint, Reach, Token};
use crate::error::{Error, secret_of};
use crate::sender::{Address, Answer, Failure, Limits, Request, Roots, Sender};
use crate::settings::WebPushSettings;
use vapid::Vapid;

/// Lines that are kept open. A push service has a few origins; that there could be more is a resident's doing.
const MOST_LINES: usize = 32;

/// A client of the browsers' push services.
#[derive(Debug)]
pub struct WebPush {
    vapid: Vapid,
    services: PushServices,
    roots: Roots,
    limits: Limits,
    /// By origin, the one used last in front.
    lines: Mutex<VecDeque<(String, Sender)>>,
    clock: Clock,
}

/// A message without its recipient, good for as long as a batch takes.
#[derive(Debug)]
pub struct Letter<R: Reach> {
    headers: HeaderMap,
    payload: Bytes,
    reach: PhantomData<R>,
}

/// The way to one push service at this moment.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) sender: Sender,
    headers: HeaderMap,
}

impl WebPush {
    /// A client by these settings. Nothing is connected yet.
    ///
    /// # Errors
    /// When a setting is missing or the key cannot sign.
    pub fn new(settings: &WebPushSettings, clock: Clock) -> Result<Self, Error> {
        let is_contact =
            ["mailto:", "https://"].iter().any(|scheme| settings.subject.len() > scheme.len() && settings.subject.starts_with(scheme));
        if !is_contact {
            return Err(Error::Setting { name: "push.web_push.subject", reason: "must be a mailto: or https: address of the operator" });
        }
        if settings.allowed_hosts.entries().next().is_none() {
            return Err(Error::Setting { name: "push.web_push.allowed_hosts", reason: "must name at least one push service" });
        }
        let key = key_of(settings)?;
        Ok(Self {
            vapid: Vapid::new(key.expose_secret(), &settings.subject, clock.clone())?,
            services: settings.allowed_hosts.clone(),
            roots: Roots::load(settings.extra_ca.as_deref())?,
            limits: settings.limits(),
            lines: Mutex::default(),
            clock,
        })
    }

    /// The entry of the settings that allows an address, if one does: the account that it belongs to.
    pub fn service_of(&self, address: &PushAddress) -> Option<&str> {
        self.services.of(address)
    }

    /// What all recipients of a notice share.
    pub fn letter<N: Addressed>(&self, notice: &N) -> Letter<N::To> {
        Letter {
            headers: letter::headers(notice.notice(), self.clock.now()),
            payload: letter::payload(notice.notice(), N::To::EXERCISE),
            reach: PhantomData,
        }
    }

    /// Sends a letter to one browser and waits for the answer.
    pub async fn send<R: Reach>(&self, letter: &Letter<R>, endpoint: &Endpoint<R>) -> ProviderAnswer {
        let Token::WebPush(subscription) = &endpoint.token else { return ProviderAnswer::NoSuchEndpoint { reason: "no browser" } };
        let line = match self.line(subscription.address(), letter) {
            Ok(line) => line,
            Err(answer) => return answer,
        };
        match self.request(&line, letter, endpoint) {
            Some(request) => self.read(line.sender.send(&request).await),
            None => ProviderAnswer::Permanent { reason: "the message cannot be sealed" },
        }
    }

    /// The way for a letter to where the address is.
    ///
    /// # Errors
    /// What every browser there gets for an answer, where the push service is not allowed or the key does not sign.
    pub(crate) fn line<R: Reach>(&self, address: &PushAddress, letter: &Letter<R>) -> Result<Line, ProviderAnswer> {
        let service = self.service_of(address).ok_or(ProviderAnswer::Permanent { reason: "the push service is not allowed" })?;
        let origin = address.origin();
        let authorization = self
            .vapid
            .authorization(&origin)
            .map_err(|_| ProviderAnswer::CredentialsRefused { reason: "the signing key does not sign" })?;
        let sender = self.sender(service, &origin).map_err(|_| ProviderAnswer::trouble("no line to the push service"))?;
        let mut headers = letter.headers.clone();
        headers.insert(AUTHORIZATION, authorization);
        Ok(Line { sender, headers })
    }

    fn sender(&self, service: &str, origin: &str) -> Result<Sender, Error> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lines.iter().position(|(known, _)| known == origin).and_then(|at| lines.remove(at));
        let line = match known {
            Some(line) => line,
            None => {
                let address = Address::parse(origin).map_err(|source| Error::Address { name: "push.web_push", source })?;
                // What stands before an allowed domain is a resident's word.
                (origin.to_owned(), Sender::named(format!("web_push/{service}"), address, &self.roots, self.limits)?)
            }
        };
        let sender = line.1.clone();
        lines.push_front(line);
        // Whoever still sends by it keeps it until the last answer.
        lines.truncate(MOST_LINES);
        Ok(sender)
    }

    /// The letter to one browser, sealed; `None` for another provider's.
    pub(crate) fn request<'a, R: Reach>(&self, line: &'a Line, letter: &Letter<R>, endpoint: &Endpoint<R>) -> Option<Request<'a>> {
        let Token::WebPush(subscription) = &endpoint.token else { return None };
        Some(Request {
            path: PathAndQuery::try_from(subscription.address().path()).ok()?,
            headers: &line.headers,
            own: None,
            body: sealing::sealed(&letter.payload, subscription).ok()?.into(),
        })
    }

    /// What the push service says.
    pub(crate) fn read(&self, ended: Result<Answer, Failure>) -> ProviderAnswer {
        match ended {
            Ok(answer) => reply::read(&answer, self.clock.now()),
            Err(failure) => failure.into(),
        }
    }
}

/// The platform's public key by these settings, as browsers want it to subscribe.
///
/// # Errors
/// When there is no key, or it is none.
pub fn public_key(settings: &WebPushSettings) -> Result<String, Error> {
    vapid::public_key(key_of(settings)?.expose_secret())
}

fn key_of(settings: &WebPushSettings) -> Result<secrecy::SecretString, Error> {
    secret_of("push.web_push.key", &settings.key, settings.key_file.as_deref())
}
