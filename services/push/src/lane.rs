//! A lane: the messages of one batch that go by one account, sent as fast as the account and the sender allow.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;

use chrono::{DateTime, Utc};
use dispatch::worker::Noted;
use domain::language::Language;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use platform::BoxError;

use crate::account::{Account, CHUNK, Permission};
use crate::answer::ProviderAnswer;
use crate::apns::{self, Apns};
use crate::endpoint::{Addressed, Endpoint, Reach};
use crate::fcm::{self, Fcm};
use crate::tally::Tally;

/// A provider with the letters of one batch written.
pub(crate) trait Post<R: Reach>: Sync {
    /// Sends the letter in the endpoint's language.
    fn send(&self, endpoint: &Endpoint<R>) -> impl Future<Output = ProviderAnswer> + Send;
}

/// Letters to Apple's devices. None where the key does not sign.
pub(crate) struct ApnsPost<'a, R: Reach> {
    apns: &'a Apns,
    letters: BTreeMap<Language, Result<apns::Letter<R>, ProviderAnswer>>,
}

impl<'a, R: Reach> ApnsPost<'a, R> {
    pub(crate) fn new<N: Addressed<To = R>>(apns: &'a Apns, notices: &[(Language, N)]) -> Self {
        Self { apns, letters: notices.iter().map(|(language, notice)| (*language, apns.letter(notice))).collect() }
    }
}

impl<R: Reach> Post<R> for ApnsPost<'_, R> {
    async fn send(&self, endpoint: &Endpoint<R>) -> ProviderAnswer {
        match self.letters.get(&endpoint.language) {
            Some(Ok(letter)) => self.apns.send(letter, endpoint).await,
            Some(Err(answer)) => answer.clone(),
            None => NO_LETTER,
        }
    }
}

/// Letters to Google's devices.
pub(crate) struct FcmPost<'a, R: Reach> {
    fcm: &'a Fcm,
    letters: BTreeMap<Language, fcm::Letter<R>>,
}

impl<'a, R: Reach> FcmPost<'a, R> {
    pub(crate) async fn new<N: Addressed<To = R>>(fcm: &'a Fcm, notices: &[(Language, N)]) -> Self {
        let mut letters = BTreeMap::new();
        for (language, notice) in notices {
            letters.insert(*language, fcm.letter(notice).await);
        }
        Self { fcm, letters }
    }
}

impl<R: Reach> Post<R> for FcmPost<'_, R> {
    async fn send(&self, endpoint: &Endpoint<R>) -> ProviderAnswer {
        match self.letters.get(&endpoint.language) {
            Some(letter) => self.fcm.send(letter, endpoint).await,
            None => NO_LETTER,
        }
    }
}

/// A letter is written in every language there is, so nobody gets this answer.
const NO_LETTER: ProviderAnswer = ProviderAnswer::Permanent { reason: "no letter in this language" };

/// Sends to all `endpoints` and tallies the answers. Returns until when the account is held, if that kept it from sending to all.
pub(crate) async fn run<R: Reach>(
    account: &Account,
    post: &impl Post<R>,
    endpoints: &[Endpoint<R>],
    tally: &Tally<'_>,
    noted: &Noted,
) -> Result<Option<DateTime<Utc>>, BoxError> {
    let mut lane = Lane { account, tally, noted, counts: BTreeMap::new(), held: None, refused: false };
    let ended = lane.send_all(post, endpoints).await;
    for (answer, count) in &lane.counts {
        metrics::counter!("push_answers_total", "account" => account.name.clone(), "answer" => *answer).increment(*count);
    }
    ended
}

struct Lane<'a> {
    account: &'a Account,
    tally: &'a Tally<'a>,
    noted: &'a Noted,
    counts: BTreeMap<&'static str, u64>,
    /// Until when the provider has asked this batch to wait.
    held: Option<DateTime<Utc>>,
    refused: bool,
}

impl Lane<'_> {
    async fn send_all<R: Reach>(&mut self, post: &impl Post<R>, endpoints: &[Endpoint<R>]) -> Result<Option<DateTime<Utc>>, BoxError> {
        let mut waiting = endpoints.iter();
        let mut flying = FuturesUnordered::new();
        let mut held = None;
        while waiting.len() > 0 && held.is_none() && !self.refused && !self.noted.is_stopping() {
            // Answers are taken in while permission is waited for.
            let permission = {
                let mut asked = pin!(self.account.ask(waiting.len().min(CHUNK)));
                loop {
                    tokio::select! {
                        biased;
                        permission = &mut asked => break permission?,
                        Some((endpoint, answer)) = flying.next() => self.take(endpoint, &answer).await?,
                    }
                }
            };
            match permission {
                Permission::Granted(messages) => {
                    flying.extend(waiting.by_ref().take(messages).map(|endpoint| async move { (endpoint, post.send(endpoint).await) }));
                }
                Permission::Held(until) => held = Some(until),
                Permission::Paced(time) => {
                    let mut pause = pin!(self.account.wait(time));
                    loop {
                        tokio::select! {
                            () = &mut pause => break,
                            () = self.noted.stopping() => break,
                            Some((endpoint, answer)) = flying.next() => self.take(endpoint, &answer).await?,
                        }
                    }
                }
            }
        }
        while let Some((endpoint, answer)) = flying.next().await {
            self.take(endpoint, &answer).await?;
        }
        Ok(held)
    }

    async fn take<R: Reach>(&mut self, endpoint: &Endpoint<R>, answer: &ProviderAnswer) -> Result<(), BoxError> {
        self.tally.device(endpoint.resident_no, endpoint.id, answer.outcome());
        *self.counts.entry(answer.label()).or_default() += 1;
        match answer {
            ProviderAnswer::Accepted { .. } => self.account.accept(),
            ProviderAnswer::CredentialsRefused { reason } => {
                self.refused = true;
                self.account.refuse(reason);
            }
            ProviderAnswer::Throttled { retry_after: Some(wait) } => {
                self.noted.retry_after(*wait);
                let until = self.account.time_after(*wait);
                // A thousand streams are told the same at once; once is enough.
                if self.held.is_none_or(|held| until - held > chrono::TimeDelta::seconds(1)) {
                    self.held = Some(until);
                    self.account.hold(until).await?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}
