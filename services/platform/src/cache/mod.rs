//! What may be lost: sessions, one-time codes, counters, token buckets; in this process or in Redis.
//!
//! Whether something has expired is judged by the [`Clock`], so a moved clock expires sessions too. Token buckets fill by a clock that all who take
//! from them share and nobody sets: that of Redis, or the time that this process runs; only a moved clock has them fill by its own. Every
//! operation is atomic, also between processes that share a Redis. An answer comes within seconds or is an error.

mod local;
mod redis;
mod settings;

use crate::compiled_once;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::error::Error;
use local::Local;
use redis::Redis;
pub use redis::RedisStanding;
pub use settings::{CacheMode, CacheSettings};

/// The answer of a token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// Taken.
    Granted,
    /// Nothing was taken; so many will be there at this time, if nobody else takes them.
    WaitUntil(DateTime<Utc>),
}

/// The cache. Clones share it.
#[derive(Clone, Debug)]
pub struct Cache {
    clock: Clock,
    /// Since when the buckets of this process fill.
    began: Instant,
    store: Store,
}

#[derive(Clone, Debug)]
enum Store {
    Local(Arc<Local>),
    Redis(Redis),
}

impl Cache {
    /// Opens the cache of the settings. A Redis that does not answer is an error here, and a typed error of every
    /// operation later.
    #[compiled_once]
    pub async fn open(settings: &CacheSettings, clock: &Clock) -> Result<Self, Error> {
        let store = match settings.mode {
            CacheMode::InProcess => Store::Local(Arc::default()),
            CacheMode::Redis => Store::Redis(Redis::open(settings, clock.is_moved()).await?),
        };
        Ok(Self { clock: clock.clone(), began: Instant::now(), store })
    }

    /// A cache in this process.
    pub fn in_process(clock: &Clock) -> Self {
        Self { clock: clock.clone(), began: Instant::now(), store: Store::Local(Arc::default()) }
    }

    /// Asks Redis how it stands.
    ///
    /// # Errors
    /// When it does not answer within seconds, or refuses us.
    #[compiled_once]
    pub async fn standing(settings: &CacheSettings) -> Result<RedisStanding, Error> {
        redis::standing(settings).await
    }

    /// The value under `key`, unless it has expired.
    #[compiled_once]
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        match &self.store {
            Store::Local(local) => Ok(local.get(key, self.now_ms())),
            Store::Redis(redis) => redis.get(key, self.now_ms()).await,
        }
    }

    /// Stores `value` for `ttl`, over what was there.
    #[compiled_once]
    pub async fn set(&self, key: &str, value: &[u8], ttl: Duration) -> Result<(), Error> {
        match &self.store {
            Store::Local(local) => local.set(key, value, self.now_ms(), millis(ttl)),
            Store::Redis(redis) => redis.set(key, value, self.now_ms(), millis(ttl)).await?,
        }
        Ok(())
    }

    /// Stores `value` unless there is one. Whether it was stored.
    #[compiled_once]
    pub async fn set_if_absent(&self, key: &str, value: &[u8], ttl: Duration) -> Result<bool, Error> {
        match &self.store {
            Store::Local(local) => Ok(local.set_if_absent(key, value, self.now_ms(), millis(ttl))),
            Store::Redis(redis) => redis.set_if_absent(key, value, self.now_ms(), millis(ttl)).await,
        }
    }

    /// Stores `value` where `was` stands, and nowhere else: not over what somebody else has written since, nor where it was removed. Whether it
    /// was stored.
    #[compiled_once]
    pub async fn replace(&self, key: &str, was: &[u8], value: &[u8], ttl: Duration) -> Result<bool, Error> {
        match &self.store {
            Store::Local(local) => Ok(local.replace(key, was, value, self.now_ms(), millis(ttl))),
            Store::Redis(redis) => redis.replace(key, was, value, self.now_ms(), millis(ttl)).await,
        }
    }

    /// The value, and removes it: of many who ask at once, one gets it.
    #[compiled_once]
    pub async fn take(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        match &self.store {
            Store::Local(local) => Ok(local.take(key, self.now_ms())),
            Store::Redis(redis) => redis.take(key, self.now_ms()).await,
        }
    }

    /// Removes what is under `key`.
    #[compiled_once]
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        match &self.store {
            Store::Local(local) => local.delete(key),
            Store::Redis(redis) => redis.delete(key).await?,
        }
        Ok(())
    }

    /// Adds one to the counter under `key`. It counts from the first call for `ttl`, then begins again.
    #[compiled_once]
    pub async fn incr(&self, key: &str, ttl: Duration) -> Result<u64, Error> {
        match &self.store {
            Store::Local(local) => Ok(local.incr(key, self.now_ms(), millis(ttl))),
            Store::Redis(redis) => redis.incr(key, self.now_ms(), millis(ttl)).await,
        }
    }

    /// Takes `wanted` tokens from a bucket that holds `burst` and gains `per_second`. A bucket nobody has used is full.
    #[compiled_once]
    pub async fn take_tokens(&self, bucket: &str, per_second: f64, burst: u32, wanted: u32) -> Result<Tokens, Error> {
        if wanted > burst || per_second.is_nan() || per_second <= 0.0 {
            return Err(Error::BucketTooSmall { wanted, burst });
        }
        let moved_ms = self.clock.is_moved().then(|| self.now_ms());
        let wait_ms = match &self.store {
            Store::Local(local) => {
                local.take_tokens(bucket, moved_ms.unwrap_or_else(|| millis(self.began.elapsed())), per_second, burst, wanted)
            }
            Store::Redis(redis) => redis.take_tokens(bucket, moved_ms, per_second, burst, wanted).await?,
        };
        Ok(match wait_ms {
            0 => Tokens::Granted,
            wait_ms => Tokens::WaitUntil(self.clock.now() + Duration::from_millis(wait_ms)),
        })
    }

    /// The store's own clock, where it has one.
    #[compiled_once]
    pub async fn store_clock(&self) -> Result<Option<DateTime<Utc>>, Error> {
        match &self.store {
            Store::Local(_) => Ok(None),
            Store::Redis(redis) => redis.now().await.map(Some),
        }
    }

    /// Removes everything under this cache's prefix: for tests and rehearsals.
    #[compiled_once]
    pub async fn clear(&self) -> Result<(), Error> {
        match &self.store {
            Store::Local(local) => local.clear(),
            Store::Redis(redis) => redis.clear().await?,
        }
        Ok(())
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2)
}
