//! When an acknowledgement counts that was given before it arrived.
//!
//! "I have read it" is said on a phone that may be offline, in a lift or in a village: what counts is when it was said. The phone tells how long ago
//! that was, not at what time, since its clock may be wrong by years. So much is believed: not before the alert was there, not in the future,
//! not longer after the end of the alert than [`LATE`], when whoever looks after the silent has gone.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// So long after an alert's end an acknowledgement given before it is taken.
pub const LATE: TimeDelta = TimeDelta::hours(24);

/// From when an acknowledgement counts that arrives at `now` and was given so long `ago`; none if the alert was over when it was given, or is over for
/// too long.
pub fn counts_from(now: DateTime<Utc>, ago: Duration, released_at: DateTime<Utc>, expires_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let given = TimeDelta::from_std(ago).ok().and_then(|ago| now.checked_sub_signed(ago)).unwrap_or(released_at);
    // Whose phone says that it was before is believed that they have read it.
    let given = given.max(released_at).min(now);
    (given < expires_at && now < expires_at + LATE).then_some(given)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const HOUR: u64 = 3600;

    /// Released at hour 0, valid until hour 4.
    #[rstest]
    #[case::at_once(1, 0, Some(1))]
    #[case::said_offline_and_sent_in_time(3, 2 * HOUR, Some(1))]
    #[case::said_before_the_end_and_sent_after_it(5, 2 * HOUR, Some(3))]
    #[case::said_after_the_end(5, HOUR, None)]
    #[case::said_and_sent_after_the_end(5, 0, None)]
    #[case::said_at_the_very_end(4, 0, None)]
    #[case::sent_long_after_the_end(27, 24 * HOUR, Some(3))]
    #[case::sent_too_long_after_the_end(28, 25 * HOUR, None)]
    #[case::said_before_there_was_anything_to_read(3, 5 * HOUR, Some(0))]
    #[case::a_clock_that_makes_no_sense(3, u64::MAX, Some(0))]
    #[case::a_clock_that_makes_no_sense_and_too_late(30, u64::MAX, None)]
    #[case::before_its_release_by_the_clock_of_another_process(-1, 0, Some(-1))]
    fn an_acknowledgement_counts_from(#[case] now: i64, #[case] ago_s: u64, #[case] from: Option<i64>) {
        let hour = |hour: i64| DateTime::UNIX_EPOCH + TimeDelta::hours(hour);
        assert_eq!(counts_from(hour(now), Duration::from_secs(ago_s), hour(0), hour(4)), from.map(hour));
    }
}
