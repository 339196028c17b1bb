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

/// What of an alert's standing decides about the steps beside the table of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    /// Somebody may have it.
    pub(crate) handed: bool,
    /// A word about it waits for a second person.
    pub(crate) retraction_waits: bool,
}

/// The steps that the caller may take with an alert now: a new account releases nothing yet, nobody cancels alone what people have, and what is
/// stopped is not stopped again.
pub(crate) fn open_to(caller: &StaffCaller, alert: &Alert, circumstances: Circumstances, now: DateTime<Utc>) -> Vec<Action> {
    let releases = caller.may_act(now).is_ok();
    let open = alert_state::open_actions(alert.state, &alert.participants, &actor_for(caller, alert)).into_iter();
    let is_open = |action: &Action| match action {
        Action::Cancel => alert.approved_at.is_none() || !circumstances.handed,
        Action::Stop => alert.held.is_none(),
        Action::Resume => alert.held.is_some() && !circumstances.retraction_waits,
        _ => true,
    };
    open.filter(|action| is_open(action) && (releases || !action.releases())).collect()
}
