//! Staff: what somebody is (role) and where it holds (scope). CQ5 names the parts; a role without the right kind of
//! scope does not exist, which [`Role::accepts`] decides when an account is made.

use std::fmt;
use std::str::FromStr;

use crate::area::{Area, CommunityCode, DistrictCode};
use crate::ids::UnitId;
use crate::industry::Industry;

crate::words! {
    /// What a member of staff is (CQ5).
    pub enum Role {
        /// 市级指挥部: policy, rules, final review, urgent alerts.
        CityCommandOfficer => "市级指挥部人员",
        /// 区县指挥部: the first review, in one district.
        DistrictReviewer => "区县审核员",
        /// 报送单位: collects records and submits alerts, in one district or for the city.
        SubmittingUnit => "报送单位",
        /// 行业主管部门: sees and supervises one industry.
        IndustrySupervisor => "行业主管人员",
        /// 社区: passes alerts on and follows up, in one community.
        CommunityWorker => "社区工作人员",
        /// 技术支撑: runs the platform and sees no personal data.
        TechnicalOperator => "技术支撑人员",
        /// 审计: reads the trace.
        Auditor => "审计人员",
        /// 管理员: makes accounts and keys.
        Administrator => "管理员",
        /// 热线坐席: takes what citizens bring, answers it or registers it, in one district or for the city (HL1, HL2).
        HotlineOperator => "热线坐席",
        /// 承办单位经办人: works on the orders of one unit (HL3).
        UnitHandler => "承办单位经办人",
        /// 承办单位负责人: decides the results of one unit, and says what is not its business (RP4).
        UnitLead => "承办单位负责人",
        /// 督办: sees that promises are kept and decides who is competent, in one district or for the city (HL3, RP4).
        Supervisor => "督办人员",
    }
}

impl Role {
    /// Who sees alerts, as far as they concern their own area (CQ5): all but those who only make accounts and keys.
    pub const READERS_OF_ALERTS: &[Self] = &[
        Self::CityCommandOfficer,
        Self::DistrictReviewer,
        Self::SubmittingUnit,
        Self::IndustrySupervisor,
        Self::CommunityWorker,
        Self::TechnicalOperator,
        Self::Auditor,
    ];

    /// Whether somebody of this role can have this scope.
    #[must_use]
    pub const fn accepts(self, scope: &Scope) -> bool {
        match self {
            Self::CityCommandOfficer | Self::TechnicalOperator | Self::Auditor | Self::Administrator => matches!(scope, Scope::City),
            Self::DistrictReviewer => matches!(scope, Scope::District(_)),
            Self::SubmittingUnit | Self::HotlineOperator | Self::Supervisor => matches!(scope, Scope::City | Scope::District(_)),
            Self::IndustrySupervisor => matches!(scope, Scope::Industry(_)),
            Self::CommunityWorker => matches!(scope, Scope::Community(_)),
            Self::UnitHandler | Self::UnitLead => matches!(scope, Scope::Unit(_)),
        }
    }
}

/// Where a role holds. As text: `city`, `district:500103`, `industry:education`, `community:500101001001`, `unit:12`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everywhere.
    City,
    /// In one district or county.
    District(DistrictCode),
    /// For one industry, everywhere.
    Industry(Industry),
    /// In one community.
    Community(CommunityCode),
    /// For one unit that works on what citizens bring.
    Unit(UnitId),
}

impl Scope {
    /// Whether the whole area lies in this scope. An industry's scope holds people and a unit's holds orders, not areas: they cover none.
    #[must_use]
    pub fn covers(&self, area: Area) -> bool {
        match *self {
            Self::City => true,
            Self::District(district) => Area::District(district).contains(area),
            Self::Industry(_) | Self::Unit(_) => false,
            Self::Community(community) => Area::Community(community).contains(area),
        }
    }

    /// The one district it is or lies in.
    #[must_use]
    pub const fn district(&self) -> Option<DistrictCode> {
        match *self {
            Self::City | Self::Industry(_) | Self::Unit(_) => None,
            Self::District(district) => Some(district),
            Self::Community(community) => Some(community.district()),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::City => f.write_str("city"),
            Self::District(code) => write!(f, "district:{code}"),
            Self::Industry(industry) => write!(f, "industry:{industry}"),
            Self::Community(code) => write!(f, "community:{code}"),
            Self::Unit(unit) => write!(f, "unit:{unit}"),
        }
    }
}

/// The text is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a scope is city, district:<6 digits>, industry:<name>, community:<12 digits> or unit:<number>")]
pub struct ScopeError;

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        match text.split_once(':') {
            None if text == "city" => Ok(Self::City),
            Some(("district", code)) => code.parse().map(Self::District).map_err(|_| ScopeError),
            Some(("industry", name)) => name.parse().map(Self::Industry).map_err(|_| ScopeError),
            Some(("community", code)) => code.parse().map(Self::Community).map_err(|_| ScopeError),
            Some(("unit", number)) => number.parse().map(Self::Unit).map_err(|_| ScopeError),
            _ => Err(ScopeError),
        }
    }
}

crate::text_form::text_form!(Scope, "city, district:<code>, industry:<name>, community:<code> or unit:<number>", "district:500103");

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("city", "city", true)]
    #[case("city", "500103001001", true)]
    #[case("district:500103", "500103001", true)]
    #[case("district:500103", "500101", false)]
    #[case("district:500103", "city", false)]
    #[case("community:500103001001", "500103001001", true)]
    #[case("community:500103001001", "500103001", false)]
    #[case("industry:education", "500103", false)]
    #[case("unit:12", "500103", false)]
    fn a_scope_covers_what_lies_in_it(#[case] scope: &str, #[case] area: &str, #[case] covers: bool) {
        let scope: Scope = scope.parse().unwrap();
        assert_eq!(scope.covers(area.parse().unwrap()), covers);
        assert_eq!(scope.to_string().parse(), Ok(scope));
    }

    #[rstest]
    #[case("district")]
    #[case("district:5001")]
    #[case("industry:alchemy")]
    #[case("province:50")]
    #[case("unit:cdc")]
    #[case("")]
    fn what_is_no_scope_is_refused(#[case] text: &str) {
        assert_eq!(text.parse::<Scope>(), Err(ScopeError));
    }

    /// CQ5 as a table: which kind of scope goes with which role.
    #[rstest]
    #[case(Role::CityCommandOfficer, &["city"])]
    #[case(Role::DistrictReviewer, &["district:500103"])]
    #[case(Role::SubmittingUnit, &["city", "district:500103"])]
    #[case(Role::IndustrySupervisor, &["industry:education"])]
    #[case(Role::CommunityWorker, &["community:500103001001"])]
    #[case(Role::TechnicalOperator, &["city"])]
    #[case(Role::Auditor, &["city"])]
    #[case(Role::Administrator, &["city"])]
    #[case(Role::HotlineOperator, &["city", "district:500103"])]
    #[case(Role::UnitHandler, &["unit:12"])]
    #[case(Role::UnitLead, &["unit:12"])]
    #[case(Role::Supervisor, &["city", "district:500103"])]
    fn a_role_goes_with_its_kind_of_scope_only(#[case] role: Role, #[case] accepted: &[&str]) {
        for scope in ["city", "district:500103", "industry:education", "community:500103001001", "unit:12"] {
            assert_eq!(role.accepts(&scope.parse().unwrap()), accepted.contains(&scope), "{role} with {scope}");
        }
        assert_eq!(role.as_ref().parse(), Ok(role));
    }
}
