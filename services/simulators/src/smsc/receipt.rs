//! What the centre sends to the platform: delivery receipts (SMPP 3.4 appendix B) and messages that residents write.

use chrono::{DateTime, Utc};
use rusmpp::{
    pdus::{DeliverSm, SubmitSm},
    tlvs::MessageDeliveryRequestTlvValue,
    types::{AnyOctetString, COctetString, OctetString},
    values::{Ansi41Specific, DataCoding, EsmClass, GsmFeatures, MessagePayload, MessageState, MessageType, MessagingMode, Npi, Ton},
};

use super::text;

/// Octets that fit into `short_message` of one message; longer replies go into `message_payload`.
const SHORT: usize = 140;

/// A delivery receipt: from the phone back to the sender, with the message's id as the centre writes it in receipts.
pub(super) fn receipt(submit: &SubmitSm, message_id: &str, state: MessageState, now: DateTime<Utc>) -> DeliverSm {
    let time = now.format("%y%m%d%H%M");
    let (word, count, error) = match state {
        MessageState::Delivered => ("DELIVRD", 1, 0),
        MessageState::Accepted => ("ACCEPTD", 0, 0),
        _ => ("UNDELIV", 0, 1),
    };
    let body = format!("id:{message_id} sub:001 dlvrd:{count:03} submit date:{time} done date:{time} stat:{word} err:{error:03} text:");
    let mut receipt = DeliverSm::builder()
        .source_addr_ton(submit.dest_addr_ton)
        .source_addr_npi(submit.dest_addr_npi)
        .source_addr(submit.destination_addr.clone())
        .dest_addr_ton(submit.source_addr_ton)
        .dest_addr_npi(submit.source_addr_npi)
        .destination_addr(submit.source_addr.clone())
        .esm_class(esm_class(MessageType::ShortMessageContainsMCDeliveryReceipt))
        .short_message(OctetString::from_string(body).unwrap_or_default())
        .build();
    if let Ok(message_id) = COctetString::from_string(message_id.to_owned()) {
        receipt.push_tlv(MessageDeliveryRequestTlvValue::ReceiptedMessageId(message_id));
    }
    receipt.push_tlv(MessageDeliveryRequestTlvValue::MessageState(state));
    receipt
}

/// A message that a resident wrote.
pub(super) fn reply(phone: &str, to: &str, words: &str) -> DeliverSm {
    let (octets, data_coding) = text::encode(words);
    let mut reply = DeliverSm::builder()
        .source_addr_ton(Ton::National)
        .source_addr_npi(Npi::Isdn)
        .source_addr(COctetString::from_string(phone.to_owned()).unwrap_or_default())
        .destination_addr(COctetString::from_string(to.to_owned()).unwrap_or_default())
        .esm_class(esm_class(MessageType::Default))
        .data_coding(DataCoding::from(data_coding))
        .build();
    if octets.len() <= SHORT {
        reply.set_short_message(OctetString::from_vec(octets).unwrap_or_default());
    } else {
        reply.push_tlv(MessageDeliveryRequestTlvValue::MessagePayload(MessagePayload::new(AnyOctetString::from_vec(octets))));
    }
    reply
}

/// The type alone: rusmpp's default would also say "delivery acknowledgement".
fn esm_class(message_type: MessageType) -> EsmClass {
    EsmClass::new(MessagingMode::Default, message_type, Ansi41Specific::Other(0), GsmFeatures::NotSelected)
}
