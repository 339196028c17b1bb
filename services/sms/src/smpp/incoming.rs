//! What the centre delivers to us: a receipt for something we sent, or somebody's reply.

use chrono::{DateTime, FixedOffset, NaiveDateTime, Utc};
use rusmpp::{
    pdus::DeliverSm,
    tlvs::TlvValue,
    values::{DataCoding, EsmClass, GsmFeatures, MessageType},
};

use super::{
    alphabet,
    receipt::{Parameters, Receipt},
    segments::Concatenation,
};

/// A `deliver_sm`, understood.
pub enum Incoming {
    /// What became of a message of ours.
    Receipt(Receipt),
    /// Somebody wrote to us.
    Reply(Reply),
    /// A receipt that names no message or no state; nothing can be done with it.
    Unreadable,
}

/// A mobile-originated message. No `Debug`: it is personal.
pub struct Reply {
    /// The sender's number as the centre gave it.
    pub from: String,
    /// What was written. A part of a long message stands alone: nobody needs several to write `收到`.
    pub text: String,
    /// The centre's own id for it, if it sends one: a repeat carries the same. (`user_message_reference` is none: the
    /// sender's handset sets it, in 16 bits.)
    pub reference: Option<String>,
    /// When it was written, where the centre tells: replies that it kept while we were away are older than their arrival.
    pub written_at: Option<DateTime<Utc>>,
}

impl Incoming {
    /// Reads a `deliver_sm`.
    pub fn read(message: &DeliverSm) -> Self {
        let mut parameters = Parameters::default();
        let mut payload = None;
        for value in message.tlvs().iter().filter_map(|parameter| parameter.value()) {
            match value {
                TlvValue::ReceiptedMessageId(id) => parameters.id = Some(id.as_str().to_owned()),
                TlvValue::MessageState(state) => parameters.state = Some(u8::from(*state)),
                TlvValue::MessagePayload(content) => payload = Some(content.value.as_ref()),
                _ => {}
            }
        }
        let octets: &[u8] = payload.unwrap_or_else(|| message.short_message().as_ref());
        if is_receipt(message.esm_class) {
            // Centres announce UCS-2 on receipts that are plain ASCII; the wrong reading has no `id:` in it.
            let read = |coding| Receipt::parse(&alphabet::decode(coding, octets), &parameters);
            return read(message.data_coding).or_else(|| read(DataCoding::Latin1)).map_or(Self::Unreadable, Self::Receipt);
        }
        let octets = if has_header(message.esm_class) { Concatenation::split(octets).1 } else { octets };
        Self::Reply(Reply {
            from: message.source_addr.as_str().to_owned(),
            text: alphabet::decode(message.data_coding, octets),
            reference: parameters.id,
            written_at: point_in_time(message.schedule_delivery_time.as_str()),
        })
    }
}

/// An absolute time of SMPP 3.4 §7.1.1, `YYMMDDhhmmsstnnp`: `t` tenths of a second, `nn` quarters of an hour from UTC, `p` in which direction.
fn point_in_time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.get(..16).filter(|text| text.is_ascii() && text.len() == 16)?;
    let (moment, rest) = text.split_at(12);
    let quarters: i32 = rest.get(1..3)?.parse().ok()?;
    let east = match rest.get(3..)? {
        "+" => FixedOffset::east_opt(quarters * 900),
        "-" => FixedOffset::west_opt(quarters * 900),
        _ => None,
    }?;
    NaiveDateTime::parse_from_str(moment, "%y%m%d%H%M%S").ok()?.and_local_timezone(east).single().map(|moment| moment.to_utc())
}

fn is_receipt(class: EsmClass) -> bool {
    matches!(
        class.message_type,
        MessageType::ShortMessageContainsMCDeliveryReceipt | MessageType::ShortMessageContainsIntermediateDeliveryNotification
    )
}

fn has_header(class: EsmClass) -> bool {
    matches!(class.gsm_features, GsmFeatures::UdhiIndicator | GsmFeatures::SetUdhiAndReplyPath)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;
    use rstest::rstest;
    use rusmpp::{
        decode::DecodeWithLength,
        tlvs::MessageDeliveryRequestTlvValue,
        types::{COctetString, OctetString},
        values::MessageState,
    };

    use super::*;
    use crate::smpp::receipt::Delivery;

    fn delivered(class: u8, coding: DataCoding, octets: &[u8]) -> DeliverSm {
        DeliverSm::builder()
            .source_addr(COctetString::from_static_slice(b"8613800000000\0").unwrap())
            .esm_class(EsmClass::from(class))
            .data_coding(coding)
            .short_message(OctetString::from_slice(octets).unwrap())
            .build()
    }

    #[test]
    fn a_receipt_is_told_from_a_reply_by_its_class_not_its_text() {
        let text = b"id:5 stat:DELIVRD";
        assert!(matches!(Incoming::read(&delivered(0x04, DataCoding::McSpecific, text)), Incoming::Receipt(_)));
        assert!(matches!(Incoming::read(&delivered(0x00, DataCoding::McSpecific, text)), Incoming::Reply(_)));
    }

    #[test]
    fn a_receipt_under_a_wrong_coding_is_read_all_the_same() {
        let Incoming::Receipt(receipt) = Incoming::read(&delivered(0x04, DataCoding::Ucs2, b"id:5 stat:DELIVRD")) else {
            panic!("not read")
        };
        assert_eq!((receipt.id.as_str(), receipt.delivery), ("5", Delivery::Delivered));
    }

    #[test]
    fn a_receipt_may_stand_in_the_parameters_alone() {
        let mut message = delivered(0x04, DataCoding::McSpecific, b"");
        message.push_tlv(MessageDeliveryRequestTlvValue::ReceiptedMessageId(COctetString::from_static_slice(b"77\0").unwrap()));
        message.push_tlv(MessageDeliveryRequestTlvValue::MessageState(MessageState::Undeliverable));
        let Incoming::Receipt(receipt) = Incoming::read(&message) else { panic!("not read") };
        assert_eq!((receipt.id.as_str(), receipt.delivery), ("77", Delivery::Undeliverable));
    }

    #[test]
    fn a_reply_in_chinese_is_read_with_and_without_a_header() {
        let text: Vec<u8> = "收到".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let with_header: Vec<u8> = [5, 0, 3, 9, 1, 1].into_iter().chain(text.clone()).collect();
        for message in [delivered(0x00, DataCoding::Ucs2, &text), delivered(0x40, DataCoding::Ucs2, &with_header)] {
            let Incoming::Reply(reply) = Incoming::read(&message) else { panic!("not a reply") };
            assert_eq!((reply.from.as_str(), reply.text.as_str()), ("8613800000000", "收到"));
        }
    }

    #[rstest]
    #[case("261129100530032+", Some("2026-11-29T02:05:30Z"))]
    #[case("261129020530000+", Some("2026-11-29T02:05:30Z"))]
    #[case("261128210530020-", Some("2026-11-29T02:05:30Z"))]
    #[case("000000000500000R", None)]
    #[case("261329100530032+", None)]
    #[case("", None)]
    fn a_reply_tells_when_it_was_written(#[case] told: &str, #[case] at: Option<&str>) {
        assert_eq!(point_in_time(told), at.map(|at| at.parse().unwrap()));
    }

    #[test]
    fn a_receipt_without_meaning_is_named_so() {
        assert!(matches!(Incoming::read(&delivered(0x04, DataCoding::McSpecific, b"??")), Incoming::Unreadable));
    }

    proptest! {
        #[test]
        fn no_pdu_makes_the_reader_panic(class: u8, coding: u8, octets in prop::collection::vec(any::<u8>(), 0..255), whole in prop::collection::vec(any::<u8>(), 0..300)) {
            Incoming::read(&delivered(class, DataCoding::from(coding), &octets));
            // as it comes over the line, whatever it is
            let length = whole.len();
            if let Ok((message, _)) = DeliverSm::decode(&mut BytesMut::from(&whole[..]), length) {
                Incoming::read(&message);
            }
        }

        #[test]
        fn no_text_makes_the_reader_panic(time in "[0-9]{12}[0-9+R-]{0,6}|\\PC{0,20}") {
            point_in_time(&time);
        }
    }
}
