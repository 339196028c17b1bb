//! Two bytes for one recipient: how often (saturating at 255), and a tag of the last collapse id.
//!
//! The tag has eight bits, so one repeat in 256 with another collapse id looks like a duplicate: it errs to the strict side.

use crate::dice::hash;

/// What a message was to its recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    First,
    /// The collapse id was there before.
    Duplicate,
    /// Another collapse id.
    Repeat,
}

/// Tag of a collapse id.
pub(super) fn tag(collapse_id: &str) -> u8 {
    hash(collapse_id.as_bytes()).to_le_bytes()[0]
}

/// The cell after one more message.
pub(super) fn add(cell: u16, tag: u8) -> u16 {
    let [times, _] = cell.to_le_bytes();
    u16::from_le_bytes([times.saturating_add(1), tag])
}

/// What the message was, judged by the cell before it.
pub(super) fn arrival(before: u16, tag: u8) -> Arrival {
    match before.to_le_bytes() {
        [0, _] => Arrival::First,
        [_, last] if last == tag => Arrival::Duplicate,
        _ => Arrival::Repeat,
    }
}

/// How often.
pub(super) fn times(cell: u16) -> u64 {
    u64::from(cell.to_le_bytes()[0])
}
