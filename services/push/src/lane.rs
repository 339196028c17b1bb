//! A lane: the messages of one batch that go by one account, sent as fast as the account and the sender allow.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;

use chrono::{DateTime, Utc};
use dispatch::worker::Noted;
use domain::language::Language;
use domain::web_push::PushAddress;
use platform::BoxError;

use crate::account::{Account, CHUNK, Permission};
use crate::answer::{ProviderAnswer, Read};
use crate::apns::{self, Apns};
use crate::endpoint::{Addressed, Endpoint, Reach};
use crate::fcm::{self, Fcm};
use crate::precedence::Precedence;
use crate::sender::{Answer, Failure, Request, Sender};
use crate::tally::Tally;
use crate::web_push::{self, Line, WebPush};

/// A provider with the letters of one batch written.
pub(crate) trait Post<R: Reach>: Sync {
    /// By what it is sent.
    fn sender(&self) -> &Sender;
    /// The letter in the endpoint's language, as it is tried for the `turn`-th time from 0.
    fn request(&self, endpoint: &Endpoint<R>, turn: u8) -> Option<Request<'_>>;
    /// What the answer says.
    fn read(&self, endpoint: &Endpoint<R>, turn: u8, ended: Result<Answer, Failure>) -> impl Future<Output = Read> + Send;
}

/// One letter in every language there is; the city's own language where a person's has none.
pub(crate) struct Letters<L> {
    own: L,
    others: Vec<(Language, L)>,
}

impl<L> Letters<L> {
    fn of(&self, language: Language) -> &L {
        self.others.iter().find(|(other, _)| *other == language).map_or(&self.own, |(_, letter)| letter)
    }
}

/// Letters to Apple's devices.
pub(crate) struct ApnsPost<'a, R: Reach> {
    apns: &'a Apns,
    letters: Letters<apns::Letter<R>>,
}

impl<'a, R: Reach> ApnsPost<'a, R> {
    /// Writes the letters. What every device gets for an answer where the key does not sign.
    pub(crate) fn new<N: Addressed<To = R>>(apns: &'a Apns, notices: &Notices<N>) -> Result<Self, ProviderAnswer> {
        let others = notices.others.iter().map(|(language, notice)| Ok::<_, ProviderAnswer>((*language, apns.letter(notice)?)));
        Ok(Self { apns, letters: Letters { own: apns.letter(&notices.own)?, others: others.collect::<Result<Vec<_>, ProviderAnswer>>()? } })
    }
}

impl<R: Reach> Post<R> for ApnsPost<'_, R> {
    fn sender(&self) -> &Sender {
        self.apns.sender()
    }

    fn request(&self, endpoint: &Endpoint<R>, _: u8) -> Option<Request<'_>> {
        self.apns.request(self.letters.of(endpoint.language), endpoint)
    }

    async fn read(&self, endpoint: &Endpoint<R>, _: u8, ended: Result<Answer, Failure>) -> Read {
        Read::Final(self.apns.read(self.letters.of(endpoint.language), ended))
    }
}

/// Letters to Google's devices.
pub(crate) struct FcmPost<'a, R: Reach> {
    fcm: &'a Fcm,
    letters: Letters<fcm::Letter<R>>,
}

impl<'a, R: Reach> FcmPost<'a, R> {
    pub(crate) async fn new<N: Addressed<To = R>>(fcm: &'a Fcm, notices: &Notices<N>) -> Self {
        let mut others = Vec::with_capacity(notices.others.len());
        for (language, notice) in &notices.others {
            others.push((*language, fcm.letter(notice).await));
        }
        Self { fcm, letters: Letters { own: fcm.letter(&notices.own).await, others } }
    }
}

impl<R: Reach> Post<R> for FcmPost<'_, R> {
    fn sender(&self) -> &Sender {
        self.fcm.sender()
    }

    fn request(&self, endpoint: &Endpoint<R>, turn: u8) -> Option<Request<'_>> {
        self.fcm.request(self.letters.of(endpoint.language), endpoint, turn)
    }

    async fn read(&self, endpoint: &Endpoint<R>, turn: u8, ended: Result<Answer, Failure>) -> Read {
        self.fcm.read(self.letters.of(endpoint.language), endpoint, turn, ended).await
    }
}

/// Letters to the browsers of one push service.
pub(crate) struct WebPushPost<'a, R: Reach> {
    web_push: &'a WebPush,
    line: Line,
    letters: &'a Letters<web_push::Letter<R>>,
}

impl<'a, R: Reach> WebPushPost<'a, R> {
    /// Writes the letters, for all push services.
    pub(crate) fn letters<N: Addressed<To = R>>(web_push: &WebPush, notices: &Notices<N>) -> Letters<web_push::Letter<R>> {
        let others = notices.others.iter().map(|(language, notice)| (*language, web_push.letter(notice)));
        Letters { own: web_push.letter(&notices.own), others: others.collect() }
    }

    /// Finds the way. What every browser there gets for an answer where there is none.
    pub(crate) fn new(
        web_push: &'a WebPush,
        letters: &'a Letters<web_push::Letter<R>>,
        address: &PushAddress,
    ) -> Result<Self, ProviderAnswer> {
        // The letters differ in their words alone: the headers of one are those of all.
        Ok(Self { web_push, line: web_push.line(address, &letters.own)?, letters })
    }
}

impl<R: Reach> Post<R> for WebPushPost<'_, R> {
    fn sender(&self) -> &Sender {
        &self.line.sender
    }

    fn request(&self, endpoint: &Endpoint<R>, _: u8) -> Option<Request<'_>> {
        self.web_push.request(&self.line, self.letters.of(endpoint.language), endpoint)
    }

    async fn read(&self, _: &Endpoint<R>, _: u8, ended: Result<Answer, Failure>) -> Read {
        Read::Final(self.web_push.read(ended))
    }
}

/// An alert's wording in every language.
pub(crate) struct Notices<N> {
    /// In the city's own language.
    pub(crate) own: N,
    /// In the others.
    pub(crate) others: Vec<(Language, N)>,
}

/// What a lane needs to know beside what it sends.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) account: &'a Account,
    pub(crate) precedence: &'a Precedence,
    pub(crate) urgent: bool,
    pub(crate) tally: &'a Tally<'a>,
    pub(crate) noted: &'a Noted,
}

/// Sends to all `endpoints` and tallies the answers. Returns until when the account is held, if that kept it from sending to all.
pub(crate) async fn run<R: Reach>(way: Way<'_>, post: &impl Post<R>, endpoints: &[Endpoint<R>]) -> Result<Option<DateTime<Utc>>, BoxError> {
    let mut lane = Lane { way, counts: BTreeMap::new(), held: None, refused: false };
    let ended = lane.send_all(post, endpoints).await;
    for (answer, count) in &lane.counts {
        metrics::counter!("push_answers_total", "account" => way.account.name.clone(), "answer" => *answer).increment(*count);
    }
    ended
}

/// Every device gets this answer without being asked.
pub(crate) async fn answer_all<R: Reach>(way: Way<'_>, endpoints: &[Endpoint<R>], answer: &ProviderAnswer) -> Result<(), BoxError> {
    let mut lane = Lane { way, counts: BTreeMap::new(), held: None, refused: false };
    for endpoint in endpoints {
        lane.take(endpoint, answer).await?;
    }
    Ok(())
}

struct Lane<'a> {
    way: Way<'a>,
    counts: BTreeMap<&'static str, u64>,
    /// Until when the provider has asked this batch to wait.
    held: Option<DateTime<Utc>>,
    refused: bool,
}

impl Lane<'_> {
    async fn send_all<R: Reach>(&mut self, post: &impl Post<R>, endpoints: &[Endpoint<R>]) -> Result<Option<DateTime<Utc>>, BoxError> {
        let Way { account, precedence, urgent, noted, .. } = self.way;
        let mut flight = post.sender().flight(|(at, turn): &(usize, u8)| post.request(&endpoints[*at], *turn));
        let mut waiting = 0..endpoints.len();
        let mut held = None;
        loop {
            let aside = !urgent && !precedence.is_given();
            flight.hold(aside);
            let more = !waiting.is_empty() && held.is_none() && !self.refused && !noted.is_stopping();
            if !more && (self.refused || noted.is_stopping()) {
                flight.call_off();
            }
            if !more || flight.queued() > 0 {
                let landed = tokio::select! {
                    biased;
                    landed = flight.next() => landed,
                    () = precedence.given(), if aside => continue,
                    () = noted.stopping(), if aside && !noted.is_stopping() => continue,
                };
                let Some((tag, ended)) = landed else { break };
                if let Some(again) = self.landed(post, endpoints, tag, ended).await? {
                    flight.launch(again);
                }
                continue;
            }
            // Answers are taken in while permission is waited for.
            let permission = {
                let mut asked = pin!(async {
                    if !urgent {
                        precedence.listen(account.cache()).await;
                        precedence.given().await;
                    }
                    account.ask(waiting.len().min(CHUNK)).await
                });
                loop {
                    tokio::select! {
                        biased;
                        permission = &mut asked => break Some(permission?),
                        () = noted.stopping() => break None,
                        Some((tag, ended)) = flight.next() => if let Some(again) = self.landed(post, endpoints, tag, ended).await? {
                            flight.launch(again);
                        },
                    }
                }
            };
            match permission {
                None => {}
                Some(Permission::Granted(messages)) => waiting.by_ref().take(messages).for_each(|at| flight.launch((at, 0))),
                Some(Permission::Held(until)) => held = Some(until),
                Some(Permission::Paced(time)) => {
                    let mut pause = pin!(account.wait(time));
                    loop {
                        tokio::select! {
                            () = &mut pause => break,
                            () = noted.stopping() => break,
                            Some((tag, ended)) = flight.next() => if let Some(again) = self.landed(post, endpoints, tag, ended).await? {
                                flight.launch(again);
                            },
                        }
                    }
                }
            }
        }
        Ok(held)
    }

    /// Takes an answer in. What is to be sent once more, if anything.
    async fn landed<R: Reach>(
        &mut self,
        post: &impl Post<R>,
        endpoints: &[Endpoint<R>],
        (at, turn): (usize, u8),
        ended: Result<Answer, Failure>,
    ) -> Result<Option<(usize, u8)>, BoxError> {
        match post.read(&endpoints[at], turn, ended).await {
            Read::NextTurn => Ok(Some((at, turn + 1))),
            Read::Final(answer) => self.take(&endpoints[at], &answer).await.map(|()| None),
        }
    }

    async fn take<R: Reach>(&mut self, endpoint: &Endpoint<R>, answer: &ProviderAnswer) -> Result<(), BoxError> {
        let Way { account, tally, noted, .. } = self.way;
        tally.device(endpoint.resident_no, endpoint.id, answer.outcome());
        *self.counts.entry(answer.label()).or_default() += 1;
        match answer {
            ProviderAnswer::Accepted { .. } => account.accept(),
            ProviderAnswer::CredentialsRefused { reason } => {
                self.refused = true;
                account.refuse(reason);
            }
            ProviderAnswer::Throttled { retry_after: Some(wait) } => {
                noted.retry_after(*wait);
                let until = account.time_after(*wait);
                // A thousand streams are told the same at once; once is enough.
                if self.held.is_none_or(|held| until - held > chrono::TimeDelta::seconds(1)) {
                    self.held = Some(until);
                    account.hold(until).await?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}
