//! Working days 工作日: which days count towards a deadline in days, and why a deadline is on the day it is on.
//!
//! China's calendar is no rule but a notice of each year: weekdays become holidays, and weekends become workdays that make up for them. A
//! [`Calendar`] is such notices, or any other city's list of days, counted once: the working day that is the n-th after a day is one look-up, however
//! far away it is. A period in working days begins on the first working day after the day of its cause and ends at 24:00 of its last.
//!
//! For a year that no notice tells of, weekends and the holidays of fixed date stand in; a deadline that reaches into such a year is provisional.

mod day;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

pub use day::{DayCounted, DayKind, Holiday};

/// The first day that a calendar knows.
const FIRST: NaiveDate = NaiveDate::from_ymd_opt(2004, 1, 1).expect("a date");
/// The first day that it does not know any more.
const END: NaiveDate = NaiveDate::from_ymd_opt(2100, 1, 1).expect("a date");

/// Holidays of China that are on the same date each year, for years without a notice. Those by the moon are not guessed.
const FIXED: [(u32, u32, Holiday); 6] = [
    (1, 1, Holiday::NewYear),
    (5, 1, Holiday::LabourDay),
    (5, 2, Holiday::LabourDay),
    (10, 1, Holiday::NationalDay),
    (10, 2, Holiday::NationalDay),
    (10, 3, Holiday::NationalDay),
];

static CHINA: LazyLock<Calendar> = LazyLock::new(|| {
    Calendar::of(include_str!("../data/working-days.csv")).expect("the list is part of the program and a test reads every row")
});

/// A list of days cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// Not a day, `rest` or `work`, and a holiday's word.
    #[error(
        "line {0} of the list of days is not a day of 2004 to 2099, rest or work, and the word of a holiday, such as 2026-10-01,rest,national_day"
    )]
    Line(usize),
    /// The same day stands in it twice.
    #[error("line {0} of the list of days tells of a day that an earlier line tells of")]
    Twice(usize),
    /// It says what is so anyway: a sign that it is of another year or country.
    #[error("line {0} of the list of days makes a rest day of a weekend, or a workday of a weekday: it is wrong or of another year")]
    NoChange(usize),
    /// No day at all.
    #[error("the list of days is empty")]
    Empty,
}

/// Which days of 2004 to 2099 are working days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    differs: BTreeMap<NaiveDate, (DayKind, Holiday)>,
    /// The last day of the last year that a notice tells of.
    noticed_until: NaiveDate,
    /// For each day, how many days up to it and with it are working days.
    rank: Vec<u32>,
    /// The days, by their numbers, that are working days.
    working: Vec<u32>,
}

/// The last day of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastDay {
    /// At its end the period is over.
    pub day: NaiveDate,
    /// Whether it lies in a year that no notice tells of yet: it may still move.
    pub provisional: bool,
}

impl LastDay {
    /// The moment at which it is over, by the clock of the city.
    #[must_use]
    pub fn end(self, tz: Tz) -> DateTime<Utc> {
        let midnight = (self.day + Days::new(1)).and_time(chrono::NaiveTime::MIN);
        // where the clocks go forward over midnight, the day ends when they do
        let end = tz.from_local_datetime(&midnight).earliest().or_else(|| {
            let later = midnight + chrono::TimeDelta::hours(1);
            tz.from_local_datetime(&later).earliest()
        });
        end.map_or_else(|| midnight.and_utc(), |end| end.with_timezone(&Utc))
    }
}

impl Calendar {
    /// China's calendar: the notices of 2004 to 2026.
    #[must_use]
    pub fn china() -> &'static Self {
        &CHINA
    }

    /// A calendar from a list of the days that differ from Monday to Friday: a heading, then `2026-10-01,rest,national_day` a line.
    ///
    /// The years from the list's first to its last are those that are known; others are provisional.
    ///
    /// # Errors
    /// What is wrong with which line.
    pub fn of(list: &str) -> Result<Self, CalendarError> {
        let mut differs = BTreeMap::new();
        for (at, line) in list.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty()) {
            let at = at + 1;
            let (day, kind, holiday) = read(line).ok_or(CalendarError::Line(at))?;
            if is_weekend(day) == (kind == DayKind::Holiday) {
                return Err(CalendarError::NoChange(at));
            }
            if differs.insert(day, (kind, holiday)).is_some() {
                return Err(CalendarError::Twice(at));
            }
        }
        let last = *differs.keys().next_back().ok_or(CalendarError::Empty)?;
        let noticed_until = NaiveDate::from_ymd_opt(last.year(), 12, 31).unwrap_or(last);
        let mut calendar = Self { differs, noticed_until, rank: Vec::new(), working: Vec::new() };
        calendar.count();
        Ok(calendar)
    }

    fn count(&mut self) {
        let (mut rank, mut working) = (Vec::new(), Vec::new());
        for (number, day) in (0..).zip(FIRST.iter_days().take_while(|day| *day < END)) {
            if self.kind(day).works() {
                working.push(number);
            }
            rank.push(u32::try_from(working.len()).unwrap_or(u32::MAX));
        }
        (self.rank, self.working) = (rank, working);
    }

    /// Whether a period of a year can begin on this day.
    #[must_use]
    pub fn knows(day: NaiveDate) -> bool {
        (FIRST..END).contains(&day) && day.year() < END.year() - 1
    }

    /// The last day of the last year that a notice tells of.
    #[must_use]
    pub const fn noticed_until(&self) -> NaiveDate {
        self.noticed_until
    }

    /// What a day is, and for which holiday it is so.
    #[must_use]
    pub fn kind(&self, day: NaiveDate) -> DayKind {
        if let Some((kind, _)) = self.differs.get(&day) {
            *kind
        } else if is_weekend(day) {
            DayKind::Weekend
        } else if self.is_provisional(day) && fixed_holiday(day).is_some() {
            DayKind::ProvisionalHoliday
        } else {
            DayKind::WorkingDay
        }
    }

    /// The holiday because of which a day is what it is.
    #[must_use]
    pub fn holiday(&self, day: NaiveDate) -> Option<Holiday> {
        let provisional = || fixed_holiday(day).filter(|_| self.kind(day) == DayKind::ProvisionalHoliday);
        self.differs.get(&day).map(|(_, holiday)| *holiday).or_else(provisional)
    }

    /// Whether no notice tells of this day's year yet.
    #[must_use]
    pub fn is_provisional(&self, day: NaiveDate) -> bool {
        day > self.noticed_until
    }

    /// The n-th working day after `start`, which does not count itself. With none to count it is `start`; beyond the years of the calendar it is
    /// their last working day.
    #[must_use]
    pub fn after(&self, start: NaiveDate, working_days: u32) -> LastDay {
        let day = match working_days {
            0 => start,
            n => {
                let nth = (self.rank_of(start) as usize).saturating_add(n as usize - 1);
                let number = self.working.get(nth).or(self.working.last()).copied().unwrap_or_default();
                FIRST + Days::new(u64::from(number))
            }
        };
        LastDay { day, provisional: self.is_provisional(day) }
    }

    /// How many working days lie after `from` and not after `to`; none where `to` is not after `from`.
    #[must_use]
    pub fn between(&self, from: NaiveDate, to: NaiveDate) -> u32 {
        self.rank_of(to).saturating_sub(self.rank_of(from))
    }

    /// Why the last day is the one it is: each day from the day of the cause to the last, and whether it counts.
    ///
    /// Days that `paused` holds, each from the first paused day to the day on which it went on, do not count.
    #[must_use]
    pub fn reasons(&self, start: NaiveDate, last: NaiveDate, paused: &[(NaiveDate, NaiveDate)]) -> Vec<DayCounted> {
        let mut counted = 0;
        start
            .iter_days()
            .take_while(|day| *day <= last && *day < END)
            .map(|day| {
                // the day on which it pauses has counted; the one on which it goes on has not
                let is_paused = paused.iter().any(|(from, until)| *from < day && day <= *until);
                let reason = if day == start { DayKind::IntakeDay } else { self.kind(day) };
                let counts = reason.works() && !is_paused;
                counted += u32::from(counts);
                DayCounted {
                    day,
                    counts,
                    reason: if reason.works() && is_paused { DayKind::Paused } else { reason },
                    holiday: self.holiday(day),
                    n: counts.then_some(counted),
                }
            })
            .collect()
    }

    /// How many working days of the calendar are not after this day.
    fn rank_of(&self, day: NaiveDate) -> u32 {
        let Ok(number) = usize::try_from((day - FIRST).num_days()) else { return 0 };
        self.rank.get(number).or(self.rank.last()).copied().unwrap_or_default()
    }
}

fn read(line: &str) -> Option<(NaiveDate, DayKind, Holiday)> {
    let mut fields = line.trim().split(',');
    let (day, kind, holiday) = (fields.next()?, fields.next()?, fields.next()?);
    let kind = match kind {
        "rest" => DayKind::Holiday,
        "work" => DayKind::MakeUpWorkday,
        _ => return None,
    };
    let day: NaiveDate = day.parse().ok().filter(|day| (FIRST..END).contains(day))?;
    fields.next().is_none().then_some((day, kind, holiday.parse().ok()?))
}

fn is_weekend(day: NaiveDate) -> bool {
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

fn fixed_holiday(day: NaiveDate) -> Option<Holiday> {
    FIXED.iter().find(|(month, of_month, _)| (day.month(), day.day()) == (*month, *of_month)).map(|(_, _, holiday)| *holiday)
}
