//! Phone numbers by value: eight bytes of number and two of count each, sharded so that sessions do not wait for each other.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::cell::{self, Arrival};
use crate::dice::hash;

const SHARDS: usize = 64;

#[derive(Debug)]
pub(super) struct Phones([Mutex<HashMap<u64, u16>>; SHARDS]);

impl Default for Phones {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}

/// E.164 has at most 15 digits.
fn number(recipient: &str) -> Option<u64> {
    let is_number = recipient.len() <= 15 && !recipient.is_empty() && recipient.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| recipient.parse().ok()).flatten()
}

impl Phones {
    fn shard(&self, number: u64) -> MutexGuard<'_, HashMap<u64, u16>> {
        let shard = hash(&number.to_le_bytes()) as usize % SHARDS;
        self.0[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn record(&self, recipient: &str, collapse_id: &str) -> Option<Arrival> {
        let number = number(recipient)?;
        let tag = cell::tag(collapse_id);
        let mut shard = self.shard(number);
        let entry = shard.entry(number).or_default();
        let before = std::mem::replace(entry, cell::add(*entry, tag));
        Some(cell::arrival(before, tag))
    }

    pub(super) fn times(&self, recipient: &str) -> Option<u64> {
        let number = number(recipient)?;
        Some(self.shard(number).get(&number).map_or(0, |cell| cell::times(*cell)))
    }

    pub(super) fn slices(&self) -> usize {
        SHARDS
    }

    pub(super) fn slice(&self, shard: usize) -> Vec<(String, u64)> {
        let shard = self.0[shard].lock().unwrap_or_else(PoisonError::into_inner);
        shard.iter().map(|(number, cell)| (number.to_string(), cell::times(*cell))).collect()
    }

    pub(super) fn reset(&self) {
        for shard in &self.0 {
            *shard.lock().unwrap_or_else(PoisonError::into_inner) = HashMap::new();
        }
    }
}
