//! How a source is doing (CQ2, CQ6): its rhythm, whether it has fallen silent, how late its records are, how much of it is refused.
//!
//! A rhythm is learnt from the hours in which something came during the last weeks. A source is silent when nothing has come for longer than at
//! the same time of earlier weeks, so that one that pauses at night or at the weekend is not called silent then; and by more than it has ever
//! been late by, but for one exception, so that one without a rhythm rings no alarm. A person may set the rhythm instead, or say that there is none.

use chrono::{DateTime, TimeDelta, Utc};

/// So long arrivals are looked back at.
pub const HISTORY: TimeDelta = TimeDelta::weeks(6);
/// Days for which what came of a source is kept, hour by hour: longer than is looked back.
pub const KEPT_DAYS: u32 = 56;
/// A source that has not come for so long has no rhythm yet.
pub const LEARNING: TimeDelta = TimeDelta::weeks(2);
/// Fewer pauses than this make no rhythm.
const FEWEST_PAUSES: usize = 4;
/// Hours of a week.
const WEEK: usize = 7 * 24;
/// A pause is not called silence before it is so much longer than usual.
const SHORTEST_MARGIN: usize = 2;

/// What is expected of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expected {
    /// What it did in the last weeks.
    #[default]
    Learnt,
    /// Something at least every so many hours; a person has set it.
    Within(u32),
    /// Nothing; a person has set it.
    Nothing,
}

crate::words! {
    /// What is expected of a source, in a word.
    #[schema(as = SourceExpectation)]
    pub enum Expectation {
        /// What it did in the last weeks.
        Learnt,
        /// Something at least every so many hours.
        Within,
        /// Nothing.
        Nothing,
    }
}

impl Expected {
    /// What a word and its hours say; without hours nothing is due within them.
    #[must_use]
    pub const fn of(word: Expectation, hours: Option<u32>) -> Self {
        match (word, hours) {
            (Expectation::Within, Some(hours)) => Self::Within(hours),
            (Expectation::Nothing, _) => Self::Nothing,
            (Expectation::Learnt | Expectation::Within, _) => Self::Learnt,
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> Expectation {
        match self {
            Self::Learnt => Expectation::Learnt,
            Self::Within(_) => Expectation::Within,
            Self::Nothing => Expectation::Nothing,
        }
    }
}

crate::words! {
    /// Whether a source is silent.
    #[schema(as = SourceRhythm)]
    pub enum Rhythm {
        /// Too little is known, or nothing is expected.
        None => "尚无规律",
        /// It came as usual.
        Kept => "正常",
        /// Nothing came for longer than usual.
        Silent => "静默",
    }
}

/// The start of the hour in which a moment lies.
#[must_use]
pub fn hour_of(at: DateTime<Utc>) -> DateTime<Utc> {
    let seconds = at.timestamp().div_euclid(3_600) * 3_600;
    DateTime::from_timestamp(seconds, 0).unwrap_or(at)
}

/// The usual pause in hours, as far as there is one: half of the pauses are no longer. `arrivals` are hours in which something came.
#[must_use]
pub fn usual_pause(arrivals: &[DateTime<Utc>], now: DateTime<Utc>) -> Option<u32> {
    let pauses = Pauses::until(arrivals, now)?;
    u32::try_from(pauses.usual).ok()
}

/// What changes for a source, of which `silent_since` was told; none: nothing. Silence ends by an arrival, or when a person expects nothing more;
/// not because it has lasted for so long that no rhythm is known any more.
#[must_use]
pub fn change(silent_since: Option<DateTime<Utc>>, rhythm: Rhythm, last: DateTime<Utc>, expected: Expected) -> Option<Change> {
    match silent_since {
        None => (rhythm == Rhythm::Silent).then_some(Change::FellSilent),
        Some(since) if last > since => Some(Change::CameBack),
        Some(_) if rhythm == Rhythm::Silent || expected == Expected::Learnt => None,
        Some(_) => Some(Change::NoLongerExpected),
    }
}

/// What is told of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing came for longer than usual.
    FellSilent,
    /// Something came again.
    CameBack,
    /// What was set for it makes it silent no longer.
    NoLongerExpected,
}

/// Whether a source is silent at `now`, by the hours in which something came and the moment of the last arrival.
#[must_use]
pub fn rhythm(expected: Expected, arrivals: &[DateTime<Utc>], last: DateTime<Utc>, now: DateTime<Utc>) -> Rhythm {
    match expected {
        Expected::Nothing => Rhythm::None,
        Expected::Within(hours) if now - last > TimeDelta::hours(i64::from(hours)) => Rhythm::Silent,
        Expected::Within(_) => Rhythm::Kept,
        Expected::Learnt => match Pauses::until(arrivals, now) {
            None => Rhythm::None,
            Some(pauses) if pauses.is_silent() => Rhythm::Silent,
            Some(_) => Rhythm::Kept,
        },
    }
}

/// How long ago something had come, for every hour of the history.
struct Pauses {
    /// From the first arrival to now; the hour of an arrival has 0.
    since: Vec<usize>,
    /// The length that half of the pauses do not exceed.
    usual: usize,
}

impl Pauses {
    fn until(arrivals: &[DateTime<Utc>], now: DateTime<Utc>) -> Option<Self> {
        let end = hour_of(now);
        let mut hours: Vec<usize> = arrivals
            .iter()
            .filter_map(|at| usize::try_from((end - hour_of(*at)).num_hours()).ok())
            .filter(|ago| *ago <= HISTORY.num_hours() as usize)
            .collect();
        hours.sort_unstable_by(|one, other| other.cmp(one));
        hours.dedup();
        let (first, last) = (*hours.first()?, *hours.last()?);
        if ((first - last) as i64) < LEARNING.num_hours() {
            return None;
        }
        let mut pauses: Vec<usize> = hours.windows(2).map(|pair| pair[0] - pair[1]).collect();
        if pauses.len() < FEWEST_PAUSES {
            return None;
        }
        pauses.sort_unstable();
        let usual = pauses[(pauses.len() - 1) / 2];
        let mut since = Vec::with_capacity(first + 1);
        let mut arrived = hours.into_iter().peekable();
        let mut pause = 0;
        for ago in (0..=first).rev() {
            pause = if arrived.next_if_eq(&ago).is_some() { 0 } else { pause + 1 };
            since.push(pause);
        }
        Some(Self { since, usual })
    }

    /// How much earlier or later than in other weeks something may come.
    fn margin(&self) -> usize {
        (self.usual / 4).max(SHORTEST_MARGIN)
    }

    /// By how much the pause at an hour is longer than at the same time of the weeks before; none where there was none.
    fn excess(&self, hour: usize) -> Option<usize> {
        let margin = self.margin();
        let mut before: Vec<usize> = (1..)
            .map_while(|weeks| hour.checked_sub(weeks * WEEK))
            .map(|same| {
                let around = same.saturating_sub(margin)..=(same + margin).min(self.since.len() - 1);
                self.since[around].iter().copied().max().unwrap_or(0)
            })
            .collect();
        before.sort_unstable();
        // of several weeks one may have been out of the ordinary
        let expected = if before.len() > 2 { before[before.len() - 2] } else { *before.last()? };
        Some(self.since[hour].saturating_sub(expected))
    }

    fn is_silent(&self) -> bool {
        let now = self.since.len() - 1;
        if self.since[now] <= self.usual + self.margin() {
            return false;
        }
        self.excess(now).is_some_and(|excess| excess > self.margin().max(self.once_late_by(now)))
    }

    /// By how much pauses before this one were longer than at the same time of other weeks; the longest but one.
    fn once_late_by(&self, now: usize) -> usize {
        let began = now - self.since[now];
        let mut most_of_each = Vec::new();
        let mut most = 0;
        for hour in WEEK..began {
            if self.since[hour] == 0 {
                most_of_each.push(std::mem::take(&mut most));
            }
            most = most.max(self.excess(hour).unwrap_or(0));
        }
        most_of_each.push(most);
        most_of_each.sort_unstable();
        most_of_each.iter().rev().nth(1).copied().unwrap_or(0)
    }
}

/// Upper ends of the classes by which lateness is counted, in minutes; what is later is in a class of its own.
pub const LATENESS: [i64; 13] = [5, 15, 30, 60, 2 * 60, 4 * 60, 8 * 60, 12 * 60, 24 * 60, 2 * 1_440, 3 * 1_440, 7 * 1_440, 30 * 1_440];
/// How many classes there are.
pub const LATENESS_CLASSES: usize = LATENESS.len() + 1;

/// The class of a record that came so long after what it tells.
#[must_use]
pub fn lateness_class(late: TimeDelta) -> usize {
    LATENESS.partition_point(|end| *end < late.num_minutes())
}

/// Within how many minutes this share of the records came, in percent, as the end of its class; none without records. What is in the last class
/// has no end and is given the one before.
#[must_use]
pub fn late_by(classes: &[u64], percent: u64) -> Option<i64> {
    let all: u64 = classes.iter().sum();
    let wanted = (all * percent).div_ceil(100);
    let mut seen = 0;
    let class = classes.iter().position(|records| {
        seen += records;
        seen >= wanted
    })?;
    (all > 0).then(|| LATENESS[class.min(LATENESS.len() - 1)])
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike as _, Timelike as _, Weekday};
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    /// A Monday, midnight.
    fn monday() -> DateTime<Utc> {
        "2026-11-02T00:00:00Z".parse().unwrap()
    }

    /// The hours of the six weeks before `now` in which a source came.
    fn arrivals(now: DateTime<Utc>, came: impl Fn(DateTime<Utc>) -> bool) -> Vec<DateTime<Utc>> {
        (0..=HISTORY.num_hours()).map(|ago| now - TimeDelta::hours(ago)).filter(|hour| came(*hour)).collect()
    }

    fn at_eight_on_working_days(hour: DateTime<Utc>) -> bool {
        hour.hour() == 8 && !matches!(hour.weekday(), Weekday::Sat | Weekday::Sun)
    }

    fn hourly_by_day(hour: DateTime<Utc>) -> bool {
        (8..20).contains(&hour.hour())
    }

    fn told(came: impl Fn(DateTime<Utc>) -> bool, stopped: DateTime<Utc>, now: DateTime<Utc>) -> Rhythm {
        let arrivals = arrivals(now, |hour| hour < stopped && came(hour));
        let last = arrivals.first().copied().unwrap_or(stopped);
        rhythm(Expected::Learnt, &arrivals, last, now)
    }

    #[rstest]
    #[case::on_sunday_nothing_is_expected(at_eight_on_working_days, 99, 6 * 24 + 12, Rhythm::Kept)]
    #[case::nor_on_monday_before_eight(at_eight_on_working_days, 99, 7 * 24 + 7, Rhythm::Kept)]
    #[case::on_monday_it_may_be_a_little_late(at_eight_on_working_days, 7 * 24, 7 * 24 + 12, Rhythm::Kept)]
    #[case::but_not_the_whole_day(at_eight_on_working_days, 7 * 24, 7 * 24 + 18, Rhythm::Silent)]
    #[case::on_a_tuesday_as_well(at_eight_on_working_days, 24, 24 + 18, Rhythm::Silent)]
    #[case::nobody_comes_at_night(hourly_by_day, 99, 24 + 5, Rhythm::Kept)]
    #[case::in_the_morning_somebody_should(hourly_by_day, 24, 24 + 12, Rhythm::Silent)]
    #[case::two_hours_are_no_silence(hourly_by_day, 24 + 12, 24 + 13, Rhythm::Kept)]
    #[case::half_a_day_is(hourly_by_day, 24 + 9, 24 + 18, Rhythm::Silent)]
    fn a_pause_that_is_always_made_is_no_silence(
        #[case] came: fn(DateTime<Utc>) -> bool,
        #[case] stopped: i64,
        #[case] now: i64,
        #[case] expected: Rhythm,
    ) {
        let stopped = if stopped == 99 { now } else { stopped };
        assert_eq!(told(came, monday() + TimeDelta::hours(stopped), monday() + TimeDelta::hours(now)), expected);
    }

    #[test]
    fn a_source_without_history_has_no_rhythm() {
        let now = monday();
        let new = arrivals(now, |hour| hour > now - TimeDelta::days(13) && hour.hour() == 8);
        assert_eq!(rhythm(Expected::Learnt, &new, now, now + TimeDelta::days(5)), Rhythm::None, "it came for less than two weeks");
        assert_eq!(rhythm(Expected::Learnt, &[], now, now), Rhythm::None);
        assert_eq!(usual_pause(&new, now), None);
    }

    #[test]
    fn a_source_that_stays_away_is_silent_until_too_little_is_known_of_it() {
        for days in [3, 10, 20] {
            assert_eq!(told(|hour| hour.hour() == 8, monday(), monday() + TimeDelta::days(days)), Rhythm::Silent, "{days} days");
        }
    }

    #[test]
    fn one_week_of_holidays_is_forgotten_and_hides_no_silence() {
        let holidays = monday() - TimeDelta::days(21)..monday() - TimeDelta::days(14);
        let came = |hour: DateTime<Utc>| hour.hour() == 8 && !holidays.contains(&hour);
        assert_eq!(told(came, monday() + TimeDelta::hours(12), monday() + TimeDelta::hours(13)), Rhythm::Kept);
        assert_eq!(told(came, monday() + TimeDelta::hours(12), monday() + TimeDelta::hours(24 + 20)), Rhythm::Silent);
    }

    #[rstest]
    #[case::longer_than_it_may(Expected::Within(12), 13, Rhythm::Silent)]
    #[case::not_yet(Expected::Within(12), 12, Rhythm::Kept)]
    #[case::nothing_is_expected(Expected::Nothing, 999, Rhythm::None)]
    fn what_a_person_has_set_wins(#[case] expected: Expected, #[case] hours: i64, #[case] told: Rhythm) {
        assert_eq!(rhythm(expected, &[], monday(), monday() + TimeDelta::hours(hours)), told);
    }

    #[rstest]
    #[case::it_fell_silent(None, Rhythm::Silent, 0, Expected::Learnt, Some(Change::FellSilent))]
    #[case::it_is_told_once(Some(0), Rhythm::Silent, 0, Expected::Learnt, None)]
    #[case::it_came_again(Some(0), Rhythm::Kept, 5, Expected::Learnt, Some(Change::CameBack))]
    #[case::so_long_ago_that_nothing_is_known(Some(0), Rhythm::None, 0, Expected::Learnt, None)]
    #[case::nothing_is_expected_any_more(Some(0), Rhythm::None, 0, Expected::Nothing, Some(Change::NoLongerExpected))]
    #[case::more_time_is_given(Some(0), Rhythm::Kept, 0, Expected::Within(99), Some(Change::NoLongerExpected))]
    #[case::all_is_well(None, Rhythm::Kept, 0, Expected::Learnt, None)]
    fn a_silence_is_told_once_and_ends_by_an_arrival(
        #[case] since: Option<i64>,
        #[case] rhythm: Rhythm,
        #[case] last: i64,
        #[case] expected: Expected,
        #[case] told: Option<Change>,
    ) {
        let at = |hours| monday() + TimeDelta::hours(hours);
        assert_eq!(change(since.map(at), rhythm, at(last), expected), told);
    }

    #[test]
    fn lateness_is_told_by_the_end_of_its_class() {
        let mut classes = [0; LATENESS_CLASSES];
        for minutes in [1, 4, 10, 200, 100_000] {
            classes[lateness_class(TimeDelta::minutes(minutes))] += 1;
        }
        assert_eq!((late_by(&classes, 50), late_by(&classes, 80), late_by(&classes, 90)), (Some(15), Some(240), Some(43_200)));
        assert_eq!(late_by(&[0; LATENESS_CLASSES], 50), None);
        assert_eq!(lateness_class(TimeDelta::minutes(-3)), 0);
    }

    proptest! {
        /// Whoever comes at the same hours every week is never called silent for it, whichever hours these are.
        #[test]
        fn a_weekly_pattern_is_never_called_silent(hours in proptest::collection::btree_set(0i64..168, 1..40), now in 0i64..336) {
            let now = monday() + TimeDelta::hours(now);
            let came = |hour: DateTime<Utc>| hours.contains(&(hour - monday()).num_hours().rem_euclid(168));
            let arrivals = arrivals(now, came);
            let last = arrivals.first().copied().unwrap_or(now);
            prop_assert_ne!(rhythm(Expected::Learnt, &arrivals, last, now), Rhythm::Silent);
        }

        /// Whoever comes daily and stops is called silent within two days.
        #[test]
        fn whoever_came_daily_and_stops_is_soon_called_silent(hours in proptest::collection::btree_set(0u32..24, 1..24)) {
            prop_assert_eq!(told(|hour| hours.contains(&hour.hour()), monday(), monday() + TimeDelta::days(2)), Rhythm::Silent);
        }
    }
}
