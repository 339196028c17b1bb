//! The SMS channel of dispatch's worker: sends the batches of the queue `sms.batches`.
//!
//! The windows are kept full. Whenever some hundred messages were answered the rows of the accepted are stored, while others are
//! on the wire; then their outcomes are noted for the ledger. So whoever has an accepted outcome has a row, and receipts find it.
//! **The bound on repeats:** a process that is killed repeats, for each batch in its hands, at most [`UNKEPT`] messages and the
//! `checkpoint_every` recipients that were noted since the last checkpoint; a repeat carries the same concatenation reference.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::TimeDelta;
use dispatch::{
    ledger::{Claimed, GoneEndpoint},
    worker::{BatchChannel, Noted, Sent},
};
use domain::{
    alert::AlertText,
    exercise::{Drill, Live, Sendable},
    ids::ResidentNo,
    language::Language,
    outcome::{Channel, Outcome},
    sms_text::{Composition, SmsTextError, compose},
};
use futures::{
    FutureExt as _, StreamExt as _,
    future::{Fuse, FusedFuture as _},
    stream::FuturesUnordered,
};
use platform::{BoxError, Platform};

use crate::{
    error::Error,
    message::{self, Message, Of},
    phones::{self, Phone},
    settings::Settings,
    smpp::{
        segments::Segments,
        submit::{Account, Submitted},
    },
};

/// How long a batch is put down when no bind is up.
const UNBOUND_HOLD: TimeDelta = TimeDelta::seconds(15);

/// The channel.
pub(crate) struct SmsChannel {
    pub(crate) platform: Platform,
    pub(crate) settings: Arc<Settings>,
    pub(crate) account: Arc<Account>,
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
            Sendable::Drill(texts) => (self.participants_phones(&texts, &residents).await?, announced(texts)),
        };
        let texts = match self.segments(batch, &texts) {
            Ok(texts) => texts,
            Err(error) => {
                // The same for everybody in the batch, and for ever: review lets no such text through.
                tracing::error!(alert_id = %batch.alert.alert_id, %error, "the alert cannot be written as a short message");
                batch.pending().for_each(|(position, _)| noted.outcome(position, Outcome::Permanent));
                return Ok(Sent::Done);
            }
        };

        let mut in_hand = Vec::with_capacity(residents.len());
        for (position, resident) in batch.pending() {
            let phone = phones.get(&resident);
            let found = phone.and_then(|phone| Some((phone, texts.get(&phone.language).or_else(|| texts.get(&Language::ZhCn))?)));
            match found {
                Some((phone, segments)) => in_hand.push(InHand { position, resident, phone, segments }),
                None => noted.outcome(position, Outcome::NoEndpoint),
            }
        }
        self.submit_all(batch, &in_hand, noted).await
    }
}

impl SmsChannel {
    /// Keeps all windows full until everybody was tried, sending has to stop, or no bind is up. What was answered is stored beside it.
    async fn submit_all(&self, batch: &Claimed, in_hand: &[InHand<'_>], noted: &Noted) -> Result<Sent, BoxError> {
        let window = self.settings.window.get().saturating_mul(self.settings.binds.get() as usize);
        let (mut next, mut over, mut unbound) = (in_hand.iter(), false, false);
        let mut flying = FuturesUnordered::new();
        let mut answered: Vec<Answered<'_, '_>> = Vec::new();
        let (mut keeping, mut kept_now) = (std::pin::pin!(Fuse::terminated()), 0);
        loop {
            while !over && !noted.is_stopping() && flying.len() < window && flying.len() + answered.len() + kept_now < UNKEPT {
                let Some(message) = next.next() else { break };
                flying.push(
                    async move { Answered { message, submitted: self.account.submit(message.phone.number, message.segments).await } },
                );
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
                    match answer.submitted.outcome {
                        // The ledger raises the alarm and holds the batch.
                        Outcome::CredentialsRefused => over = true,
                        Outcome::Pending => (over, unbound) = (true, true),
                        _ => {}
                    }
                    answered.push(answer);
                }
                else => break,
            }
        }
        if unbound && !noted.is_stopping() {
            return Ok(Sent::Hold { until: self.platform.clock.now() + UNBOUND_HOLD });
        }
        Ok(Sent::Done)
    }

    /// Anybody's phone, for what is meant for the public.
    async fn public_phones<T>(&self, _for: &Live<T>, residents: &[ResidentNo]) -> Result<HashMap<ResidentNo, Phone>, Error> {
        phones::of(&self.platform, residents, phones::Among::Public).await
    }

    /// Phones of enrolled participants, for an exercise; dispatch planned no others, and none would be found here.
    async fn participants_phones<T>(&self, _for: &Drill<T>, residents: &[ResidentNo]) -> Result<HashMap<ResidentNo, Phone>, Error> {
        phones::of(&self.platform, residents, phones::Among::Participants).await
    }

    /// The alert's text in each of its languages, as user data.
    fn segments(&self, batch: &Claimed, texts: &BTreeMap<Language, AlertText>) -> Result<HashMap<Language, Segments>, SmsTextError> {
        let reference = reference(batch);
        let mut composed = HashMap::with_capacity(texts.len());
        for (language, text) in texts {
            let text = compose(&Composition {
                signature: &self.settings.signature,
                text: &text.sms,
                contact: &batch.alert.content.contact,
                short_code: batch.alert.short_code,
                language: *language,
            })?;
            let segments = text.segments;
            composed.insert(*language, Segments::of(&text, reference).ok_or(SmsTextError::TooLong { segments })?);
        }
        Ok(composed)
    }

    /// Stores the accepted, then notes what became of all.
    async fn keep(&self, batch: &Claimed, answered: Vec<Answered<'_, '_>>, noted: &Noted) -> Result<(), Error> {
        let submitted_at = self.platform.clock.now();
        let accepted: Vec<Message> = answered
            .iter()
            .filter(|answered| answered.submitted.outcome == Outcome::Accepted)
            .map(|Answered { message, submitted }| Message { resident: message.resident, smsc_ids: submitted.ids.clone(), submitted_at })
            .collect();
        let of = Of { alert: batch.alert.alert_id, batch: batch.batch_id, again: batch.was_held_before() };
        message::store(&self.platform.database, of, &accepted).await?;
        for Answered { message, submitted } in answered {
            match submitted.outcome {
                // Not sent: it stays pending.
                Outcome::Pending => continue,
                Outcome::EndpointGone => {
                    noted.gone(GoneEndpoint { resident_no: message.resident, endpoint_id: message.phone.endpoint_id });
                }
                _ => {}
            }
            noted.outcome(message.position, submitted.outcome);
        }
        Ok(())
    }
}

/// Every part that can stand alone says that it is an exercise.
fn announced(texts: Drill<BTreeMap<Language, AlertText>>) -> BTreeMap<Language, AlertText> {
    let languages: Vec<Language> = texts.get().keys().copied().collect();
    languages
        .into_iter()
        .filter_map(|language| {
            let text = texts.get().get(&language)?.clone();
            Some((language, texts.clone().map(|_| text).announced(language)))
        })
        .collect()
}

/// One for all parts of one alert and wave to one phone: a repeat joins with what arrived before, a reminder does not.
fn reference(batch: &Claimed) -> u8 {
    let alert = batch.alert.alert_id.uuid();
    alert.as_bytes().iter().fold(batch.wave.get(), |reference, octet| reference.rotate_left(1) ^ octet)
}
