//! The end of an alert reaches who heard it: the last word that a person holds is the true one.
//!
//! An alert that staff end (CAP *Cancel*, *Update*) was by then handed over to somebody, or to nobody. [`hearers`] decides who is told that
//! it has ended, and by what; [`last_word`] is what they are told where no two people have said it in words of their own ([`crate::retraction`]); here is
//! until when, and for how long screens say it.
//!
//! An alert may also be withdrawn for some people alone, while it stands for everybody else: they are told in the same way.
//!
//! It heeds quiet hours as its alert did: what may be sent at night may be taken back at night, what may not waits with its end until the
//! morning, so that nobody is woken by the end of what would not have woken them. It asks for no acknowledgement, and nobody is reminded of it.

mod hearers;
mod last_word;

use chrono::{DateTime, Duration, Utc};

use crate::alert::DeliveryClass;
use crate::deadline;
use crate::quiet_hours::QuietHours;

pub use hearers::Hearers;
pub use last_word::{Ended, LastWord, ending};

/// The least time for which it is worth telling that an alert has ended: who acted on it goes on doing so after its validity, too.
const SHORTEST_VALIDITY: Duration = Duration::hours(24);
/// For so long a screen that showed an alert shows that it was taken back: as long as whoever saw it there may still be about.
const ON_SCREENS: Duration = Duration::hours(1);

/// When everybody should know of an end at `ended_at`. Half an hour of sendable time: people act on what does not hold, so it goes before
/// most of what is said for the first time.
pub fn due_at(class: DeliveryClass, ended_at: DateTime<Utc>, quiet_hours: &QuietHours) -> DateTime<Utc> {
    deadline::finished_at(class, ended_at, deadline::time_allowed(DeliveryClass::Urgent), quiet_hours)
}

/// Until when it is told that an alert has ended.
pub fn told_until(ended_at: DateTime<Utc>, would_expire_at: DateTime<Utc>) -> DateTime<Utc> {
    would_expire_at.max(ended_at + SHORTEST_VALIDITY)
}

/// Until when those are told for whom alone an alert that holds until `expires_at` was withdrawn, whenever that was.
pub fn told_to_some_until(expires_at: DateTime<Utc>) -> DateTime<Utc> {
    expires_at + SHORTEST_VALIDITY
}

/// Until when a screen that showed an alert until `ended_at` shows that it was taken back.
pub fn shown_until(ended_at: DateTime<Utc>) -> DateTime<Utc> {
    ended_at + ON_SCREENS
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[rstest]
    #[case::by_day(DeliveryClass::Routine, "2026-11-20T09:00:00+08:00", "2026-11-20T09:30:00+08:00")]
    #[case::as_the_night_begins(DeliveryClass::Routine, "2026-11-20T21:50:00+08:00", "2026-11-21T07:20:00+08:00")]
    #[case::by_night(DeliveryClass::Routine, "2026-11-21T02:00:00+08:00", "2026-11-21T07:30:00+08:00")]
    #[case::urgent_by_night(DeliveryClass::Urgent, "2026-11-21T02:00:00+08:00", "2026-11-21T02:30:00+08:00")]
    fn the_end_is_due_soon_and_heeds_the_night_as_its_alert_did(#[case] class: DeliveryClass, #[case] ended: &str, #[case] due: &str) {
        let night = serde_json::from_value(serde_json::json!({"from": "22:00", "to": "07:00", "tz": "Asia/Shanghai"})).unwrap();
        assert_eq!(due_at(class, at(ended), &night), at(due));
    }

    #[test]
    fn the_end_is_told_for_as_long_as_the_alert_would_have_held_and_for_a_day_at_least() {
        let ended = at("2026-11-20T09:00:00Z");
        assert_eq!(told_until(ended, ended + Duration::days(3)), ended + Duration::days(3));
        assert_eq!(told_until(ended, ended + Duration::minutes(5)), ended + Duration::days(1));
    }
}
