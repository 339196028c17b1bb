//! A cron expression in a time zone, and the next moment that it names.
//!
//! Six fields: second, minute, hour, day of the month, month, day of the week (0 and 7 are Sunday, names are understood). A day must
//! fit **both** of its fields, as in `tokio-cron-scheduler`, which wakes by the same expressions. Where clocks change:
//!
//! - one time of day (`0 30 2 * * *`) comes once a day: the first of the two where clocks are put back, and as much later as they were
//!   put forward where they skip it;
//! - several (`0 */15 * * * *`) come whenever the clock on the wall shows them: in both passes of an hour that comes twice, and not at
//!   all in one that is skipped.
//!
//! `croner` reads the expression and looks in the calendar. It is asked without a time zone: where an hour comes twice it would name
//! moments that are over.

use chrono::{DateTime, LocalResult, NaiveDateTime, Offset as _, SubsecRound as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use croner::parser::{CronParser, Seconds, Year};
use croner::{Cron, JobType};

/// Jobs are not due oftener.
const SHORTEST_STEP: TimeDelta = TimeDelta::minutes(1);

/// When a job is due, again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    cron: Cron,
    zone: Tz,
    expression: String,
}

/// Why an expression is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleFault {
    /// It cannot be read.
    #[error(
        "\"{expression}\" is no cron expression: write second, minute, hour, day, month and day of the week, such as \"0 30 3 * * *\" ({reason})"
    )]
    Unreadable {
        /// As it was given.
        expression: String,
        /// What the parser said.
        reason: String,
    },
    /// No calendar has such a day.
    #[error("\"{expression}\" names a day that never comes")]
    Never {
        /// As it was given.
        expression: String,
    },
    /// Its times lie too close together.
    #[error("\"{expression}\" comes oftener than once a minute: name one second")]
    TooOften {
        /// As it was given.
        expression: String,
    },
}

impl Schedule {
    /// Reads an expression that holds in this time zone.
    ///
    /// # Errors
    /// When it cannot be read, never comes, or comes oftener than once a minute.
    pub fn parse(expression: &str, zone: Tz) -> Result<Self, ScheduleFault> {
        let named = || expression.to_owned();
        let parser = CronParser::builder().seconds(Seconds::Required).year(Year::Disallowed).dom_and_dow(true).build();
        let cron =
            parser.parse(expression).map_err(|fault| ScheduleFault::Unreadable { expression: named(), reason: fault.to_string() })?;
        let next = |after| cron.find_next_occurrence(&after, false).map_err(|_| ScheduleFault::Never { expression: named() });
        let first = next(DateTime::UNIX_EPOCH)?;
        if next(first)? - first < SHORTEST_STEP {
            return Err(ScheduleFault::TooOften { expression: named() });
        }
        Ok(Self { cron, zone, expression: named() })
    }

    /// The expression, as it was given.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// Where it holds.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The first moment after this one that it names. The end of time when the calendar has come to an end (year 5000).
    pub fn next_after(&self, after: DateTime<Utc>) -> DateTime<Utc> {
        // the parts of a second that have passed would be carried along
        let after = after.trunc_subsecs(0);
        let wall = after.with_timezone(&self.zone).naive_local();
        let next = self.first_from(wall, after);
        let put_back = self.offset(after) - self.offset(after + TimeDelta::days(1));
        if put_back <= TimeDelta::zero() {
            return next;
        }
        // what the wall has shown already it may show once more, and sooner
        next.min(self.first_from(wall - put_back, after))
    }

    /// The first moment after `after` among those at which the wall shows something later than `wall`.
    fn first_from(&self, mut wall: NaiveDateTime, after: DateTime<Utc>) -> DateTime<Utc> {
        while let Ok(shown) = self.cron.find_next_occurrence(&wall.and_utc(), false) {
            wall = shown.naive_utc();
            if let Some(moment) = self.moments(wall).into_iter().flatten().find(|moment| *moment > after) {
                return moment;
            }
        }
        DateTime::<Utc>::MAX_UTC
    }

    /// When the clock on the wall shows this, in order, as far as the schedule means it.
    fn moments(&self, wall: NaiveDateTime) -> [Option<DateTime<Utc>>; 2] {
        let one_a_day = self.cron.determine_job_type() == JobType::FixedTime;
        match self.zone.from_local_datetime(&wall) {
            LocalResult::Single(moment) => [Some(moment.to_utc()), None],
            LocalResult::Ambiguous(first, second) => [Some(first.to_utc()), (!one_a_day).then(|| second.to_utc())],
            LocalResult::None if one_a_day => {
                // by the clock as it went the day before
                let before = self.offset((wall - TimeDelta::days(1)).and_utc());
                [Some((wall - before).and_utc()), None]
            }
            LocalResult::None => [None, None],
        }
    }

    /// By how much the clock on the wall is ahead of UTC.
    fn offset(&self, moment: DateTime<Utc>) -> TimeDelta {
        TimeDelta::seconds(self.zone.offset_from_utc_datetime(&moment.naive_utc()).fix().local_minus_utc().into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn schedule(expression: &str, zone: &str) -> Schedule {
        Schedule::parse(expression, zone.parse().unwrap()).unwrap()
    }

    #[rstest]
    #[case::nightly_in_chongqing("0 30 3 * * *", "2026-03-02T12:00:00+08:00", "2026-03-03T03:30:00+08:00")]
    #[case::a_second_before("0 30 3 * * *", "2026-03-02T03:29:59+08:00", "2026-03-02T03:30:00+08:00")]
    #[case::at_its_time_the_next_one("0 30 3 * * *", "2026-03-02T03:30:00+08:00", "2026-03-03T03:30:00+08:00")]
    #[case::within_its_second("0 30 3 * * *", "2026-03-02T03:29:59.5+08:00", "2026-03-02T03:30:00+08:00")]
    #[case::every_five_minutes("0 */5 * * * *", "2026-12-31T23:57:00+08:00", "2027-01-01T00:00:00+08:00")]
    #[case::mondays("0 0 9 * * MON", "2026-03-02T09:00:00+08:00", "2026-03-09T09:00:00+08:00")]
    #[case::first_of_the_month("0 10 2 1 * *", "2026-01-31T12:00:00+08:00", "2026-02-01T02:10:00+08:00")]
    #[case::last_of_the_month("0 10 2 L * *", "2028-02-10T12:00:00+08:00", "2028-02-29T02:10:00+08:00")]
    #[case::both_days_must_fit("0 0 9 13 * FRI", "2026-03-14T00:00:00+08:00", "2026-11-13T09:00:00+08:00")]
    #[case::leap_day("0 0 0 29 2 *", "2026-03-02T00:00:00+08:00", "2028-02-29T00:00:00+08:00")]
    fn the_next_time_comes_by_the_citys_clock(#[case] expression: &str, #[case] after: &str, #[case] next: &str) {
        assert_eq!(schedule(expression, "Asia/Shanghai").next_after(at(after)), at(next));
    }

    // On 2026-03-29 Berlin goes from 02:00 +01:00 to 03:00 +02:00, on 2026-10-25 from 03:00 +02:00 back to 02:00 +01:00.
    #[rstest]
    #[case::skipped("0 30 2 * * *", "2026-03-29T00:00:00+01:00", "2026-03-29T03:30:00+02:00")]
    #[case::after_the_skipped_one("0 30 2 * * *", "2026-03-29T03:30:00+02:00", "2026-03-30T02:30:00+02:00")]
    #[case::the_first_of_two("0 30 2 * * *", "2026-10-25T00:00:00+02:00", "2026-10-25T02:30:00+02:00")]
    #[case::not_the_second_of_two("0 30 2 * * *", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00")]
    #[case::nor_in_the_second_pass("0 30 2 * * *", "2026-10-25T02:10:00+01:00", "2026-10-26T02:30:00+01:00")]
    #[case::quarters_skip_the_hour("0 */15 * * * *", "2026-03-29T01:45:00+01:00", "2026-03-29T03:00:00+02:00")]
    #[case::quarters_of_the_first_pass("0 */15 * * * *", "2026-10-25T02:30:00+02:00", "2026-10-25T02:45:00+02:00")]
    #[case::quarters_go_on_into_the_second_pass("0 */15 * * * *", "2026-10-25T02:45:00+02:00", "2026-10-25T02:00:00+01:00")]
    #[case::quarters_of_the_second_pass("0 */15 * * * *", "2026-10-25T02:15:00+01:00", "2026-10-25T02:30:00+01:00")]
    #[case::quarters_after_it("0 */15 * * * *", "2026-10-25T02:45:00+01:00", "2026-10-25T03:00:00+01:00")]
    #[case::the_second_pass_before_next_year("0 30 1,2 25 10 *", "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00")]
    #[case::from_summer_into_winter("0 0 6,18 1 * *", "2026-10-02T00:00:00+02:00", "2026-11-01T06:00:00+01:00")]
    fn changes_of_the_clocks_bring_no_surprise(#[case] expression: &str, #[case] after: &str, #[case] next: &str) {
        assert_eq!(schedule(expression, "Europe/Berlin").next_after(at(after)), at(next));
    }

    #[rstest]
    #[case::five_fields("30 3 * * *")]
    #[case::no_such_hour("0 30 24 * * *")]
    #[case::words("every night")]
    #[case::nothing("")]
    #[case::a_year("0 30 3 * * * 2027")]
    fn what_cannot_be_read_is_refused_with_an_example(#[case] expression: &str) {
        let fault = Schedule::parse(expression, Tz::Asia__Shanghai).unwrap_err();
        assert!(matches!(&fault, ScheduleFault::Unreadable { .. }) && fault.to_string().contains("0 30 3 * * *"), "{fault}");
    }

    #[rstest]
    #[case::every_second("* * * * * *")]
    #[case::twice_a_minute("0,30 * * * * *")]
    #[case::twice_in_one_minute_a_day("10,50 30 3 * * *")]
    fn what_comes_oftener_than_once_a_minute_is_refused(#[case] expression: &str) {
        assert!(matches!(Schedule::parse(expression, Tz::Asia__Shanghai), Err(ScheduleFault::TooOften { .. })));
    }

    #[test]
    fn a_day_that_never_comes_is_refused() {
        assert!(matches!(Schedule::parse("0 0 0 30 2 *", Tz::Asia__Shanghai), Err(ScheduleFault::Never { .. })));
    }

    proptest! {
        /// Wherever clocks change: the next time lies ahead, the wall shows it, and nothing that it shows was left out in between.
        #[test]
        fn the_next_time_is_ahead_and_is_the_first(
            seconds in 1_750_000_000i64..1_830_000_000,
            zone in prop::sample::select(vec![Tz::Asia__Shanghai, Tz::Europe__Berlin, Tz::America__New_York, Tz::Australia__Lord_Howe]),
            expression in prop::sample::select(vec!["0 */20 * * * *", "0 15 1,2,3 * * *", "0 0 */6 * * *"]),
        ) {
            let (schedule, after) = (Schedule::parse(expression, zone).unwrap(), DateTime::from_timestamp(seconds, 0).unwrap());
            let next = schedule.next_after(after);
            prop_assert!(next > after);
            let shown = |moment: DateTime<Utc>| schedule.cron.is_time_matching(&moment.with_timezone(&zone)).unwrap();
            prop_assert!(shown(next));
            let mut minute = DateTime::from_timestamp(seconds - seconds % 60 + 60, 0).unwrap();
            while minute < next {
                prop_assert!(!shown(minute), "{minute} was left out");
                minute += TimeDelta::minutes(1);
            }
        }
    }
}
