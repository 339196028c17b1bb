//! The life of a list that waits for a person because it is unlike what its source usually brings ([`crate::unusual_list`]): released or discarded
//! once, by whoever answers for the area, never by whoever sent it (CQ2, CQ6).

use crate::area::Area;
use crate::staff::{Role, Scope};

crate::words! {
    /// Where a list stands that was unlike its source's usual.
    #[schema(as = HeldState)]
    pub enum State {
        /// It waits for a person; nothing of it counts.
        Waiting => "等待放行",
        /// A person has released it, and its rows are being taken in.
        Releasing => "正在收入",
        /// All of it was taken in.
        Released => "已放行",
        /// A person has discarded it: nothing of it ever counts.
        Discarded => "已作废",
        /// Nobody decided in time: it is as if it had been discarded.
        Expired => "逾期作废",
    }
}

crate::words! {
    /// What a person decides about a list that waits.
    #[schema(as = HeldDecision)]
    pub enum Decision {
        /// It is right: it counts as if it came now.
        Release,
        /// It is a mistake.
        Discard,
    }
}

/// Where a list stands after a decision, or none where it can no longer be decided so. Deciding the same again changes nothing.
#[must_use]
pub const fn decided(state: State, decision: Decision) -> Option<State> {
    match (state, decision) {
        (State::Waiting, Decision::Release) => Some(State::Releasing),
        (State::Waiting, Decision::Discard) => Some(State::Discarded),
        (State::Releasing | State::Released, Decision::Release) | (State::Discarded, Decision::Discard) => Some(state),
        // some of it counts already, or nothing is left of it
        _ => None,
    }
}

/// Who decides: the city command, and for what a source of one district brings its reviewers; never the one who sent it, which is `own`.
#[must_use]
pub fn may_decide(role: Role, scope: &Scope, area: Area, own: bool) -> bool {
    !own && matches!(role, Role::CityCommandOfficer | Role::DistrictReviewer) && scope.covers(area)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(State::Waiting, Decision::Release, Some(State::Releasing))]
    #[case(State::Waiting, Decision::Discard, Some(State::Discarded))]
    #[case(State::Releasing, Decision::Discard, None)]
    #[case(State::Released, Decision::Release, Some(State::Released))]
    #[case(State::Discarded, Decision::Release, None)]
    #[case(State::Expired, Decision::Release, None)]
    fn a_list_is_decided_once(#[case] state: State, #[case] decision: Decision, #[case] then: Option<State>) {
        assert_eq!(decided(state, decision), then);
    }

    #[rstest]
    #[case::the_city(Role::CityCommandOfficer, "city", "city", false, true)]
    #[case::the_district_of_the_source(Role::DistrictReviewer, "district:500103", "500103", false, true)]
    #[case::another_district(Role::DistrictReviewer, "district:500112", "500103", false, false)]
    #[case::a_district_about_a_source_of_the_city(Role::DistrictReviewer, "district:500103", "city", false, false)]
    #[case::who_sent_it(Role::DistrictReviewer, "district:500103", "500103", true, false)]
    #[case::who_only_delivers(Role::SubmittingUnit, "district:500103", "500103", false, false)]
    #[case::who_runs_the_platform(Role::TechnicalOperator, "city", "500103", false, false)]
    fn whoever_answers_for_the_area_decides(
        #[case] role: Role,
        #[case] scope: &str,
        #[case] area: &str,
        #[case] own: bool,
        #[case] may: bool,
    ) {
        assert_eq!(may_decide(role, &scope.parse().unwrap(), area.parse().unwrap(), own), may);
    }
}
