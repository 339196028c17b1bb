//! Whether another machine's clock goes with this one's. Leases and rates do not depend on it; deadlines, quiet hours, sessions and what people are
//! shown do.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Clock;

/// Less is no matter.
const NOTICED: TimeDelta = TimeDelta::seconds(1);
/// With more than this, processes disagree about what is due and what has expired.
const HARMFUL: TimeDelta = TimeDelta::seconds(5);

/// What an operator does about it.
pub const REMEDY: &str = "synchronise the clocks of both machines (chrony, systemd-timesyncd)";

/// A question to another clock.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    before: DateTime<Utc>,
}

impl Asked {
    /// Notes the time before the question.
    #[must_use]
    pub fn now() -> Self {
        Self { before: Clock::real().now() }
    }

    /// Holds the answer against this machine's clock, at the middle of the time that it took.
    #[must_use]
    pub fn answered(self, theirs: DateTime<Utc>) -> Skew {
        let took = Clock::real().now() - self.before;
        Skew { ahead: theirs - (self.before + took / 2), uncertain: took / 2 }
    }
}

/// How far another clock is from this machine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skew {
    /// How far the other is ahead,
    pub ahead: TimeDelta,
    /// give or take this.
    pub uncertain: TimeDelta,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// They go together.
    Not,
    /// Not yet harmful.
    Somewhat,
    /// They have to be set.
    TooFar,
}

impl Skew {
    /// How bad it is, as far as it is certain.
    #[must_use]
    pub fn apart(self) -> Apart {
        let least = self.ahead.abs() - self.uncertain;
        if least > HARMFUL {
            Apart::TooFar
        } else if least > NOTICED {
            Apart::Somewhat
        } else {
            Apart::Not
        }
    }

    /// What to tell an operator of the clock of `whose`, if anything.
    #[must_use]
    pub fn note(self, whose: &str) -> Option<String> {
        (self.apart() != Apart::Not).then(|| format!("the {whose}'s clock is {self}: {REMEDY}"))
    }
}

impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = Duration::from_millis(self.ahead.abs().num_milliseconds().unsigned_abs());
        let side = if self.ahead < TimeDelta::zero() { "behind" } else { "ahead of" };
        write!(f, "{millis:?} {side} this machine's")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::together(3, 1, None)]
    #[case::somewhat_behind(-1_500, 10, Some("the database's clock is 1.5s behind this machine's: synchronise the clocks of both machines"))]
    #[case::too_far_apart(61_000, 10, Some("the database's clock is 61s ahead of this machine's: "))]
    #[case::asked_over_a_slow_line(1_500, 1_000, None)]
    fn an_operator_is_told_of_clocks_that_differ_by_more_than_a_second(
        #[case] ahead_ms: i64,
        #[case] uncertain_ms: i64,
        #[case] expected: Option<&str>,
    ) {
        let skew = Skew { ahead: TimeDelta::milliseconds(ahead_ms), uncertain: TimeDelta::milliseconds(uncertain_ms) };
        let note = skew.note("database");
        assert!(note.as_deref().unwrap_or_default().starts_with(expected.unwrap_or_default()), "{note:?}");
        assert_eq!(note.is_some(), expected.is_some());
    }
}
