//! As whom a member of staff acts.

use domain::alert_state::Actor;
use platform::http::StaffCaller;

/// The caller, as the table of steps knows staff.
pub(crate) fn actor(caller: &StaffCaller) -> Actor {
    Actor::Staff { id: caller.id, role: caller.role, scope: caller.scope }
}
