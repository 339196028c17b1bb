//! How long a resident's sign-in on a device holds.
//!
//! It ends when it was not used for long: the phone is lost, sold, in a drawer. After a year it ends as soon as it was not used for some days, so that
//! no forgotten device opens an inbox for ever; whoever uses theirs is not put out of it. When it was used is known to the day, which is enough for
//! both and costs one write a day.

use chrono::{DateTime, TimeDelta, Utc};

/// How exactly it is known when a sign-in was used last.
pub const USE_KNOWN_TO: TimeDelta = TimeDelta::days(1);
/// What was used within these days is in use: it outlives its longest time.
pub const IN_USE: TimeDelta = TimeDelta::days(14);

/// How long sign-ins hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Without being used.
    pub idle: TimeDelta,
    /// At most, unless it is in use.
    pub longest: TimeDelta,
}

/// A sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignIn {
    /// Since when it is.
    pub since: DateTime<Utc>,
    /// When it was used last, as far as was noted.
    pub used: DateTime<Utc>,
}

/// What is to be done with a request that presents a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// It holds.
    Holds {
        /// Whether it has to be noted that it was used.
        note: bool,
    },
    /// It has ended.
    Over,
}

impl SignIn {
    /// How it stands at `now`.
    #[must_use]
    pub fn presented(self, now: DateTime<Utc>, terms: Terms) -> Presented {
        let unused = now - self.used;
        if unused > terms.idle || (now - self.since > terms.longest && unused > IN_USE) {
            return Presented::Over;
        }
        Presented::Holds { note: unused >= USE_KNOWN_TO }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const TERMS: Terms = Terms { idle: TimeDelta::days(90), longest: TimeDelta::days(365) };

    fn sign_in(used_on: i64) -> SignIn {
        SignIn { since: DateTime::UNIX_EPOCH, used: DateTime::UNIX_EPOCH + TimeDelta::days(used_on) }
    }

    #[rstest]
    #[case::just_now(0, 0, Presented::Holds { note: false })]
    #[case::the_next_day(0, 1, Presented::Holds { note: true })]
    #[case::on_the_last_day(0, 90, Presented::Holds { note: true })]
    #[case::too_long_unused(0, 91, Presented::Over)]
    #[case::used_for_a_year(365, 365, Presented::Holds { note: false })]
    #[case::in_use_after_a_year(365, 366, Presented::Holds { note: true })]
    #[case::in_use_after_two_years(720, 734, Presented::Holds { note: true })]
    #[case::after_a_year_not_in_use(351, 366, Presented::Over)]
    fn how_long_it_holds(#[case] used_on: i64, #[case] today: i64, #[case] presented: Presented) {
        assert_eq!(sign_in(used_on).presented(DateTime::UNIX_EPOCH + TimeDelta::days(today), TERMS), presented);
    }

    proptest! {
        #[test]
        fn what_is_over_stays_over(used_on in 0..400_i64, today in 0..800_i64, later in 0..800_i64) {
            let at = |day| DateTime::UNIX_EPOCH + TimeDelta::days(day);
            prop_assume!(today >= used_on);
            if sign_in(used_on).presented(at(today), TERMS) == Presented::Over {
                prop_assert_eq!(sign_in(used_on).presented(at(today + later), TERMS), Presented::Over);
            }
        }
    }
}
