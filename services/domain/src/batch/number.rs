//! Which batch of its wave and channel a batch is.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which batch of its alert, wave and channel this is. Never negative.
///
/// A number says where the batch comes from, so planning or closing again after a crash makes the same numbers, and the ledger's unique key
/// (alert, wave, channel, number) refuses the second copy. From the lowest bit:
///
/// | bits  | holds |
/// |-------|-------|
/// | 0–19  | the planned batch it stems from, 0 … 1,048,575 (524 million recipients) |
/// | 20–23 | which retry of it on its first channel, 0 = none |
/// | 24    | 1 = the fallback batch of that one |
/// | 25–28 | which retry of the fallback batch, 0 = none |
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "i32", into = "i32")]
#[schema(value_type = i32)]
pub struct BatchNumber(i32);

/// Where a batch comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Cut from the wave's audience: the `n`-th from 0.
    Planned(u32),
    /// The `attempt`-th retry (1 … 15) of a planned or a fallback batch.
    Retry {
        /// The batch that was sent first, not a retry itself.
        of: BatchNumber,
        /// Counted from 1.
        attempt: u8,
    },
    /// Those whom `of` could not reach on its channel, now by SMS.
    Fallback {
        /// A planned batch or a retry of one.
        of: BatchNumber,
    },
}

/// Why there is no such batch number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchNumberError {
    /// More planned batches than a number can tell apart.
    #[error("planned batch {0} is beyond the last possible one, {MAX_PLANNED}")]
    TooManyPlanned(u32),
    /// A retry is counted from 1 to 15.
    #[error("retry {0} is not between 1 and {MAX_RETRIES}")]
    RetryOutOfRange(u8),
    /// Retries count from the batch that was sent first.
    #[error("batch {0} is a retry: retry the batch it stems from")]
    RetryOfRetry(BatchNumber),
    /// There is one fallback, to SMS, and none from there.
    #[error("batch {0} has fallen back to SMS: there is no further channel")]
    FallbackOfFallback(BatchNumber),
    /// A stored number that no batch can have.
    #[error("{0} is not a batch number")]
    NotANumber(i32),
}

/// The highest planned batch.
pub const MAX_PLANNED: u32 = (1 << PLANNED_BITS) - 1;
/// Retries of one batch on one channel at most.
pub const MAX_RETRIES: u8 = 15;

const PLANNED_BITS: u32 = 20;
const RETRY: Field = Field { shift: 20, mask: 0xf };
const FALLBACK: Field = Field { shift: 24, mask: 1 };
const FALLBACK_RETRY: Field = Field { shift: 25, mask: 0xf };
const ALL_BITS: i32 = (1 << 29) - 1;

/// A few bits of a batch number.
struct Field {
    shift: u32,
    mask: i32,
}

impl Field {
    const fn read(&self, number: i32) -> i32 {
        (number >> self.shift) & self.mask
    }

    const fn write(&self, number: i32, value: i32) -> i32 {
        (number & !(self.mask << self.shift)) | (value << self.shift)
    }
}

impl BatchNumber {
    /// The number for the ledger.
    pub const fn get(self) -> i32 {
        self.0
    }

    /// The `n`-th planned batch, from 0.
    pub const fn planned(n: u32) -> Result<Self, BatchNumberError> {
        if n > MAX_PLANNED { Err(BatchNumberError::TooManyPlanned(n)) } else { Ok(Self(n as i32)) }
    }

    /// The batch for whoever must be tried once more on the same channel after this batch.
    pub fn next_retry(self) -> Result<Self, BatchNumberError> {
        let field = self.retry_field();
        let next = field.read(self.0) + 1;
        if next > i32::from(MAX_RETRIES) {
            return Err(BatchNumberError::RetryOutOfRange(MAX_RETRIES + 1));
        }
        Ok(Self(field.write(self.0, next)))
    }

    /// The SMS batch for whoever this app batch could not reach.
    pub fn fallback(self) -> Result<Self, BatchNumberError> {
        if self.is_fallback() { Err(BatchNumberError::FallbackOfFallback(self)) } else { Ok(Self(FALLBACK.write(self.0, 1))) }
    }

    /// Whether the batch stems from one that could not reach its recipients by app.
    pub const fn is_fallback(self) -> bool {
        FALLBACK.read(self.0) == 1
    }

    /// Which send on its channel this batch is: 1 for a planned or fallback batch, 2 for the first retry. As [`next_step`](crate::outcome::next_step) counts.
    pub const fn attempt(self) -> u8 {
        // Four bits and one: at most 16.
        self.retry_field().read(self.0) as u8 + 1
    }

    /// Where the batch comes from.
    pub const fn origin(self) -> Origin {
        let field = self.retry_field();
        let retry = field.read(self.0);
        if retry > 0 {
            Origin::Retry { of: Self(field.write(self.0, 0)), attempt: retry as u8 }
        } else if self.is_fallback() {
            Origin::Fallback { of: Self(FALLBACK.write(self.0, 0)) }
        } else {
            Origin::Planned(self.0 as u32)
        }
    }

    const fn retry_field(self) -> &'static Field {
        if self.is_fallback() { &FALLBACK_RETRY } else { &RETRY }
    }
}

impl TryFrom<Origin> for BatchNumber {
    type Error = BatchNumberError;

    fn try_from(origin: Origin) -> Result<Self, BatchNumberError> {
        match origin {
            Origin::Planned(n) => Self::planned(n),
            Origin::Fallback { of } => of.fallback(),
            Origin::Retry { of, .. } if of.attempt() > 1 => Err(BatchNumberError::RetryOfRetry(of)),
            Origin::Retry { attempt, .. } if attempt == 0 || attempt > MAX_RETRIES => Err(BatchNumberError::RetryOutOfRange(attempt)),
            Origin::Retry { of, attempt } => Ok(Self(of.retry_field().write(of.0, i32::from(attempt)))),
        }
    }
}

impl TryFrom<i32> for BatchNumber {
    type Error = BatchNumberError;

    fn try_from(number: i32) -> Result<Self, BatchNumberError> {
        let is_retry_of_no_fallback = FALLBACK.read(number) == 0 && FALLBACK_RETRY.read(number) != 0;
        if number & !ALL_BITS != 0 || is_retry_of_no_fallback { Err(BatchNumberError::NotANumber(number)) } else { Ok(Self(number)) }
    }
}

impl From<BatchNumber> for i32 {
    fn from(number: BatchNumber) -> Self {
        number.0
    }
}

impl fmt::Display for BatchNumber {
    /// For logs: `17`, `17 retry 2`, `17 retry 2 by SMS retry 1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin() {
            Origin::Planned(n) => write!(f, "{n}"),
            Origin::Retry { of, attempt } => write!(f, "{of} retry {attempt}"),
            Origin::Fallback { of } => write!(f, "{of} by SMS"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    /// Every number that stems from the planned batch `n`: retries, fallbacks of each, retries of those.
    fn descendants(n: u32) -> Vec<BatchNumber> {
        let mut all = Vec::new();
        let mut by_app = BatchNumber::planned(n).unwrap();
        loop {
            all.push(by_app);
            let mut by_sms = by_app.fallback().unwrap();
            loop {
                all.push(by_sms);
                let Ok(next) = by_sms.next_retry() else { break };
                by_sms = next;
            }
            let Ok(next) = by_app.next_retry() else { break };
            by_app = next;
        }
        all
    }

    #[rstest]
    #[case::planned(Origin::Planned(70_000), 70_000, "70000")]
    #[case::the_first(Origin::Planned(0), 0, "0")]
    #[case::retried(Origin::Retry { of: BatchNumber(7), attempt: 2 }, 7 + (2 << 20), "7 retry 2")]
    #[case::fallen_back(Origin::Fallback { of: BatchNumber(7) }, 7 + (1 << 24), "7 by SMS")]
    #[case::fallen_back_after_retries(Origin::Fallback { of: BatchNumber(7 + (2 << 20)) }, 7 + (2 << 20) + (1 << 24), "7 retry 2 by SMS")]
    #[case::fallback_retried(Origin::Retry { of: BatchNumber(7 + (1 << 24)), attempt: 15 }, 7 + (1 << 24) + (15 << 25), "7 by SMS retry 15")]
    fn a_number_tells_where_its_batch_comes_from(#[case] origin: Origin, #[case] number: i32, #[case] shown: &str) {
        let batch = BatchNumber::try_from(origin).unwrap();
        assert_eq!(batch.get(), number);
        assert_eq!(batch.origin(), origin);
        assert_eq!(batch.to_string(), shown);
    }

    #[rstest]
    #[case::too_many(Origin::Planned(1 << 20), BatchNumberError::TooManyPlanned(1 << 20))]
    #[case::retry_zero(Origin::Retry { of: BatchNumber(7), attempt: 0 }, BatchNumberError::RetryOutOfRange(0))]
    #[case::retry_sixteen(Origin::Retry { of: BatchNumber(7), attempt: 16 }, BatchNumberError::RetryOutOfRange(16))]
    #[case::retry_of_a_retry(Origin::Retry { of: BatchNumber(1 << 20), attempt: 1 }, BatchNumberError::RetryOfRetry(BatchNumber(1 << 20)))]
    #[case::fallback_twice(Origin::Fallback { of: BatchNumber(1 << 24) }, BatchNumberError::FallbackOfFallback(BatchNumber(1 << 24)))]
    fn an_origin_that_cannot_be_is_refused(#[case] origin: Origin, #[case] expected: BatchNumberError) {
        assert_eq!(BatchNumber::try_from(origin), Err(expected));
    }

    #[test]
    fn every_batch_that_can_stem_from_one_has_a_number_of_its_own() {
        let all = descendants(70_000);
        assert_eq!(all.len(), 16 + 16 * 16);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        assert_eq!(all.iter().map(|batch| batch.attempt()).max(), Some(16));
    }

    proptest! {
        #[test]
        fn batches_of_different_planned_batches_never_share_a_number(a in 0..=MAX_PLANNED, b in 0..=MAX_PLANNED) {
            prop_assume!(a != b);
            let of_a: BTreeSet<_> = descendants(a).into_iter().collect();
            prop_assert!(descendants(b).iter().all(|batch| !of_a.contains(batch)));
        }

        #[test]
        fn a_number_is_made_again_from_its_origin(n in 0..=MAX_PLANNED) {
            for batch in descendants(n) {
                prop_assert_eq!(BatchNumber::try_from(batch.origin()), Ok(batch));
                prop_assert_eq!(BatchNumber::try_from(batch.get()), Ok(batch));
            }
        }

        #[test]
        fn a_stored_number_is_a_batch_or_an_error(number: i32) {
            match BatchNumber::try_from(number) {
                Ok(batch) => prop_assert_eq!(BatchNumber::try_from(batch.origin()), Ok(batch)),
                Err(error) => prop_assert_eq!(error, BatchNumberError::NotANumber(number)),
            }
        }
    }
}
