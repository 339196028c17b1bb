//! A lane: the messages of one batch that go by one account, sent as fast as the account and the sender allow.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;

use chrono::{DateTime, TimeDelta, Utc};
use dispatch::worker::Noted;
use domain::language::Language;
use domain::outcome::Outcome;
use domain::refusal::Scope;
use domain::web_push::PushAddress;
use platform::BoxError;

use crate::account::{Account, CHUNK, Permission};
use crate::answer::{ProviderAnswer, Read, Trouble};
use crate::apns::{self, Apns};
use crate::cache_away::PATIENCE;
use crate::endpoint::{Addressed, Endpoint, Reach};
use crate::fcm::{self, Fcm};
use crate::precedence::Precedence;
use crate::sender::{Answer, Failure, Flight, Request, Sender, Why};
use crate::tally::Tally;
use crate::verdict::{Judged, Verdict};
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
    pub(crate) async fn new<N: Addressed<To = R>>(apns: &'a Apns, notices: &Notices<N>) -> Result<Self, ProviderAnswer> {
        let mut others = Vec::with_capacity(notices.others.len());
        for (language, notice) in &notices.others {
            others.push((*language, apns.letter(notice).await?));
        }
        Ok(Self { apns, letters: Letters { own: apns.letter(&notices.own).await?, others } })
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
    let mut lane =
        Lane { way, counts: BTreeMap::new(), accepted: 0, verdict: Verdict::default(), again: Some(Vec::new()), unsent: Vec::new() };
    let ended = lane.send_all(post, endpoints).await;
    lane.judge(endpoints);
    for (answer, count) in &lane.counts {
        metrics::counter!("push_answers_total", "account" => way.account.name.clone(), "answer" => *answer).increment(*count);
    }
    ended
}

/// Every device gets this answer without being asked.
pub(crate) fn answer_all<R: Reach>(way: Way<'_>, endpoints: &[Endpoint<R>], answer: &ProviderAnswer) {
    if let ProviderAnswer::CredentialsRefused { reason } = answer {
        way.account.refuse(reason);
    }
    for endpoint in endpoints {
        way.tally.device(endpoint, answer.outcome());
    }
}

struct Lane<'a> {
    way: Way<'a>,
    counts: BTreeMap<&'static str, u64>,
    /// Messages that were taken since the account was told of them.
    accepted: u32,
    verdict: Verdict,
    /// Who is tried once more when all others have been: residents who have other devices too. Nothing from then on.
    again: Option<Vec<usize>>,
    /// Who was not asked because it was hopeless.
    unsent: Vec<usize>,
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
            if noted.is_stopping() {
                flight.call_off();
            } else if self.verdict.is_hopeless() {
                let called_off = flight.call_off().into_iter().map(|(at, _)| at);
                self.unsent.extend(called_off.chain(std::mem::replace(&mut waiting, 0..0)));
            }
            let more = !waiting.is_empty() && held.is_none() && !noted.is_stopping();
            if !more || flight.queued() > 0 {
                let landed = tokio::select! {
                    biased;
                    landed = flight.next() => landed,
                    () = precedence.given(), if aside => continue,
                    () = noted.stopping(), if aside && !noted.is_stopping() => continue,
                };
                match landed {
                    Some((tag, ended)) => self.land(post, endpoints, tag, ended, &mut flight).await,
                    None => match self.again.take() {
                        Some(again) if held.is_none() && !again.is_empty() && !noted.is_stopping() => {
                            again.into_iter().for_each(|at| flight.launch((at, 0)));
                        }
                        _ => break,
                    },
                }
                continue;
            }
            // Answers are taken in while permission is waited for.
            self.account_for();
            let permission = {
                let mut asked = pin!(async {
                    if !urgent {
                        if let Some(cache) = account.cache() {
                            let _ = tokio::time::timeout(PATIENCE, precedence.listen(cache)).await;
                        }
                        precedence.given().await;
                    }
                    account.ask(waiting.len().min(CHUNK)).await
                });
                loop {
                    tokio::select! {
                        biased;
                        permission = &mut asked => break Some(permission?),
                        () = noted.stopping() => break None,
                        Some((tag, ended)) = flight.next() => self.land(post, endpoints, tag, ended, &mut flight).await,
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
                            Some((tag, ended)) = flight.next() => self.land(post, endpoints, tag, ended, &mut flight).await,
                        }
                    }
                }
            }
        }
        Ok(held)
    }

    /// Takes an answer in, and sends what is to be sent by another way.
    async fn land<'r, R: Reach, F>(
        &mut self,
        post: &impl Post<R>,
        endpoints: &[Endpoint<R>],
        (at, turn): (usize, u8),
        ended: Result<Answer, Failure>,
        flight: &mut Flight<(usize, u8), F>,
    ) where
        F: Fn(&(usize, u8)) -> Option<Request<'r>>,
    {
        match post.read(&endpoints[at], turn, ended).await {
            Read::NextTurn => flight.launch((at, turn + 1)),
            Read::Final(answer) => self.take(at, &endpoints[at], answer).await,
        }
    }

    async fn take<R: Reach>(&mut self, at: usize, endpoint: &Endpoint<R>, answer: ProviderAnswer) {
        let Way { account, tally, noted, .. } = self.way;
        *self.counts.entry(answer.label()).or_default() += 1;
        if let Some((how, _)) = answer.refusal() {
            self.account_for();
            account.refused_one();
            return self.verdict.refused(at, answer, how);
        }
        let outcome = match &answer {
            ProviderAnswer::Accepted { .. } => {
                self.accepted += 1;
                self.verdict.accepted();
                Outcome::Accepted
            }
            // Its app has registered since: the provider speaks of what was before.
            ProviderAnswer::EndpointGone { since: Some(since) } if *since < endpoint.registered_at => Outcome::Permanent,
            ProviderAnswer::EndpointGone { .. } => return tally.gone(endpoint.as_gone()),
            ProviderAnswer::Throttled { scope, retry_after } => {
                if let Some(wait) = retry_after {
                    // Those who are tried again with this one should not wait long for it.
                    noted.retry_after(if *scope == Scope::Recipient { (*wait).min(LONGEST_ALONE) } else { *wait });
                }
                if *scope == Scope::Account {
                    self.account_for();
                    account.throttled(*retry_after).await;
                }
                Outcome::Throttled
            }
            other => other.outcome(),
        };
        match &mut self.again {
            Some(again) if !outcome.is_final() && is_worth_another(&answer) && tally.has_several(endpoint.resident_no) => again.push(at),
            _ => tally.device(endpoint, outcome),
        }
    }

    /// Tells the account of what was taken, in one go.
    fn account_for(&mut self) {
        self.way.account.accepted(std::mem::take(&mut self.accepted));
    }

    /// All answers are in: whose fault are the refusals?
    fn judge<R: Reach>(&mut self, endpoints: &[Endpoint<R>]) {
        self.account_for();
        let Way { account, tally, .. } = self.way;
        match std::mem::take(&mut self.verdict).judge(account, std::mem::take(&mut self.unsent)) {
            Judged::Ours(all) => all.into_iter().for_each(|at| tally.device(&endpoints[at], Outcome::CredentialsRefused)),
            Judged::Theirs(each) => {
                for (at, outcome) in each {
                    match outcome {
                        Outcome::EndpointGone => tally.gone(endpoints[at].as_gone()),
                        outcome => tally.device(&endpoints[at], outcome),
                    }
                }
            }
        }
    }
}

/// The longest that a device which is sent to too often delays others.
const LONGEST_ALONE: TimeDelta = TimeDelta::seconds(60);

/// Trying again at once is of use, and does not take long.
fn is_worth_another(answer: &ProviderAnswer) -> bool {
    !matches!(
        answer,
        ProviderAnswer::Temporary { why: Trouble::NoAnswer(Why::TimedOut) } | ProviderAnswer::Throttled { scope: Scope::Account, .. }
    )
}
