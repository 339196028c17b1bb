//! An alert's text in each of its languages, as user data.
//!
//! Nobody stays without a message for the sake of a language: a text that is too long is cut, one that cannot be written leaves its readers
//! that of another language.

use std::collections::{BTreeMap, HashMap};

use dispatch::ledger::Claimed;
use domain::{
    alert::AlertText,
    exercise::Drill,
    language::Language,
    sms_text::{Composition, SmsTextError, compose, compose_cut},
};

use crate::smpp::segments::Segments;

/// The texts of a batch.
#[derive(Debug)]
pub(crate) struct Texts {
    composed: HashMap<Language, Segments>,
    /// For who reads none of them.
    otherwise: Segments,
}

impl Texts {
    /// # Errors
    /// When the alert cannot be written in any of its languages.
    pub(crate) fn of(batch: &Claimed, texts: &BTreeMap<Language, AlertText>, signature: &str) -> Result<Self, SmsTextError> {
        let reference = reference(batch);
        let (mut composed, mut fault) = (HashMap::with_capacity(texts.len()), SmsTextError::Missing("text"));
        for (language, text) in texts {
            let message = Composition {
                signature,
                text: &text.sms,
                contact: &batch.alert.content.contact,
                short_code: (!batch.wave.is_withdrawal()).then_some(batch.alert.short_code),
                language: *language,
            };
            match user_data(&message, reference) {
                Ok((segments, is_cut)) => {
                    composed.insert(*language, segments);
                    if is_cut {
                        metrics::counter!("sms_texts_cut_total").increment(1);
                        tracing::warn!(alert_id = %batch.alert.alert_id, %language, "the alert is too long for a short message: its text is cut");
                    }
                }
                Err(error) => {
                    tracing::warn!(alert_id = %batch.alert.alert_id, %language, %error, "its readers get the alert in another language");
                    fault = error;
                }
            }
        }
        let otherwise = composed.get(&Language::ZhCn).or_else(|| composed.values().next()).cloned().ok_or(fault)?;
        Ok(Self { composed, otherwise })
    }

    /// What somebody gets who reads this language.
    pub(crate) fn for_reader(&self, language: Language) -> &Segments {
        self.composed.get(&language).unwrap_or(&self.otherwise)
    }
}

/// A message as user data, and whether its text had to be cut.
fn user_data(message: &Composition<'_>, reference: u16) -> Result<(Segments, bool), SmsTextError> {
    let (text, is_cut) = match compose(message) {
        Err(SmsTextError::TooLong { .. }) => (compose_cut(message)?, true),
        composed => (composed?, false),
    };
    let segments = text.segments;
    Ok((Segments::of(&text, reference).ok_or(SmsTextError::TooLong { segments })?, is_cut))
}

/// Every part that can stand alone says that it is an exercise.
pub(crate) fn announced(texts: Drill<BTreeMap<Language, AlertText>>) -> BTreeMap<Language, AlertText> {
    let all = texts.get().clone();
    let drill = texts.map(drop);
    all.into_iter().map(|(language, text)| (language, drill.map(|()| text).announced(language))).collect()
}

/// One for all parts of one alert and wave to one phone: a repeat joins with what arrived before, a reminder does not.
fn reference(batch: &Claimed) -> u16 {
    let alert = batch.alert.alert_id.uuid();
    let pairs = alert.as_bytes().chunks_exact(2).filter_map(|pair| pair.try_into().ok()).map(u16::from_be_bytes);
    pairs.fold(batch.wave.get().into(), |reference: u16, pair| reference.rotate_left(3) ^ pair)
}
