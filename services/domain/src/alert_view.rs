//! Which alerts a member of staff sees (CQ5): what they answer for from its first draft on, what others wrote once it was approved.
//!
//! Until then texts, reasons and audience are the business of those who write and review it. Who holds no place of the city, such as a
//! supervisor of an industry, sees what was said to the whole city.

use crate::area::DistrictCode;
use crate::staff::{Role, Scope};

/// What somebody sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertView {
    /// Alerts of every district.
    pub everywhere: bool,
    /// Those of this district.
    pub district: Option<DistrictCode>,
    /// Also before they were approved: of every district or of this one.
    pub drafts: bool,
}

impl AlertView {
    /// What somebody of this role sees in this scope.
    #[must_use]
    pub const fn of(role: Role, scope: &Scope) -> Self {
        let nothing = Self { everywhere: false, district: None, drafts: false };
        let drafts = matches!(role, Role::CityCommandOfficer | Role::Auditor | Role::DistrictReviewer | Role::SubmittingUnit);
        match (role, scope) {
            (Role::Administrator | Role::HotlineOperator | Role::UnitHandler | Role::UnitLead | Role::Supervisor, _)
            | (_, Scope::Industry(_) | Scope::Unit(_)) => nothing,
            (_, Scope::City) => Self { everywhere: true, district: None, drafts },
            (_, Scope::District(district)) => Self { everywhere: false, district: Some(*district), drafts },
            (_, Scope::Community(community)) => Self { everywhere: false, district: Some(community.district()), drafts },
        }
    }

    /// Whether an alert of this district is seen; none: the whole city's. `approved`: it was, whatever became of it.
    #[must_use]
    pub fn shows(&self, district: Option<DistrictCode>, approved: bool) -> bool {
        match district {
            None => approved || self.everywhere && self.drafts,
            Some(_) => (self.everywhere || self.district == district) && (approved || self.drafts),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const OWN: &str = "500103";
    const OTHER: &str = "500105";

    /// What is seen: a draft and an approved alert of the own district, of another, and of the whole city.
    #[rstest]
    #[case(Role::CityCommandOfficer, "city", [true, true], [true, true], [true, true])]
    #[case(Role::Auditor, "city", [true, true], [true, true], [true, true])]
    #[case(Role::SubmittingUnit, "city", [true, true], [true, true], [true, true])]
    #[case(Role::TechnicalOperator, "city", [false, true], [false, true], [false, true])]
    #[case(Role::DistrictReviewer, "district:500103", [true, true], [false, false], [false, true])]
    #[case(Role::SubmittingUnit, "district:500103", [true, true], [false, false], [false, true])]
    #[case(Role::CommunityWorker, "community:500103001003", [false, true], [false, false], [false, true])]
    #[case(Role::HotlineOperator, "city", [false, false], [false, false], [false, true])]
    #[case(Role::UnitLead, "unit:1", [false, false], [false, false], [false, true])]
    #[case(Role::IndustrySupervisor, "industry:catering", [false, false], [false, false], [false, true])]
    fn who_sees_what(#[case] role: Role, #[case] scope: Scope, #[case] own: [bool; 2], #[case] other: [bool; 2], #[case] city: [bool; 2]) {
        let view = AlertView::of(role, &scope);
        let seen = |district: Option<&str>| [false, true].map(|approved| view.shows(district.map(|code| code.parse().unwrap()), approved));
        assert_eq!([seen(Some(OWN)), seen(Some(OTHER)), seen(None)], [own, other, city]);
    }
}
