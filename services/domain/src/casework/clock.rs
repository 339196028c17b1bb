//! The clock of one promise: since when it runs, until when, and everything that moved its end.
//!
//! A clock is started once and never counted anew: a pause, an extension and another grade move its end, and each move is kept with its cause. Hour
//! clocks run on the wall; working-day clocks begin on the next working day and end at 24:00 of their last.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::promises::Promise;
use crate::working_day::{Calendar, DayCounted};

/// How long something may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// So long by the clock on the wall.
    Time(TimeDelta),
    /// So many working days.
    WorkingDays(u32),
}

/// When a period ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// At this moment it is over.
    pub at: DateTime<Utc>,
    /// Its last day, where it is counted in working days.
    pub day: Option<NaiveDate>,
    /// Whether it reaches into a year that no notice of holidays tells of yet.
    pub provisional: bool,
}

crate::words! {
    /// What moved the end of a clock.
    #[schema(as = ClockChangeWhy)]
    pub enum Why {
        /// The citizen was asked, and the clock stood still.
        Pause => "等待补充",
        /// Supervision gave more time.
        Extension => "延期",
        /// The case is classed otherwise: the earlier end holds.
        Regrade => "等级调整",
        /// A notice of holidays was published.
        Notice => "节假日安排公布",
    }
}

/// One move of an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ClockChange)]
pub struct Change {
    /// When it was moved.
    pub at: DateTime<Utc>,
    /// Why.
    pub why: Why,
    /// Where the end was.
    pub from: DateTime<Utc>,
    /// Where it is.
    pub to: DateTime<Utc>,
}

/// A stretch in which the clock stood still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Since then.
    pub from: DateTime<Utc>,
    /// Until then; none while it stands still.
    pub until: Option<DateTime<Utc>>,
    /// Working days that do not count for it.
    pub days: u32,
}

/// The clock of one promise of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// What is promised.
    pub promise: Promise,
    /// When it was started.
    pub started_at: DateTime<Utc>,
    /// From when on it counts; earlier than it was started where the promise is about the day on which a case came.
    pub counts_from: DateTime<Utc>,
    /// Working days of the period; none where it runs on the wall.
    pub working_days: Option<u32>,
    /// When it ends, as things stand.
    pub due: Due,
    /// When it stood still.
    pub pauses: Vec<Pause>,
    /// Working days that were added to it.
    pub extended_days: u32,
    /// Everything that moved its end.
    pub changes: Vec<Change>,
    /// When what it promises was done, or the case ended.
    pub stopped_at: Option<DateTime<Utc>>,
}

impl Clock {
    /// Starts the clock of a promise.
    #[must_use]
    pub fn start(promise: Promise, period: Period, counts_from: DateTime<Utc>, now: DateTime<Utc>, calendar: &Calendar, tz: Tz) -> Self {
        let (due, working_days) = match period {
            Period::Time(time) => (Due { at: counts_from + time, day: None, provisional: false }, None),
            Period::WorkingDays(days) => (due_after(local_day(counts_from, tz), days, calendar, tz), Some(days)),
        };
        Self {
            promise,
            started_at: now,
            counts_from,
            working_days,
            due,
            pauses: Vec::new(),
            extended_days: 0,
            changes: Vec::new(),
            stopped_at: None,
        }
    }

    /// Whether it still runs, or stands still.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        self.stopped_at.is_none()
    }

    /// Whether it stands still.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.is_running() && self.pauses.last().is_some_and(|pause| pause.until.is_none())
    }

    /// Stands still from now on.
    pub fn pause(&mut self, now: DateTime<Utc>) {
        if self.is_running() && !self.is_paused() {
            self.pauses.push(Pause { from: now, until: None, days: 0 });
        }
    }

    /// Goes on. Its end moves by the time for which it stood still, by no more than `most` working days.
    pub fn resume(&mut self, now: DateTime<Utc>, most: u32, calendar: &Calendar, tz: Tz) {
        if !self.is_paused() {
            return;
        }
        let Some(pause) = self.pauses.last_mut() else { return };
        let (from, working_days) = (pause.from, calendar.between(local_day(pause.from, tz), local_day(now, tz)).min(most));
        (pause.until, pause.days) = (Some(now), working_days);
        let due = match self.due.day {
            Some(day) => due_after(day, working_days, calendar, tz),
            None => Due { at: self.due.at + (now - from), ..self.due },
        };
        self.move_to(due, Why::Pause, now);
    }

    /// Gives so many working days more.
    pub fn extend(&mut self, working_days: u32, now: DateTime<Utc>, calendar: &Calendar, tz: Tz) {
        if let Some(day) = self.due.day.filter(|_| self.is_running()) {
            self.extended_days += working_days;
            self.move_to(due_after(day, working_days, calendar, tz), Why::Extension, now);
        }
    }

    /// The case is classed otherwise: of the two ends the earlier holds, so that nobody wins time by it.
    pub fn regrade(&mut self, period: Period, now: DateTime<Utc>, calendar: &Calendar, tz: Tz) {
        if !self.is_running() {
            return;
        }
        let fresh = Self::start(self.promise, period, self.counts_from, now, calendar, tz);
        let paused = self.pauses.iter().map(|pause| pause.days).sum::<u32>();
        let due = match fresh.due.day {
            Some(day) => due_after(day, paused + self.extended_days, calendar, tz),
            None => fresh.due,
        };
        if due.at < self.due.at {
            self.working_days = fresh.working_days;
            self.move_to(due, Why::Regrade, now);
        }
    }

    /// A notice of holidays was published: only what still runs and was provisional is counted with it.
    pub fn recount(&mut self, now: DateTime<Utc>, calendar: &Calendar, tz: Tz) {
        let (Some(working_days), true) = (self.working_days, self.is_running() && self.due.provisional) else { return };
        let paused = self.pauses.iter().map(|pause| pause.days).sum::<u32>();
        let due = due_after(local_day(self.counts_from, tz), working_days + paused + self.extended_days, calendar, tz);
        if due.at != self.due.at {
            self.move_to(due, Why::Notice, now);
        } else {
            self.due = due;
        }
    }

    /// What it promises is done, or the case has ended.
    pub fn stop(&mut self, now: DateTime<Utc>) {
        if self.is_running() {
            self.stopped_at = Some(now);
        }
    }

    fn move_to(&mut self, due: Due, why: Why, now: DateTime<Utc>) {
        if due.at != self.due.at {
            self.changes.push(Change { at: now, why, from: self.due.at, to: due.at });
        }
        self.due = due;
    }

    /// Whether the promise was broken, or is broken by now. A clock that stands still breaks none.
    #[must_use]
    pub fn is_late(&self, now: DateTime<Utc>) -> bool {
        self.reading(now) > self.due.at
    }

    /// How much of the period is used up, in percent: more than a hundred where it is late. Working days are counted in working days, so that a
    /// holiday uses up nothing.
    #[must_use]
    pub fn share(&self, now: DateTime<Utc>, calendar: &Calendar, tz: Tz) -> u32 {
        let now = self.reading(now);
        if now > self.due.at {
            return percent((now - self.counts_from).num_seconds(), (self.due.at - self.counts_from).num_seconds()).max(101);
        }
        match self.due.day {
            None => percent((now - self.counts_from).num_seconds(), (self.due.at - self.counts_from).num_seconds()),
            Some(last) => {
                let (start, today) = (local_day(self.counts_from, tz), local_day(now, tz));
                let whole = i64::from(calendar.between(start, last)) * A_DAY;
                let yesterday = today.pred_opt().unwrap_or(today);
                let before = i64::from(calendar.between(start, yesterday)) * A_DAY;
                let counts_today = today > start && calendar.kind(today).works();
                let of_today = now.with_timezone(&tz).time().signed_duration_since(chrono::NaiveTime::MIN).num_seconds();
                percent(before + if counts_today { of_today } else { 0 }, whole)
            }
        }
    }

    /// Of which share somebody is to be warned: 0, 50, 80 or 100 percent.
    #[must_use]
    pub fn warning(&self, now: DateTime<Utc>, calendar: &Calendar, tz: Tz) -> u32 {
        if !self.promise.is_ours() || !self.is_running() || self.is_paused() {
            return 0;
        }
        let share = self.share(now, calendar, tz);
        WARNINGS.into_iter().rev().find(|step| share >= *step).unwrap_or_default()
    }

    /// When somebody has to look at it next, having been warned of so many percent: at the next warning, or at its end. Not while it stands still.
    #[must_use]
    pub fn next_look(&self, warned: u32, calendar: &Calendar, tz: Tz) -> Option<DateTime<Utc>> {
        if !self.is_running() || self.is_paused() {
            return None;
        }
        if !self.promise.is_ours() {
            return Some(self.due.at);
        }
        WARNINGS.into_iter().find(|step| *step > warned).map(|step| self.reaches(step, calendar, tz))
    }

    /// When so many percent of it are used up.
    fn reaches(&self, step: u32, calendar: &Calendar, tz: Tz) -> DateTime<Utc> {
        let Some(last) = self.due.day else {
            return self.counts_from + (self.due.at - self.counts_from) * step.cast_signed() / 100;
        };
        let start = local_day(self.counts_from, tz);
        let seconds = i64::from(calendar.between(start, last)) * A_DAY * i64::from(step) / 100;
        let whole = u32::try_from(seconds / A_DAY).unwrap_or(u32::MAX);
        match seconds % A_DAY {
            0 if whole == 0 => self.counts_from,
            0 => calendar.after(start, whole).end(tz),
            rest => {
                let day = calendar.after(start, whole.saturating_add(1)).day;
                let before = crate::working_day::LastDay { day: day.pred_opt().unwrap_or(day), provisional: false };
                before.end(tz) + TimeDelta::seconds(rest)
            }
        }
    }

    /// Why the last day is the one it is; nothing where the clock runs on the wall.
    #[must_use]
    pub fn reasons(&self, calendar: &Calendar, tz: Tz) -> Vec<DayCounted> {
        let Some(last) = self.due.day else { return Vec::new() };
        let paused: Vec<_> = self
            .pauses
            .iter()
            .map(|pause| {
                let from = local_day(pause.from, tz);
                (from, calendar.after(from, pause.days).day)
            })
            .collect();
        calendar.reasons(local_day(self.counts_from, tz), last, &paused)
    }

    /// The moment at which it is read: it shows no more than when it was stopped, or since when it stands still.
    fn reading(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let paused = self.pauses.last().filter(|pause| pause.until.is_none()).map(|pause| pause.from);
        self.stopped_at.or(paused).unwrap_or(now)
    }
}

const A_DAY: i64 = 24 * 3600;
/// Of these shares somebody is warned, in percent.
const WARNINGS: [u32; 3] = [50, 80, 100];

fn percent(part: i64, whole: i64) -> u32 {
    if whole <= 0 { 100 } else { u32::try_from((part.max(0) * 100) / whole).unwrap_or(u32::MAX) }
}

fn local_day(at: DateTime<Utc>, tz: Tz) -> NaiveDate {
    at.with_timezone(&tz).date_naive()
}

fn due_after(day: NaiveDate, working_days: u32, calendar: &Calendar, tz: Tz) -> Due {
    let last = calendar.after(day, working_days);
    Due { at: last.end(tz), day: Some(last.day), provisional: last.provisional }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const TZ: Tz = Tz::Asia__Shanghai;

    fn at(text: &str) -> DateTime<Utc> {
        format!("{text}:00+08:00").parse().unwrap()
    }

    fn days(from: &str, working_days: u32) -> Clock {
        Clock::start(Promise::Finish, Period::WorkingDays(working_days), at(from), at(from), Calendar::china(), TZ)
    }

    #[rstest]
    #[case::an_ordinary_week("2026-11-30T10:00", 3, "2026-12-04T00:00", false)]
    #[case::at_night_of_the_same_day("2026-11-30T23:59", 3, "2026-12-04T00:00", false)]
    #[case::over_golden_week("2026-09-30T10:00", 3, "2026-10-11T00:00", false)]
    #[case::over_new_year("2026-12-31T10:00", 3, "2027-01-07T00:00", true)]
    fn working_days_begin_on_the_next_and_end_with_the_last(
        #[case] from: &str,
        #[case] working_days: u32,
        #[case] due: &str,
        #[case] provisional: bool,
    ) {
        let clock = days(from, working_days);
        assert_eq!((clock.due.at, clock.due.provisional), (at(due), provisional));
        assert!(!clock.is_late(at(due)) && clock.is_late(at(due) + TimeDelta::seconds(1)));
    }

    #[test]
    fn hours_run_on_the_wall_over_a_holiday_too() {
        let clock = Clock::start(
            Promise::Begin,
            Period::Time(TimeDelta::hours(48)),
            at("2026-09-30T10:00"),
            at("2026-09-30T10:00"),
            Calendar::china(),
            TZ,
        );
        assert_eq!((clock.due.at, clock.due.day), (at("2026-10-02T10:00"), None));
        assert_eq!(clock.warning(at("2026-10-01T10:00"), Calendar::china(), TZ), 50);
    }

    #[test]
    fn a_pause_moves_the_end_by_its_working_days_and_no_further_than_the_cap() {
        let mut clock = days("2026-11-30T10:00", 3);
        clock.pause(at("2026-12-01T09:00"));
        assert!(clock.is_paused() && !clock.is_late(at("2027-06-01T00:00")), "what stands still is not late");
        clock.resume(at("2026-12-03T15:00"), 10, Calendar::china(), TZ);
        assert_eq!(clock.due.at, at("2026-12-08T00:00"), "two working days more, over a weekend");
        clock.pause(at("2026-12-04T09:00"));
        clock.resume(at("2027-03-01T09:00"), 8, Calendar::china(), TZ);
        assert_eq!(clock.pauses[1].days, 8);
        assert_eq!(clock.changes.len(), 2, "history is kept");
        assert_eq!(clock.reasons(Calendar::china(), TZ).iter().filter(|day| day.counts).count(), 3);
    }

    #[test]
    fn another_grade_wins_nobody_time() {
        let mut clock = days("2026-11-30T10:00", 15);
        let before = clock.due.at;
        clock.regrade(Period::WorkingDays(30), at("2026-12-01T10:00"), Calendar::china(), TZ);
        assert_eq!(clock.due.at, before);
        clock.regrade(Period::WorkingDays(3), at("2026-12-01T10:00"), Calendar::china(), TZ);
        assert_eq!((clock.due.at, clock.changes[0].why), (at("2026-12-04T00:00"), Why::Regrade));
    }

    #[test]
    fn a_notice_moves_only_what_runs_and_is_provisional() {
        let own = Calendar::of("day,kind,holiday\n2026-10-01,rest,national_day\n2027-01-04,rest,new_year\n").unwrap();
        let (mut open, mut closed) = (days("2026-12-31T10:00", 1), days("2026-12-31T10:00", 1));
        closed.stop(at("2026-12-31T12:00"));
        let before = closed.clone();
        open.recount(at("2026-12-31T13:00"), &own, TZ);
        closed.recount(at("2026-12-31T13:00"), &own, TZ);
        // with this notice 1 January is a working day
        assert_eq!((open.due.day, open.due.provisional, open.changes[0].why), ("2027-01-01".parse().ok(), false, Why::Notice));
        assert_eq!(closed, before, "history is never counted anew");
    }

    #[rstest]
    #[case::on_the_day_it_came("2026-11-30T23:00", 0)]
    #[case::in_the_middle("2026-12-02T12:00", 50)]
    #[case::near_the_end("2026-12-03T10:00", 80)]
    #[case::late("2026-12-04T00:01", 100)]
    fn warnings_come_at_half_at_four_fifths_and_at_the_end(#[case] now: &str, #[case] warning: u32) {
        assert_eq!(days("2026-11-30T10:00", 3).warning(at(now), Calendar::china(), TZ), warning);
    }

    #[rstest]
    #[case::an_ordinary_week("2026-11-30T10:00", 3)]
    #[case::over_golden_week("2026-09-30T10:00", 15)]
    #[case::one_day("2026-11-30T10:00", 1)]
    fn somebody_is_warned_at_the_moment_at_which_it_is_due(#[case] from: &str, #[case] working_days: u32) {
        let (clock, calendar) = (days(from, working_days), Calendar::china());
        let mut warned = 0;
        for step in [50, 80, 100] {
            let look = clock.next_look(warned, calendar, TZ).unwrap();
            assert!(clock.warning(look - TimeDelta::seconds(1), calendar, TZ) < step, "{step} too late");
            warned = clock.warning(look, calendar, TZ);
            assert_eq!(warned, step);
        }
        assert_eq!((clock.next_look(warned, calendar, TZ), clock.reaches(100, calendar, TZ)), (None, clock.due.at));
    }

    #[test]
    fn a_holiday_uses_up_nothing_of_a_period_in_working_days() {
        let clock = days("2026-09-30T10:00", 3);
        assert_eq!(clock.share(at("2026-10-07T23:00"), Calendar::china(), TZ), 0);
        assert_eq!(clock.share(at("2026-10-09T12:00"), Calendar::china(), TZ), 50);
    }
}
