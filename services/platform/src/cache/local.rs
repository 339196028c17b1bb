//! The cache in this process: two maps behind one lock, swept as they grow.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Below this size nobody minds what has expired.
const SMALLEST_SWEEP: usize = 1_024;

#[derive(Debug, Default)]
pub(super) struct Local(Mutex<Maps>);

#[derive(Debug, Default)]
struct Maps {
    entries: HashMap<String, Entry>,
    buckets: HashMap<String, Bucket>,
    /// Expired entries are removed when there are more entries than this.
    sweep_at: usize,
    /// The same for full buckets.
    sweep_buckets_at: usize,
}

#[derive(Debug)]
struct Entry {
    value: Value,
    expires_ms: i64,
}

#[derive(Debug)]
enum Value {
    Bytes(Vec<u8>),
    Count(u64),
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at_ms: i64,
    /// From then on it is full, which is what a missing one is.
    full_at_ms: i64,
}

impl Local {
    fn maps(&self) -> MutexGuard<'_, Maps> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, key: &str, now_ms: i64) -> Option<Vec<u8>> {
        self.maps().live(key, now_ms).and_then(|entry| entry.value.bytes().cloned())
    }

    pub(super) fn set(&self, key: &str, value: &[u8], now_ms: i64, ttl_ms: i64) {
        self.maps().insert(key, Value::Bytes(value.to_vec()), now_ms, ttl_ms);
    }

    pub(super) fn set_if_absent(&self, key: &str, value: &[u8], now_ms: i64, ttl_ms: i64) -> bool {
        let mut maps = self.maps();
        let absent = maps.live(key, now_ms).is_none();
        if absent {
            maps.insert(key, Value::Bytes(value.to_vec()), now_ms, ttl_ms);
        }
        absent
    }

    pub(super) fn replace(&self, key: &str, was: &[u8], value: &[u8], now_ms: i64, ttl_ms: i64) -> bool {
        let mut maps = self.maps();
        let is_there = maps.live(key, now_ms).is_some_and(|entry| entry.value.bytes().is_some_and(|bytes| bytes == was));
        if is_there {
            maps.insert(key, Value::Bytes(value.to_vec()), now_ms, ttl_ms);
        }
        is_there
    }

    pub(super) fn take(&self, key: &str, now_ms: i64) -> Option<Vec<u8>> {
        let entry = self.maps().entries.remove(key)?;
        (entry.expires_ms > now_ms).then_some(entry.value).and_then(|value| value.bytes().cloned())
    }

    pub(super) fn delete(&self, key: &str) {
        self.maps().entries.remove(key);
    }

    pub(super) fn incr(&self, key: &str, now_ms: i64, ttl_ms: i64) -> u64 {
        let mut maps = self.maps();
        if let Some(Entry { value: Value::Count(count), .. }) = maps.live(key, now_ms) {
            *count += 1;
            return *count;
        }
        maps.insert(key, Value::Count(1), now_ms, ttl_ms);
        1
    }

    /// Milliseconds to wait; 0 when they were taken.
    pub(super) fn take_tokens(&self, name: &str, now_ms: i64, per_second: f64, burst: u32, wanted: u32) -> u64 {
        let mut maps = self.maps();
        maps.sweep_buckets(now_ms);
        let full = Bucket { tokens: f64::from(burst), at_ms: now_ms, full_at_ms: now_ms };
        let bucket = maps.buckets.entry(name.to_owned()).or_insert(full);
        let passed_ms = (now_ms - bucket.at_ms).max(0);
        bucket.tokens = (bucket.tokens + passed_ms as f64 * per_second / 1_000.0).min(f64::from(burst));
        // Also backwards: a clock that was ahead must not leave the bucket without a gain until it is as late again.
        bucket.at_ms = now_ms;
        let missing = f64::from(wanted) - bucket.tokens;
        if missing <= 0.0 {
            bucket.tokens -= f64::from(wanted);
        }
        let to_fill_ms = (f64::from(burst) - bucket.tokens) * 1_000.0 / per_second;
        bucket.full_at_ms = bucket.at_ms.saturating_add(to_fill_ms.ceil() as i64);
        if missing <= 0.0 { 0 } else { (missing * 1_000.0 / per_second).ceil().max(1.0) as u64 }
    }

    pub(super) fn clear(&self) {
        *self.maps() = Maps::default();
    }
}

impl Maps {
    fn live(&mut self, key: &str, now_ms: i64) -> Option<&mut Entry> {
        self.entries.get_mut(key).filter(|entry| entry.expires_ms > now_ms)
    }

    fn insert(&mut self, key: &str, value: Value, now_ms: i64, ttl_ms: i64) {
        if self.entries.len() >= self.sweep_at.max(SMALLEST_SWEEP) {
            self.entries.retain(|_, entry| entry.expires_ms > now_ms);
            self.sweep_at = self.entries.len() * 2;
        }
        self.entries.insert(key.to_owned(), Entry { value, expires_ms: now_ms.saturating_add(ttl_ms) });
    }

    fn sweep_buckets(&mut self, now_ms: i64) {
        if self.buckets.len() >= self.sweep_buckets_at.max(SMALLEST_SWEEP) {
            self.buckets.retain(|_, bucket| bucket.full_at_ms > now_ms);
            self.sweep_buckets_at = self.buckets.len() * 2;
        }
    }
}

impl Value {
    fn bytes(&self) -> Option<&Vec<u8>> {
        match self {
            Value::Bytes(bytes) => Some(bytes),
            Value::Count(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expired_entries_do_not_pile_up() {
        let local = Local::default();
        for second in 0..20_000 {
            local.set(&format!("session {second}"), b"", second * 1_000, 60_000);
        }
        assert!(local.maps().entries.len() < 3 * SMALLEST_SWEEP);
    }

    #[test]
    fn a_clock_that_steps_back_does_not_stop_a_bucket() {
        let local = Local::default();
        assert_eq!(local.take_tokens("provider", 3_600_000, 10.0, 1, 1), 0);
        assert_eq!(local.take_tokens("provider", 0, 10.0, 1, 1), 100);
        assert_eq!(local.take_tokens("provider", 100, 10.0, 1, 1), 0);
    }

    #[test]
    fn full_buckets_do_not_pile_up_and_others_stay() {
        let local = Local::default();
        assert_eq!(local.take_tokens("drained", 0, 0.001, 1, 1), 0);
        for second in 0..20_000 {
            local.take_tokens(&format!("caller {second}"), second * 1_000 / 100, 1.0, 5, 1);
        }
        assert!(local.maps().buckets.len() < 3 * SMALLEST_SWEEP);
        assert_eq!(local.take_tokens("drained", 200_000, 0.001, 1, 1), 800_000);
    }
}
