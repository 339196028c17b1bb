//! A short message to one phone that goes out once: a one-time code, an answer to what somebody wrote, word to who is on duty.
//!
//! It is sent once; once more when its answer stays out, or when the process dies between the centre's answer and our note of it, or
//! the cache is away, where that note stands: twice is better than not at all. It is not sent any more when it is of no use; until then
//! one that cannot be sent now is tried again by the bus. It goes before every alert, since somebody waits for it at this moment; codes and answers
//! at a small rate of their own.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use domain::{outcome::Outcome, phone::PhoneNumber, sms_text::SmsText};
use platform::Platform;

use crate::{
    error::Error,
    smpp::{
        lanes::Lane,
        segments::Segments,
        submit::{Account, Order, SUBMISSIONS_UNANSWERED},
    },
};

/// What one-phone messages are sent with.
#[derive(Clone)]
pub(crate) struct Once {
    pub(crate) platform: Platform,
    pub(crate) account: Arc<Account>,
}

/// One message.
pub(crate) struct Word<'a> {
    /// Of this message to this phone alone.
    pub(crate) id: &'a str,
    pub(crate) to: PhoneNumber,
    pub(crate) text: &'a str,
    pub(crate) lane: Lane,
    /// From then on it is of no use.
    pub(crate) until: DateTime<Utc>,
}

impl Once {
    /// Sends it, unless it is sent or of no use; what the centre said, if it was asked.
    pub(crate) async fn send(&self, word: Word<'_>) -> Result<Option<Outcome>, Error> {
        let Some(left) = (word.until - self.platform.clock.now()).to_std().ok().filter(|left| !left.is_zero()) else { return Ok(None) };
        let done = format!("sms:code:{}", word.id);
        if self.is_noted(&done).await {
            return Ok(None);
        }
        // Two messages to one phone must not be joined.
        let reference = word.id.bytes().fold(0_u16, |reference, octet| reference.rotate_left(5) ^ u16::from(octet));
        let segments = Segments::of(&SmsText::new(word.text), reference).ok_or(Error::Unreadable { what: "text of a message" })?;
        let submitted = self
            .account
            .submit(Order {
                to: word.to,
                segments: &segments,
                lane: word.lane,
                until: Some(word.until),
                of: None,
                begun: Vec::new(),
                wanted: &|| true,
            })
            .await;
        let outcome = submitted.outcome;
        if submitted.is_unanswered() {
            // The centre may have it: once more, and not a third time.
            let unanswered = self.platform.cache.incr(&format!("{done}:unanswered"), left).await?;
            if unanswered >= SUBMISSIONS_UNANSWERED.into() {
                self.note(&done, left).await;
                return Ok(Some(outcome));
            }
        }
        if !outcome.is_final() {
            return Err(Error::NotSent { outcome });
        }
        self.note(&done, left).await;
        Ok(Some(outcome))
    }

    async fn is_noted(&self, done: &str) -> bool {
        match self.platform.cache.get(done).await {
            Ok(noted) => noted.is_some(),
            Err(error) => {
                tracing::warn!(%error, "whether a message to one phone is sent already cannot be asked: it goes out");
                false
            }
        }
    }

    async fn note(&self, done: &str, left: Duration) {
        if let Err(error) = self.platform.cache.set(done, b"1", left).await {
            tracing::warn!(%error, "that a message to one phone is sent cannot be noted");
        }
    }
}

/// What the centre said to it, if it was asked.
pub(crate) fn answer(sent: &Result<Option<Outcome>, Error>) -> Option<Outcome> {
    match sent {
        Ok(outcome) => *outcome,
        Err(Error::NotSent { outcome }) => Some(*outcome),
        Err(_) => None,
    }
}
