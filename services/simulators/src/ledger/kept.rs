//! The last messages of every recipient, for tests and for looking at; off when millions are sent.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

/// How many of one recipient are kept.
const LAST: usize = 64;

#[derive(Debug)]
pub(crate) struct Kept<T>(Option<Mutex<HashMap<String, VecDeque<T>>>>);

impl<T: Clone> Kept<T> {
    pub(crate) fn new(keep: bool) -> Self {
        Self(keep.then(Mutex::default))
    }

    /// Keeps what `message` makes; nothing is made when nothing is kept.
    pub(crate) fn keep(&self, recipient: &str, message: impl FnOnce() -> T) {
        let Some(kept) = &self.0 else { return };
        let message = message();
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let messages = kept.entry(recipient.to_owned()).or_default();
        if messages.len() == LAST {
            messages.pop_front();
        }
        messages.push_back(message);
    }

    /// What is kept of one recipient, oldest first.
    pub(crate) fn of(&self, recipient: &str) -> Vec<T> {
        let Some(kept) = &self.0 else { return Vec::new() };
        kept.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(recipient)
            .map(|messages| messages.iter().cloned().collect())
            .unwrap_or_default()
    }

    pub(crate) fn reset(&self) {
        if let Some(kept) = &self.0 {
            kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }
}
