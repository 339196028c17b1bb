//! As whom a member of staff acts.

use domain::alert_state::Actor;
use platform::http::StaffCaller;

use crate::store::Alert;

/// The caller, as the table of steps knows staff who have had no hand in an alert.
pub(crate) fn actor(caller: &StaffCaller) -> Actor {
    Actor::Staff { id: caller.id, role: caller.role, scope: caller.scope, involved: false }
}

/// The caller, as whom they come to this alert.
pub(crate) fn actor_for(caller: &StaffCaller, alert: &Alert) -> Actor {
    Actor::Staff { id: caller.id, role: caller.role, scope: caller.scope, involved: alert.involved.contains(&caller.id) }
}
