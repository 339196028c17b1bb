//! Long messages: segments found by user data header (3GPP TS 23.040 §9.2.3.24.1, §9.2.3.24.8) or by SAR parameters (SMPP 3.4 §5.3.2.22),
//! joined in their order whatever order they came in.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use bytes::{Bytes, BytesMut};
use rusmpp::{CommandStatus, pdus::SubmitSm, tlvs::TlvValue};

const UDH_INDICATOR: u8 = 0x40;
const EIGHT_BIT_REFERENCE: u8 = 0x00;
const SIXTEEN_BIT_REFERENCE: u8 = 0x08;

/// Where a segment belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Position {
    reference: u16,
    total: u8,
    number: u8,
}

/// One segment's text octets, header taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) octets: Bytes,
    position: Option<Position>,
}

/// A message with all its segments.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Whole {
    pub(super) octets: Bytes,
    pub(super) message_ids: Vec<String>,
}

impl Segment {
    /// Takes header and parameters apart; a header that does not add up is `ESME_RINVESMCLASS` or `ESME_RINVMSGLEN`.
    pub(super) fn read(submit: &SubmitSm) -> Result<Self, CommandStatus> {
        let mut octets = Bytes::copy_from_slice(submit.short_message().as_ref());
        let (mut reference, mut total, mut number) = (None, None, None);
        for tlv in submit.tlvs() {
            match tlv.value() {
                Some(TlvValue::MessagePayload(payload)) => octets = Bytes::copy_from_slice(payload.value.as_ref()),
                Some(TlvValue::SarMsgRefNum(value)) => reference = Some(*value),
                Some(TlvValue::SarTotalSegments(value)) => total = Some(*value),
                Some(TlvValue::SarSegmentSeqnum(value)) => number = Some(*value),
                _ => {}
            }
        }
        let mut position = match (reference, total, number) {
            (Some(reference), Some(total), Some(number)) => Some(Position { reference, total, number }),
            _ => None,
        };
        if u8::from(submit.esm_class) & UDH_INDICATOR != 0 {
            let length = usize::from(*octets.first().ok_or(CommandStatus::EsmeRinvesmclass)?);
            if octets.len() < 1 + length {
                return Err(CommandStatus::EsmeRinvmsglen);
            }
            let header = octets.split_to(1 + length).split_off(1);
            position = find_position(&header).ok_or(CommandStatus::EsmeRinvesmclass)?;
        }
        let position = match position {
            Some(position) if position.number == 0 || position.number > position.total => return Err(CommandStatus::EsmeRinvesmclass),
            position => position.filter(|position| position.total > 1),
        };
        Ok(Self { octets, position })
    }
}

/// The concatenation element of a header, if it has one; `None` when the elements do not fill the header exactly.
fn find_position(mut header: &[u8]) -> Option<Option<Position>> {
    let mut found = None;
    while let [identifier, length, rest @ ..] = header {
        let (value, rest) = rest.split_at_checked(usize::from(*length))?;
        match (*identifier, value) {
            (EIGHT_BIT_REFERENCE, &[reference, total, number]) => found = Some(Position { reference: reference.into(), total, number }),
            (SIXTEEN_BIT_REFERENCE, &[high, low, total, number]) => {
                found = Some(Position { reference: u16::from_be_bytes([high, low]), total, number })
            }
            _ => {}
        }
        header = rest;
    }
    header.is_empty().then_some(found)
}

/// Segments by number, each with its message id.
type Parts = BTreeMap<u8, (Bytes, String)>;

/// Messages of which segments are missing. A reference belongs to one sender and one phone.
#[derive(Debug, Default)]
pub(super) struct Concatenation(Mutex<HashMap<(String, String, u16, u8), Parts>>);

impl Concatenation {
    /// Adds a segment; gives the message when it was the last one missing.
    pub(super) fn join(&self, phone: &str, from: &str, segment: Segment, message_id: &str) -> Option<Whole> {
        let Some(Position { reference, total, number }) = segment.position else {
            return Some(Whole { octets: segment.octets, message_ids: vec![message_id.to_owned()] });
        };
        let key = (phone.to_owned(), from.to_owned(), reference, total);
        let mut incomplete = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = incomplete.entry(key.clone()).or_default();
        parts.insert(number, (segment.octets, message_id.to_owned()));
        if parts.len() < usize::from(total) {
            return None;
        }
        let parts = incomplete.remove(&key)?;
        drop(incomplete);
        let mut octets = BytesMut::new();
        let message_ids = parts
            .into_values()
            .map(|(part, message_id)| {
                octets.extend_from_slice(&part);
                message_id
            })
            .collect();
        Some(Whole { octets: octets.freeze(), message_ids })
    }

    pub(super) fn incomplete(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    pub(super) fn reset(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn segment(number: u8, total: u8, octets: &'static [u8]) -> Segment {
        Segment { octets: Bytes::from_static(octets), position: Some(Position { reference: 9, total, number }) }
    }

    #[test]
    fn segments_are_joined_in_their_order_and_a_repeated_one_counts_once() {
        let concatenation = Concatenation::default();
        assert_eq!(concatenation.join("1", "a", segment(3, 3, b"!"), "id3"), None);
        assert_eq!(concatenation.join("1", "a", segment(1, 3, b"he"), "id1"), None);
        assert_eq!(concatenation.join("1", "a", segment(1, 3, b"he"), "id1again"), None);
        assert_eq!(concatenation.join("2", "a", segment(2, 3, b"other phone"), "id"), None);
        let whole = concatenation.join("1", "a", segment(2, 3, b"llo"), "id2").unwrap();
        assert_eq!(
            whole,
            Whole { octets: Bytes::from_static(b"hello!"), message_ids: vec!["id1again".into(), "id2".into(), "id3".into()] }
        );
        assert_eq!(concatenation.incomplete(), 1);
    }

    proptest! {
        #[test]
        fn no_header_makes_the_parser_fall_over(header in proptest::collection::vec(any::<u8>(), 0..40)) {
            find_position(&header);
        }

        #[test]
        fn both_references_are_found_behind_other_elements(reference: u16, total: u8, number: u8, other in proptest::collection::vec(any::<u8>(), 0..9)) {
            let [high, low] = reference.to_be_bytes();
            let other = [&[0x70, u8::try_from(other.len()).unwrap()], &other[..]].concat();
            let long = [&other[..], &[8, 4, high, low, total, number]].concat();
            prop_assert_eq!(find_position(&long), Some(Some(Position { reference, total, number })));
            let short = [&other[..], &[0, 3, low, total, number]].concat();
            prop_assert_eq!(find_position(&short), Some(Some(Position { reference: low.into(), total, number })));
        }
    }
}
