//! The mark by which a message is known as one of ours: whoever can write to the broker has not thereby become the platform.
//!
//! It is a keyed hash over topic, event id and payload, so a message cannot be made, changed or passed off as another event by anybody without the
//! keys. A message that comes again is no forgery: handlers are idempotent. One without the mark is a dead letter at once, and
//! no operator can deliver it again.

use lapin::message::Delivery;
use uuid::Uuid;

use super::topology;
use crate::crypto::{Keyring, Purpose};

/// The header that bears it.
pub(super) const HEADER: &str = "fenghuo-mark";

/// The mark of a message.
pub(super) fn of(keyring: &Keyring, topic: &str, event_id: Uuid, payload: &[u8]) -> String {
    // a topic holds no NUL and the id is always as long, so none of the three runs into the next
    let said = [topic.as_bytes(), &[0], event_id.as_bytes(), payload].concat();
    hex::encode(keyring.hash(Purpose::BusMessage, &said).bytes())
}

/// Whether a message of this topic bears its mark.
pub(super) fn is_on(keyring: &Keyring, topic: &str, delivery: &Delivery) -> bool {
    let event_id = delivery.properties.message_id().as_ref().and_then(|id| id.as_str().parse().ok());
    let (Some(event_id), Some(mark)) = (event_id, topology::header(delivery, HEADER)) else { return false };
    let Ok(mark) = hex::decode(mark) else { return false };
    let expected = of(keyring, topic, event_id, &delivery.data);
    // in time that does not tell how much of it was right
    hex::decode(expected).is_ok_and(|expected| aws_lc_rs::constant_time::verify_slices_are_equal(&expected, &mark).is_ok())
}
