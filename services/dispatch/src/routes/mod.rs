//! What staff see and do: how an alert's delivery goes, and the follow-up items of their area.

mod delivery;
mod follow_ups;

use domain::staff::Role;
use platform::Platform;
use platform::clock::Clock;
use platform::database::Database;
use platform::http::{Access, Routes, routes};

/// What the handlers need.
#[derive(Clone, Debug)]
struct Shared {
    database: Database,
    clock: Clock,
}

const WATCHERS: &[Role] = &[Role::CityCommandOfficer, Role::DistrictReviewer, Role::SubmittingUnit, Role::TechnicalOperator, Role::Auditor];
const VISITORS: &[Role] = &[Role::CommunityWorker, Role::DistrictReviewer, Role::CityCommandOfficer];

pub(crate) fn routes(platform: &Platform) -> Routes {
    Routes::new("dispatch")
        .allow(Access::Staff(WATCHERS), routes!(delivery::delivery))
        .allow(Access::Staff(VISITORS), routes!(follow_ups::list))
        .allow(Access::Staff(VISITORS), routes!(follow_ups::enter_outcome))
        .with_state(Shared { database: platform.database.clone(), clock: platform.clock.clone() })
}
