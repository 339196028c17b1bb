//! The text of a short message (CQ9 b): how it is put together, how it is encoded, and how many segments it takes.
//!
//! The number of segments is known before sending, because every one is paid for and a long message arrives in pieces. A message whose characters
//! are all in the GSM 7-bit alphabet (3GPP TS 23.038 §6.2.1) takes 160 characters, any other is UCS-2 and takes 70; in several parts 153 and 67, as
//! each part begins with 6 octets that tell the phone how to join them (3GPP TS 23.040 §9.2.3.24.1).
//!
//! A composed message reads: signature, text, contact, how to reply.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::ShortCode;
use crate::language::Language;

/// Segments of one message at most: an alert is short (CQ9 b), and phones show what is longer badly or not at all.
pub const MAX_SEGMENTS: usize = 8;

crate::words! {
    /// How the characters of a message become octets.
    pub enum Encoding {
        /// The GSM 7-bit default alphabet with its extension table; SMPP data coding 0.
        Gsm7,
        /// UTF-16, big end first (pairs of surrogates where a character needs them); SMPP data coding 8.
        Ucs2,
    }
}

/// The basic table of the GSM 7-bit default alphabet in the order of its codes; `\u{1b}` stands at the escape.
const GSM_BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The extension table: each costs two septets, the escape and its code.
const GSM_EXTENSION: [(char, u8); 10] =
    [('\u{c}', 0x0a), ('^', 0x14), ('{', 0x28), ('}', 0x29), ('\\', 0x2f), ('[', 0x3c), ('~', 0x3d), (']', 0x3e), ('|', 0x40), ('€', 0x65)];
const GSM_ESCAPE: u8 = 0x1b;

impl Encoding {
    /// The encoding that takes the fewest segments for `text`.
    pub fn of(text: &str) -> Self {
        if text.chars().all(|c| gsm_units(c).is_some()) { Self::Gsm7 } else { Self::Ucs2 }
    }

    /// Units (septets, or 16-bit words) in a message that fits one segment.
    pub const fn single_capacity(self) -> usize {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// Units in each part of a message of several.
    pub const fn part_capacity(self) -> usize {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }

    /// Units that a character takes; a character that the encoding lacks counts as the `?` it is replaced by.
    fn units(self, c: char) -> usize {
        match self {
            Self::Gsm7 => gsm_units(c).unwrap_or(1),
            Self::Ucs2 => c.len_utf16(),
        }
    }

    /// The octets of `part` as SMPP carries them: one septet an octet, or UTF-16 with the big end first.
    pub fn encode(self, part: &str) -> Vec<u8> {
        match self {
            Self::Gsm7 => part.chars().flat_map(gsm_septets).collect(),
            Self::Ucs2 => part.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    }
}

fn gsm_basic_code(c: char) -> Option<u8> {
    let code = GSM_BASIC.chars().position(|basic| basic == c)?;
    u8::try_from(code).ok().filter(|code| *code != GSM_ESCAPE)
}

fn gsm_extension_code(c: char) -> Option<u8> {
    GSM_EXTENSION.iter().find(|(extension, _)| *extension == c).map(|(_, code)| *code)
}

fn gsm_units(c: char) -> Option<usize> {
    gsm_basic_code(c).map(|_| 1).or_else(|| gsm_extension_code(c).map(|_| 2))
}

fn gsm_septets(c: char) -> Vec<u8> {
    match (gsm_basic_code(c), gsm_extension_code(c)) {
        (Some(code), _) => vec![code],
        (None, Some(code)) => vec![GSM_ESCAPE, code],
        // `?`, which has its ASCII code in this alphabet too.
        (None, None) => vec![b'?'],
    }
}

/// A message as it is sent: the text of each part, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SmsText {
    /// The text cut at the limits of the encoding, never inside a character. One part is sent without joining information.
    pub parts: Vec<String>,
    /// The encoding of all parts.
    pub encoding: Encoding,
    /// How many parts: what the operator bills.
    pub segments: usize,
}

impl SmsText {
    /// Cuts `text` into as few parts as it takes. An empty text is one empty part.
    pub fn new(text: &str) -> Self {
        let encoding = Encoding::of(text);
        let parts = split(text, encoding);
        Self { segments: parts.len(), parts, encoding }
    }

    /// The whole text.
    pub fn text(&self) -> String {
        self.parts.concat()
    }
}

fn split(text: &str, encoding: Encoding) -> Vec<String> {
    let units: usize = text.chars().map(|c| encoding.units(c)).sum();
    if units <= encoding.single_capacity() {
        return vec![text.to_owned()];
    }
    let mut parts = Vec::with_capacity(units / encoding.part_capacity() + 1);
    let (mut part, mut used) = (String::new(), 0);
    for c in text.chars() {
        let needed = encoding.units(c);
        if used + needed > encoding.part_capacity() {
            parts.push(std::mem::take(&mut part));
            used = 0;
        }
        part.push(c);
        used += needed;
    }
    parts.push(part);
    parts
}

/// What a message is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Composition<'a> {
    /// Who sends, for instance `重庆疾控`; stands in front as operators demand it.
    pub signature: &'a str,
    /// The alert's text for SMS.
    pub text: &'a str,
    /// Where to ask (CQ12), for instance `12320`.
    pub contact: &'a str,
    /// The code by which a reply names the alert.
    pub short_code: ShortCode,
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
    let Composition { signature, text, contact, short_code, language } = *message;
    for (part, name) in [(signature, "signature"), (text, "text"), (contact, "contact")] {
        if part.trim().is_empty() {
            return Err(SmsTextError::Missing(name));
        }
    }
    let (signature, text, contact) = (signature.trim(), text.trim(), contact.trim());
    let reply = how_to_reply(language, short_code);
    let whole = match language {
        Language::ZhCn => format!("【{signature}】{}咨询{contact}。{reply}", ended(text, '。')),
        Language::En => {
            let rest = format!("{} Ask {contact}. {reply}", ended(text, '.'));
            let is_gsm = Encoding::of(signature) == Encoding::Gsm7 && Encoding::of(&rest) == Encoding::Gsm7;
            if is_gsm { format!("[{signature}] {rest}") } else { format!("【{signature}】{rest}") }
        }
    };
    let sms = SmsText::new(&whole);
    if sms.segments > MAX_SEGMENTS { Err(SmsTextError::TooLong { segments: sms.segments }) } else { Ok(sms) }
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
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn code() -> ShortCode {
        "AB3C".parse().unwrap()
    }

    #[rstest]
    #[case::nothing("", Encoding::Gsm7, &[0])]
    #[case::one_full_segment(&"a".repeat(160), Encoding::Gsm7, &[160])]
    #[case::one_more_makes_two(&"a".repeat(161), Encoding::Gsm7, &[153, 8])]
    #[case::two_full_segments(&"a".repeat(306), Encoding::Gsm7, &[153, 153])]
    #[case::brackets_count_twice(&"[".repeat(80), Encoding::Gsm7, &[80])]
    #[case::no_cut_between_escape_and_code(&"[".repeat(81), Encoding::Gsm7, &[76, 5])]
    #[case::the_euro_is_an_extension("€", Encoding::Gsm7, &[1])]
    #[case::greek_capitals_are_in_the_table("ΔΩ", Encoding::Gsm7, &[2])]
    #[case::a_backtick_is_not("`", Encoding::Ucs2, &[1])]
    #[case::a_tab_is_not("\t", Encoding::Ucs2, &[1])]
    #[case::an_escape_is_not("\u{1b}", Encoding::Ucs2, &[1])]
    #[case::one_full_chinese_segment(&"重".repeat(70), Encoding::Ucs2, &[70])]
    #[case::one_more_chinese_makes_two(&"重".repeat(71), Encoding::Ucs2, &[67, 4])]
    #[case::two_full_chinese_segments(&"重".repeat(134), Encoding::Ucs2, &[67, 67])]
    #[case::one_chinese_character_changes_all(&format!("{}重", "a".repeat(70)), Encoding::Ucs2, &[67, 4])]
    #[case::no_cut_inside_a_surrogate_pair(&"😷".repeat(36), Encoding::Ucs2, &[33, 3])]
    fn a_text_takes_so_many_segments(#[case] text: &str, #[case] encoding: Encoding, #[case] characters: &[usize]) {
        let sms = SmsText::new(text);
        assert_eq!(sms.encoding, encoding);
        assert_eq!(sms.parts.iter().map(|part| part.chars().count()).collect::<Vec<_>>(), characters);
        assert_eq!(sms.segments, characters.len());
    }

    #[rstest]
    #[case(Encoding::Gsm7, "@ A[é", &[0x00, 0x20, 0x41, 0x1b, 0x3c, 0x05])]
    #[case(Encoding::Gsm7, "à€?", &[0x7f, 0x1b, 0x65, 0x3f])]
    #[case(Encoding::Ucs2, "重A", &[0x91, 0xcd, 0x00, 0x41])]
    #[case(Encoding::Ucs2, "😷", &[0xd8, 0x3d, 0xde, 0x37])]
    fn characters_become_octets(#[case] encoding: Encoding, #[case] part: &str, #[case] octets: &[u8]) {
        assert_eq!(encoding.encode(part), octets);
    }

    #[test]
    fn the_basic_table_is_complete() {
        assert_eq!(GSM_BASIC.chars().count(), 128);
        for (c, code) in [
            ('@', 0),
            ('\n', 0x0a),
            ('\r', 0x0d),
            ('Δ', 0x10),
            ('_', 0x11),
            ('¤', 0x24),
            ('¡', 0x40),
            ('§', 0x5f),
            ('¿', 0x60),
            ('ü', 0x7e),
        ] {
            assert_eq!(gsm_basic_code(c), Some(code), "{c}");
        }
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

    proptest! {
        #[test]
        fn no_part_is_too_long_and_nothing_is_lost(text in "(\\PC|[a-zA-Z\\[\\]€]|[重庆😷]){0,400}") {
            let sms = SmsText::new(&text);
            prop_assert_eq!(&sms.text(), &text);
            let capacity = if sms.segments == 1 { sms.encoding.single_capacity() } else { sms.encoding.part_capacity() };
            for part in &sms.parts {
                let octets = sms.encoding.encode(part).len();
                let units = if sms.encoding == Encoding::Ucs2 { octets / 2 } else { octets };
                prop_assert!(units <= capacity, "{units} units");
            }
            if sms.encoding == Encoding::Ucs2 {
                let sent: Vec<u16> = sms.parts.iter().flat_map(|part| part.encode_utf16()).collect();
                prop_assert_eq!(String::from_utf16(&sent).unwrap(), text);
            }
        }
    }
}
