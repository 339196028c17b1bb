//! The text of a short message (CQ9 b): how it is put together, how it is encoded, and how many segments it takes.
//!
//! The number of segments is known before sending, because every one is paid for and a long message arrives in pieces. A message whose characters
//! are all in the GSM 7-bit alphabet (3GPP TS 23.038 §6.2.1) takes 160 characters, any other is UCS-2 and takes 70; in several parts 152 and 66, as
//! each part begins with 7 octets that tell the phone how to join them (3GPP TS 23.040 §9.2.3.24.8: a reference of 16 bits, so that two texts to one
//! phone are never joined).
//!
//! What is said around the text of an alert, and what becomes of one that is too long: [`mod@composition`].

mod composition;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation as _;
use utoipa::ToSchema;

pub use composition::{Composition, SmsTextError, compose, compose_cut, how_to_reply};

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
            Self::Gsm7 => 152,
            Self::Ucs2 => 66,
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
    /// The text cut at the limits of the encoding, never inside what is one character to its reader (a flag, a letter with its accent). One part is
    /// sent without joining information.
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
    let mut cut = Cut { encoding, parts: Vec::with_capacity(units / encoding.part_capacity() + 1), part: String::new(), used: 0 };
    for seen in text.graphemes(true) {
        let needed: usize = seen.chars().map(|c| encoding.units(c)).sum();
        if needed <= encoding.part_capacity() {
            cut.add(seen, needed);
        } else {
            // No reader's character is as long as a part: it is cut as it comes.
            seen.chars().for_each(|c| cut.add(c.encode_utf8(&mut [0; 4]), encoding.units(c)));
        }
    }
    cut.parts.push(cut.part);
    cut.parts
}

/// Parts under way.
struct Cut {
    encoding: Encoding,
    parts: Vec<String>,
    part: String,
    used: usize,
}

impl Cut {
    /// Adds what must not be torn.
    fn add(&mut self, piece: &str, needed: usize) {
        if self.used + needed > self.encoding.part_capacity() {
            self.parts.push(std::mem::take(&mut self.part));
            self.used = 0;
        }
        self.part.push_str(piece);
        self.used += needed;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing("", Encoding::Gsm7, &[0])]
    #[case::one_full_segment(&"a".repeat(160), Encoding::Gsm7, &[160])]
    #[case::one_more_makes_two(&"a".repeat(161), Encoding::Gsm7, &[152, 9])]
    #[case::two_full_segments(&"a".repeat(304), Encoding::Gsm7, &[152, 152])]
    #[case::brackets_count_twice(&"[".repeat(80), Encoding::Gsm7, &[80])]
    #[case::no_cut_between_escape_and_code(&"[".repeat(81), Encoding::Gsm7, &[76, 5])]
    #[case::the_euro_is_an_extension("€", Encoding::Gsm7, &[1])]
    #[case::greek_capitals_are_in_the_table("ΔΩ", Encoding::Gsm7, &[2])]
    #[case::a_backtick_is_not("`", Encoding::Ucs2, &[1])]
    #[case::a_tab_is_not("\t", Encoding::Ucs2, &[1])]
    #[case::an_escape_is_not("\u{1b}", Encoding::Ucs2, &[1])]
    #[case::one_full_chinese_segment(&"重".repeat(70), Encoding::Ucs2, &[70])]
    #[case::one_more_chinese_makes_two(&"重".repeat(71), Encoding::Ucs2, &[66, 5])]
    #[case::two_full_chinese_segments(&"重".repeat(132), Encoding::Ucs2, &[66, 66])]
    #[case::one_chinese_character_changes_all(&format!("{}重", "a".repeat(70)), Encoding::Ucs2, &[66, 5])]
    #[case::no_cut_inside_a_surrogate_pair(&"😷".repeat(36), Encoding::Ucs2, &[33, 3])]
    #[case::no_cut_inside_a_flag(&format!("{}🇨🇳{}", "a".repeat(64), "a".repeat(10)), Encoding::Ucs2, &[64, 12])]
    #[case::no_cut_inside_a_joined_sign(&format!("{}👩‍⚕️{}", "重".repeat(63), "重".repeat(10)), Encoding::Ucs2, &[63, 14])]
    #[case::what_is_longer_than_a_part_is_cut_all_the_same(&format!("e{}", "\u{301}".repeat(100)), Encoding::Ucs2, &[66, 35])]
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
