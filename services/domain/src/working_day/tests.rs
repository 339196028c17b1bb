use chrono::TimeDelta;
use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The same question asked of the notices themselves: walk day by day and count.
fn walked(start: NaiveDate, working_days: u32) -> NaiveDate {
    let rows: BTreeMap<&str, &str> =
        include_str!("../../data/working-days.csv").lines().skip(1).map(|line| (&line[..10], &line[11..15])).collect();
    let (mut today, mut left) = (start, working_days);
    while left > 0 {
        today = today.succ_opt().unwrap();
        let works = match rows.get(today.to_string().as_str()) {
            Some(&"work") => true,
            Some(_) => false,
            None => today.weekday().number_from_monday() <= 5,
        };
        left -= u32::from(works);
    }
    today
}

/// Every start day of the notices, 1 to 60 working days, against days counted one by one in a single walk backwards and forwards.
#[test]
fn every_day_of_the_notices_and_every_period_up_to_sixty_days_agrees_with_counting_one_by_one() {
    let calendar = Calendar::china();
    let rows: BTreeMap<&str, &str> =
        include_str!("../../data/working-days.csv").lines().skip(1).map(|line| (&line[..10], &line[11..15])).collect();
    let days: Vec<NaiveDate> = day("2004-01-01").iter_days().take_while(|today| today.year() <= 2026).collect();
    assert_eq!(days.len(), 8_401);
    let works: Vec<bool> = days
        .iter()
        .map(|today| match rows.get(today.to_string().as_str()) {
            Some(kind) => *kind == "work",
            None => today.weekday().number_from_monday() <= 5,
        })
        .collect();
    let mut compared = 0;
    for start in 0..days.len() {
        let mut counted = 0;
        for (next, _) in works.iter().enumerate().skip(start + 1).filter(|(_, works)| **works) {
            counted += 1;
            let due = calendar.after(days[start], counted);
            assert_eq!((due.day, due.provisional), (days[next], false), "{counted} working days after {}", days[start]);
            compared += 1;
            if counted == 60 {
                break;
            }
        }
    }
    assert!(compared > 8_300 * 60, "{compared} compared");
}

#[rstest]
#[case::an_ordinary_week("2026-11-30", 3, "2026-12-03")]
#[case::over_a_weekend("2026-11-26", 3, "2026-12-01")]
#[case::from_a_saturday("2026-11-28", 1, "2026-11-30")]
#[case::over_golden_week("2026-09-30", 3, "2026-10-10")]
#[case::a_make_up_sunday_counts("2026-09-18", 1, "2026-09-20")]
#[case::over_spring_festival("2026-02-13", 5, "2026-02-27")]
#[case::a_make_up_saturday_of_spring_festival("2026-02-27", 1, "2026-02-28")]
#[case::over_new_year_2026("2025-12-31", 1, "2026-01-04")]
fn a_period_ends_on_its_last_working_day(#[case] start: &str, #[case] working_days: u32, #[case] last: &str) {
    let due = Calendar::china().after(day(start), working_days);
    assert_eq!((due.day, due.provisional), (day(last), false));
    assert_eq!(walked(day(start), working_days), day(last));
}

#[test]
fn what_reaches_into_a_year_without_a_notice_is_provisional_and_leaves_the_fixed_holidays_out() {
    let calendar = Calendar::china();
    let due = calendar.after(day("2026-12-31"), 1);
    assert_eq!((due.day, due.provisional), (day("2027-01-04"), true), "1 January is a Friday and free");
    assert_eq!(calendar.kind(day("2027-01-01")), DayKind::ProvisionalHoliday);
    assert_eq!(calendar.holiday(day("2027-01-01")), Some(Holiday::NewYear));
    assert_eq!(calendar.kind(day("2026-12-31")), DayKind::WorkingDay);
}

#[test]
fn a_day_ends_at_midnight_of_the_city() {
    let last = LastDay { day: day("2026-12-03"), provisional: false };
    assert_eq!(last.end(Tz::Asia__Shanghai), "2026-12-04T00:00:00+08:00".parse::<DateTime<Utc>>().unwrap());
    // clocks go forward at midnight in Beirut: 28 March 2027 begins at one o'clock
    let before = LastDay { day: day("2027-03-27"), provisional: true };
    assert_eq!(before.end(Tz::Asia__Beirut), "2027-03-28T01:00:00+03:00".parse::<DateTime<Utc>>().unwrap());
}

#[test]
fn why_a_day_is_the_last_is_told_day_by_day() {
    let calendar = Calendar::china();
    let told = calendar.reasons(day("2026-09-30"), day("2026-10-10"), &[]);
    let counted: Vec<_> = told.iter().filter(|day| day.counts).map(|day| (day.day.to_string(), day.n.unwrap(), day.reason)).collect();
    assert_eq!(
        counted,
        [
            ("2026-10-08".to_owned(), 1, DayKind::WorkingDay),
            ("2026-10-09".to_owned(), 2, DayKind::WorkingDay),
            ("2026-10-10".to_owned(), 3, DayKind::MakeUpWorkday)
        ]
    );
    assert_eq!((told.len(), told[0].reason, told[1].holiday), (11, DayKind::IntakeDay, Some(Holiday::NationalDay)));
}

#[test]
fn days_of_a_pause_do_not_count() {
    let told = Calendar::china().reasons(day("2026-11-30"), day("2026-12-07"), &[(day("2026-12-01"), day("2026-12-03"))]);
    let counted: Vec<String> = told.iter().filter(|day| day.counts).map(|day| day.day.to_string()).collect();
    assert_eq!(counted, ["2026-12-01", "2026-12-04", "2026-12-07"]);
    assert_eq!(told[2].reason, DayKind::Paused);
}

#[rstest]
#[case::no_day("day,kind,holiday\n2026-13-01,rest,national_day", CalendarError::Line(2))]
#[case::no_word("day,kind,holiday\n2026-10-01,free,national_day", CalendarError::Line(2))]
#[case::no_holiday("day,kind,holiday\n2026-10-01,rest,jubilee", CalendarError::Line(2))]
#[case::one_field_more("day,kind,holiday\n2026-10-01,rest,national_day,x", CalendarError::Line(2))]
#[case::before_the_calendar("day,kind,holiday\n1999-10-01,rest,national_day", CalendarError::Line(2))]
#[case::twice("day,kind,holiday\n2026-10-01,rest,national_day\n2026-10-01,rest,national_day", CalendarError::Twice(3))]
#[case::rest_on_a_weekend("day,kind,holiday\n2026-10-03,rest,national_day", CalendarError::NoChange(2))]
#[case::work_on_a_weekday("day,kind,holiday\n2026-10-08,work,national_day", CalendarError::NoChange(2))]
#[case::nothing("day,kind,holiday\n", CalendarError::Empty)]
fn a_wrong_list_is_refused_by_line(#[case] list: &str, #[case] error: CalendarError) {
    assert_eq!(Calendar::of(list), Err(error));
}

#[test]
fn a_city_may_bring_its_own_days() {
    let calendar = Calendar::of("day,kind,holiday\n2026-12-25,rest,local\n").unwrap();
    assert_eq!(calendar.after(day("2026-12-24"), 1).day, day("2026-12-28"));
    assert_eq!(calendar.after(day("2026-09-30"), 1).day, day("2026-10-01"), "and has no others");
}

proptest! {
    /// For days that notices tell of and for those that none does: counting forth and back agree.
    #[test]
    fn a_period_holds_as_many_working_days_as_it_is_long(offset in 0..30_000i64, working_days in 1..260u32) {
        let calendar = Calendar::china();
        let start = FIRST + TimeDelta::days(offset);
        let due = calendar.after(start, working_days);
        prop_assert!(calendar.kind(due.day).works());
        prop_assert_eq!(calendar.between(start, due.day), working_days);
        prop_assert_eq!(calendar.between(start, due.day.pred_opt().unwrap()), working_days - 1);
        let told = calendar.reasons(start, due.day, &[]);
        prop_assert_eq!(told.iter().filter(|day| day.counts).count(), working_days as usize);
        prop_assert_eq!(told.last().and_then(|day| day.n), Some(working_days));
    }

    #[test]
    fn a_later_start_is_never_due_earlier(offset in 0..30_000i64, later in 0..20i64, working_days in 1..60u32) {
        let (calendar, start) = (Calendar::china(), FIRST + TimeDelta::days(offset));
        let (one, other) = (calendar.after(start, working_days), calendar.after(start + TimeDelta::days(later), working_days));
        prop_assert!(one.day <= other.day);
    }

    #[test]
    fn no_list_breaks_the_reader(list in "\\PC{0,200}") {
        let _ = Calendar::of(&list);
    }
}
