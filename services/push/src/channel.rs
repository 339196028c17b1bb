//! The app channel: what the ledger's worker calls for every batch.
//!
//! ```text
//! batch ─▶ devices (one query) ─▶ letters (per provider and language) ─▶ lanes (per account) ─▶ tally ─▶ ledger
//! ```
//!
//! All of a batch is on its way at once; how much of it really is bounds the sender. Where an account is held by its provider, or
//! refuses our credentials, its residents stay without outcome and the batch is given back: nothing is lost, nobody's attempts are
//! counted.

use chrono::{DateTime, Utc};
use dispatch::ledger::Claimed;
use dispatch::worker::{BatchChannel, Noted, Sent};
use domain::alert::AlertText;
use domain::exercise::Sendable;
use domain::language::Language;
use domain::outcome::{Channel, Outcome};
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
use crate::lane::{self, ApnsPost, FcmPost};
use crate::notice::{Notice, NoticeId};
use crate::settings::Settings;
use crate::tally::Tally;

/// The providers, with our accounts there.
#[derive(Debug)]
pub struct AppChannel {
    apns: Option<(Apns, Account)>,
    /// One account for each project.
    fcm: Option<(Fcm, Vec<Account>)>,
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

impl AppChannel {
    /// A channel by these settings. Nothing is connected yet.
    ///
    /// # Errors
    /// When a setting is missing or a key cannot be used.
    pub fn new(platform: &Platform, settings: &Settings) -> Result<Self, Error> {
        let account = |name: String, rate| Account::new(name, rate, platform.cache.clone(), platform.clock.clone());
        let apns = settings.apns.as_ref().map(|apns| {
            let rate = apns.rate_per_second.map(|rate| Rate { per_second: f64::from(rate.get()) });
            Ok::<_, Error>((Apns::new(apns, platform.clock.clone())?, account("apns".to_owned(), rate)))
        });
        let fcm = settings.fcm.as_ref().map(|fcm| {
            let client = Fcm::new(fcm, platform.clock.clone())?;
            let rates = fcm.projects.iter().map(|project| Rate { per_second: f64::from(project.rate_per_minute.get()) / 60.0 });
            let accounts = client.projects().zip(rates).map(|(project, rate)| account(format!("fcm/{project}"), Some(rate))).collect();
            Ok::<_, Error>((client, accounts))
        });
        Ok(Self { apns: apns.transpose()?, fcm: fcm.transpose()?, database: platform.database.clone(), keyring: platform.keyring.clone() })
    }

    /// Sends a notice, of which `notice` makes the wording in each language, to those who may have it.
    async fn deliver<N>(&self, batch: &Claimed, noted: &Noted, notice: impl Fn(Language) -> Result<N, Unsendable>) -> Result<Sent, BoxError>
    where
        N: Addressed + Send,
        N::To: Load,
    {
        let residents: Vec<i32> = batch.pending().filter_map(|(_, resident_no)| i32::try_from(resident_no.get()).ok()).collect();
        let devices = <N::To as Load>::load(self.database.pool(), &self.keyring, &residents).await?;
        let notices =
            Language::VARIANTS.iter().map(|language| Ok((*language, notice(*language)?))).collect::<Result<Vec<_>, Unsendable>>()?;

        let tally = Tally::of(batch, noted);
        let Devices { endpoints, never_were } = devices;
        for resident_no in
            endpoints.iter().map(|endpoint| endpoint.resident_no).chain(never_were.iter().map(|(resident_no, _)| *resident_no))
        {
            tally.expect(resident_no);
        }
        tally.note_without_device();
        for (resident_no, endpoint_id) in never_were {
            tally.device(resident_no, endpoint_id, Outcome::EndpointGone);
        }

        let (apple, google): (Vec<_>, Vec<_>) = endpoints.into_iter().partition(|endpoint| matches!(endpoint.token, Token::Apns(_)));
        let (apple, google) =
            futures::join!(self.to_apple(apple, &notices, &tally, noted), self.to_google(google, &notices, &tally, noted));
        Ok(match [apple?, google?].into_iter().flatten().min() {
            Some(until) => Sent::Hold { until },
            None => Sent::Done,
        })
    }

    async fn to_apple<N: Addressed>(
        &self,
        endpoints: Vec<Endpoint<N::To>>,
        notices: &[(Language, N)],
        tally: &Tally<'_>,
        noted: &Noted,
    ) -> Result<Option<DateTime<Utc>>, BoxError> {
        let Some((apns, account)) = &self.apns else {
            tally.without_provider(&endpoints);
            return Ok(None);
        };
        if endpoints.is_empty() {
            return Ok(None);
        }
        lane::run(account, &ApnsPost::new(apns, notices), &endpoints, tally, noted).await
    }

    async fn to_google<N: Addressed>(
        &self,
        endpoints: Vec<Endpoint<N::To>>,
        notices: &[(Language, N)],
        tally: &Tally<'_>,
        noted: &Noted,
    ) -> Result<Option<DateTime<Utc>>, BoxError> {
        let Some((fcm, accounts)) = &self.fcm else {
            tally.without_provider(&endpoints);
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
        let lanes = accounts.iter().zip(&shares).map(|(account, share)| lane::run(account, &post, share, tally, noted));
        Ok(try_join_all(lanes).await?.into_iter().flatten().min())
    }
}

impl BatchChannel for AppChannel {
    const CHANNEL: Channel = Channel::App;

    async fn send(&self, batch: &Claimed, noted: &Noted) -> Result<Sent, BoxError> {
        let alert = &batch.alert;
        let id = NoticeId { alert_id: alert.alert_id, wave: batch.wave };
        let text = |language| alert.content.text(language).cloned().ok_or(Unsendable::NoText);
        let words = |text: AlertText| Notice::new(id, alert.class, text, &alert.content);
        match Sendable::of(alert.content.status, ())? {
            Sendable::Live(_) if alert.exercise => Err(Unsendable::ExerciseInDisguise.into()),
            Sendable::Live(live) => {
                let notice = |language| text(language).map(|text| live.map(|()| words(text)));
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
