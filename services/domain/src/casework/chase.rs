//! Chasing 催办: how often somebody asks where their case is before supervision looks.

use chrono::{DateTime, TimeDelta, Utc};

use super::promises::Promises;

/// Whether a chase at `now`, after those at `earlier`, raises the case to supervision: so many in all, or so many within a day.
#[must_use]
pub fn raises(earlier: &[DateTime<Utc>], now: DateTime<Utc>, promises: &Promises) -> bool {
    let within_a_day = earlier.iter().filter(|at| now - **at <= TimeDelta::days(1)).count() + 1;
    let in_all = earlier.len() + 1;
    in_all >= promises.chases_in_all as usize || within_a_day >= promises.chases_within_a_day as usize
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::the_first(&[], false)]
    #[case::a_second_after_days(&[100], false)]
    #[case::a_second_within_a_day(&[24], true)]
    #[case::a_third(&[200, 100], true)]
    #[case::a_second_just_later(&[25], false)]
    fn the_third_chase_or_the_second_of_a_day_raises(#[case] hours_ago: &[i64], #[case] raised: bool) {
        let now = "2026-11-30T08:00:00Z".parse().unwrap();
        let earlier: Vec<DateTime<Utc>> = hours_ago.iter().map(|hours| now - TimeDelta::hours(*hours)).collect();
        assert_eq!(raises(&earlier, now, &Promises::default()), raised);
    }
}
