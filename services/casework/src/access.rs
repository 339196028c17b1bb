//! Who may do what with cases.

use domain::staff::Role;
use platform::http::Access;

/// Everybody who works on cases; what of them somebody sees is asked in the statement.
pub(crate) const CASEWORKERS: Access = Access::Staff(&[Role::HotlineOperator, Role::UnitHandler, Role::UnitLead, Role::Supervisor]);
/// Who takes what citizens bring, or enters it for them.
pub(crate) const TAKING: Access = Access::Staff(&[Role::HotlineOperator, Role::CommunityWorker]);
/// Who answers the phone.
pub(crate) const OPERATORS: Access = Access::Staff(&[Role::HotlineOperator]);
/// Who may open whoever brought a case: to call them.
pub(crate) const CALLING: Access = Access::Staff(&[Role::HotlineOperator, Role::UnitHandler, Role::UnitLead]);
/// Who sees how all units are doing.
pub(crate) const SUPERVISING: Access = Access::Staff(&[Role::Supervisor, Role::CityCommandOfficer]);
/// Who sees which units there are.
pub(crate) const READING_UNITS: Access =
    Access::Staff(&[Role::HotlineOperator, Role::UnitHandler, Role::UnitLead, Role::Supervisor, Role::Administrator]);
/// Who makes units.
pub(crate) const MAKING_UNITS: Access = Access::Staff(&[Role::Administrator]);
