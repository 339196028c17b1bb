//! The state of the routes.

use domain::quiet_hours::QuietHours;
use platform::Platform;
use platform::clock::Clock;
use platform::database::Database;
use tokio_util::sync::CancellationToken;

use super::acknowledged::Acknowledged;
use super::looks::Looks;
use super::visits::Visits;
use super::wrote_back::WroteBack;

/// What the handlers need.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub database: Database,
    pub clock: Clock,
    pub quiet_hours: QuietHours,
    pub acknowledged: Acknowledged,
    pub visits: Visits,
    pub wrote_back: WroteBack,
    pub looks: Looks,
    /// The process is stopping: streams end.
    pub stopping: CancellationToken,
}

impl Shared {
    pub fn of(platform: &Platform, quiet_hours: QuietHours) -> Self {
        Self {
            quiet_hours,
            acknowledged: Acknowledged::new(platform.database.clone()),
            visits: Visits::new(platform.database.clone()),
            wrote_back: WroteBack::new(platform.database.clone()),
            looks: Looks::default(),
            stopping: platform.tasks.token().clone(),
            database: platform.database.clone(),
            clock: platform.clock.clone(),
        }
    }
}
