//! What one alert says on a phone, in one language: the material of which each provider makes its message.

use chrono::{DateTime, Utc};
use domain::alert::{AlertContent, AlertText, DeliveryClass};
use domain::cap::Severity;
use domain::ids::{AlertId, WaveNo};
use domain::language::Language;
use uuid::Uuid;

/// An alert and its wave: what is pushed, whatever the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoticeId {
    /// The alert, which the app opens.
    pub alert_id: AlertId,
    /// The first alert of its chain of corrections; as text it is the collapse id, so that a repeat, a reminder, a correction or the word that it has
    /// ended takes the place of what the phone shows.
    pub root_id: AlertId,
    /// First push, reminder, or the word that it has ended.
    pub wave: WaveNo,
}

impl NoticeId {
    /// The id of this notice at one endpoint (UUID version 8, RFC 9562 §5.8): a repeat after a crash has the same, a reminder another.
    pub fn at(self, endpoint_id: i64) -> Uuid {
        let (high, low) = self.alert_id.uuid().as_u64_pair();
        let high = high ^ u64::from(self.wave.get());
        let mixed = Uuid::from_u64_pair(high, low ^ endpoint_id.unsigned_abs());
        uuid::Builder::from_custom_bytes(mixed.into_bytes()).into_uuid()
    }

    /// What takes each other's place on a phone has the same.
    pub fn collapse_id(self) -> String {
        self.root_id.to_string()
    }
}

/// What is said on the outside of a letter about a person: nothing of what stands inside (CQ14). The app fetches that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The line seen first.
    pub headline: &'static str,
    /// What to do.
    pub body: &'static str,
}

impl Envelope {
    /// In this language.
    pub const fn in_language(language: Language) -> Self {
        match language {
            Language::ZhCn => Self { headline: "您有一条健康提醒", body: "请打开应用查看。" },
            Language::En => Self { headline: "You have a health alert", body: "Open the app to read it." },
        }
    }
}

/// The words and the urgency of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What is pushed.
    pub id: NoticeId,
    /// How urgent.
    pub class: DeliveryClass,
    /// The line seen first.
    pub headline: String,
    /// What happened, what to do, and whom to ask (CQ12).
    pub body: String,
    /// What a provider that reads along sees instead; none where it may read all of it.
    pub envelope: Option<Envelope>,
    /// Whether a person must see it soon. What only informs may wait until the phone is awake anyway.
    pub must_be_seen: bool,
    /// No phone shall show it anew afterwards: it is no longer true, or people sleep.
    pub show_until: DateTime<Utc>,
}

impl Notice {
    /// A notice of these words, from `quiet_from` on in quiet hours: a phone that was off does not ring for it at night.
    pub fn new(id: NoticeId, class: DeliveryClass, text: AlertText, content: &AlertContent, quiet_from: Option<DateTime<Utc>>) -> Self {
        let AlertText { headline, body, instruction, .. } = text;
        let parts = [body.as_str(), instruction.as_str(), content.contact.as_str()];
        let body = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n");
        let must_be_seen = class == DeliveryClass::Urgent || content.severity != Severity::Minor;
        let show_until = quiet_from.map_or(content.expires_at, |quiet_from| quiet_from.min(content.expires_at));
        Self { id, class, headline, body, envelope: None, must_be_seen, show_until }
    }

    /// The same in an envelope, for providers that read along.
    pub fn enveloped(self, envelope: Option<Envelope>) -> Self {
        Self { envelope, ..self }
    }

    /// Headline and body as a provider that reads along may have them.
    pub fn outside(&self) -> (&str, &str) {
        self.envelope.as_ref().map_or((&self.headline, &self.body), |envelope| (envelope.headline, envelope.body))
    }
}

/// `message(text)`, with `text` shortened as far as needed to keep the result within `largest` bytes.
pub(crate) fn shortened_until(text: &str, largest: usize, message: impl Fn(&str) -> Vec<u8>) -> Vec<u8> {
    let whole = message(text);
    if whole.len() <= largest {
        return whole;
    }
    let cuts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let cut_to = |chars: usize| message(&format!("{}…", &text[..cuts.get(chars).copied().unwrap_or(0)]));
    // Longer texts make longer messages, so the first cut that does not fit can be searched for.
    let fitting = (0..cuts.len()).collect::<Vec<_>>().partition_point(|chars| cut_to(*chars).len() <= largest);
    cut_to(fitting.saturating_sub(1))
}

/// The JSON of a message.
pub(crate) fn json(message: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("structs of strings and numbers always serialize")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An urgent notice, as the tests of the letters want it.
    pub(crate) fn notice() -> Notice {
        Notice {
            id: NoticeId {
                alert_id: AlertId::from_uuid(Uuid::from_u128(7)),
                root_id: AlertId::from_uuid(Uuid::from_u128(7)),
                wave: WaveNo::FIRST,
            },
            class: DeliveryClass::Urgent,
            headline: "请立即居家隔离".to_owned(),
            body: "您是密切接触者。\n请勿外出。\n12320".to_owned(),
            envelope: None,
            must_be_seen: true,
            show_until: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        }
    }

    #[test]
    fn a_repeat_has_the_same_message_id_and_everything_else_another() {
        let id = notice().id;
        let reminder = NoticeId { wave: WaveNo::FIRST.following(), ..id };
        assert_eq!(id.at(5), id.at(5));
        assert_ne!(id.at(5), id.at(6));
        assert_ne!(id.at(5), reminder.at(5));
        assert_eq!(id.at(5).get_version_num(), 8);
    }

    #[test]
    fn a_correction_takes_the_place_of_what_it_corrects() {
        let id = notice().id;
        let correction = NoticeId { alert_id: AlertId::from_uuid(Uuid::from_u128(8)), ..id };
        assert_eq!(correction.collapse_id(), id.collapse_id());
        assert_ne!(correction.at(5), id.at(5));
    }

    #[test]
    fn a_text_that_fits_is_left_alone() {
        assert_eq!(shortened_until("abc", 3, |text| text.as_bytes().to_vec()), b"abc");
        assert_eq!(shortened_until("abcdef", 5, |text| text.as_bytes().to_vec()), "ab…".as_bytes());
    }
}
