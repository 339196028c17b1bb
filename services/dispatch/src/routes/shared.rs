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
use crate::settings::Settings;

/// What the handlers need.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub database: Database,
    pub clock: Clock,
    pub platform: Platform,
    pub quiet_hours: QuietHours,
    /// Lists that somebody may take along in a day.
    pub exports_a_day: u32,
    pub acknowledged: Acknowledged,
    pub visits: Visits,
    pub wrote_back: WroteBack,
    /// Deliveries as JSON, as staff of a scope see them: a thousand pages that watch one are one look a second.
    pub looks: Arc<Recounted<(AlertId, Scope), Arc<str>>>,
    /// The process is stopping: streams end.
    pub stopping: CancellationToken,
}

impl Shared {
    pub fn of(platform: &Platform, settings: &Settings) -> Self {
        Self {
            platform: platform.clone(),
            quiet_hours: settings.quiet_hours,
            exports_a_day: settings.exports_a_day,
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
