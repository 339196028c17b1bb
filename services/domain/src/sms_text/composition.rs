//! How a message is put together: signature, text, contact, how to reply.
//!
//! Where signs of good typography alone would make it UCS-2, plain ones take their place. A text that is too long can be cut ([`compose_cut`]): who is
//! told less is still told.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation as _;

use super::{Encoding, MAX_SEGMENTS, SmsText};
use crate::ids::ShortCode;
use crate::language::Language;

/// What a message is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Composition<'a> {
    /// Who sends, for instance `重庆疾控`; stands in front as operators demand it.
    pub signature: &'a str,
    /// The alert's text for SMS.
    pub text: &'a str,
    /// Where to ask (CQ12), for instance `12320`.
    pub contact: &'a str,
    /// The code by which a reply names the alert; none where no answer is asked for.
    pub short_code: Option<ShortCode>,
    /// The language of the text, and so of what is put around it.
    pub language: Language,
}

/// Why a message cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmsTextError {
    /// A part that every message has is missing.
    #[error("a short message needs a {0}")]
    Missing(&'static str),
    /// Longer than [`MAX_SEGMENTS`].
    #[error("the short message takes {segments} segments, {MAX_SEGMENTS} are allowed: shorten its text")]
    TooLong {
        /// Segments it would take.
        segments: usize,
    },
}

/// Puts a message together.
///
/// In Chinese the signature stands in 【 】. In an English message that has no other character outside the 7-bit alphabet it stands in `[ ]`, or those two
/// brackets alone would more than halve what a segment holds.
pub fn compose(message: &Composition<'_>) -> Result<SmsText, SmsTextError> {
    let sms = SmsText::new(&whole(message)?);
    if sms.segments > MAX_SEGMENTS { Err(SmsTextError::TooLong { segments: sms.segments }) } else { Ok(sms) }
}

/// Puts a message together and cuts its text where it is too long: whoever sends it comes first, whom to ask and how to reply stand behind it whole.
///
/// # Errors
/// When a part is missing, or the parts around the text are too long by themselves.
pub fn compose_cut(message: &Composition<'_>) -> Result<SmsText, SmsTextError> {
    let too_long = match compose(message) {
        Err(too_long @ SmsTextError::TooLong { .. }) => too_long,
        done => return done,
    };
    let ends: Vec<usize> = message.text.trim().grapheme_indices(true).map(|(at, _)| at).collect();
    let cut_at = |end: usize| compose(&Composition { text: &format!("{}{CUT}", message.text.trim()[..end].trim_end()), ..*message });
    // The longest beginning that fits: a longer one never takes fewer segments, unless it changes the encoding, and then it is longer still.
    let fitting = ends.partition_point(|end| *end == 0 || cut_at(*end).is_ok());
    ends[..fitting].iter().rev().filter(|end| **end > 0).find_map(|end| cut_at(*end).ok()).ok_or(too_long)
}

/// Behind a text that was cut. In the 7-bit alphabet, so that it changes no encoding.
const CUT: &str = "...";

/// The whole text of a message.
fn whole(message: &Composition<'_>) -> Result<String, SmsTextError> {
    let Composition { signature, text, contact, short_code, language } = *message;
    for (part, name) in [(signature, "signature"), (text, "text"), (contact, "contact")] {
        if part.trim().is_empty() {
            return Err(SmsTextError::Missing(name));
        }
    }
    let (signature, text, contact) = (signature.trim(), text.trim(), contact.trim());
    let reply = short_code.map(|short_code| how_to_reply(language, short_code)).unwrap_or_default();
    let whole = match language {
        Language::ZhCn => format!("【{signature}】{}咨询{contact}。{reply}", ended(text, '。')),
        Language::En => {
            let rest = format!("{} Ask {contact}. {reply}", ended(text, '.'));
            let in_brackets = format!("[{signature}] {rest}");
            match plain(&in_brackets) {
                plain if Encoding::of(&plain) == Encoding::Gsm7 => plain.into_owned(),
                _ => format!("【{signature}】{rest}"),
            }
        }
    };
    Ok(whole.trim_end().to_owned())
}

/// The text with plain signs in the place of typographic ones, as typewriters have them: those are what an author's word processor puts in.
fn plain(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|octet| octet.is_ascii() && !b"\t`".contains(&octet)) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '‘' | '’' | '‚' | '‛' | '′' | '´' | '`' | 'ʼ' => plain.push('\''),
            '“' | '”' | '„' | '‟' | '″' | '«' | '»' => plain.push('"'),
            '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '•' => plain.push('-'),
            '…' => plain.push_str("..."),
            '\t' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' => plain.push(' '),
            // Nothing is seen of them.
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => {}
            c => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

/// How a message says to reply (CQ11): what it asks for is understood by [`sms_reply::parse`](crate::sms_reply::parse).
pub fn how_to_reply(language: Language, short_code: ShortCode) -> String {
    match language {
        Language::ZhCn => format!("收到请回复1 {short_code}，退订回复T"),
        Language::En => format!("Reply 1 {short_code} to confirm, T to stop"),
    }
}

/// `text` with `mark` behind it unless it ends with a mark of its own.
fn ended(text: &str, mark: char) -> String {
    if text.ends_with(['。', '！', '？', '；', '.', '!', '?', ';']) { text.to_owned() } else { format!("{text}{mark}") }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn code() -> Option<ShortCode> {
        "AB3C".parse().ok()
    }

    #[rstest]
    #[case::chinese(
        Language::ZhCn,
        "重庆疾控",
        "您是密切接触者，请立即居家隔离",
        "【重庆疾控】您是密切接触者，请立即居家隔离。咨询12320。收到请回复1 AB3C，退订回复T",
        Encoding::Ucs2,
        1
    )]
    #[case::english_in_seven_bits(
        Language::En,
        "CQ CDC",
        "You are a close contact. Isolate at once.",
        "[CQ CDC] You are a close contact. Isolate at once. Ask 12320. Reply 1 AB3C to confirm, T to stop",
        Encoding::Gsm7,
        1
    )]
    #[case::english_from_a_chinese_sender(
        Language::En,
        "重庆疾控",
        "You are a close contact. Isolate at once",
        "【重庆疾控】You are a close contact. Isolate at once. Ask 12320. Reply 1 AB3C to confirm, T to stop",
        Encoding::Ucs2,
        2
    )]
    fn a_message_names_sender_contact_and_how_to_reply(
        #[case] language: Language,
        #[case] signature: &str,
        #[case] text: &str,
        #[case] expected: &str,
        #[case] encoding: Encoding,
        #[case] segments: usize,
    ) {
        let sms = compose(&Composition { signature, text, contact: "12320", short_code: code(), language }).unwrap();
        assert_eq!(sms.text(), expected);
        assert_eq!((sms.encoding, sms.segments), (encoding, segments));
    }

    #[rstest]
    #[case(Language::ZhCn, "已撤销", "【CQ CDC】已撤销。咨询12320。")]
    #[case(Language::En, "Withdrawn", "[CQ CDC] Withdrawn. Ask 12320.")]
    fn a_message_may_ask_for_no_answer(#[case] language: Language, #[case] text: &str, #[case] expected: &str) {
        let message = Composition { signature: "CQ CDC", text, contact: "12320", short_code: None, language };
        assert_eq!(compose(&message).unwrap().text(), expected);
    }

    #[rstest]
    #[case::no_signature(" ", "文", "12320", SmsTextError::Missing("signature"))]
    #[case::no_text("重庆疾控", "", "12320", SmsTextError::Missing("text"))]
    #[case::no_contact("重庆疾控", "文", "", SmsTextError::Missing("contact"))]
    #[case::too_long("重庆疾控", &"文".repeat(600), "12320", SmsTextError::TooLong { segments: 10 })]
    fn a_message_that_should_not_go_out_is_refused(
        #[case] signature: &str,
        #[case] text: &str,
        #[case] contact: &str,
        #[case] expected: SmsTextError,
    ) {
        let message = Composition { signature, text, contact, short_code: code(), language: Language::ZhCn };
        assert_eq!(compose(&message), Err(expected));
    }

    #[rstest]
    #[case::quotes_dashes_and_blanks(
        "Don’t go out – call “12320” first…\u{a0}Now\there",
        "Don't go out - call \"12320\" first... Now here",
        Encoding::Gsm7
    )]
    #[case::unseen_signs("Stay\u{200b} home\u{feff}", "Stay home", Encoding::Gsm7)]
    #[case::they_stay_where_they_save_nothing("Don’t go to 渝中 – call first", "Don’t go to 渝中 – call first", Encoding::Ucs2)]
    fn typographic_signs_do_not_double_an_english_message(#[case] text: &str, #[case] sent: &str, #[case] encoding: Encoding) {
        let message = Composition { signature: "CQ CDC", text, contact: "12320", short_code: code(), language: Language::En };
        let sms = compose(&message).unwrap();
        assert_eq!(sms.encoding, encoding);
        assert!(sms.text().contains(sent), "{}", sms.text());
    }

    #[rstest]
    #[case::chinese(Language::ZhCn, "文", Encoding::Ucs2)]
    #[case::english_from_a_chinese_sender(Language::En, "word ", Encoding::Ucs2)]
    #[case::not_inside_a_flag(Language::En, "🇨🇳", Encoding::Ucs2)]
    fn a_text_that_is_too_long_is_cut_and_keeps_what_stands_around_it(
        #[case] language: Language,
        #[case] word: &str,
        #[case] encoding: Encoding,
    ) {
        let text = word.repeat(700);
        let message = Composition { signature: "重庆疾控", text: &text, contact: "12320", short_code: code(), language };
        assert!(matches!(compose(&message), Err(SmsTextError::TooLong { segments }) if segments > MAX_SEGMENTS));
        let sms = compose_cut(&message).unwrap();
        assert_eq!((sms.encoding, sms.segments), (encoding, MAX_SEGMENTS));
        let sent = sms.text();
        assert!(sent.starts_with(&format!("【重庆疾控】{word}")) && sent.contains(CUT) && sent.contains("12320"), "{sent}");
        assert!(sent.ends_with(&how_to_reply(language, code().unwrap())));
        assert_eq!(sent.matches('🇨').count(), sent.matches('🇳').count(), "no flag is torn");
    }

    #[test]
    fn a_text_that_fits_is_not_cut() {
        let message =
            Composition { signature: "重庆疾控", text: "隔离", contact: "12320", short_code: code(), language: Language::ZhCn };
        let composed = compose(&message).unwrap();
        assert_eq!((compose_cut(&message).unwrap(), composed.segments), (composed.clone(), 1));
        let nobody = Composition { signature: &"长".repeat(700), ..message };
        assert!(matches!(compose_cut(&nobody), Err(SmsTextError::TooLong { .. })), "a signature is not cut");
    }
}
