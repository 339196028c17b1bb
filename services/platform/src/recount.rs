//! Counts that many watch: counted again, but not oftener than the counting is worth.
//!
//! A million rows take a good part of a second to count. So a count is kept for twenty times as long as it took, and at least a
//! second: pages that watch one never take more than a twentieth of a connection together, however many they are. Whoever asks while
//! it is being counted waits for that count; counts of other keys do not wait for each other.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Counts are kept for at least so long,
const SHORTEST: Duration = Duration::from_secs(1);
/// and for so many times as long as they took.
const WORTH: u32 = 20;
/// Counts kept at once; beyond that those are forgotten that are too old anyway.
const WATCHED: usize = 256;

type Place<V> = Arc<tokio::sync::Mutex<Option<Kept<V>>>>;

/// The counts that are being watched, by what they count.
#[derive(Debug)]
pub struct Recounted<K, V> {
    kept: Mutex<HashMap<K, Place<V>>>,
}

#[derive(Debug)]
struct Kept<V> {
    until: Instant,
    count: V,
}

impl<K, V> Default for Recounted<K, V> {
    fn default() -> Self {
        Self { kept: Mutex::default() }
    }
}

impl<K: Eq + Hash, V: Clone> Recounted<K, V> {
    /// The count of `key`: the one that is kept, or what `counting` yields.
    ///
    /// # Errors
    /// When it had to be counted and that failed; the next who asks tries again.
    pub async fn of<E>(&self, key: K, counting: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let place = self.place(key);
        let mut kept = place.lock().await;
        let begun = Instant::now();
        if let Some(known) = kept.as_ref().filter(|known| known.until > begun) {
            return Ok(known.count.clone());
        }
        let count = counting.await?;
        let until = Instant::now() + (begun.elapsed() * WORTH).max(SHORTEST);
        *kept = Some(Kept { until, count: count.clone() });
        Ok(count)
    }

    fn place(&self, key: K) -> Place<V> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= WATCHED && !kept.contains_key(&key) {
            let now = Instant::now();
            // one that is locked is being counted
            kept.retain(|_, place| place.try_lock().map_or(true, |known| known.as_ref().is_some_and(|known| known.until > now)));
        }
        Arc::clone(kept.entry(key).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn who_asks_while_it_is_counted_gets_that_count() {
        let (recounted, counted) = (Recounted::default(), AtomicU32::new(0));
        let ask = |key| {
            recounted.of(key, async {
                tokio::task::yield_now().await;
                Ok::<_, Infallible>(counted.fetch_add(1, Ordering::Relaxed))
            })
        };
        let (one, other, of_another) = tokio::join!(ask("a"), ask("a"), ask("b"));
        assert_eq!(one, other);
        assert_ne!(one, of_another);
        assert_eq!(counted.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_count_that_failed_is_tried_again() {
        let recounted = Recounted::<_, u8>::default();
        assert_eq!(recounted.of(1, async { Err("away") }).await, Err("away"));
        let begun = Instant::now();
        assert_eq!(recounted.of(1, async { Ok::<_, &str>(7) }).await, Ok(7));
        {
            let place = recounted.place(1);
            let mut kept = place.try_lock().unwrap();
            let until = &mut kept.as_mut().unwrap().until;
            assert!(*until >= begun + SHORTEST, "kept for a second at least");
            *until += Duration::from_secs(3_600);
        }
        assert_eq!(recounted.of(1, async { Err("away") }).await, Ok(7));
    }

    #[tokio::test]
    async fn not_more_is_kept_than_is_watched() {
        let recounted = Recounted::default();
        for key in 0..2 * WATCHED {
            recounted.of(key, async { Ok::<_, Infallible>(()) }).await.unwrap();
            for place in recounted.kept.lock().unwrap().values() {
                place.try_lock().unwrap().as_mut().unwrap().until = Instant::now();
            }
        }
        assert!(recounted.kept.lock().unwrap().len() <= WATCHED);
    }
}
