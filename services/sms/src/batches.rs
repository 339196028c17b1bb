//! The SMS channel of dispatch's worker: sends the batches of the queue `sms.batches`.
//!
//! The windows are kept full. Whenever some hundred messages were answered the rows of the accepted are stored, while others are
//! on the wire; then their outcomes are noted for the ledger. So whoever has an accepted outcome has a row, and receipts find it.
//! **The bound on repeats:** a process that is killed repeats, for each batch in its hands, at most [`UNKEPT`] messages: those whose rows
//! were not stored yet. A repeat carries the same concatenation reference. What is stored is not sent again, and a message goes on at its
//! missing part ([`begun`]).
//!
//! A refusal that most get holds the batch, as refused credentials do ([`brake`](crate::brake)).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use dispatch::{
    ledger::{Claimed, GoneEndpoint},
    worker::{BatchChannel, Noted, Sent},
};
use domain::{
    alert::DeliveryClass,
    exercise::{Drill, Live, Sendable},
    ids::ResidentNo,
    outcome::{Channel, Outcome},
};
use futures::{
    FutureExt as _, StreamExt as _,
    future::{Fuse, FusedFuture as _},
    stream::FuturesUnordered,
};
use platform::{BoxError, Platform, database::Database};

use crate::{
    begun::{self, OfWave},
    brake::{Applied, Brake, Memory},
    error::Error,
    kept::Trouble,
    message::{self, Message, Of},
    phones::{self, Phone},
    settings::Settings,
    smpp::{
        lanes::Lane,
        segments::Segments,
        submit::{Account, MessageOf, Order, Progress, Submitted},
    },
    texts::{self, Texts},
};

/// How long a batch is put down when no bind is up, or the centre fails with everything.
const AWAY_HOLD: TimeDelta = TimeDelta::seconds(15);
/// How long it is put down when its alert cannot be written as a short message at all.
const UNWRITTEN_HOLD: TimeDelta = TimeDelta::seconds(60);
/// How long answers are waited for when nothing further may be sent, in real time: a process that stops is not waited for much longer.
const LAST_ANSWERS: Duration = Duration::from_secs(10);
/// How long an answer that stays out is given to come late, before its part is submitted once more.
const FOR_LATE_ANSWERS: TimeDelta = TimeDelta::seconds(60);
/// A routine message does not arrive in quiet hours, if so much of the day is left for it to arrive.
const OF_THE_DAY: TimeDelta = TimeDelta::hours(4);

/// The channel.
pub(crate) struct SmsChannel {
    pub(crate) platform: Platform,
    pub(crate) settings: Arc<Settings>,
    pub(crate) account: Arc<Account>,
    pub(crate) memory: Memory,
}

/// Messages that are on the wire, answered, or being stored.
const UNKEPT: usize = 768;
/// As many answers as are worth a statement.
const KEPT_TOGETHER: usize = 256;

/// A message to be sent.
struct InHand<'a> {
    position: usize,
    resident: ResidentNo,
    phone: &'a Phone,
    segments: &'a Segments,
    /// What became of its parts in earlier tries.
    begun: Vec<Progress>,
}

/// A message with what became of it.
struct Answered<'a, 'b> {
    message: &'a InHand<'b>,
    submitted: Submitted,
}

impl BatchChannel for SmsChannel {
    const CHANNEL: Channel = Channel::Sms;

    async fn send(&self, batch: &Claimed, noted: &Noted) -> Result<Sent, BoxError> {
        let residents: Vec<ResidentNo> = batch.pending().map(|(_, resident)| resident).collect();
        let texts = batch.alert.content.texts.clone();
        let (phones, texts) = match Sendable::of(batch.alert.content.status, texts)? {
            Sendable::Live(texts) => (self.public_phones(&texts, &residents).await?, texts.into_inner()),
            Sendable::Drill(texts) => (self.participants_phones(&texts, &residents).await?, texts::announced(texts)),
        };
        let texts = match Texts::of(batch, &texts, &self.settings.signature) {
            Ok(texts) => texts,
            Err(error) => {
                // The same for everybody in the batch: nobody is given up for it, somebody has to mend it.
                metrics::counter!("sms_texts_unwritten_total").increment(1);
                tracing::error!(alert_id = %batch.alert.alert_id, %error, "the alert cannot be written as a short message: its batch waits");
                return Ok(Sent::Hold { until: self.platform.clock.now() + UNWRITTEN_HOLD });
            }
        };
        let (stored, mut begun) = self.of_earlier_tries(batch, &residents).await?;

        let (mut in_hand, mut anew) = (Vec::with_capacity(residents.len()), Vec::new());
        for (position, resident) in batch.pending() {
            if stored.contains(&resident) {
                noted.outcome(position, Outcome::Accepted);
                continue;
            }
            let Some(phone) = phones.get(&resident) else {
                noted.outcome(position, Outcome::NoEndpoint);
                continue;
            };
            let segments = texts.for_reader(phone.language);
            let mut begun = begun.remove(&resident).unwrap_or_default();
            if !begun.is_empty() && begun.len() != segments.parts.len() {
                // It was another text then, in another language: its parts do not join.
                begun.clear();
                anew.push(resident);
            }
            in_hand.push(InHand { position, resident, phone, segments, begun });
        }
        begun::end(&self.platform.database, of_wave(batch), &anew).await?;
        self.submit_all(batch, &in_hand, noted).await
    }
}

impl SmsChannel {
    /// Who has the message already, and of whose message parts are known: a batch that is new may be of people whose message was begun in another.
    async fn of_earlier_tries(
        &self,
        batch: &Claimed,
        residents: &[ResidentNo],
    ) -> Result<(HashSet<ResidentNo>, HashMap<ResidentNo, Vec<Progress>>), Error> {
        let database = &self.platform.database;
        let stored = if batch.was_held_before() { message::stored(database, of(batch), residents).await? } else { HashSet::new() };
        Ok((stored, begun::load(database, of_wave(batch), residents).await?))
    }

    /// Keeps all windows full until everybody was tried, sending has to stop, or the account cannot send. What was answered is stored
    /// beside it.
    async fn submit_all(&self, batch: &Claimed, in_hand: &[InHand<'_>], noted: &Noted) -> Result<Sent, BoxError> {
        let window = self.settings.window.get().saturating_mul(self.settings.binds.get() as usize);
        // Throttled messages wait for themselves, and others go meanwhile.
        let most = window + window / 4;
        let wanted = || !noted.is_stopping();
        let until = self.until(batch);
        let mut brake = Brake::new(&self.memory, batch.attempt() == 1);
        let (mut next, mut over, mut away, mut ours) = (in_hand.iter(), false, false, false);
        let mut flying = FuturesUnordered::new();
        let mut answered: Vec<Answered<'_, '_>> = Vec::new();
        let mut refused: Vec<Answered<'_, '_>> = Vec::new();
        let (mut keeping, mut kept_now) = (std::pin::pin!(Fuse::terminated()), 0);
        let last_answers = async {
            noted.stopping().await;
            tokio::time::sleep(LAST_ANSWERS).await;
        };
        let mut last_answers = std::pin::pin!(last_answers.fuse());
        loop {
            while !over && wanted() && flying.len() < most && flying.len() + answered.len() + kept_now < UNKEPT {
                let Some(message) = next.find(|message| noted.is_wanted(message.position)) else { break };
                let order = self.order(batch, message, until, &wanted);
                flying.push(async move { Answered { message, submitted: self.account.submit(order).await } });
            }
            if flying.is_empty() && !refused.is_empty() {
                ours |= brake.refusals_are_ours();
                if ours {
                    metrics::counter!("sms_refused_for_all_total").increment(1);
                    let status = refused.first().and_then(|answer| answer.submitted.refused_with);
                    tracing::error!(?status, "the SMS centre refuses what we send to everybody: mend the account's settings");
                }
                answered.extend(refused.drain(..).map(|answer| if ours { of_the_account(answer) } else { of_its_own(answer) }));
            }
            if keeping.is_terminated() && (answered.len() >= KEPT_TOGETHER || (flying.is_empty() && !answered.is_empty())) {
                kept_now = answered.len();
                keeping.set(self.keep(batch, std::mem::take(&mut answered), noted).fuse());
            }
            tokio::select! {
                biased;
                kept = &mut keeping, if !keeping.is_terminated() => {
                    kept?;
                    kept_now = 0;
                }
                Some(answer) = flying.next() => {
                    let of_centre = answer.submitted.is_answer_of_centre();
                    match answer.submitted.outcome {
                        // The ledger raises the alarm and holds the batch.
                        Outcome::CredentialsRefused if !of_centre => over = true,
                        Outcome::Pending => (over, away) = (true, true),
                        _ => {}
                    }
                    match of_centre.then(|| brake.took(answer.submitted.outcome)).flatten() {
                        Some(Applied::Ours) => (over, ours) = (true, true),
                        Some(Applied::Away) => (over, away) = (true, true),
                        None => {}
                    }
                    // Whose fault a refusal is, is seen by what the others get.
                    let is_refusal = matches!(answer.submitted.outcome, Outcome::Permanent | Outcome::CredentialsRefused);
                    let answers = if of_centre && is_refusal { &mut refused } else { &mut answered };
                    answers.push(answer);
                }
                // They stay pending: whoever has the batch next goes on.
                () = &mut last_answers, if !flying.is_empty() && !last_answers.is_terminated() => flying.clear(),
                else => break,
            }
        }
        if away && !noted.is_stopping() {
            return Ok(Sent::Hold { until: self.platform.clock.now() + AWAY_HOLD });
        }
        Ok(Sent::Done)
    }

    fn order<'a>(&self, batch: &Claimed, message: &InHand<'a>, until: DateTime<Utc>, wanted: &'a (dyn Fn() -> bool + Sync)) -> Order<'a> {
        Order {
            to: message.phone.number,
            segments: message.segments,
            lane: if batch.alert.class == DeliveryClass::Urgent { Lane::Urgent } else { Lane::Routine },
            until: Some(until),
            of: Some(MessageOf { alert: batch.alert.alert_id, wave: batch.wave, resident: message.resident }),
            begun: message.begun.clone(),
            wanted,
        }
    }

    /// Until when the centre may deliver a message of the batch.
    fn until(&self, batch: &Claimed) -> DateTime<Utc> {
        let now = self.platform.clock.now();
        let until = batch.alert.content.expires_at.min(now + TimeDelta::hours(self.settings.longest_validity_h.into()));
        match batch.send_until {
            Some(quiet) if quiet - now >= OF_THE_DAY => until.min(quiet),
            _ => until,
        }
    }

    /// Anybody's phone, for what is meant for the public.
    async fn public_phones<T>(&self, _for: &Live<T>, residents: &[ResidentNo]) -> Result<HashMap<ResidentNo, Phone>, Error> {
        phones::of(&self.platform, residents, phones::Among::Public).await
    }

    /// Phones of enrolled participants, for an exercise; dispatch planned no others, and none would be found here.
    async fn participants_phones<T>(&self, _for: &Drill<T>, residents: &[ResidentNo]) -> Result<HashMap<ResidentNo, Phone>, Error> {
        phones::of(&self.platform, residents, phones::Among::Participants).await
    }

    /// Stores the accepted and what is known of the others, then notes what became of all.
    async fn keep(&self, batch: &Claimed, answered: Vec<Answered<'_, '_>>, noted: &Noted) -> Result<(), Error> {
        let database = &self.platform.database;
        let (mut accepted, mut whole_now, mut begun) = (Vec::new(), Vec::new(), Vec::new());
        for Answered { message, submitted } in &answered {
            if submitted.outcome == Outcome::Accepted {
                let taken =
                    submitted.parts.iter().filter_map(|part| if let Progress::Taken(taken) = part { Some(taken.clone()) } else { None });
                accepted.push(Message { resident: message.resident, parts: taken.collect() });
                whole_now.extend((!message.begun.is_empty()).then_some(message.resident));
            } else if submitted.parts.iter().any(|part| *part != Progress::Open) {
                begun.push((message.resident, submitted.parts.as_slice()));
            }
        }
        let now = self.platform.clock.now();
        let mut trouble = Trouble::none();
        while let Err(error) = store(database, batch, &accepted, &whole_now, &begun, now).await {
            trouble.met(&self.platform, batch.batch_id, answered.len(), error).await?;
        }
        for Answered { message, submitted } in answered {
            match submitted.outcome {
                // Not sent: it stays pending.
                Outcome::Pending => continue,
                Outcome::EndpointGone => {
                    noted.gone(GoneEndpoint { resident_no: message.resident, endpoint_id: message.phone.endpoint_id, registered_at: None });
                }
                Outcome::Temporary if submitted.is_unanswered() => noted.retry_after(FOR_LATE_ANSWERS),
                _ => {}
            }
            noted.outcome(message.position, submitted.outcome);
        }
        Ok(())
    }
}

/// A refusal that everybody gets: nobody is given up for it.
fn of_the_account<'a, 'b>(mut answer: Answered<'a, 'b>) -> Answered<'a, 'b> {
    answer.submitted.outcome = Outcome::CredentialsRefused;
    answer
}

/// A refusal that others do not get: their messages go.
fn of_its_own<'a, 'b>(mut answer: Answered<'a, 'b>) -> Answered<'a, 'b> {
    answer.submitted.outcome = Outcome::Permanent;
    answer
}

fn of(batch: &Claimed) -> Of {
    Of { alert: batch.alert.alert_id, batch: batch.batch_id, again: batch.was_held_before() }
}

fn of_wave(batch: &Claimed) -> OfWave {
    OfWave { alert: batch.alert.alert_id, wave: batch.wave }
}

/// Writes down who has the message, and of whose message some parts are sent.
async fn store(
    database: &Database,
    batch: &Claimed,
    accepted: &[Message],
    whole_now: &[ResidentNo],
    begun: &[(ResidentNo, &[Progress])],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    message::store(database, of(batch), accepted).await?;
    begun::end(database, of_wave(batch), whole_now).await?;
    begun::keep(database, of_wave(batch), begun, now).await
}
