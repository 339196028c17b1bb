//! The signals by which a commit wakes the relays.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::worker::Wake;

/// The signals of the relays, by schema.
#[derive(Debug, Default)]
pub(crate) struct Wakes(Mutex<HashMap<&'static str, Wake>>);

impl Wakes {
    /// The signal of one schema's relay.
    pub(crate) fn of(&self, schema: &'static str) -> Wake {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(schema).or_default().clone()
    }
}
