//! When an alarm is raised about an alert, and when it ends.

use crate::staff::Role;

/// Who is told at once when a deadline is in danger, wherever in the console they are: who can stop or correct the alert or send another, and who
/// looks after the providers.
pub const TOLD_OF_DANGER: &[Role] = &[Role::CityCommandOfficer, Role::TechnicalOperator];

/// When an alert counts as in danger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margin {
    /// With less to spare than so many seconds it is in danger.
    pub spare_s: i64,
    /// By so many seconds it has to get worse to be told again, and better than the margin to be out of danger: an alert at the margin does not
    /// ring and fall silent in turns.
    pub step_s: i64,
}

/// What there is to tell about an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Alarm {
    /// It has come into danger of missing its deadline.
    InDanger,
    /// It was in danger, and is now later than was told by a step or more.
    Worse,
    /// It was in danger, and is no longer.
    OutOfDanger,
}

/// What there is to tell about an alert with `spare_s` seconds to spare (negative: it is late). `told_s`: what there was to spare when its danger was
/// last told; none while it is not in danger.
#[must_use]
pub fn alarm(told_s: Option<i64>, spare_s: i64, margin: Margin) -> Option<Alarm> {
    match told_s {
        None => (spare_s < margin.spare_s).then_some(Alarm::InDanger),
        Some(_) if spare_s >= margin.spare_s.saturating_add(margin.step_s) => Some(Alarm::OutOfDanger),
        Some(told_s) => (spare_s <= told_s.saturating_sub(margin.step_s)).then_some(Alarm::Worse),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::much_to_spare(None, 900, None)]
    #[case::at_the_margin(None, 300, None)]
    #[case::less_than_the_margin(None, 299, Some(Alarm::InDanger))]
    #[case::late_at_once(None, -5000, Some(Alarm::InDanger))]
    #[case::told_already(Some(299), 299, None)]
    #[case::a_little_worse(Some(299), 180, None)]
    #[case::worse_by_a_step(Some(299), 179, Some(Alarm::Worse))]
    #[case::better_but_not_safe(Some(-600), 400, None)]
    #[case::safe_again(Some(-600), 420, Some(Alarm::OutOfDanger))]
    fn an_alarm_rings_once_again_when_it_gets_worse_and_ends(
        #[case] told_s: Option<i64>,
        #[case] spare_s: i64,
        #[case] told: Option<Alarm>,
    ) {
        assert_eq!(alarm(told_s, spare_s, Margin { spare_s: 300, step_s: 120 }), told);
    }
}
