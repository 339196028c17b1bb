//! What becomes of people whom a provider does not let us send to, because it refuses our credentials.
//!
//! Mending them is an operator's work, and most often done soon: the people wait, and nobody is told twice. But an alert has a deadline. When
//! too little of it is left, whoever has a phone is told by SMS instead.

use chrono::{DateTime, TimeDelta, Utc};

use crate::alert::DeliveryClass;

/// As long as an operator is given in any case, and for an urgent alert no longer: of its 30 minutes most are left for the SMS.
pub const PATIENCE: TimeDelta = TimeDelta::seconds(150);

/// A routine alert goes on by SMS so long before it is due.
pub const BEFORE_DUE: TimeDelta = TimeDelta::minutes(30);

/// What becomes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// They wait for the operator.
    Wait,
    /// They are told by another channel, where they have one.
    ByAnotherChannel,
}

/// Decides at `now` about an alert that is due at `due_at` and is refused since `since`.
pub fn after_refusal(class: DeliveryClass, since: DateTime<Utc>, due_at: DateTime<Utc>, now: DateTime<Utc>) -> Refused {
    let pressing = match class {
        DeliveryClass::Urgent => true,
        DeliveryClass::Routine => due_at - now <= BEFORE_DUE,
    };
    if pressing && now - since >= PATIENCE { Refused::ByAnotherChannel } else { Refused::Wait }
}

#[cfg(test)]
mod tests {
    use DeliveryClass::{Routine, Urgent};
    use rstest::rstest;

    use super::*;

    #[rstest]
    // class, seconds refused, minutes to the deadline
    #[case::urgent_just_refused(Urgent, 0, 29, Refused::Wait)]
    #[case::urgent_after_two_minutes(Urgent, 120, 27, Refused::Wait)]
    #[case::urgent_after_three_minutes(Urgent, 180, 26, Refused::ByAnotherChannel)]
    #[case::urgent_and_late(Urgent, 3_600, -30, Refused::ByAnotherChannel)]
    #[case::routine_with_time_left(Routine, 3_600, 60, Refused::Wait)]
    #[case::routine_that_is_due_soon(Routine, 3_600, 30, Refused::ByAnotherChannel)]
    #[case::routine_due_soon_and_just_refused(Routine, 10, 20, Refused::Wait)]
    #[case::routine_and_late(Routine, 180, -5, Refused::ByAnotherChannel)]
    fn the_operator_is_waited_for_as_long_as_the_deadline_allows(
        #[case] class: DeliveryClass,
        #[case] refused_s: i64,
        #[case] minutes_left: i64,
        #[case] expected: Refused,
    ) {
        let now = DateTime::UNIX_EPOCH;
        let since = now - TimeDelta::seconds(refused_s);
        assert_eq!(after_refusal(class, since, now + TimeDelta::minutes(minutes_left), now), expected);
    }
}
