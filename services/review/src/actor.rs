//! As whom a member of staff acts.

use chrono::{DateTime, Utc};
use domain::alert_state::{self, Action, Actor};
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

/// The steps that the caller may take with an alert now: a new account releases nothing yet.
pub(crate) fn open_to(caller: &StaffCaller, alert: &Alert, now: DateTime<Utc>) -> Vec<Action> {
    let releases = caller.may_act(now).is_ok();
    let open = alert_state::open_actions(alert.state, &alert.participants, &actor_for(caller, alert)).into_iter();
    open.filter(|action| releases || !action.releases()).collect()
}
