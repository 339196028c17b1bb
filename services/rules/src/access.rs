//! Who may do what with rules.

use domain::staff::Role;
use platform::http::Access;

/// Who decides about rules (CQ5).
pub(crate) const AUTHORS: Access = Access::Staff(&[Role::CityCommandOfficer]);
/// Who sees them: everybody who sees the alerts they make.
pub(crate) const READERS: Access = Access::Staff(Role::READERS_OF_ALERTS);
