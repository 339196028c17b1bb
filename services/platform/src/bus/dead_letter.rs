//! A message that nobody could handle.

use uuid::Uuid;

/// A message given up, for people to look at. Its payload is left out: it may hold personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Whose handler failed.
    pub queue: String,
    /// What it was about.
    pub topic: String,
    /// The event, unless the message has lost its id.
    pub event_id: Option<Uuid>,
    /// The last failure.
    pub reason: String,
}

/// How many dead letters are shown at most.
pub(super) const MOST_SHOWN: usize = 1_000;
