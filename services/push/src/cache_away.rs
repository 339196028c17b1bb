//! The cache that does not answer: pushes go on without it.
//!
//! It keeps how fast an account may be used by all processes together. Without it each keeps that for itself: an alert must not wait for a cache. A
//! cache that is away may take seconds to say so, so it is asked again only after a while.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use platform::Error;
use platform::tasks::chain;
use tokio::time::Instant;

/// Who waits longer for a cache would send faster without.
pub(crate) const PATIENCE: Duration = Duration::from_millis(500);
/// After so long it is asked again. In real time, as the sending is.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Whether the cache answers, as far as one account knows.
#[derive(Debug, Default)]
pub(crate) struct CacheAway {
    away: AtomicBool,
    again_at: Mutex<Option<Instant>>,
}

impl CacheAway {
    /// Whether it is better not to ask at this moment.
    pub(crate) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed) && self.again_at().is_some_and(|again_at| Instant::now() < again_at)
    }

    /// What the cache says; nothing where it is away.
    pub(crate) async fn or_without<T>(&self, account: &str, asked: impl Future<Output = Result<T, Error>>) -> Option<T> {
        if self.is_away() {
            return None;
        }
        let why = match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(said)) => {
                if self.away.load(Ordering::Relaxed) && self.away.swap(false, Ordering::Relaxed) {
                    tracing::info!(account, "the cache answers again");
                    metrics::gauge!("push_without_cache", "account" => account.to_owned()).set(0.0);
                }
                return Some(said);
            }
            Ok(Err(error)) => chain(&error),
            Err(_) => "no answer in time".to_owned(),
        };
        *self.again_at_mut() = Some(Instant::now() + AGAIN_AFTER);
        if !self.away.swap(true, Ordering::Relaxed) {
            tracing::warn!(account, error = why, "the cache does not answer: this process keeps the rate of a push account for itself");
            metrics::gauge!("push_without_cache", "account" => account.to_owned()).set(1.0);
        }
        None
    }

    fn again_at(&self) -> Option<Instant> {
        *self.again_at_mut()
    }

    fn again_at_mut(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        // One value: nothing is left half done by a panic.
        self.again_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cache_that_is_away_is_asked_again_only_after_a_while() {
        let away = CacheAway::default();
        assert_eq!(away.or_without("apns", async { Ok(1) }).await, Some(1));
        assert_eq!(away.or_without::<u8>("apns", std::future::pending()).await, None, "it does not answer");
        assert_eq!(away.or_without("apns", async { Ok(1) }).await, None, "nobody waits for it a second time");
        *away.again_at_mut() = Some(Instant::now());
        assert_eq!(away.or_without::<u8>("apns", async { Err(Error::BucketTooSmall { wanted: 2, burst: 1 }) }).await, None, "it fails");
        *away.again_at_mut() = Some(Instant::now());
        assert_eq!(away.or_without("apns", async { Ok(1) }).await, Some(1));
        assert!(!away.is_away());
    }
}
