//! The state of the routes.

use std::sync::Arc;

use domain::ids::AlertId;
use domain::quiet_hours::QuietHours;
use domain::staff::Scope;
use platform::Platform;
use platform::clock::Clock;
use platform::database::Database;
use platform::recount::Recounted;
use tokio_util::sync::CancellationToken;

use super::acknowledged::Acknowledged;
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
    /// Deliveries as JSON, as staff of a scope see them: a thousand pages that watch one are one look a second.
    pub looks: Arc<Recounted<(AlertId, Scope), Arc<str>>>,
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
            looks: Arc::default(),
            stopping: platform.tasks.token().clone(),
            database: platform.database.clone(),
            clock: platform.clock.clone(),
        }
    }
}
