//! How long to wait before trying again: exponential backoff with jitter, without a random generator of its own.
//!
//! Thousands of batches fail at the same moment when a provider goes down. Were they all to come back at the same moment, they would push it over
//! again, so every wait is spread over its upper half. The randomness is passed in: a test or a rehearsal gets the same waits every time.

use std::time::Duration;

/// The growth of waits from one attempt to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first attempt.
    pub base: Duration,
    /// No wait is longer.
    pub cap: Duration,
    /// Each wait is this many times the one before.
    pub factor: u32,
}

impl Backoff {
    /// For messages to providers: 5 s, 15 s, 45 s, 135 s, then 300 s.
    pub const SENDING: Self = Self { base: Duration::from_secs(5), cap: Duration::from_secs(300), factor: 3 };

    /// The longest wait after the `attempt`-th attempt (the first is 1; 0 counts as 1).
    pub fn ceiling(&self, attempt: u8) -> Duration {
        let growth = self.factor.saturating_pow(u32::from(attempt.saturating_sub(1)));
        self.base.saturating_mul(growth).min(self.cap)
    }

    /// The wait after the `attempt`-th attempt: between half of [`ceiling`](Self::ceiling) and all of it, as `seed` falls.
    pub fn delay(&self, attempt: u8, seed: u64) -> Duration {
        spread(self.ceiling(attempt), seed)
    }
}

/// A wait between half of `longest` and all of it. `seed` is a random number, evenly distributed over `u64`.
pub fn spread(longest: Duration, seed: u64) -> Duration {
    let half = longest / 2;
    let share = (u128::from(seed) * (longest - half).as_nanos()) >> 64;
    // The share is below half of a Duration; where its nanoseconds exceed u64 (584 years) the wait is as good as endless anyway.
    half.saturating_add(Duration::from_nanos(u64::try_from(share).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, 5)]
    #[case(1, 5)]
    #[case(2, 15)]
    #[case(3, 45)]
    #[case(4, 135)]
    #[case(5, 300)]
    #[case(6, 300)]
    #[case(255, 300)]
    fn waits_grow_to_the_cap(#[case] attempt: u8, #[case] seconds: u64) {
        assert_eq!(Backoff::SENDING.ceiling(attempt), Duration::from_secs(seconds));
    }

    #[test]
    fn jitter_uses_the_whole_upper_half() {
        let longest = Duration::from_secs(10);
        assert_eq!(spread(longest, 0), Duration::from_secs(5));
        assert_eq!(spread(longest, 1 << 63), Duration::from_millis(7_500));
        assert!(spread(longest, u64::MAX) > Duration::from_millis(9_999));
    }

    proptest! {
        #[test]
        fn a_wait_is_never_shorter_than_half_nor_longer_than_the_cap(
            base in 0u64..1 << 40, cap in 0u64..1 << 40, factor: u32, attempt: u8, seed: u64
        ) {
            let backoff = Backoff { base: Duration::from_millis(base), cap: Duration::from_millis(cap), factor };
            let (wait, ceiling) = (backoff.delay(attempt, seed), backoff.ceiling(attempt));
            prop_assert!(wait <= ceiling && ceiling <= backoff.cap);
            prop_assert!(wait >= ceiling / 2);
        }
    }
}
