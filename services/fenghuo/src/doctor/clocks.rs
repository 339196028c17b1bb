//! Whether another machine's clock goes with this one's, as a finding.

use chrono::{DateTime, Utc};
use platform::skew::{self, Apart, Skew};

use super::finding::Finding;

/// What was asked of another clock, and when.
pub(super) struct Asked(skew::Asked);

impl Asked {
    /// Notes the time before the question.
    pub(super) fn now() -> Self {
        Self(skew::Asked::now())
    }

    /// Holds the answer against this machine's clock.
    pub(super) fn finding(self, check: &'static str, theirs: DateTime<Utc>) -> Finding {
        judge(check, self.0.answered(theirs))
    }
}

fn judge(check: &'static str, skew: Skew) -> Finding {
    match skew.apart() {
        Apart::TooFar => Finding::fail(check, skew.to_string(), skew::REMEDY),
        Apart::Somewhat => Finding::warn(check, skew.to_string(), skew::REMEDY),
        Apart::Not => Finding::ok(check, skew.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::together(3, 1, "ok    cache clock      3ms ahead of this machine's")]
    #[case::somewhat_behind(-1_500, 10, "warn  cache clock      1.5s behind this machine's → ")]
    #[case::too_far_apart(61_000, 10, "fail  cache clock      61s ahead of this machine's → ")]
    #[case::far_but_asked_over_a_slow_line(5_500, 1_000, "warn ")]
    fn clocks_may_differ_by_a_second(#[case] ahead_ms: i64, #[case] uncertain_ms: i64, #[case] line: &str) {
        let found =
            judge("cache clock", Skew { ahead: TimeDelta::milliseconds(ahead_ms), uncertain: TimeDelta::milliseconds(uncertain_ms) })
                .to_string();
        assert!(found.starts_with(line), "{found}");
    }
}
