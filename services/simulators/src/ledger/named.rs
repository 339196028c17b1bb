//! Recipients by name, with every collapse id and how often it came.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::cell::Arrival;
use crate::dice::hash;

const SHARDS: usize = 64;

type Shard = HashMap<Box<str>, Vec<(Arc<str>, u64)>>;

/// How many came to one recipient, by collapse id where names are kept.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Count {
    pub(crate) times: u64,
    pub(crate) collapse_ids: BTreeMap<String, u64>,
}

#[derive(Debug)]
pub(super) struct Named {
    shards: [Mutex<Shard>; SHARDS],
    /// An alert has one collapse id for all its recipients: it is kept once.
    collapse_ids: Mutex<HashMap<Box<str>, Arc<str>>>,
}

impl Default for Named {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), collapse_ids: Mutex::default() }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Named {
    fn shard(&self, recipient: &str) -> MutexGuard<'_, Shard> {
        locked(&self.shards[hash(recipient.as_bytes()) as usize % SHARDS])
    }

    fn shared(&self, collapse_id: &str) -> Arc<str> {
        let mut known = locked(&self.collapse_ids);
        if let Some(shared) = known.get(collapse_id) {
            return shared.clone();
        }
        let shared = Arc::<str>::from(collapse_id);
        known.insert(collapse_id.into(), shared.clone());
        shared
    }

    pub(super) fn record(&self, recipient: &str, collapse_id: &str) -> Arrival {
        let mut shard = self.shard(recipient);
        let Some(counts) = shard.get_mut(recipient) else {
            shard.insert(recipient.into(), vec![(self.shared(collapse_id), 1)]);
            return Arrival::First;
        };
        if let Some((_, times)) = counts.iter_mut().find(|(known, _)| **known == *collapse_id) {
            *times += 1;
            return Arrival::Duplicate;
        }
        counts.push((self.shared(collapse_id), 1));
        Arrival::Repeat
    }

    pub(super) fn count(&self, recipient: &str) -> Count {
        let shard = self.shard(recipient);
        let counts = shard.get(recipient).map(Vec::as_slice).unwrap_or_default();
        let collapse_ids: BTreeMap<_, _> = counts.iter().map(|(collapse_id, times)| (collapse_id.to_string(), *times)).collect();
        Count { times: collapse_ids.values().sum(), collapse_ids }
    }

    pub(super) fn slice(&self, index: usize) -> Option<Vec<(String, u64)>> {
        let shard = locked(self.shards.get(index)?);
        Some(shard.iter().map(|(recipient, counts)| (recipient.to_string(), counts.iter().map(|(_, times)| times).sum())).collect())
    }

    pub(super) fn reset(&self) {
        for shard in &self.shards {
            *locked(shard) = HashMap::new();
        }
        locked(&self.collapse_ids).clear();
    }
}
