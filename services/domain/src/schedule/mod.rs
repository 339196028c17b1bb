//! When scheduled work is due: cron expressions in a city's time zone, and what becomes of a time that was missed.
//!
//! A due time belongs to the job, not to a process: it passes, the job is run once, and the next one follows from the moment of the
//! run. However many times pass while nothing is up, the job is made up once ([`due_at_start`]). A process that dies in the middle of
//! a run leaves the job due at once, but a job that brings down whoever runs it waits for its regular time ([`due_after_loss`]).

mod cron;

use chrono::{DateTime, TimeDelta, Utc};

pub use cron::{Schedule, ScheduleFault};

/// A run that begins so long after it was due was missed, and is made up.
pub const LATE: TimeDelta = TimeDelta::minutes(10);

/// So many runs in a row may be lost with their process before the job waits for its regular time.
pub const MOST_LOST: u16 = 3;

/// What is known of a job when a process starts that offers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// When it is due.
    pub due_at: DateTime<Utc>,
    /// Whether expression and time zone are still those by which it is due.
    pub same_schedule: bool,
    /// How many of its runs were lost with their process, the newest ones, in a row.
    pub lost: u16,
}

/// When a job is due from the start of a process that offers it. `at_start`: the start itself makes it due, whatever its times.
///
/// A time that passed while nothing was up stays due. One that lies ahead gives way to a changed schedule.
pub fn due_at_start(schedule: &Schedule, at_start: bool, known: Option<Known>, now: DateTime<Utc>) -> DateTime<Utc> {
    let regular = match known {
        Some(known) if known.due_at <= now || known.same_schedule => known.due_at,
        _ => schedule.next_after(now),
    };
    let deadly = known.is_some_and(|known| known.lost >= MOST_LOST);
    if at_start && !deadly { regular.min(now) } else { regular }
}

/// When a job is due whose run was lost with its process: at once, unless this has happened too often in a row. `regular` is its next
/// regular time, `lost` counts the lost runs, this one included.
pub fn due_after_loss(regular: DateTime<Utc>, lost: u16, now: DateTime<Utc>) -> DateTime<Utc> {
    if lost < MOST_LOST { regular.min(now) } else { regular }
}

/// Whether a run that began at `started_at` makes up for a time that was missed.
pub fn is_made_up(due_at: DateTime<Utc>, started_at: DateTime<Utc>) -> bool {
    started_at - due_at > LATE
}

crate::words! {
    /// How a job stands.
    pub enum JobState {
        /// For its next time.
        Waiting,
        /// Somebody has asked for a run, which no process has begun yet.
        Asked,
        /// A process runs it.
        Running,
        /// It was due a while ago and no process has run it: none that is up offers it.
        Overdue,
    }
}

impl JobState {
    /// How a job stands at `now`.
    pub fn of(due_at: DateTime<Utc>, is_asked: bool, is_running: bool, now: DateTime<Utc>) -> Self {
        if is_running {
            Self::Running
        } else if is_made_up(due_at, now) {
            Self::Overdue
        } else if is_asked {
            Self::Asked
        } else {
            Self::Waiting
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use rstest::rstest;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// Half past three in Chongqing is half past seven of the evening before in UTC.
    fn nightly() -> Schedule {
        Schedule::parse("0 30 3 * * *", Tz::Asia__Shanghai).unwrap()
    }

    const NOON: &str = "2026-03-02T04:00:00Z";
    const NEXT_NIGHT: &str = "2026-03-02T19:30:00Z";

    #[rstest]
    #[case::new(false, None, NEXT_NIGHT)]
    #[case::new_and_due_at_start(true, None, NOON)]
    #[case::ahead(false, Some(("2026-03-02T10:00:00Z", true, 0)), "2026-03-02T10:00:00Z")]
    #[case::ahead_by_another_schedule(false, Some(("2026-03-02T10:00:00Z", false, 0)), NEXT_NIGHT)]
    #[case::missed(false, Some(("2026-02-27T19:30:00Z", true, 0)), "2026-02-27T19:30:00Z")]
    #[case::missed_by_another_schedule(false, Some(("2026-02-27T10:00:00Z", false, 0)), "2026-02-27T10:00:00Z")]
    #[case::ahead_and_due_at_start(true, Some((NEXT_NIGHT, true, 0)), NOON)]
    #[case::ahead_and_due_at_start_after_a_crash(true, Some((NEXT_NIGHT, true, MOST_LOST - 1)), NOON)]
    #[case::ahead_and_deadly_at_start(true, Some((NEXT_NIGHT, true, MOST_LOST)), NEXT_NIGHT)]
    fn a_start_keeps_what_was_missed_and_plans_what_is_new(
        #[case] at_start: bool,
        #[case] known: Option<(&str, bool, u16)>,
        #[case] due: &str,
    ) {
        let known = known.map(|(due_at, same_schedule, lost)| Known { due_at: at(due_at), same_schedule, lost });
        assert_eq!(due_at_start(&nightly(), at_start, known, at(NOON)), at(due));
    }

    #[rstest]
    #[case::once(1, NOON)]
    #[case::twice(2, NOON)]
    #[case::too_often(3, NEXT_NIGHT)]
    #[case::ever_again(4, NEXT_NIGHT)]
    fn a_lost_run_is_repeated_at_once_but_not_for_ever(#[case] lost: u16, #[case] due: &str) {
        assert_eq!(due_after_loss(at(NEXT_NIGHT), lost, at(NOON)), at(due));
    }

    #[rstest]
    #[case::ahead("2026-03-02T04:00:01Z", false, false, JobState::Waiting)]
    #[case::just_due("2026-03-02T03:59:00Z", false, false, JobState::Waiting)]
    #[case::due_for_long("2026-03-02T03:40:00Z", false, false, JobState::Overdue)]
    #[case::due_for_long_and_asked("2026-03-02T03:40:00Z", true, false, JobState::Overdue)]
    #[case::asked("2026-03-02T19:30:00Z", true, false, JobState::Asked)]
    #[case::running("2026-03-02T03:40:00Z", false, true, JobState::Running)]
    fn a_job_stands_as_its_times_say(#[case] due_at: &str, #[case] asked: bool, #[case] running: bool, #[case] state: JobState) {
        assert_eq!(JobState::of(at(due_at), asked, running, at(NOON)), state);
    }

    #[test]
    fn a_run_that_begins_ten_minutes_late_was_missed() {
        assert!(!is_made_up(at(NOON), at(NOON) + LATE));
        assert!(is_made_up(at(NOON), at(NOON) + LATE + TimeDelta::seconds(1)));
    }
}
