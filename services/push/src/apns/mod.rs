//! The Apple Push Notification service, HTTP/2 provider API with token authentication.
//!
//! [`Apns::letter`] makes what all recipients of a batch in one language share, once ([`letter`]); [`Apns::send`] adds the device's path and
//! message id and reads the answer ([`reason`]). [`token`] says who we are; [`Apns::try_account`]
//! finds out whether Apple agrees.

mod letter;
mod reason;
mod token;
mod trial;

use std::marker::PhantomData;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use platform::cache::Cache;
use platform::clock::Clock;
use platform::crypto::Keyring;
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::answer::{ProviderAnswer, Trouble};
use crate::cache_away::CacheAway;
use crate::endpoint::{Addressed, Endpoint, Reach, Token};
use crate::error::{Error, secret_of};
use crate::notice::NoticeId;
use crate::sender::{Address, Answer, Failure, Request, Roots, Sender};
use crate::settings::ApnsSettings;
use token::{ProviderToken, Shared};

const APNS_ID: HeaderName = HeaderName::from_static("apns-id");

/// A client of APNs for one app.
#[derive(Debug)]
pub struct Apns {
    sender: Sender,
    token: ProviderToken,
    topic: HeaderValue,
    critical: bool,
    clock: Clock,
}

/// A message without its recipient, good for as long as a batch takes.
#[derive(Debug)]
pub struct Letter<R: Reach> {
    headers: HeaderMap,
    payload: Bytes,
    id: NoticeId,
    reach: PhantomData<R>,
}

impl Apns {
    /// A client by these settings. Nothing is connected yet.
    ///
    /// # Errors
    /// When a setting is missing or the key cannot sign.
    pub fn new(settings: &ApnsSettings, clock: Clock) -> Result<Self, Error> {
        for (name, value) in
            [("push.apns.topic", &settings.topic), ("push.apns.key_id", &settings.key_id), ("push.apns.team_id", &settings.team_id)]
        {
            if value.is_empty() {
                return Err(Error::Setting { name, reason: "must be given" });
            }
        }
        let address = Address::parse(&settings.base_url).map_err(|source| Error::Address { name: "push.apns.base_url", source })?;
        let key = secret_of("push.apns.key", &settings.key, settings.key_file.as_deref())?;
        let token = ProviderToken::new(key.expose_secret(), &settings.key_id, &settings.team_id, clock.clone()).map_err(Error::ApnsKey)?;
        let topic = HeaderValue::from_str(&settings.topic)
            .map_err(|_| Error::Setting { name: "push.apns.topic", reason: "must be the app's bundle id" })?;
        let sender = Sender::new(address, &Roots::load(settings.extra_ca.as_deref())?, settings.limits())?;
        Ok(Self { sender, token, topic, critical: settings.critical, clock })
    }

    /// Uses one provider token for all processes that share this cache, as Apple demands of a team.
    #[must_use]
    pub fn shared_over(mut self, cache: Cache, keyring: Keyring) -> Self {
        self.token.share(Shared { cache, keyring, away: CacheAway::default() });
        self
    }

    /// What all recipients of a notice share.
    ///
    /// # Errors
    /// [`ProviderAnswer::CredentialsRefused`] when the key does not sign.
    pub async fn letter<N: Addressed>(&self, notice: &N) -> Result<Letter<N::To>, ProviderAnswer> {
        let notice = notice.notice();
        let authorization =
            self.token.authorization().await.map_err(|_| ProviderAnswer::CredentialsRefused { reason: "the signing key does not sign" })?;
        Ok(Letter {
            headers: letter::headers(notice, &self.topic, authorization),
            payload: letter::payload(notice, self.critical),
            id: notice.id,
            reach: PhantomData,
        })
    }

    /// Sends a letter to one device and waits for the answer.
    pub async fn send<R: Reach>(&self, letter: &Letter<R>, endpoint: &Endpoint<R>) -> ProviderAnswer {
        match self.request(letter, endpoint) {
            Some(request) => self.read(letter, self.sender.send(&request).await),
            None => ProviderAnswer::NoSuchEndpoint { reason: "no token of Apple's" },
        }
    }

    pub(crate) fn sender(&self) -> &Sender {
        &self.sender
    }

    /// The letter to one device; `None` for another provider's.
    pub(crate) fn request<'a, R: Reach>(&self, letter: &'a Letter<R>, endpoint: &Endpoint<R>) -> Option<Request<'a>> {
        let Token::Apns(token) = &endpoint.token else { return None };
        Some(Request {
            path: PathAndQuery::from_maybe_shared(Bytes::from(["/3/device/", token].concat())).ok()?,
            headers: &letter.headers,
            own: Some((APNS_ID, id_header(letter.id.at(endpoint.id)))),
            body: letter.payload.clone(),
        })
    }

    /// What Apple says.
    pub(crate) fn read<R: Reach>(&self, letter: &Letter<R>, ended: Result<Answer, Failure>) -> ProviderAnswer {
        let answer = match ended {
            Ok(answer) => reason::read(&answer, self.clock.now()),
            Err(failure) => return failure.into(),
        };
        match &answer {
            ProviderAnswer::Temporary { why: Trouble::TokenExpired } if !self.token.expired(&letter.headers[header::AUTHORIZATION]) => {
                ProviderAnswer::CredentialsRefused { reason: "ExpiredProviderToken for a young token: the clocks differ" }
            }
            _ => answer,
        }
    }
}

/// Marked as sensitive, so that HPACK does not fill its table with ids that never come again.
fn id_header(id: Uuid) -> HeaderValue {
    let mut text = Uuid::encode_buffer();
    let text = id.hyphenated().encode_lower(&mut text);
    let mut value = HeaderValue::from_str(text).expect("a UUID is printable ASCII");
    value.set_sensitive(true);
    value
}
