//! Reading what somebody sent, by the alphabet its `data_coding` names, or by the one that it turns out to be. (Writing is [`domain::sms_text`]'s.)
//!
//! Chinese gateways name GBK 15 or 4, name a class (0x18, 0xF1: 3GPP TS 23.038 §4), or name something and send something else. So the named
//! alphabet is believed when what it reads could have been written by somebody here; otherwise the first that could.

use std::sync::LazyLock;

use domain::sms_text::Encoding;
use encoding_rs::{BIG5, GBK};
use rusmpp::values::DataCoding;

/// GSM 7-bit (3GPP TS 23.038 §6.2.1), one septet an octet: the codes of the basic table, and those behind an escape.
struct Gsm7 {
    basic: [char; 128],
    extension: [char; 128],
}

const ESCAPE: u8 = 0x1B;

/// The last character of the alphabet is the euro sign.
const LAST: char = '€';

/// The domain's table, read backwards, so that there is one table only.
static GSM7: LazyLock<Gsm7> = LazyLock::new(|| {
    let mut table = Gsm7 { basic: [char::REPLACEMENT_CHARACTER; 128], extension: [' '; 128] };
    for character in '\0'..=LAST {
        let octets = Encoding::Gsm7.encode(character.encode_utf8(&mut [0; 4]));
        let (codes, code) = match octets.as_slice() {
            // What the alphabet lacks is written as a question mark.
            [b'?'] if character != '?' => continue,
            [code] => (&mut table.basic, *code),
            [ESCAPE, code] => (&mut table.extension, *code),
            _ => continue,
        };
        if let Some(place) = codes.get_mut(usize::from(code)) {
            *place = character;
        }
    }
    table
});

/// SMPP 3.4 §5.2.19.
pub fn data_coding(encoding: Encoding) -> DataCoding {
    match encoding {
        Encoding::Gsm7 => DataCoding::McSpecific,
        Encoding::Ucs2 => DataCoding::Ucs2,
    }
}

/// An alphabet in which texts come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alphabet {
    Gsm7,
    Ascii,
    Latin1,
    Utf8,
    /// UTF-16, big end first.
    Ucs2,
    /// The same from a handset that has it the other way round.
    Ucs2Reversed,
    Gbk,
}

/// In this order they are tried where the named one reads nonsense: what is hardest to hit by accident first.
const LIKELY: [Alphabet; 3] = [Alphabet::Utf8, Alphabet::Ucs2, Alphabet::Gbk];

/// Which alphabet a `data_coding` names (SMPP 3.4 §5.2.19; from 0x10 on the groups of 3GPP TS 23.038 §4, compressed text not among them).
fn named(coding: DataCoding) -> Alphabet {
    match u8::from(coding) {
        0 => Alphabet::Gsm7,
        1 => Alphabet::Ascii,
        3 => Alphabet::Latin1,
        8 => Alphabet::Ucs2,
        2 | 4 | 15 => Alphabet::Gbk,
        // With a class of message, and marked to be deleted: bits 3 and 2 name the alphabet.
        group @ 0x10..=0x7F => match (group >> 2) & 0b11 {
            0 => Alphabet::Gsm7,
            2 => Alphabet::Ucs2,
            _ => Alphabet::Gbk,
        },
        // Message waiting.
        0xC0..=0xDF => Alphabet::Gsm7,
        0xE0..=0xEF => Alphabet::Ucs2,
        // Data coding and message class: bit 2 says 8-bit data.
        group @ 0xF0..=0xFF if group & 0b100 == 0 => Alphabet::Gsm7,
        0xF0..=0xFF => Alphabet::Gbk,
        _ => Alphabet::Utf8,
    }
}

impl Alphabet {
    /// The text, if these octets can be one.
    fn read(self, octets: &[u8]) -> Option<String> {
        match self {
            Self::Gsm7 => octets.is_ascii().then(|| decode_gsm7(octets)),
            Self::Ascii => octets.is_ascii().then(|| octets.iter().map(|octet| char::from(*octet)).collect()),
            Self::Latin1 => Some(octets.iter().map(|octet| char::from(*octet)).collect()),
            Self::Utf8 => std::str::from_utf8(octets).ok().map(str::to_owned),
            Self::Ucs2 => utf16(octets, u16::from_be_bytes),
            // Two signs of ASCII read so are one mark; only Chinese is told from nonsense.
            Self::Ucs2Reversed => utf16(octets, u16::from_le_bytes).filter(|text| text.contains(is_in_daily_use)),
            Self::Gbk => GBK.decode_without_bom_handling_and_without_replacement(octets).map(|text| text.into_owned()),
        }
        // A mark of the byte order says nothing more.
        .map(|text| text.trim_start_matches('\u{feff}').to_owned())
    }

    /// The same with replacement signs.
    fn read_as_far_as_possible(self, octets: &[u8]) -> String {
        match self {
            Self::Ucs2 | Self::Ucs2Reversed => {
                let units = octets.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
                char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
            }
            Self::Gbk => GBK.decode_without_bom_handling(octets).0.into_owned(),
            _ => String::from_utf8_lossy(octets).into_owned(),
        }
    }
}

fn utf16(octets: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let pairs = octets.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    char::decode_utf16(pairs.map(|pair| unit([pair[0], pair[1]]))).collect::<Result<_, _>>().ok()
}

/// Reads a text. Nothing is refused: handsets and gateways differ, and an unreadable reply is still a reply.
pub fn decode(coding: DataCoding, octets: &[u8]) -> String {
    let named = named(coding);
    let as_named = named.read(octets);
    if let Some(text) = as_named.as_ref().filter(|text| could_be_written(text)) {
        return text.clone();
    }
    let turned_round = (named == Alphabet::Ucs2).then_some(Alphabet::Ucs2Reversed);
    (turned_round.iter().chain(&LIKELY))
        .find_map(|alphabet| alphabet.read(octets).filter(|text| could_be_written(text)))
        .or(as_named)
        .unwrap_or_else(|| named.read_as_far_as_possible(octets))
}

/// Whether somebody here could have written it: the signs of a short message, Chinese characters in daily use, marks and pictures.
fn could_be_written(text: &str) -> bool {
    text.chars().all(|c| match c {
        ' '..='~' | '\t' | '\n' | '\r' => true,
        '\u{4e00}'..='\u{9fff}' => is_in_daily_use(c),
        '\u{2000}'..='\u{206f}' | '\u{20e3}' | '\u{2190}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{3000}'..='\u{303f}' => true,
        '\u{fe00}'..='\u{fe0f}' | '\u{ff00}'..='\u{ffef}' | '\u{1f000}'..='\u{1faff}' => true,
        c => !c.is_control() && Encoding::of(c.encode_utf8(&mut [0; 4])) == Encoding::Gsm7,
    })
}

/// Simplified characters of GB 2312, traditional ones of the first level of Big5.
fn is_in_daily_use(c: char) -> bool {
    let mut buffer = [0; 4];
    let text = c.encode_utf8(&mut buffer);
    let code = |encoding: &'static encoding_rs::Encoding| match encoding.encode(text) {
        (octets, _, false) => <[u8; 2]>::try_from(octets.as_ref()).ok(),
        _ => None,
    };
    matches!(code(GBK), Some([0xB0..=0xF7, 0xA1..=0xFE])) || matches!(code(BIG5), Some([0xA4..=0xC6, _]))
}

fn decode_gsm7(octets: &[u8]) -> String {
    let look_up = |codes: &[char; 128], code: u8| codes.get(usize::from(code)).copied().unwrap_or(char::REPLACEMENT_CHARACTER);
    let mut text = String::with_capacity(octets.len());
    let mut octets = octets.iter();
    while let Some(octet) = octets.next() {
        text.push(match *octet {
            ESCAPE => octets.next().map_or(' ', |code| look_up(&GSM7.extension, *code)),
            code => look_up(&GSM7.basic, code),
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("Health alert 1")]
    #[case::extension("[A] 5€ {x} ^~|\\")]
    #[case::accents("à ñ Ω Δ @ £ \n")]
    #[case::chinese("收到")]
    #[case::beyond_the_basic_plane("烽火 🔥")]
    fn what_the_domain_writes_is_read_back(#[case] text: &str) {
        let encoding = Encoding::of(text);
        assert_eq!(decode(data_coding(encoding), &encoding.encode(text)), text);
    }

    #[rstest]
    #[case::gbk_named_15(0x0F, b"\xCA\xD5\xB5\xBD", "收到")]
    #[case::gbk_named_4(0x04, b"\xCD\xCB\xB6\xA9", "退订")]
    #[case::gbk_named_2(0x02, b"\xCD\xCB\xB6\xA9", "退订")]
    #[case::digits_in_gbk(0x0F, b"1", "1")]
    #[case::digits_of_full_width_in_gbk(0x0F, b"\xA3\xB1", "１")]
    #[case::ucs2(0x08, b"\x65\x36\x52\x30", "收到")]
    #[case::ucs2_of_class_0(0x18, b"\x65\x36\x52\x30", "收到")]
    #[case::ucs2_of_class_1(0x19, b"\x65\x36\x52\x30", "收到")]
    #[case::ucs2_with_the_other_end_first(0x08, b"\x36\x65\x30\x52", "收到")]
    #[case::ucs2_with_its_mark(0x08, b"\xFE\xFF\x65\x36\x52\x30", "收到")]
    #[case::ucs2_with_the_mark_of_the_other(0x08, b"\xFF\xFE\x36\x65\x30\x52", "收到")]
    #[case::traditional_characters(0x08, b"\x65\x36\x52\x30\x8B\x1D\x8B\x1D", "收到謝謝")]
    #[case::seven_bits_of_class_0(0x10, b"1", "1")]
    #[case::seven_bits_of_class_1(0xF1, b"1", "1")]
    #[case::eight_bits_of_class_1(0xF5, b"\xCA\xD5\xB5\xBD", "收到")]
    #[case::eight_bits_with_a_class(0x15, b"\xCA\xD5\xB5\xBD", "收到")]
    #[case::gbk_named_as_seven_bits(0x00, b"\xBA\xC3\xB5\xC4", "好的")]
    #[case::gbk_named_as_latin(0x03, b"\xCA\xD5\xB5\xBD", "收到")]
    #[case::gbk_named_as_ucs2(0x08, b"\xCA\xD5\xB5\xBD", "收到")]
    #[case::gbk_named_as_something_reserved(0x0B, b"\xCA\xD5\xB5\xBD", "收到")]
    #[case::utf8_named_as_gbk(0x0F, "收到".as_bytes(), "收到")]
    #[case::utf8_named_as_seven_bits(0x00, "收到，谢谢".as_bytes(), "收到，谢谢")]
    #[case::utf8_named_as_ucs2(0x08, "收到".as_bytes(), "收到")]
    #[case::ucs2_named_as_seven_bits(0x00, b"\x59\x7D\x76\x84", "好的")]
    #[case::one_octet_named_as_ucs2(0x08, b"1", "1")]
    #[case::ascii_named_as_ucs2(0x08, b"OK", "OK")]
    #[case::latin(0x03, b"OK", "OK")]
    #[case::half_a_character(0x0F, b"\xCA\xD5\xB5", "收\u{fffd}")]
    fn what_gateways_send_is_read(#[case] coding: u8, #[case] octets: &[u8], #[case] text: &str) {
        assert_eq!(decode(DataCoding::from(coding), octets), text);
    }

    #[test]
    fn the_table_has_all_its_codes() {
        let unknown: Vec<usize> = (0..128).filter(|code| GSM7.basic[*code] == char::REPLACEMENT_CHARACTER).collect();
        assert_eq!(unknown, [usize::from(ESCAPE)]);
    }

    proptest! {
        #[test]
        fn any_text_survives(text in "[ -~收到确认退订谢谢好的密接隔离請問嗎，。！？🔥👍]{0,200}") {
            let encoding = Encoding::of(&text);
            prop_assert_eq!(decode(data_coding(encoding), &encoding.encode(&text)), text);
        }

        #[test]
        fn any_octets_are_read_as_something(coding in any::<u8>(), octets in proptest::collection::vec(any::<u8>(), 0..255)) {
            decode(DataCoding::from(coding), &octets);
        }
    }
}
