//! Whether another machine's clock goes with this one's: leases, tokens and deadlines are held against both.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use platform::clock::Clock;

use super::finding::Finding;

/// Less is no matter.
const NOTICED: TimeDelta = TimeDelta::seconds(1);
/// A batch's lease is 30 s: with more than this, processes take each other's work.
const HARMFUL: TimeDelta = TimeDelta::seconds(5);

/// What was asked of another clock, and when.
pub(super) struct Asked {
    before: DateTime<Utc>,
}

impl Asked {
    /// Notes the time before the question.
    pub(super) fn now() -> Self {
        Self { before: Clock::real().now() }
    }

    /// Holds the answer against this machine's clock, at the middle of the time that it took.
    pub(super) fn finding(self, check: &'static str, theirs: DateTime<Utc>) -> Finding {
        let took = Clock::real().now() - self.before;
        judge(check, theirs - (self.before + took / 2), took / 2)
    }
}

/// `ahead` is how far the other clock is before this one, give or take `uncertain`.
fn judge(check: &'static str, ahead: TimeDelta, uncertain: TimeDelta) -> Finding {
    let least = ahead.abs() - uncertain;
    let millis = Duration::from_millis(ahead.abs().num_milliseconds().unsigned_abs());
    let what = format!("{millis:?} {} this machine's", if ahead < TimeDelta::zero() { "behind" } else { "ahead of" });
    let remedy = "synchronise the clocks of both machines (chrony, systemd-timesyncd)";
    if least > HARMFUL {
        Finding::fail(check, what, remedy)
    } else if least > NOTICED {
        Finding::warn(check, what, remedy)
    } else {
        Finding::ok(check, what)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::together(3, 1, "ok    cache clock      3ms ahead of this machine's")]
    #[case::somewhat_behind(-1_500, 10, "warn  cache clock      1.5s behind this machine's → ")]
    #[case::too_far_apart(61_000, 10, "fail  cache clock      61s ahead of this machine's → ")]
    #[case::far_but_asked_over_a_slow_line(5_500, 1_000, "warn ")]
    fn clocks_may_differ_by_a_second(#[case] ahead_ms: i64, #[case] uncertain_ms: i64, #[case] line: &str) {
        let found = judge("cache clock", TimeDelta::milliseconds(ahead_ms), TimeDelta::milliseconds(uncertain_ms)).to_string();
        assert!(found.starts_with(line), "{found}");
    }
}
