//! One account at a provider: how fast it may send, and whether it may send at all.
//!
//! An account is APNs, one Firebase project, or one push service. Its token bucket and its hold (`Retry-After`) are kept in the cache, so all
//! processes share them; both are looked at once for some hundred messages. Where the cache is away, each process keeps them for itself. What the
//! account was answered of late decides whose fault a refusal is ([`domain::refusal`]) and how fast it is used ([`domain::pace`]).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use domain::pace::Pace;
use domain::refusal::{Answers, Said, Window};
use platform::Error;
use platform::cache::{Cache, Tokens};
use platform::clock::Clock;

use crate::cache_away::CacheAway;

/// Messages for which permission is asked at once.
pub(crate) const CHUNK: usize = 256;
/// What Google asks for when it names no time; it is waited for only where it asks repeatedly.
const DEFAULT_HOLD: TimeDelta = TimeDelta::seconds(60);

/// Many answers ask for the same wait within a moment; a later end by less than this is the same.
const ONCE_IS_ENOUGH: TimeDelta = TimeDelta::seconds(1);

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
    away: CacheAway,
    /// In the place of a cache that is away.
    own: Cache,
    clock: Clock,
    standing: Mutex<Standing>,
}

/// How the provider has treated the account of late, as this process has seen it.
#[derive(Debug, Default)]
struct Standing {
    window: Window,
    pace: Pace,
    held_until: Option<DateTime<Utc>>,
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
        let (own, away, refused) = (Cache::in_process(&clock), CacheAway::default(), AtomicBool::new(false));
        Self { name, rate, refused, cache, away, own, clock, standing: Mutex::default() }
    }

    /// Asks to send up to `wanted` messages.
    pub(crate) async fn ask(&self, wanted: usize) -> Result<Permission, Error> {
        if let Some(until) = self.held_until().await {
            return Ok(Permission::Held(until));
        }
        let Some(Rate { per_second }) = self.rate else { return Ok(Permission::Granted(wanted)) };
        let share = self.standing().pace.share(self.clock.now());
        metrics::gauge!("push_pace", "account" => self.name.clone()).set(share);
        let per_second = per_second * share;
        // The bucket holds a second's worth, and never less than one message.
        let burst = (per_second.min(f64::from(u32::MAX)) as u32).max(1);
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX).min(burst);
        let bucket = format!("push:rate:{}", self.name);
        let shared = self.away.or_without(&self.name, self.cache.take_tokens(&bucket, per_second, burst, wanted)).await;
        let tokens = match shared {
            Some(tokens) => tokens,
            None => self.own.take_tokens(&bucket, per_second, burst, wanted).await?,
        };
        Ok(match tokens {
            Tokens::Granted => Permission::Granted(wanted as usize),
            Tokens::WaitUntil(time) => Permission::Paced(time),
        })
    }

    /// Where word of urgent alerts is found; nowhere while the cache is away.
    pub(crate) fn cache(&self) -> Option<&Cache> {
        (!self.away.is_away()).then_some(&self.cache)
    }

    /// Waits until `time` of the platform's clock.
    pub(crate) async fn wait(&self, time: DateTime<Utc>) {
        self.clock.sleep_until(time).await;
    }

    /// The provider took so many messages, whatever it has refused before.
    pub(crate) fn accepted(&self, many: u32) {
        if many == 0 {
            return;
        }
        if self.refused.load(Ordering::Relaxed) && self.refused.swap(false, Ordering::Relaxed) {
            tracing::info!(account = self.name, "a push provider accepts our credentials again");
            metrics::gauge!("push_credentials_refused", "account" => self.name.clone()).set(0.0);
        }
        let mut standing = self.standing();
        standing.window.saw_accepted(many);
        standing.pace.accepted(many);
    }

    /// It refused one for a reason that may be ours.
    pub(crate) fn refused_one(&self) {
        self.standing().window.saw(Said::Refused);
    }

    /// What it said of late, to all batches.
    pub(crate) fn answers(&self) -> Answers {
        self.standing().window.answers()
    }

    /// It asked to slow down: the account is used more slowly, and not at all for a while where it asks again and again.
    pub(crate) async fn throttled(&self, retry_after: Option<TimeDelta>) {
        let now = self.clock.now();
        let (cut, repeated) = {
            let mut standing = self.standing();
            standing.window.saw(Said::Throttled);
            let repeated = standing.window.is_throttled();
            if repeated {
                standing.window.rested();
            }
            (standing.pace.throttled(now), repeated)
        };
        if cut {
            tracing::info!(account = self.name, "a push provider asks to slow down");
        }
        if repeated {
            self.hold(now.checked_add_signed(retry_after.unwrap_or(DEFAULT_HOLD)).unwrap_or(DateTime::<Utc>::MAX_UTC)).await;
        }
    }

    /// The provider wants to be left alone until then.
    pub(crate) async fn hold(&self, until: DateTime<Utc>) {
        let now = self.clock.now();
        {
            let mut standing = self.standing();
            if standing.held_until.is_some_and(|held| until - held < ONCE_IS_ENOUGH) {
                return;
            }
            standing.held_until = Some(until);
        }
        let Ok(wait) = (until - now).to_std() else { return };
        tracing::warn!(account = self.name, wait_s = wait.as_secs(), "a push provider asks to wait");
        let (key, until) = (self.hold_key(), until.timestamp_millis().to_be_bytes());
        self.away.or_without(&self.name, self.cache.set(&key, &until, wait)).await;
    }

    /// The provider refuses our credentials: the alarm rings until it accepts a message again.
    pub(crate) fn refuse(&self, reason: &'static str) {
        if !self.refused.swap(true, Ordering::Relaxed) {
            tracing::error!(account = self.name, reason, "a push provider refuses us: batches wait for an operator");
        }
        metrics::gauge!("push_credentials_refused", "account" => self.name.clone()).set(1.0);
    }

    /// By what was said to this process, else to another.
    async fn held_until(&self) -> Option<DateTime<Utc>> {
        let now = self.clock.now();
        if let Some(until) = self.standing().held_until.filter(|until| *until > now) {
            return Some(until);
        }
        let bytes = self.away.or_without(&self.name, self.cache.get(&self.hold_key())).await??;
        let until = <[u8; 8]>::try_from(bytes).ok().and_then(|bytes| DateTime::from_timestamp_millis(i64::from_be_bytes(bytes)));
        until.filter(|until| *until > now)
    }

    fn hold_key(&self) -> String {
        format!("push:hold:{}", self.name)
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        // Plain numbers: nothing is left half done by a panic.
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
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
        account.hold(late).await;
        account.hold(soon).await;
        assert_eq!(account.ask(1).await.unwrap(), Permission::Held(late));
        clock.set(late);
        assert_eq!(account.ask(1).await.unwrap(), Permission::Granted(1));
    }

    #[tokio::test]
    async fn one_word_halves_the_pace_of_an_account_and_repeated_words_hold_it() {
        let (account, clock) = account(1000.0);
        account.accepted(64);
        account.throttled(None).await;
        assert_eq!(account.ask(1000).await.unwrap(), Permission::Granted(500), "it does not stand still for one answer");
        for _ in 0..70 {
            account.throttled(None).await;
        }
        let until = clock.now() + DEFAULT_HOLD;
        assert_eq!(account.ask(1).await.unwrap(), Permission::Held(until));
        clock.set(until);
        assert_eq!(account.ask(1000).await.unwrap(), Permission::Granted(1000));
    }
}
