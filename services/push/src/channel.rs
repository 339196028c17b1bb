//! The app channel: what the ledger's worker calls for every batch.
//!
//! ```text
//! batch ─▶ devices (one query) ─▶ letters (per provider and language) ─▶ lanes (per account) ─▶ tally ─▶ ledger
//! ```
//!
//! All of a batch is on its way at once; how much of it really is bounds the sender. Where an account is held by its provider, or
//! refuses our credentials, its residents stay without outcome and the batch is given back: nothing is lost, nobody's attempts are
//! counted.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use dispatch::ledger::Claimed;
use dispatch::worker::{BatchChannel, Noted, Sent};
use domain::alert::{AlertText, DeliveryClass};
use domain::exercise::Sendable;
use domain::language::Language;
use domain::outcome::Channel;
use futures::future::try_join_all;
use platform::crypto::Keyring;
use platform::database::Database;
use platform::{BoxError, Platform};
use strum::VariantArray;

use crate::account::{Account, Rate};
use crate::apns::Apns;
use crate::endpoint::{Addressed, Endpoint, Token};
use crate::endpoints::{Devices, Load};
use crate::error::Error;
use crate::fcm::Fcm;
use crate::lane::{self, ApnsPost, FcmPost, Notices, Way, WebPushPost};
use crate::notice::{Envelope, Notice, NoticeId};
use crate::precedence::Precedence;
use crate::settings::{PersonalTexts, Settings};
use crate::tally::Tally;
use crate::web_push::WebPush;

/// The providers, with our accounts there.
#[derive(Debug)]
pub struct AppChannel {
    apns: Option<(Apns, Account)>,
    /// One account for each project.
    fcm: Option<(Fcm, Vec<Account>)>,
    /// One account for each entry of the push services that may be called.
    web_push: Option<(WebPush, BTreeMap<String, Account>)>,
    personal_texts: PersonalTexts,
    precedence: Precedence,
    database: Database,
    keyring: Keyring,
}

/// An alert that no phone may show.
#[derive(Debug, thiserror::Error)]
enum Unsendable {
    #[error("the alert is marked as an exercise, but its content is not")]
    ExerciseInDisguise,
    #[error("the alert has no text")]
    NoText,
}

/// What the lanes of one batch share.
#[derive(Clone, Copy)]
struct Sending<'a> {
    urgent: bool,
    tally: &'a Tally<'a>,
    noted: &'a Noted,
}

impl AppChannel {
    /// A channel by these settings. Nothing is connected yet.
    ///
    /// # Errors
    /// When a setting is missing or a key cannot be used.
    pub fn new(platform: &Platform, settings: &Settings) -> Result<Self, Error> {
        let account = |name: String, rate| Account::new(name, rate, platform.cache.clone(), platform.clock.clone());
        let apns = settings.apns.as_ref().map(|apns| {
            let rate = apns.rate_per_second.map(|rate| Rate { per_second: f64::from(rate.get()) });
            let client = Apns::new(apns, platform.clock.clone())?.shared_over(platform.cache.clone(), platform.keyring.clone());
            Ok::<_, Error>((client, account("apns".to_owned(), rate)))
        });
        let fcm = settings.fcm.as_ref().map(|fcm| {
            let client = Fcm::new(fcm, platform.clock.clone())?;
            let rates = fcm.projects.iter().map(|project| Rate { per_second: f64::from(project.rate_per_minute.get()) / 60.0 });
            let accounts = client.projects().zip(rates).map(|(project, rate)| account(format!("fcm/{project}"), Some(rate))).collect();
            Ok::<_, Error>((client, accounts))
        });
        let web_push = settings.web_push.as_ref().map(|web_push| {
            let rate = web_push.rate_per_second.map(|rate| Rate { per_second: f64::from(rate.get()) });
            let accounts = web_push.allowed_hosts.entries().map(|entry| (entry.to_owned(), account(format!("web_push/{entry}"), rate)));
            Ok::<_, Error>((WebPush::new(web_push, platform.clock.clone())?, accounts.collect()))
        });
        Ok(Self {
            apns: apns.transpose()?,
            fcm: fcm.transpose()?,
            web_push: web_push.transpose()?,
            personal_texts: settings.personal_texts,
            precedence: Precedence::new(),
            database: platform.database.clone(),
            keyring: platform.keyring.clone(),
        })
    }

    /// Has connections and access tokens at hand before the first alert needs them (CQ3).
    pub(crate) async fn warm(&self) {
        let apple = async {
            if let Some((apns, _)) = &self.apns {
                apns.sender().warm().await;
            }
        };
        let google = async {
            if let Some((fcm, _)) = &self.fcm {
                fcm.warm().await;
            }
        };
        futures::join!(apple, google);
    }

    /// Sends a notice, of which `notice` makes the wording in each language, to those who may have it.
    async fn deliver<N>(&self, batch: &Claimed, noted: &Noted, notice: impl Fn(Language) -> Result<N, Unsendable>) -> Result<Sent, BoxError>
    where
        N: Addressed + Send,
        N::To: Load,
    {
        let urgent = batch.alert.class == DeliveryClass::Urgent;
        let _in_hand = urgent.then(|| self.precedence.take());
        let residents: Vec<i32> = batch.pending().filter_map(|(_, resident_no)| i32::try_from(resident_no.get()).ok()).collect();
        let devices = <N::To as Load>::load(self.database.pool(), &self.keyring, &residents).await?;
        let own = Language::default();
        let others = Language::VARIANTS.iter().filter(|language| **language != own);
        let notices = Notices {
            own: notice(own)?,
            others: others.map(|language| Ok((*language, notice(*language)?))).collect::<Result<_, Unsendable>>()?,
        };

        let tally = Tally::of(batch, noted);
        let Devices { mut endpoints, mut never_were } = devices;
        if let Some(only) = &batch.devices {
            endpoints.retain(|endpoint| only.contains(endpoint.id));
            never_were.retain(|endpoint| only.contains(endpoint.endpoint_id));
        }
        endpoints.iter().for_each(|endpoint| tally.expect(endpoint.resident_no, endpoint.id));
        never_were.iter().for_each(|endpoint| tally.expect(endpoint.resident_no, endpoint.endpoint_id));
        tally.note_without_device();
        never_were.into_iter().for_each(|endpoint| tally.gone(endpoint));

        let (mut apple, mut google, mut browsers) = (Vec::with_capacity(endpoints.len()), Vec::new(), Vec::new());
        for endpoint in endpoints {
            match endpoint.token {
                Token::Apns(_) => apple.push(endpoint),
                Token::FcmToken(_) | Token::FcmFid(_) => google.push(endpoint),
                Token::WebPush(_) => browsers.push(endpoint),
            }
        }
        let sending = Sending { urgent, tally: &tally, noted };
        let (apple, google, browsers) = futures::join!(
            self.to_apple(apple, &notices, sending),
            self.to_google(google, &notices, sending),
            self.to_browsers(browsers, &notices, sending)
        );
        tally.note_gone();
        tally.note_again();
        Ok(match [apple?, google?, browsers?].into_iter().flatten().min() {
            Some(until) => Sent::Hold { until },
            None => Sent::Done,
        })
    }

    fn way<'a>(&'a self, account: &'a Account, sending: Sending<'a>) -> Way<'a> {
        Way { account, precedence: &self.precedence, urgent: sending.urgent, tally: sending.tally, noted: sending.noted }
    }

    async fn to_apple<N: Addressed>(
        &self,
        endpoints: Vec<Endpoint<N::To>>,
        notices: &Notices<N>,
        sending: Sending<'_>,
    ) -> Result<Option<DateTime<Utc>>, BoxError> {
        let Some((apns, account)) = &self.apns else {
            sending.tally.without_provider(&endpoints);
            return Ok(None);
        };
        if endpoints.is_empty() {
            return Ok(None);
        }
        let way = self.way(account, sending);
        match ApnsPost::new(apns, notices).await {
            Ok(post) => lane::run(way, &post, &endpoints).await,
            Err(answer) => {
                lane::answer_all(way, &endpoints, &answer);
                Ok(None)
            }
        }
    }

    async fn to_google<N: Addressed>(
        &self,
        endpoints: Vec<Endpoint<N::To>>,
        notices: &Notices<N>,
        sending: Sending<'_>,
    ) -> Result<Option<DateTime<Utc>>, BoxError> {
        let Some((fcm, accounts)) = &self.fcm else {
            sending.tally.without_provider(&endpoints);
            return Ok(None);
        };
        if endpoints.is_empty() {
            return Ok(None);
        }
        let post = FcmPost::new(fcm, notices).await;
        let mut shares: Vec<Vec<_>> = accounts.iter().map(|_| Vec::new()).collect();
        for endpoint in endpoints {
            shares[fcm.project_of(endpoint.id)].push(endpoint);
        }
        let lanes = accounts.iter().zip(&shares).map(|(account, share)| lane::run(self.way(account, sending), &post, share));
        Ok(try_join_all(lanes).await?.into_iter().flatten().min())
    }

    async fn to_browsers<N: Addressed>(
        &self,
        endpoints: Vec<Endpoint<N::To>>,
        notices: &Notices<N>,
        sending: Sending<'_>,
    ) -> Result<Option<DateTime<Utc>>, BoxError> {
        if endpoints.is_empty() {
            return Ok(None);
        }
        let Some((web_push, accounts)) = &self.web_push else {
            sending.tally.without_provider(&endpoints);
            return Ok(None);
        };
        let mut origins: BTreeMap<String, Vec<Endpoint<N::To>>> = BTreeMap::new();
        for endpoint in endpoints {
            let Token::WebPush(subscription) = &endpoint.token else { continue };
            origins.entry(subscription.address().origin()).or_default().push(endpoint);
        }
        let letters = &WebPushPost::letters(web_push, notices);
        let lanes = origins.into_values().map(|endpoints| async move {
            let address = endpoints.first().and_then(|endpoint| match &endpoint.token {
                Token::WebPush(subscription) => Some(subscription.address()),
                _ => None,
            });
            let Some((address, account)) = address.and_then(|address| Some((address, accounts.get(web_push.service_of(address)?)?))) else {
                // It was allowed when it was registered, and no longer is.
                sending.tally.without_provider(&endpoints);
                return Ok(None);
            };
            let way = self.way(account, sending);
            match WebPushPost::new(web_push, letters, address) {
                Ok(post) => lane::run(way, &post, &endpoints).await,
                Err(answer) => {
                    lane::answer_all(way, &endpoints, &answer);
                    Ok(None)
                }
            }
        });
        Ok(try_join_all(lanes).await?.into_iter().flatten().min())
    }
}

impl BatchChannel for AppChannel {
    const CHANNEL: Channel = Channel::App;

    async fn send(&self, batch: &Claimed, noted: &Noted) -> Result<Sent, BoxError> {
        let alert = &batch.alert;
        let id = NoticeId { alert_id: alert.alert_id, root_id: alert.root_id, wave: batch.wave };
        let text = |language| alert.content.text(language).cloned().ok_or(Unsendable::NoText);
        let words = |text: AlertText| Notice::new(id, alert.class, text, &alert.content, batch.send_until);
        // what Apple and Google read of an alert about a person says nothing of them; browsers' letters are sealed
        let in_envelope = alert.personal && self.personal_texts == PersonalTexts::Neutral;
        let envelope = |language| in_envelope.then(|| Envelope::in_language(language));
        match Sendable::of(alert.content.status, ())? {
            Sendable::Live(_) if alert.exercise => Err(Unsendable::ExerciseInDisguise.into()),
            Sendable::Live(live) => {
                let notice = |language| text(language).map(|text| live.map(|()| words(text).enveloped(envelope(language))));
                self.deliver(batch, noted, notice).await
            }
            Sendable::Drill(drill) => {
                let announced = |language| text(language).map(|text| drill.map(|()| text).announced(language));
                let notice = |language| announced(language).map(|text| drill.map(|()| words(text)));
                self.deliver(batch, noted, notice).await
            }
        }
    }
}
