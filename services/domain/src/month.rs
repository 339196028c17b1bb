//! Calendar months, for what is kept by the month.
//!
//! A UUID of version 7 begins with the millisecond it was made in (RFC 9562 §5.7), so the names given in one month are one
//! range of UUIDs: a table partitioned by such a range loses a whole month at once, without looking at its rows. Months are
//! those of UTC, in which the milliseconds are counted.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, Utc};
use uuid::Uuid;

/// Bits of a UUID of version 7 below its milliseconds.
const BELOW_MILLISECONDS: u32 = 80;

/// A month of UTC. Written `2026_03`, as it stands in a table's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// Months since the year 0.
    number: i32,
}

/// The text is no month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a month is written like 2026_03")]
pub struct NotAMonth;

impl Month {
    /// The month of a moment.
    #[must_use]
    pub fn of(time: DateTime<Utc>) -> Self {
        Self { number: time.year() * 12 + time.month0().cast_signed() }
    }

    /// The month in which a UUID of version 7 was made.
    #[must_use]
    pub fn of_id(id: Uuid) -> Self {
        let millis = i64::try_from(id.as_u128() >> BELOW_MILLISECONDS).unwrap_or(i64::MAX);
        // 48 bits of milliseconds end in the year 10889, well within what a time can be
        Self::of(DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC))
    }

    /// The month so many later.
    #[must_use]
    pub fn later(self, months: u32) -> Self {
        Self { number: self.number.saturating_add_unsigned(months) }
    }

    /// The month so many earlier.
    #[must_use]
    pub fn earlier(self, months: u32) -> Self {
        Self { number: self.number.saturating_sub_unsigned(months) }
    }

    /// Its first moment.
    #[must_use]
    pub fn begins_at(self) -> DateTime<Utc> {
        let (year, month) = self.parts();
        NaiveDate::from_ymd_opt(year, month, 1).map_or(DateTime::<Utc>::MAX_UTC, |day| day.and_time(NaiveTime::MIN).and_utc())
    }

    /// The lowest UUID of version 7 that can be made in it, and the bound above the month before. The very lowest for months
    /// before 1970, the very highest for months after the last that such a UUID can name.
    #[must_use]
    pub fn lowest_id(self) -> Uuid {
        let Ok(millis) = u128::try_from(self.begins_at().timestamp_millis()) else { return Uuid::nil() };
        Uuid::from_u128(if millis >> (u128::BITS - BELOW_MILLISECONDS) == 0 { millis << BELOW_MILLISECONDS } else { u128::MAX })
    }

    /// The highest UUID that can be made in it.
    #[must_use]
    pub fn highest_id(self) -> Uuid {
        Uuid::from_u128(self.later(1).lowest_id().as_u128().saturating_sub(1))
    }

    /// Year and month of the year, from 1.
    fn parts(self) -> (i32, u32) {
        (self.number.div_euclid(12), self.number.rem_euclid(12).unsigned_abs() + 1)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month) = self.parts();
        write!(f, "{year:04}_{month:02}")
    }
}

impl FromStr for Month {
    type Err = NotAMonth;

    fn from_str(text: &str) -> Result<Self, NotAMonth> {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        match text.split_once('_') {
            Some((year, month)) if year.len() == 4 && month.len() == 2 && digits(year) && digits(month) => {
                let (year, month): (i32, i32) = (year.parse().map_err(|_| NotAMonth)?, month.parse().map_err(|_| NotAMonth)?);
                if (1..=12).contains(&month) { Ok(Self { number: year * 12 + month - 1 }) } else { Err(NotAMonth) }
            }
            _ => Err(NotAMonth),
        }
    }
}

/// How long a table keeps its months, and how early it makes those that come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// Months kept before the present one.
    pub past: u32,
    /// Months made before they begin.
    pub ahead: u32,
}

impl Keeping {
    /// The months that should be there at `now` and are not among `made`, earliest first.
    #[must_use]
    pub fn to_make(self, now: DateTime<Utc>, made: &BTreeSet<Month>) -> Vec<Month> {
        let present = Month::of(now);
        (0..=self.ahead).map(|months| present.later(months)).filter(|month| !made.contains(month)).collect()
    }

    /// The months among `made` that are over and done with at `now`, earliest first.
    #[must_use]
    pub fn to_drop(self, now: DateTime<Utc>, made: &BTreeSet<Month>) -> Vec<Month> {
        made.range(..self.first_kept(now)).copied().collect()
    }

    /// The earliest month that is kept at `now`.
    #[must_use]
    pub fn first_kept(self, now: DateTime<Utc>) -> Month {
        Month::of(now).earlier(self.past)
    }

    /// The latest month that is made at `now`.
    #[must_use]
    pub fn last_made(self, now: DateTime<Utc>) -> Month {
        Month::of(now).later(self.ahead)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use uuid::{NoContext, Timestamp};

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn months(texts: &[&str]) -> BTreeSet<Month> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[rstest]
    #[case::its_first_millisecond("2026-03-01T00:00:00Z", "2026_03")]
    #[case::its_last_millisecond("2026-03-31T23:59:59.999Z", "2026_03")]
    #[case::the_end_of_a_year("2026-12-31T23:59:59.999Z", "2026_12")]
    #[case::a_new_year("2027-01-01T00:00:00Z", "2027_01")]
    #[case::utc_decides("2026-04-01T07:59:59+08:00", "2026_03")]
    fn a_moment_lies_in_its_month(#[case] moment: &str, #[case] month: &str) {
        assert_eq!(Month::of(at(moment)).to_string(), month);
    }

    #[test]
    fn the_ids_of_a_month_are_a_range_that_its_neighbours_continue() {
        let march: Month = "2026_03".parse().unwrap();
        assert_eq!(march.lowest_id().to_string(), "019ca6b1-dc00-0000-0000-000000000000");
        assert_eq!(march.highest_id().to_string(), "019d4656-ffff-ffff-ffff-ffffffffffff");
        assert_eq!(march.highest_id().as_u128() + 1, march.later(1).lowest_id().as_u128());
        assert_eq!(march.earlier(3).to_string(), "2025_12");
        assert_eq!(march.earlier(3).later(3), march);
    }

    #[rstest]
    #[case("2026-03")]
    #[case("2026_13")]
    #[case("2026_00")]
    #[case("2026_3")]
    #[case("+026_03")]
    #[case("default")]
    fn what_is_no_month_is_refused(#[case] text: &str) {
        assert_eq!(text.parse::<Month>(), Err(NotAMonth));
    }

    #[test]
    fn months_that_no_id_can_name_have_the_outermost_ids() {
        assert_eq!("1969_12".parse::<Month>().unwrap().lowest_id(), Uuid::nil());
        assert_eq!(Month::of(at("1970-01-01T00:00:00Z")).earlier(1).highest_id(), Uuid::nil());
        assert_eq!(Month { number: 12_000 * 12 }.lowest_id(), Uuid::max());
        assert_eq!(Month::of_id(Uuid::max()).to_string(), "10889_08");
    }

    #[test]
    fn the_present_and_the_coming_months_are_made_once() {
        let keeping = Keeping { past: 24, ahead: 2 };
        let all = keeping.to_make(at("2026-11-15T00:00:00Z"), &BTreeSet::new());
        assert_eq!(all, Vec::from_iter(months(&["2026_11", "2026_12", "2027_01"])));
        let one_is_missing = keeping.to_make(at("2026-12-01T00:00:00Z"), &months(&["2026_11", "2026_12", "2027_01"]));
        assert_eq!(one_is_missing, Vec::from_iter(months(&["2027_02"])));
        assert_eq!(keeping.last_made(at("2026-12-01T00:00:00Z")).to_string(), "2027_02");
    }

    #[test]
    fn a_month_is_dropped_when_the_months_to_keep_lie_between_it_and_the_present_one() {
        let keeping = Keeping { past: 2, ahead: 2 };
        let made = months(&["2025_12", "2026_01", "2026_02", "2026_03", "2026_04"]);
        assert_eq!(keeping.to_drop(at("2026-02-28T23:59:59Z"), &made), []);
        assert_eq!(keeping.to_drop(at("2026-03-31T23:59:59Z"), &made), Vec::from_iter(months(&["2025_12"])));
        assert_eq!(keeping.to_drop(at("2026-04-01T00:00:00Z"), &made), Vec::from_iter(months(&["2025_12", "2026_01"])));
    }

    proptest! {
        #[test]
        fn an_id_lies_between_the_bounds_of_the_month_it_was_made_in(seconds in 0u64..200_000_000_000, nanos in 0u32..1_000_000_000) {
            let id = Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, nanos));
            let month = Month::of(DateTime::from_timestamp(seconds.cast_signed(), nanos).unwrap());
            prop_assert!((month.lowest_id()..=month.highest_id()).contains(&id));
            prop_assert_eq!(Month::of_id(id), month);
            prop_assert_eq!(month.to_string().parse::<Month>(), Ok(month));
        }
    }
}
