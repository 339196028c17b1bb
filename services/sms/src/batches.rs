//! The SMS channel of dispatch's worker: sends the batches of the queue `sms.batches`.
//!
//! One batch is sent in chunks of as many messages as all windows together hold. After each chunk the rows of what was
//! accepted are stored, then the outcomes are noted for the ledger. So whoever has an accepted outcome has a row, and receipts
//! find it. **The bound on repeats:** a process that is killed repeats, for each batch in its hands, at most one chunk and the
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
use futures::future::join_all;
use platform::{BoxError, Platform, crypto::Purpose};

use crate::{
    error::Error,
    message::{self, Message},
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

/// A message of the chunk on the wire.
struct InHand<'a> {
    position: usize,
    resident: ResidentNo,
    phone: &'a Phone,
    segments: &'a Segments,
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
        for chunk in in_hand.chunks(self.chunk()) {
            if noted.is_stopping() {
                break;
            }
            let answers = join_all(chunk.iter().map(|message| self.submit(message, noted))).await;
            self.keep(batch, chunk, &answers, noted).await?;
            if answers.iter().any(|answer| answer.outcome == Outcome::CredentialsRefused) {
                // The ledger raises the alarm and holds the batch.
                break;
            }
            if answers.iter().any(|answer| answer.outcome == Outcome::Pending) && !noted.is_stopping() {
                return Ok(Sent::Hold { until: self.platform.clock.now() + UNBOUND_HOLD });
            }
        }
        Ok(Sent::Done)
    }
}

impl SmsChannel {
    fn chunk(&self) -> usize {
        self.settings.window.get().saturating_mul(self.settings.binds.get() as usize)
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

    async fn submit(&self, message: &InHand<'_>, noted: &Noted) -> Submitted {
        if noted.is_stopping() {
            return Submitted { outcome: Outcome::Pending, ids: Vec::new() };
        }
        self.account.submit(message.phone.number, message.segments).await
    }

    /// Stores the accepted, then notes what became of all.
    async fn keep(&self, batch: &Claimed, chunk: &[InHand<'_>], answers: &[Submitted], noted: &Noted) -> Result<(), Error> {
        let submitted_at = self.platform.clock.now();
        let accepted: Vec<Message> = chunk
            .iter()
            .zip(answers)
            .filter(|(_, answer)| answer.outcome == Outcome::Accepted)
            .map(|(message, answer)| Message {
                resident: message.resident,
                phone_hash: *self.platform.keyring.hash(Purpose::ResidentPhone, message.phone.number.e164().as_bytes()).bytes(),
                smsc_ids: answer.ids.clone(),
                submitted_at,
            })
            .collect();
        message::store(&self.platform.database, batch.batch_id, batch.alert.alert_id, &accepted).await?;
        for (message, answer) in chunk.iter().zip(answers) {
            match answer.outcome {
                // Not sent: it stays pending.
                Outcome::Pending => continue,
                Outcome::EndpointGone => {
                    noted.gone(GoneEndpoint { resident_no: message.resident, endpoint_id: message.phone.endpoint_id });
                }
                _ => {}
            }
            noted.outcome(message.position, answer.outcome);
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
