//! The words that stand ready beside an alert: made from its own, so that nobody has to find any at three in the morning.
//!
//! They say which alert it was, since when it is with people, and what they may do now. Every language has its own, also one in which the alert was
//! not written: who reads it had the Chinese text and is told in words that they read. What leaves is what two people were shown, to the letter.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use chrono_tz::Tz;
use strum::VariantArray as _;

use super::Kind;
use crate::alert::{AlertContent, AlertText};
use crate::alert_check;
use crate::cap::MsgType;
use crate::exercise::Sendable;
use crate::ids::AlertId;
use crate::language::Language;
use crate::public_reason::PublicReason;
use crate::sms_text::{Composition, compose};

/// The longest part of a headline that is repeated.
const HEADLINE_LIMIT: usize = 60;
/// What is said while an alert is being checked, on screens and in inboxes. It neither takes anything back nor says that it holds.
const CHECKED_ZH: &str = "此提醒正在核实，结论出来前请仍按原要求做。";
const CHECKED_EN: &str = "This alert is being checked. Until you hear more, go on doing what it asks.";

/// The line beside an alert that was stopped and of which nobody has said yet whether it holds.
#[must_use]
pub const fn being_checked(language: Language) -> &'static str {
    match language {
        Language::ZhCn => CHECKED_ZH,
        Language::En => CHECKED_EN,
    }
}

/// What an alert's end is said of.
#[derive(Clone, Copy, Debug)]
pub struct Prepared<'a> {
    /// The alert.
    pub id: AlertId,
    /// What it said.
    pub of: &'a AlertContent,
    /// Since when people have it.
    pub since: DateTime<Utc>,
    /// The time zone of the city.
    pub zone: Tz,
}

impl Prepared<'_> {
    /// That it was false, and why, as far as that is said.
    #[must_use]
    pub fn withdrawal(&self, reason: Option<PublicReason>) -> BTreeMap<Language, AlertText> {
        self.in_every_language(|language, name, since| match language {
            Language::ZhCn => {
                let why = reason.map(|reason| format!("原因：{}。", reason.said_in(language))).unwrap_or_default();
                word(
                    language,
                    "【已撤回】",
                    name,
                    &format!("{since}发给您的提醒《{name}》有误，现予撤回，不再有效。{why}"),
                    "请不要再按它的要求做；因它而停下的事，可以恢复。",
                )
            }
            Language::En => {
                let why = reason.map(|reason| format!(" Reason: {}.", reason.said_in(language))).unwrap_or_default();
                word(
                    language,
                    "WITHDRAWN",
                    name,
                    &format!("The alert \"{name}\" sent to you at {since} was wrong and is withdrawn.{why}"),
                    "Please stop following it. What you stopped because of it, you may take up again.",
                )
            }
        })
    }

    /// That what it told of is over.
    #[must_use]
    pub fn all_clear(&self) -> BTreeMap<Language, AlertText> {
        self.in_every_language(|language, name, since| match language {
            Language::ZhCn => word(
                language,
                "【已解除】",
                name,
                &format!("{since}发给您的提醒《{name}》所说的情况已经解除。"),
                "不必再按它的要求做，可以恢复平常的生活。",
            ),
            Language::En => word(
                language,
                "ALL CLEAR",
                name,
                &format!("What the alert \"{name}\" sent to you at {since} told of is over."),
                "You need not follow it any longer, and may go on as usual.",
            ),
        })
    }

    /// What is right instead, to be changed where it was wrong: the alert's own words, marked as corrected as far as there is room for the mark.
    #[must_use]
    pub fn correction(&self) -> AlertContent {
        let texts = self.of.texts.iter().map(|(language, text)| (*language, self.marked(*language, text))).collect();
        AlertContent { msg_type: MsgType::Update, references: Some(self.id), texts, ..self.of.clone() }
    }

    /// The words that end the alert; a correction's are its own.
    #[must_use]
    pub fn texts(&self, kind: Kind, reason: Option<PublicReason>) -> BTreeMap<Language, AlertText> {
        match kind {
            Kind::Withdraw => self.withdrawal(reason),
            Kind::AllClear => self.all_clear(),
            Kind::Correct => self.correction().texts,
        }
    }

    fn in_every_language(&self, word: impl Fn(Language, &str, &str) -> AlertText) -> BTreeMap<Language, AlertText> {
        let of = |language: Language| {
            let name = shortened(self.of.text(language).map_or("", |text| text.headline.trim()));
            word(language, &name, &self.since(language))
        };
        Language::VARIANTS.iter().map(|language| (*language, of(*language))).collect()
    }

    /// Since when, as people of the city say it.
    fn since(&self, language: Language) -> String {
        let at = self.since.with_timezone(&self.zone);
        match language {
            Language::ZhCn => format!("{}月{}日{}:{:02}", at.month(), at.day(), at.hour(), at.minute()),
            Language::En => at.format("%H:%M on %-d %B").to_string(),
        }
    }

    fn marked(&self, language: Language, text: &AlertText) -> AlertText {
        let (mark, since) = (mark(language), self.since(language));
        let opening = match language {
            Language::ZhCn => format!("{since}发给您的提醒有误，现更正如下。"),
            Language::En => format!("The alert sent to you at {since} was wrong in part. This is right: "),
        };
        let limits = alert_check::limits(language);
        AlertText {
            headline: with_room(mark, &text.headline, limits.headline),
            body: with_room(&opening, &text.body, limits.body),
            instruction: text.instruction.clone(),
            sms: with_room(mark, &text.sms, limits.sms),
        }
    }
}

const fn mark(language: Language) -> &'static str {
    match language {
        Language::ZhCn => "【更正】",
        Language::En => "CORRECTION: ",
    }
}

/// The mark before the text, unless it has it already or there is no room.
fn with_room(mark: &str, text: &str, limit: usize) -> String {
    if text.starts_with(mark) || mark.chars().count() + text.chars().count() > limit { text.to_owned() } else { format!("{mark}{text}") }
}

fn word(language: Language, mark: &str, name: &str, body: &str, instruction: &str) -> AlertText {
    let (headline, sms) = match language {
        Language::ZhCn => (format!("{mark}《{name}》"), format!("{mark}{body}{instruction}")),
        Language::En => (format!("{mark}: {name}"), format!("{mark}: {body} {instruction}")),
    };
    AlertText { headline, body: body.to_owned(), instruction: instruction.to_owned(), sms }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(HEADLINE_LIMIT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// How many short messages a text of it takes, and how it reads on a phone; none where it is too long for one, which no prepared text is.
#[must_use]
pub fn short_message(of: &AlertContent, language: Language, text: &AlertText, signature: &str) -> Option<(String, usize)> {
    let text = match Sendable::of(of.status, text.clone()).ok()? {
        Sendable::Live(text) => text.into_inner(),
        Sendable::Drill(text) => text.announced(language),
    };
    let sms = compose(&Composition { signature, text: &text.sms, contact: &of.contact, short_code: None, language }).ok()?;
    Some((sms.parts.concat(), sms.segments))
}
