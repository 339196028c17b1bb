//! A text as the user data of one or several messages, and reading a part's header.
//!
//! Parts carry the concatenation element with a 16-bit reference (3GPP TS 23.040 §9.2.3.24.8) in a user data header; a
//! handset joins what has the same sender, reference and total. The reference is the caller's: two texts to one phone need
//! different ones as long as a handset may still wait for a part of the first, a repeat of one text the same.

use domain::sms_text::{Encoding, SmsText};

/// The element with a reference of 8 bits,
const EIGHT_BITS: u8 = 0x00;
/// and the one with 16.
const SIXTEEN_BITS: u8 = 0x08;

/// A text ready to be submitted, part by part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segments {
    /// The encoding of all parts.
    pub encoding: Encoding,
    /// Each part's user data, its header included when there is more than one.
    pub parts: Vec<Vec<u8>>,
}

impl Segments {
    /// The user data of a text; `None` when it has more than the 255 parts that the header can count.
    pub fn of(text: &SmsText, reference: u16) -> Option<Self> {
        let total = u8::try_from(text.parts.len()).ok()?;
        let body = |part: &String| text.encoding.encode(part);
        let parts = match text.parts.as_slice() {
            [only] => vec![body(only)],
            several => {
                (1..=total).zip(several).map(|(number, part)| Concatenation { reference, total, number }.before(&body(part))).collect()
            }
        };
        Some(Self { encoding: text.encoding, parts })
    }

    /// Whether the parts carry a header (and `esm_class` must say so).
    pub fn has_header(&self) -> bool {
        self.parts.len() > 1
    }
}

/// The concatenation element of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concatenation {
    /// Equal for all parts of one text.
    pub reference: u16,
    /// How many parts there are.
    pub total: u8,
    /// Which this is, from 1.
    pub number: u8,
}

impl Concatenation {
    fn before(self, body: &[u8]) -> Vec<u8> {
        let [high, low] = self.reference.to_be_bytes();
        let mut part = vec![0x06, SIXTEEN_BITS, 0x04, high, low, self.total, self.number];
        part.extend(body);
        part
    }

    /// Takes the user data header off a part. Other elements than a concatenation, of 8 bits or 16, are skipped; a header
    /// that is longer than the part is taken for text.
    pub fn split(part: &[u8]) -> (Option<Self>, &[u8]) {
        let Some((length, rest)) = part.split_first() else { return (None, part) };
        let Some((mut elements, body)) = rest.split_at_checked(usize::from(*length)) else { return (None, part) };
        let mut found = None;
        while let [kind, size, tail @ ..] = elements {
            let Some((value, after)) = tail.split_at_checked(usize::from(*size)) else { break };
            match (*kind, value) {
                (EIGHT_BITS, &[reference, total, number]) => found = Some(Self { reference: reference.into(), total, number }),
                (SIXTEEN_BITS, &[high, low, total, number]) => {
                    found = Some(Self { reference: u16::from_be_bytes([high, low]), total, number });
                }
                _ => {}
            }
            elements = after;
        }
        (found, body)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::{
        super::alphabet::{data_coding, decode},
        *,
    };

    /// What a handset does with the parts.
    fn joined(segments: &Segments) -> String {
        let body = |part: &'_ Vec<u8>| if segments.has_header() { Concatenation::split(part).1.to_vec() } else { part.clone() };
        let bodies: Vec<u8> = segments.parts.iter().flat_map(body).collect();
        decode(data_coding(segments.encoding), &bodies)
    }

    #[test]
    fn parts_are_numbered_under_one_reference() {
        let segments = Segments::of(&SmsText::new(&"请居家健康监测。".repeat(20)), 40_000).unwrap();
        let headers: Vec<_> = segments.parts.iter().filter_map(|part| Concatenation::split(part).0).collect();
        let expected: Vec<_> = (1..=3).map(|number| Concatenation { reference: 40_000, total: 3, number }).collect();
        assert_eq!(headers, expected);
    }

    #[test]
    fn one_part_carries_no_header() {
        let segments = Segments::of(&SmsText::new("收到"), 200).unwrap();
        assert_eq!(segments.parts, [vec![0x65, 0x36, 0x52, 0x30]]);
    }

    #[test]
    fn what_the_header_cannot_count_is_refused() {
        assert!(Segments::of(&SmsText::new(&"隔".repeat(66 * 255)), 0).is_some());
        assert!(Segments::of(&SmsText::new(&"隔".repeat(66 * 255 + 1)), 0).is_none());
    }

    #[rstest]
    #[case::eight_bits(&[5, 0, 3, 200, 2, 1, b'x'], 200)]
    #[case::sixteen_bits(&[6, 8, 4, 1, 2, 2, 1, b'x'], 0x0102)]
    fn references_of_both_lengths_are_read(#[case] part: &[u8], #[case] reference: u16) {
        assert_eq!(Concatenation::split(part), (Some(Concatenation { reference, total: 2, number: 1 }), b"x".as_slice()));
    }

    #[rstest]
    #[case::longer_than_the_part(&[9, 0, 3])]
    #[case::element_longer_than_the_header(&[3, 0, 9, 1, b'x'])]
    #[case::nothing(&[])]
    fn a_broken_header_is_no_concatenation(#[case] part: &[u8]) {
        assert_eq!(Concatenation::split(part).0, None);
    }

    proptest! {
        #[test]
        fn every_part_fits_and_the_text_comes_back(text in "([a-z]|[一-龥]|€|🔥|[ -~]){0,400}", reference in any::<u16>()) {
            let segments = Segments::of(&SmsText::new(&text), reference).unwrap();
            // 7-bit parts are packed by the centre: 8 septets in 7 octets, behind a header that is filled up to whole septets
            let limit = match segments.encoding { Encoding::Gsm7 => 160, Encoding::Ucs2 => 140 };
            prop_assert!(segments.parts.iter().all(|part| part.len() <= limit));
            prop_assert_eq!(joined(&segments), text);
        }

        #[test]
        fn any_octets_can_be_split(part in proptest::collection::vec(any::<u8>(), 0..160)) {
            Concatenation::split(&part);
        }
    }
}
