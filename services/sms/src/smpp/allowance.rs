//! The account's rate, asked for in small handfuls: asking the cache for every single part would cost more than the part.

use platform::Error;
use platform::cache::{Cache, Tokens};
use tokio::sync::Mutex;

use crate::settings::Settings;

/// At most so many parts are granted beforehand,
const LARGEST_HANDFUL: u32 = 64;
/// and never more than a process may send in the so-manieth part of a second.
const PART_OF_A_SECOND: u32 = 20;

/// What this process has been granted and not used.
#[derive(Debug, Default)]
pub(super) struct Allowance(Mutex<u32>);

impl Allowance {
    /// Takes one token of the account's bucket, which all processes share.
    pub(super) async fn take(&self, cache: &Cache, settings: &Settings) -> Result<Tokens, Error> {
        let mut left = self.0.lock().await;
        if *left == 0 {
            let rate = settings.rate_per_second.get();
            let handful = (rate / PART_OF_A_SECOND).clamp(1, LARGEST_HANDFUL);
            let bucket = format!("sms:rate:{}", settings.system_id);
            match cache.take_tokens(&bucket, f64::from(rate), rate, handful).await? {
                Tokens::Granted => *left = handful,
                wait => return Ok(wait),
            }
        }
        *left -= 1;
        Ok(Tokens::Granted)
    }
}

/// Codes have this part of the account's rate at most: what is left is the alerts', whoever asks for codes.
const CODES_SHARE: u32 = 10;

/// Takes one token of the codes' own bucket, which all processes share. It is taken before a code stands in line for the account.
pub(super) async fn take_for_code(cache: &Cache, settings: &Settings) -> Result<Tokens, Error> {
    let rate = settings.codes_per_second.get().min(settings.rate_per_second.get() / CODES_SHARE).max(1);
    cache.take_tokens(&format!("sms:code-rate:{}", settings.system_id), f64::from(rate), rate, 1).await
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use chrono::DateTime;
    use platform::clock::Clock;
    use rstest::rstest;

    use super::*;

    #[tokio::test]
    async fn over_a_second_no_more_is_granted_than_the_account_has() {
        let clock = Clock::moved(DateTime::from_timestamp(1_700_000_000, 0).unwrap());
        let (cache, allowance) = (Cache::in_process(&clock), Allowance::default());
        let settings = Settings { rate_per_second: NonZeroU32::new(100).unwrap(), ..Settings::default() };
        let mut granted = 0;
        while allowance.take(&cache, &settings).await.unwrap() == Tokens::Granted {
            granted += 1;
        }
        assert_eq!(granted, 100, "what the bucket holds");
        clock.forward(std::time::Duration::from_millis(500));
        while allowance.take(&cache, &settings).await.unwrap() == Tokens::Granted {
            granted += 1;
        }
        assert_eq!(granted, 150);
    }

    #[rstest]
    #[case::as_set(20, 1_000, 20)]
    #[case::a_tenth_of_a_small_account(20, 50, 5)]
    #[case::never_none(20, 2, 1)]
    #[tokio::test]
    async fn codes_have_a_small_part_of_the_account_and_never_none(#[case] set: u32, #[case] account: u32, #[case] a_second: u32) {
        let clock = Clock::moved(DateTime::from_timestamp(1_700_000_000, 0).unwrap());
        let cache = Cache::in_process(&clock);
        let nonzero = |number| NonZeroU32::new(number).unwrap();
        let settings = Settings { rate_per_second: nonzero(account), codes_per_second: nonzero(set), ..Settings::default() };
        for _ in 0..3 {
            let mut granted = 0;
            while take_for_code(&cache, &settings).await.unwrap() == Tokens::Granted {
                granted += 1;
            }
            assert_eq!(granted, a_second);
            clock.forward(std::time::Duration::from_secs(1));
        }
    }
}
