//! What was approved, as digests: it is compared with what is planned and with what leaves (CQ2, CQ8).
//!
//! Near Los Angeles an area got lost between the author and the sender, and ten million were woken instead of some thousands; in Wales a technical step
//! after the approval changed a word, and nobody read it again. So whoever approves or confirms seals what they have before them, and it is asked
//! again when the alert is planned and when its words leave: what is not the same does not leave.
//!
//! Sealed are the words of each language as they leave on each channel, for whom they are, and the terms on which they are sent. The signature 签名
//! of short messages is a setting of the operator and no part of an alert, so it is not sealed. How many people an audience has changes by itself as
//! people move: [`Tolerance`] says how many more may be found than the approver was shown.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::alert::{AlertContent, AlertText, DeliveryClass, PlaceNote};
use crate::audience::Audience;
use crate::cap::{MsgType, Severity, Status, Urgency};
use crate::exercise::Sendable;
use crate::headcount::HeadCount;
use crate::language::Language;
use crate::outcome::Channel;

/// A SHA-256; as text 64 hexadecimal characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// The text is no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a digest has 64 hexadecimal characters")]
pub struct DigestError;

impl Digest {
    /// Of these parts: each with its length, so that no word wanders from one part into the next unseen. `what` keeps digests of different
    /// things apart.
    fn of(what: &str, parts: &[&[u8]]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in std::iter::once(&what.as_bytes()).chain(parts) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.finish().as_ref());
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        // `from_str_radix` would also take a sign
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(DigestError);
        }
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| DigestError)?;
        }
        Ok(Self(bytes))
    }
}

crate::text_form::text_form!(
    Digest,
    "A SHA-256 in hexadecimal characters",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
);

/// The words of one language as they leave on a channel; none: the alert lacks the language, or is sent to nobody.
#[must_use]
pub fn words(content: &AlertContent, language: Language, channel: Channel) -> Option<Digest> {
    let text = content.texts.get(&language)?.clone();
    let AlertText { headline, body, instruction, sms } = match Sendable::of(content.status, text).ok()? {
        Sendable::Live(text) => text.into_inner(),
        Sendable::Drill(text) => text.announced(language),
    };
    let contact = &content.contact;
    let seen = [&headline, &body, &instruction, contact].map(|part| part.as_bytes());
    Some(match channel {
        Channel::App => Digest::of("words.app.1", &seen),
        Channel::Sms => Digest::of("words.sms.1", &[sms.as_bytes(), contact.as_bytes()]),
        Channel::Display => Digest::of("words.display.1", &seen),
    })
}

/// The terms on which an alert is sent, beside its words and its people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms<'a> {
    /// How soon, and whether quiet hours hold it back.
    pub class: DeliveryClass,
    /// Whether it reaches participants of an exercise only.
    pub exercise: bool,
    /// When it stops being true.
    pub expires_at: DateTime<Utc>,
    /// How long recipients have to acknowledge, in seconds.
    pub ack_window_s: u32,
    /// Whether screens show it.
    pub display: bool,
    /// How it ranks among others.
    pub severity: Severity,
    /// How soon to act, as the app says.
    pub urgency: Urgency,
    /// First information, correction or end.
    pub msg_type: MsgType,
    /// What it is for, as the app says.
    pub purpose: &'a str,
    /// The place that it is about: the app shows it, and screens of an alert to people who are named go by it.
    pub place: Option<&'a PlaceNote>,
}

impl<'a> Terms<'a> {
    /// Those of an alert of this class.
    #[must_use]
    pub fn of(class: DeliveryClass, content: &'a AlertContent) -> Self {
        Self {
            class,
            exercise: content.status == Status::Exercise,
            expires_at: content.expires_at,
            ack_window_s: content.ack_window_s.seconds(),
            display: content.display,
            severity: content.severity,
            urgency: content.urgency,
            msg_type: content.msg_type,
            purpose: &content.purpose,
            place: content.place.as_ref(),
        }
    }

    /// As a digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let flags = [u8::from(self.exercise), u8::from(self.display)];
        // tables keep microseconds, contents more
        let (until, window) = (self.expires_at.timestamp_millis().to_be_bytes(), self.ack_window_s.to_be_bytes());
        let words = [self.class.as_ref(), self.severity.as_ref(), self.urgency.as_ref(), self.msg_type.as_ref(), self.purpose];
        let place = self.place.map(|place| (place.name.clone(), place.area.to_string())).unwrap_or_default();
        let words = words.into_iter().chain([place.0.as_str(), place.1.as_str()]).map(str::as_bytes);
        let parts: Vec<&[u8]> = words.chain([&flags[..], &until[..], &window[..]]).collect();
        Digest::of("terms.1", &parts)
    }
}

/// For whom an alert is, as a digest: its areas, selections and exclusions, or the people whom it names.
#[must_use]
pub fn for_whom(audience: &Audience) -> Digest {
    match audience {
        Audience::Residents(residents) => {
            let numbers: Vec<u8> = residents.iter().flat_map(u32::to_be_bytes).collect();
            Digest::of("audience.residents.1", &[&numbers])
        }
        // as it is kept: lists of codes and words in the order in which they were read
        Audience::Query(_) => Digest::of("audience.query.1", &[&audience.to_bytes()]),
    }
}

/// What whoever approved or confirmed an alert had before them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalSeal {
    /// The words by language and channel.
    pub texts: BTreeMap<Language, SealedText>,
    /// For whom.
    pub audience: Digest,
    /// For whom it is since it was withdrawn for some of the people whom it names; none: it was for nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience_since: Option<Digest>,
    /// On which terms.
    pub terms: Digest,
    /// How many people were counted when it was approved; none: they could not be counted, or people are named, who need not be counted.
    #[serde(default)]
    pub people: Option<u64>,
}

/// The words of one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SealedText {
    /// In the app.
    pub app: Digest,
    /// In a short message, without what is added to every one.
    pub sms: Digest,
    /// On screens.
    #[serde(rename = "screen")]
    pub display: Digest,
}

impl SealedText {
    /// On this channel.
    #[must_use]
    pub const fn on(&self, channel: Channel) -> Digest {
        match channel {
            Channel::App => self.app,
            Channel::Sms => self.sms,
            Channel::Display => self.display,
        }
    }
}

/// A seal as it may be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ApprovalSeal)]
pub struct ToldSeal {
    /// The words of each language.
    pub texts: Vec<ToldText>,
    /// For whom.
    pub audience: Digest,
    /// On which terms.
    pub terms: Digest,
    /// About how many people were counted when it was approved; none: they could not be counted, or are named.
    pub people: Option<HeadCount>,
}

/// The words of one language, as they may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ToldText {
    /// Which.
    pub language: Language,
    /// On each channel.
    #[serde(flatten)]
    pub sealed: SealedText,
}

impl From<&ApprovalSeal> for ToldSeal {
    fn from(seal: &ApprovalSeal) -> Self {
        let texts = seal.texts.iter().map(|(language, sealed)| ToldText { language: *language, sealed: *sealed });
        Self { texts: texts.collect(), audience: seal.audience, terms: seal.terms, people: seal.people.map(HeadCount::of) }
    }
}

crate::words! {
    /// What of an alert is not as it was approved.
    #[schema(as = UnlikePart)]
    pub enum Part {
        /// The words of a language.
        Text => "文本",
        /// For whom it is.
        Audience => "受众",
        /// Class, validity, exercise, time to acknowledge, screens.
        Terms => "推送条件",
        /// More people were found than were counted when it was approved.
        People => "人数",
        /// What was approved is not known: the seal itself is gone.
        Seal => "批准封签",
    }
}

/// Something that is not as it was approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What.
    pub part: Part,
    /// Of the words of which language.
    pub language: Option<Language>,
    /// On which channel.
    pub channel: Option<Channel>,
    /// The digest that was approved, or the number of people as it may be told.
    pub approved: String,
    /// What was found instead; empty: it is missing.
    pub found: String,
}

impl ApprovalSeal {
    /// Seals an alert as it stands before whoever approves it.
    #[must_use]
    pub fn of(class: DeliveryClass, content: &AlertContent, audience: &Audience, people: Option<u64>) -> Self {
        let texts = content.texts.keys().filter_map(|&language| {
            let on = |channel| words(content, language, channel);
            Some((language, SealedText { app: on(Channel::App)?, sms: on(Channel::Sms)?, display: on(Channel::Display)? }))
        });
        Self {
            texts: texts.collect(),
            audience: for_whom(audience),
            audience_since: None,
            terms: Terms::of(class, content).digest(),
            // who is named is sealed one by one
            people: people.filter(|_| matches!(audience, Audience::Query(_))),
        }
    }

    /// It was withdrawn for some of the people whom it names, by somebody who may: it is for these from now on. What was approved stays as it was.
    pub fn withdrawn_for_some(&mut self, rest: &Audience) {
        self.audience_since = Some(for_whom(rest));
    }

    /// The words that are not as they were approved on this channel: changed, missing, or of a language that nobody approved.
    #[must_use]
    pub fn unlike_words(&self, content: &AlertContent, channel: Channel) -> Vec<Difference> {
        let mut languages: Vec<Language> = self.texts.keys().chain(content.texts.keys()).copied().collect();
        languages.sort_unstable();
        languages.dedup();
        let differs = languages.into_iter().filter_map(|language| {
            let approved = self.texts.get(&language).map(|text| text.on(channel));
            let found = words(content, language, channel);
            let told = |digest: Option<Digest>| digest.map(|digest| digest.to_string()).unwrap_or_default();
            (approved != found).then(|| Difference {
                part: Part::Text,
                language: Some(language),
                channel: Some(channel),
                approved: told(approved),
                found: told(found),
            })
        });
        differs.collect()
    }

    /// Whether it is for somebody else than was approved.
    #[must_use]
    pub fn unlike_audience(&self, audience: &Audience) -> Option<Difference> {
        differ(Part::Audience, self.audience_since.unwrap_or(self.audience), for_whom(audience))
    }

    /// Whether it would be sent on other terms than were approved.
    #[must_use]
    pub fn unlike_terms(&self, terms: &Terms<'_>) -> Option<Difference> {
        differ(Part::Terms, self.terms, terms.digest())
    }

    /// Everything of a planned alert that is not as it was approved, people aside.
    #[must_use]
    pub fn unlike(&self, terms: &Terms<'_>, content: &AlertContent, audience: &Audience) -> Vec<Difference> {
        let words = [Channel::App, Channel::Sms, Channel::Display].into_iter().flat_map(|channel| self.unlike_words(content, channel));
        words.chain(self.unlike_audience(audience)).chain(self.unlike_terms(terms)).collect()
    }

    /// Whether more people were found than the approver was shown and than is tolerated.
    #[must_use]
    pub fn unlike_people(&self, found: u64, tolerance: Tolerance) -> Option<Difference> {
        let approved = self.people?;
        (found > tolerance.most(approved)).then(|| Difference {
            part: Part::People,
            language: None,
            channel: None,
            approved: HeadCount::of(approved).told().to_string(),
            found: HeadCount::of(found).told().to_string(),
        })
    }
}

fn differ(part: Part, approved: Digest, found: Digest) -> Option<Difference> {
    (approved != found).then(|| Difference {
        part,
        language: None,
        channel: None,
        approved: approved.to_string(),
        found: found.to_string(),
    })
}

/// How many more people than were approved may be found: audiences grow while an alert waits for the morning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    /// In the hundred of those approved.
    pub percent: u32,
    /// And so many beside, for small audiences.
    pub people: u64,
}

impl Tolerance {
    /// The most people that may be found where so many were approved.
    #[must_use]
    pub fn most(self, approved: u64) -> u64 {
        let more = u128::from(approved) * u128::from(self.percent) / 100;
        approved.saturating_add(u64::try_from(more).unwrap_or(u64::MAX)).saturating_add(self.people)
    }
}

/// An approval has left no seal although there are seals: what was approved is not known.
#[must_use]
pub fn unsealed() -> Difference {
    Difference { part: Part::Seal, language: None, channel: None, approved: String::new(), found: String::new() }
}

/// Whether an officer of the city command may let it go on all the same: what nobody approved is sent by nobody's word, but that a district has grown is
/// for an officer to say.
#[must_use]
pub fn may_go_on(parts: impl IntoIterator<Item = Part>) -> bool {
    let mut parts = parts.into_iter().peekable();
    parts.peek().is_some() && parts.all(|part| part == Part::People)
}

/// What people are told of it: a sentence in Chinese and in English.
#[must_use]
pub fn sentence(differences: &[Difference]) -> (String, String) {
    if let Some(Difference { approved, found, .. }) = differences.iter().find(|difference| difference.part == Part::People)
        && may_go_on(differences.iter().map(|difference| difference.part))
    {
        return (
            format!(
                "推送已暂停：现计划推送 {found} 人，批准时为 {approved} 人。请核对受众；确认无误后可由市级指挥部放行，否则请撤回或更正。"
            ),
            format!(
                "Sending is held: {found} people are planned, {approved} were approved. Look at the audience; an officer of the city command may let it go on, otherwise withdraw or correct it."
            ),
        );
    }
    let mut parts: Vec<Part> = differences.iter().map(|difference| difference.part).collect();
    parts.sort_unstable();
    parts.dedup();
    let zh = parts.iter().map(|part| part.title()).collect::<Vec<_>>().join("、");
    let en = parts.iter().map(|part| english(*part)).collect::<Vec<_>>().join(", ");
    (
        format!("推送已暂停：{zh}与批准时不一致，没有发出。请撤回或更正这条弹窗，并通知技术运维核查。"),
        format!(
            "Sending is held: {en} are not what was approved, and were not sent. Withdraw or correct the alert, and have the technical operator look into it."
        ),
    )
}

const fn english(part: Part) -> &'static str {
    match part {
        Part::Text => "words",
        Part::Audience => "audience",
        Part::Terms => "terms",
        Part::People => "people",
        Part::Seal => "the seal of the approval",
    }
}
