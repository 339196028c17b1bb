//! What Google keeps for devices that are offline, and what of it they get when they are back (Firebase, "Non-collapsible and collapsible
//! messages").
//!
//! Messages that show a notification are always collapsible, whatever their `collapse_key`: their key is the name of the app's package. Data messages
//! are collapsible where they have a key. Of collapsible messages those of four keys are kept for a device, and of a key the last; of the others a
//! hundred, and when there are more all of them are thrown away.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use bytes::Bytes;

use super::message::Target;

/// Collapse keys that are kept for one device. Which is given up is not documented: here the oldest.
const KEYS: usize = 4;
/// Messages without a key that are kept for one device.
const WHOLE: usize = 100;
/// The key of everything that shows a notification.
const PACKAGE: &str = "the app's package";

/// A message that waits, as it came.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) path: String,
    pub(super) body: Bytes,
}

#[derive(Debug, Default)]
struct Kept {
    collapsible: VecDeque<(String, Waiting)>,
    whole: Vec<Waiting>,
}

impl Kept {
    fn store(&mut self, key: Option<&str>, message: Waiting) {
        let Some(key) = key else {
            if self.whole.len() == WHOLE {
                self.whole.clear();
            }
            return self.whole.push(message);
        };
        self.collapsible.retain(|(known, _)| known != key);
        if self.collapsible.len() == KEYS {
            self.collapsible.pop_front();
        }
        self.collapsible.push_back((key.to_owned(), message));
    }
}

/// The devices that are offline.
#[derive(Debug, Default)]
pub(super) struct Offline {
    /// How many: nothing is looked up while it is none.
    devices: AtomicUsize,
    kept: Mutex<BTreeMap<String, Kept>>,
}

impl Offline {
    fn kept(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A device loses its connection.
    pub(super) fn leave(&self, token: &str) {
        let mut kept = self.kept();
        kept.entry(token.to_owned()).or_default();
        self.devices.store(kept.len(), Relaxed);
    }

    /// It is back: what was kept for it, of each kind in the order in which it came.
    pub(super) fn come_back(&self, token: &str) -> Vec<Waiting> {
        let mut kept = self.kept();
        let back = kept.remove(token).unwrap_or_default();
        self.devices.store(kept.len(), Relaxed);
        back.collapsible.into_iter().map(|(_, message)| message).chain(back.whole).collect()
    }

    /// Keeps a message for a device that is offline. False: it is not.
    pub(super) fn keeps(&self, target: &Target<'_>, message: impl FnOnce() -> Waiting) -> bool {
        if self.devices.load(Relaxed) == 0 {
            return false;
        }
        let mut devices = self.kept();
        let Some(kept) = devices.get_mut(&*target.recipient) else { return false };
        let key = if target.notifies { Some(PACKAGE) } else { target.collapse_key.as_deref() };
        kept.store(key, message());
        true
    }

    pub(super) fn reset(&self) {
        self.kept().clear();
        self.devices.store(0, Relaxed);
    }
}
