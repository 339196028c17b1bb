//! When a provider's word that endpoints are gone is believed.
//!
//! A person who loses the app goes on being told by SMS; a provider that is wrong about everybody, or a setting of ours that makes it so, would
//! cost a city its app until each person opens it again. So what is said gone is only marked: it is not addressed any more, and comes back by
//! itself when the app registers again. And of one alert's devices only a small share may be marked: beyond that an operator decides.

use chrono::TimeDelta;

/// A mark stands for so long before the device is deleted: a mistake is found within days, and phones that are used register again meanwhile.
pub const KEPT: TimeDelta = TimeDelta::days(14);

/// So many may always be marked: with few devices a share says nothing.
pub const ALWAYS: u64 = 20;

/// Whether so many of an alert's devices may be marked as gone. `most` is in percent.
pub const fn is_credible(gone: u64, asked: u64, most: u32) -> bool {
    gone <= ALWAYS || gone.saturating_mul(100) <= asked.saturating_mul(most as u64)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::the_usual_few(80, 4_000, true)]
    #[case::one_in_ten(400, 4_000, true)]
    #[case::more_than_one_in_ten(401, 4_000, false)]
    #[case::everybody(1_000, 1_000, false)]
    #[case::all_of_a_few(20, 20, true)]
    #[case::all_of_a_few_more(21, 21, false)]
    #[case::not_known_of_how_many(21, 0, false)]
    fn only_a_small_share_is_believed_to_be_gone(#[case] gone: u64, #[case] asked: u64, #[case] credible: bool) {
        assert_eq!(is_credible(gone, asked, 10), credible);
    }

    #[test]
    fn an_operator_may_allow_all() {
        assert!(is_credible(1_000, 1_000, 100));
    }
}
