//! What staff see and do: how an alert's delivery goes, and the follow-up items of their area.

mod acknowledged;
mod approved;
mod delivery;
mod follow_ups;
mod live;
mod running;
mod series;
mod visits;

use domain::quiet_hours::QuietHours;
use domain::staff::Role;
use platform::Platform;
use platform::clock::Clock;
use platform::database::Database;
use platform::http::{Access, Limits, Routes, routes};
use tokio_util::sync::CancellationToken;

use acknowledged::Acknowledged;
use live::Looks;
use visits::Visits;

/// What the handlers need.
#[derive(Clone, Debug)]
struct Shared {
    database: Database,
    clock: Clock,
    quiet_hours: QuietHours,
    acknowledged: Acknowledged,
    visits: Visits,
    looks: Looks,
    /// The process is stopping: streams end.
    stopping: CancellationToken,
}

impl Shared {
    fn of(platform: &Platform, quiet_hours: QuietHours) -> Self {
        Self {
            quiet_hours,
            acknowledged: Acknowledged::new(platform.database.clone()),
            visits: Visits::new(platform.database.clone()),
            looks: Looks::default(),
            stopping: platform.tasks.token().clone(),
            database: platform.database.clone(),
            clock: platform.clock.clone(),
        }
    }
}

pub(crate) const WATCHERS: &[Role] =
    &[Role::CityCommandOfficer, Role::DistrictReviewer, Role::SubmittingUnit, Role::TechnicalOperator, Role::Auditor];
const VISITORS: &[Role] = &[Role::CommunityWorker, Role::DistrictReviewer, Role::CityCommandOfficer];

pub(crate) fn routes(platform: &Platform, quiet_hours: QuietHours) -> Routes {
    Routes::new("dispatch")
        .allow(Access::Staff(WATCHERS), routes!(delivery::delivery))
        .allow(Access::Staff(WATCHERS), routes!(running::running))
        .allow(Access::Staff(WATCHERS), routes!(series::series))
        .allow_within(Limits::stream(), Access::Staff(WATCHERS), routes!(live::live))
        .allow(Access::Staff(VISITORS), routes!(follow_ups::list))
        .allow(Access::Staff(VISITORS), routes!(follow_ups::enter_outcome))
        .with_state(Shared::of(platform, quiet_hours))
}
