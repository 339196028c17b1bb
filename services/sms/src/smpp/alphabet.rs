//! Reading what somebody sent, by the alphabet its `data_coding` names. (Writing is [`domain::sms_text`]'s.)

use std::sync::LazyLock;

use domain::sms_text::Encoding;
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

/// Reads a text. Nothing is refused: handsets and gateways differ, and an unreadable reply is still a reply. A coding that is
/// none of the known ones is read as UTF-8.
pub fn decode(coding: DataCoding, octets: &[u8]) -> String {
    match coding {
        DataCoding::McSpecific => decode_gsm7(octets),
        DataCoding::Latin1 => octets.iter().map(|octet| char::from(*octet)).collect(),
        DataCoding::Ucs2 => {
            let units = octets.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        _ => String::from_utf8_lossy(octets).into_owned(),
    }
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

    #[test]
    fn the_table_has_all_its_codes() {
        let unknown: Vec<usize> = (0..128).filter(|code| GSM7.basic[*code] == char::REPLACEMENT_CHARACTER).collect();
        assert_eq!(unknown, [usize::from(ESCAPE)]);
    }

    proptest! {
        #[test]
        fn any_text_survives(text in "\\PC{0,200}") {
            let encoding = Encoding::of(&text);
            prop_assert_eq!(decode(data_coding(encoding), &encoding.encode(&text)), text);
        }

        #[test]
        fn any_octets_are_read_as_something(coding in any::<u8>(), octets in proptest::collection::vec(any::<u8>(), 0..255)) {
            decode(DataCoding::from(coding), &octets);
        }
    }
}
