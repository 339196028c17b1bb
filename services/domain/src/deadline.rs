//! Deadlines (CQ10): when an alert must be with everybody, and when sending may begin.
//!
//! * Urgent: 30 minutes by the clock on the wall, quiet hours or not.
//! * Routine: 2 hours of *sendable* time, quiet hours do not count; nothing is sent in them, what was begun before them pauses.
//!
//! A deadline is met when every recipient is handed over or closed as unreachable.

use chrono::{DateTime, Duration, Utc};

use crate::alert::DeliveryClass;
use crate::quiet_hours::QuietHours;

/// The time from approval within which an alert of `class` is done (CQ10); for routine alerts, sendable time.
pub const fn time_allowed(class: DeliveryClass) -> Duration {
    match class {
        DeliveryClass::Urgent => Duration::minutes(30),
        DeliveryClass::Routine => Duration::hours(2),
    }
}

/// When an alert approved at `approved_at` is due.
pub fn due_at(class: DeliveryClass, approved_at: DateTime<Utc>, quiet_hours: &QuietHours) -> DateTime<Utc> {
    finished_at(class, approved_at, time_allowed(class), quiet_hours)
}

/// When work that takes `work` of sending is finished if it begins at `start`: the prediction to hold against [`due_at`].
pub fn finished_at(class: DeliveryClass, start: DateTime<Utc>, work: Duration, quiet_hours: &QuietHours) -> DateTime<Utc> {
    match class {
        DeliveryClass::Urgent => start + work,
        DeliveryClass::Routine => quiet_hours.after_sendable(start, work),
    }
}

/// When sending may begin or go on, asked at `t`: `t` itself, or the end of the quiet hours that hold then.
pub fn release_at(class: DeliveryClass, t: DateTime<Utc>, quiet_hours: &QuietHours) -> DateTime<Utc> {
    match class {
        DeliveryClass::Urgent => t,
        DeliveryClass::Routine => quiet_hours.ends_after(t),
    }
}

/// Whether, asked at some moment, an alert may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// It may be sent at once.
    Now,
    /// Quiet hours hold it back until then.
    At(DateTime<Utc>),
    /// It expires before it may be sent: it is never released, its recipients are closed as withdrawn.
    Never,
}

/// What to do at `now` with an alert that is valid before `expires_at`.
pub fn release(class: DeliveryClass, now: DateTime<Utc>, expires_at: DateTime<Utc>, quiet_hours: &QuietHours) -> Release {
    let earliest = release_at(class, now, quiet_hours);
    if expires_at <= earliest {
        Release::Never
    } else if earliest == now {
        Release::Now
    } else {
        Release::At(earliest)
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::DeliveryClass::{Routine, Urgent};
    use super::*;

    /// "22:00-07:00 Asia/Shanghai", or "none Asia/Shanghai".
    fn city(text: &str) -> QuietHours {
        let (window, tz) = text.split_once(' ').unwrap();
        let tz: Tz = tz.parse().unwrap();
        match window.split_once('-') {
            Some((from, to)) => serde_json::from_value(serde_json::json!({"from": from, "to": to, "tz": tz.name()})).unwrap(),
            None => QuietHours::none(tz),
        }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    const NIGHT: &str = "22:00-07:00 Asia/Shanghai";
    const MIDDAY: &str = "12:00-14:00 Asia/Shanghai";
    const NONE: &str = "none Asia/Shanghai";
    const BERLIN: &str = "22:00-07:00 Europe/Berlin";

    #[rstest]
    // class, quiet hours, approved, sending begins, due
    #[case::morning(Routine, NIGHT, "2026-11-20T09:00:00+08:00", "2026-11-20T09:00:00+08:00", "2026-11-20T11:00:00+08:00")]
    #[case::due_as_quiet_hours_begin(Routine, NIGHT, "2026-11-20T20:00:00+08:00", "2026-11-20T20:00:00+08:00", "2026-11-20T22:00:00+08:00")]
    #[case::a_second_too_late_for_the_day(
        Routine,
        NIGHT,
        "2026-11-20T20:00:01+08:00",
        "2026-11-20T20:00:01+08:00",
        "2026-11-21T07:00:01+08:00"
    )]
    #[case::half_an_hour_before(Routine, NIGHT, "2026-11-20T21:30:00+08:00", "2026-11-20T21:30:00+08:00", "2026-11-21T08:30:00+08:00")]
    #[case::one_second_before(Routine, NIGHT, "2026-11-20T21:59:59+08:00", "2026-11-20T21:59:59+08:00", "2026-11-21T08:59:59+08:00")]
    #[case::as_they_begin(Routine, NIGHT, "2026-11-20T22:00:00+08:00", "2026-11-21T07:00:00+08:00", "2026-11-21T09:00:00+08:00")]
    #[case::inside(Routine, NIGHT, "2026-11-21T03:00:00+08:00", "2026-11-21T07:00:00+08:00", "2026-11-21T09:00:00+08:00")]
    #[case::one_second_before_the_end(
        Routine,
        NIGHT,
        "2026-11-21T06:59:59+08:00",
        "2026-11-21T07:00:00+08:00",
        "2026-11-21T09:00:00+08:00"
    )]
    #[case::as_they_end(Routine, NIGHT, "2026-11-21T07:00:00+08:00", "2026-11-21T07:00:00+08:00", "2026-11-21T09:00:00+08:00")]
    #[case::over_the_new_year(Routine, NIGHT, "2026-12-31T21:00:00+08:00", "2026-12-31T21:00:00+08:00", "2027-01-01T08:00:00+08:00")]
    #[case::around_midday(Routine, MIDDAY, "2026-11-20T11:30:00+08:00", "2026-11-20T11:30:00+08:00", "2026-11-20T15:30:00+08:00")]
    #[case::at_midday(Routine, MIDDAY, "2026-11-20T13:00:00+08:00", "2026-11-20T14:00:00+08:00", "2026-11-20T16:00:00+08:00")]
    #[case::midday_rest_leaves_the_night(
        Routine,
        MIDDAY,
        "2026-11-20T23:00:00+08:00",
        "2026-11-20T23:00:00+08:00",
        "2026-11-21T01:00:00+08:00"
    )]
    #[case::no_quiet_hours(Routine, NONE, "2026-11-21T03:00:00+08:00", "2026-11-21T03:00:00+08:00", "2026-11-21T05:00:00+08:00")]
    #[case::one_sendable_hour_a_day(
        Routine,
        "10:00-09:00 Asia/Shanghai",
        "2026-11-20T09:30:00+08:00",
        "2026-11-20T09:30:00+08:00",
        "2026-11-22T09:30:00+08:00"
    )]
    #[case::urgent_at_three(Urgent, NIGHT, "2026-11-21T03:00:00+08:00", "2026-11-21T03:00:00+08:00", "2026-11-21T03:30:00+08:00")]
    #[case::urgent_over_the_start(Urgent, NIGHT, "2026-11-20T21:45:00+08:00", "2026-11-20T21:45:00+08:00", "2026-11-20T22:15:00+08:00")]
    #[case::urgent_by_day(Urgent, NIGHT, "2026-11-20T09:00:00+08:00", "2026-11-20T09:00:00+08:00", "2026-11-20T09:30:00+08:00")]
    #[case::berlin_night_of_eight_hours(
        Routine,
        BERLIN,
        "2026-03-28T21:30:00+01:00",
        "2026-03-28T21:30:00+01:00",
        "2026-03-29T08:30:00+02:00"
    )]
    #[case::berlin_night_of_ten_hours(
        Routine,
        BERLIN,
        "2026-10-24T21:30:00+02:00",
        "2026-10-24T21:30:00+02:00",
        "2026-10-25T08:30:00+01:00"
    )]
    #[case::berlin_before_the_hour_is_lost(
        Routine,
        BERLIN,
        "2026-03-29T01:30:00+01:00",
        "2026-03-29T07:00:00+02:00",
        "2026-03-29T09:00:00+02:00"
    )]
    #[case::berlin_in_the_hour_that_comes_twice(
        Routine,
        BERLIN,
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T07:00:00+01:00",
        "2026-10-25T09:00:00+01:00"
    )]
    #[case::berlin_clocks_change_while_sending(
        Routine,
        "12:00-14:00 Europe/Berlin",
        "2026-03-29T01:00:00+01:00",
        "2026-03-29T01:00:00+01:00",
        "2026-03-29T04:00:00+02:00"
    )]
    #[case::berlin_urgent_over_the_change(
        Urgent,
        BERLIN,
        "2026-03-29T01:45:00+01:00",
        "2026-03-29T01:45:00+01:00",
        "2026-03-29T03:15:00+02:00"
    )]
    fn an_approved_alert_is_sent_and_due(
        #[case] class: DeliveryClass,
        #[case] quiet_hours: &str,
        #[case] approved: &str,
        #[case] begins: &str,
        #[case] due: &str,
    ) {
        let quiet_hours = city(quiet_hours);
        assert_eq!(release_at(class, at(approved), &quiet_hours), at(begins), "begins");
        assert_eq!(due_at(class, at(approved), &quiet_hours), at(due), "due");
    }

    #[rstest]
    #[case::by_day(Routine, "2026-11-20T12:00:00+08:00", "2026-11-20T18:00:00+08:00", Release::Now)]
    #[case::held_over_night(
        Routine,
        "2026-11-20T23:00:00+08:00",
        "2026-11-21T18:00:00+08:00",
        Release::At(at("2026-11-21T07:00:00+08:00"))
    )]
    #[case::expires_in_the_night(Routine, "2026-11-20T23:00:00+08:00", "2026-11-21T06:00:00+08:00", Release::Never)]
    #[case::expires_as_the_night_ends(Routine, "2026-11-20T23:00:00+08:00", "2026-11-21T07:00:00+08:00", Release::Never)]
    #[case::expires_a_second_after_the_night(
        Routine,
        "2026-11-20T23:00:00+08:00",
        "2026-11-21T07:00:01+08:00",
        Release::At(at("2026-11-21T07:00:00+08:00"))
    )]
    #[case::urgent_expires_in_the_night(Urgent, "2026-11-20T23:00:00+08:00", "2026-11-21T06:00:00+08:00", Release::Now)]
    #[case::expired_already(Urgent, "2026-11-20T12:00:00+08:00", "2026-11-20T12:00:00+08:00", Release::Never)]
    fn an_alert_is_released_held_or_never_sent(
        #[case] class: DeliveryClass,
        #[case] now: &str,
        #[case] expires: &str,
        #[case] expected: Release,
    ) {
        assert_eq!(release(class, at(now), at(expires), &city(NIGHT)), expected);
    }

    proptest! {
        #[test]
        fn a_routine_deadline_leaves_two_hours_and_never_falls_into_the_night(
            minute in 0i64..2 * 366 * 24 * 60,
            from in 0u32..24 * 60,
            to in 0u32..24 * 60,
            zone in prop::sample::select(vec!["Asia/Shanghai", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia"]),
        ) {
            let quiet_hours = city(&format!("{:02}:{:02}-{:02}:{:02} {zone}", from / 60, from % 60, to / 60, to % 60));
            let approved = at("2026-01-01T00:00:00Z") + Duration::minutes(minute);
            let (begins, due) = (release_at(Routine, approved, &quiet_hours), due_at(Routine, approved, &quiet_hours));
            prop_assert!(!quiet_hours.is_quiet(begins));
            prop_assert!(due - begins >= Duration::hours(2));
            prop_assert!(!quiet_hours.is_quiet(due - Duration::seconds(1)));
            // Minute by minute, exactly two hours of it were not quiet.
            if due - begins < Duration::days(3) {
                let sendable = (0..(due - begins).num_minutes()).filter(|m| !quiet_hours.is_quiet(begins + Duration::minutes(*m))).count();
                prop_assert_eq!(sendable, 120);
            }
        }
    }
}
