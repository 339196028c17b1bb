//! One account at a provider: how fast it may send, and whether it may send at all.
//!
//! An account is APNs, or one Firebase project. Its token bucket and its hold (`Retry-After`) are kept in the cache, so all processes
//! share them; both are looked at once for some hundred messages.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use platform::Error;
use platform::cache::{Cache, Tokens};
use platform::clock::Clock;

/// Messages for which permission is asked at once.
pub(crate) const CHUNK: usize = 256;

/// A rate that a provider grants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    pub(crate) per_second: f64,
}

/// An account at a provider.
#[derive(Debug)]
pub(crate) struct Account {
    /// `apns`, or `fcm/<project>`: a label of metrics and logs.
    pub(crate) name: String,
    rate: Option<Rate>,
    refused: AtomicBool,
    cache: Cache,
    clock: Clock,
}

/// Whether some messages may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Now, so many.
    Granted(usize),
    /// Not before then: the bucket is empty.
    Paced(DateTime<Utc>),
    /// Not before then: the provider said so.
    Held(DateTime<Utc>),
}

impl Account {
    pub(crate) fn new(name: String, rate: Option<Rate>, cache: Cache, clock: Clock) -> Self {
        Self { name, rate, refused: AtomicBool::new(false), cache, clock }
    }

    /// Asks to send up to `wanted` messages.
    pub(crate) async fn ask(&self, wanted: usize) -> Result<Permission, Error> {
        if let Some(until) = self.held_until().await? {
            return Ok(Permission::Held(until));
        }
        let Some(Rate { per_second }) = self.rate else { return Ok(Permission::Granted(wanted)) };
        // The bucket holds a second's worth, and never less than one message.
        let burst = (per_second.min(f64::from(u32::MAX)) as u32).max(1);
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX).min(burst);
        Ok(match self.cache.take_tokens(&format!("push:rate:{}", self.name), per_second, burst, wanted).await? {
            Tokens::Granted => Permission::Granted(wanted as usize),
            Tokens::WaitUntil(time) => Permission::Paced(time),
        })
    }

    /// Where the account's bucket is kept, and word of urgent alerts.
    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Waits until `time` of the platform's clock.
    pub(crate) async fn wait(&self, time: DateTime<Utc>) {
        self.clock.sleep_until(time).await;
    }

    /// The time after `wait`.
    pub(crate) fn time_after(&self, wait: TimeDelta) -> DateTime<Utc> {
        self.clock.now().checked_add_signed(wait).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// The provider wants to be left alone until then.
    pub(crate) async fn hold(&self, until: DateTime<Utc>) -> Result<(), Error> {
        let now = self.clock.now();
        if self.held_until().await?.is_some_and(|held| held >= until) {
            return Ok(());
        }
        let Ok(wait) = (until - now).to_std() else { return Ok(()) };
        tracing::warn!(account = self.name, wait_s = wait.as_secs(), "a push provider asks to wait");
        self.cache.set(&self.hold_key(), &until.timestamp_millis().to_be_bytes(), wait).await
    }

    /// The provider refuses our credentials: the alarm rings until it accepts a message again.
    pub(crate) fn refuse(&self, reason: &'static str) {
        if !self.refused.swap(true, Ordering::Relaxed) {
            tracing::error!(account = self.name, reason, "a push provider refuses our credentials: batches wait for an operator");
        }
        metrics::gauge!("push_credentials_refused", "account" => self.name.clone()).set(1.0);
    }

    /// The provider accepted a message.
    pub(crate) fn accept(&self) {
        if self.refused.load(Ordering::Relaxed) && self.refused.swap(false, Ordering::Relaxed) {
            tracing::info!(account = self.name, "a push provider accepts our credentials again");
            metrics::gauge!("push_credentials_refused", "account" => self.name.clone()).set(0.0);
        }
    }

    async fn held_until(&self) -> Result<Option<DateTime<Utc>>, Error> {
        let Some(bytes) = self.cache.get(&self.hold_key()).await? else { return Ok(None) };
        let until = <[u8; 8]>::try_from(bytes).ok().and_then(|bytes| DateTime::from_timestamp_millis(i64::from_be_bytes(bytes)));
        Ok(until.filter(|until| *until > self.clock.now()))
    }

    fn hold_key(&self) -> String {
        format!("push:hold:{}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn account(per_second: f64) -> (Account, Clock) {
        let clock = Clock::moved(DateTime::from_timestamp(1_700_000_000, 0).unwrap());
        let cache = Cache::in_process(&clock);
        (Account::new("apns".to_owned(), Some(Rate { per_second }), cache, clock.clone()), clock)
    }

    #[tokio::test]
    async fn an_account_sends_no_faster_than_its_rate() {
        let (account, clock) = account(100.0);
        assert_eq!(account.ask(64).await.unwrap(), Permission::Granted(64));
        let Permission::Paced(until) = account.ask(64).await.unwrap() else { panic!("the bucket holds 100") };
        clock.set(until);
        assert_eq!(account.ask(64).await.unwrap(), Permission::Granted(64));
    }

    #[tokio::test]
    async fn a_slow_account_is_granted_what_its_bucket_holds() {
        let (account, _) = account(0.5);
        assert_eq!(account.ask(64).await.unwrap(), Permission::Granted(1));
    }

    #[tokio::test]
    async fn a_held_account_waits_for_the_longest_time_it_was_told() {
        let (account, clock) = account(1000.0);
        let (soon, late) = (clock.now() + Duration::from_secs(5), clock.now() + Duration::from_secs(30));
        account.hold(late).await.unwrap();
        account.hold(soon).await.unwrap();
        assert_eq!(account.ask(1).await.unwrap(), Permission::Held(late));
        clock.set(late);
        assert_eq!(account.ask(1).await.unwrap(), Permission::Granted(1));
    }
}
