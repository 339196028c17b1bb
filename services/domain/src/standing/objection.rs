//! An objection 异议 to what stands against a person (CQ12, HL6). In Zhengzhou those who had set the codes also answered that there was nothing to change:
//! here others answer, within a day, and both sides see until when.

use chrono::{DateTime, TimeDelta, Utc};

use crate::area::DistrictCode;
use crate::staff::Scope;

/// How long an answer may take.
pub const ANSWERED_WITHIN: TimeDelta = TimeDelta::hours(24);

/// For so long after it was lifted somebody may still object: having stood may have cost them something.
pub const OBJECTED_WITHIN: TimeDelta = TimeDelta::days(30);

/// Until when an objection said at `at` is answered.
#[must_use]
pub fn answer_by(at: DateTime<Utc>) -> DateTime<Utc> {
    at + ANSWERED_WITHIN
}

/// Whether somebody with this scope may answer an objection to an alert that the district sent: nobody of that district, its communities among them,
/// and nobody who had a hand in the alert.
#[must_use]
pub fn may_answer(scope: &Scope, sent_by: DistrictCode, had_a_hand: bool) -> bool {
    !had_a_hand && scope.district() != Some(sent_by)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::the_district_that_sent_it("district:500103", false, false)]
    #[case::a_community_of_it("community:500103001001", false, false)]
    #[case::another_district("district:500112", false, true)]
    #[case::the_city("city", false, true)]
    #[case::who_approved_it("city", true, false)]
    fn others_answer_than_those_who_sent_it(#[case] scope: &str, #[case] had_a_hand: bool, #[case] may: bool) {
        assert_eq!(may_answer(&scope.parse().unwrap(), "500103".parse().unwrap(), had_a_hand), may);
    }

    #[test]
    fn an_objection_by_night_is_answered_by_the_next_night() {
        assert_eq!(answer_by("2026-11-30T18:00:00Z".parse().unwrap()), "2026-12-01T18:00:00Z".parse::<DateTime<Utc>>().unwrap());
    }
}
