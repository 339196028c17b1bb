//! Text of short messages: octets to characters and back, by SMPP `data_coding` (SMPP 3.4 §5.2.19).

use super::gsm;

/// The centre's default alphabet, GSM 7-bit unpacked.
pub(super) const GSM: u8 = 0;
const ASCII: u8 = 1;
const LATIN_1: u8 = 3;
/// UCS-2 in big-endian order; characters beyond it as surrogate pairs, as phones send and show them.
pub(super) const UCS_2: u8 = 8;

/// `None` when the octets are not text in that coding, or the coding is unknown.
pub(super) fn decode(octets: &[u8], data_coding: u8) -> Option<String> {
    match data_coding {
        GSM => gsm::decode(octets),
        ASCII => octets.is_ascii().then(|| octets.iter().copied().map(char::from).collect()),
        LATIN_1 => Some(octets.iter().copied().map(char::from).collect()),
        UCS_2 => decode_ucs_2(octets),
        _ => None,
    }
}

fn decode_ucs_2(octets: &[u8]) -> Option<String> {
    let (pairs, rest) = octets.as_chunks::<2>();
    // A surrogate pair may be cut between two segments; alone, a half becomes U+FFFD, together they become whole.
    rest.is_empty().then(|| {
        char::decode_utf16(pairs.iter().copied().map(u16::from_be_bytes)).map(|character| character.unwrap_or('\u{FFFD}')).collect()
    })
}

/// Octets and `data_coding`: GSM when the alphabet has every character, otherwise UCS-2.
pub(super) fn encode(text: &str) -> (Vec<u8>, u8) {
    match gsm::encode(text) {
        Some(octets) => (octets, GSM),
        None => (text.encode_utf16().flat_map(u16::to_be_bytes).collect(), UCS_2),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Stay home @ 18:00 [€5]", GSM)]
    #[case("收到", UCS_2)]
    #[case("烽火 🔥", UCS_2)]
    fn text_comes_back_as_it_was_sent(#[case] text: &str, #[case] data_coding: u8) {
        let (octets, chosen) = encode(text);
        assert_eq!(chosen, data_coding);
        assert_eq!(decode(&octets, chosen).as_deref(), Some(text));
    }

    #[rstest]
    #[case::half_a_character(&[0x65], UCS_2)]
    #[case::not_seven_bits(&[0x80], GSM)]
    #[case::not_ascii(&[0xE9], ASCII)]
    #[case::unknown_coding(b"a", 5)]
    fn what_is_no_text_is_refused(#[case] octets: &[u8], #[case] data_coding: u8) {
        assert_eq!(decode(octets, data_coding), None);
    }

    proptest! {
        #[test]
        fn any_text_survives(text: String) {
            let (octets, data_coding) = encode(&text);
            prop_assert_eq!(decode(&octets, data_coding), Some(text));
        }
    }
}
