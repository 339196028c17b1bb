//! The current state of all screens, in memory, kept fresh for everybody who follows it.
//!
//! One reader per process asks the tables: at once when a handler of this process changed something, and every
//! `refresh_ms` for what other processes changed and for what expires. So a thousand screens that listen cost the database
//! two small statements a period.

use std::{sync::Arc, time::Duration};

use platform::{
    clock::Clock,
    worker::{self, Turn},
};
use tokio::sync::watch;

use crate::{
    alerts::Alerts,
    error::Error,
    playlist::{Playlist, Profile, Shown},
};

/// Follows what screens are to show.
#[derive(Clone)]
pub(crate) struct Feed {
    alerts: watch::Receiver<Arc<Vec<Shown>>>,
    clock: Clock,
}

impl Feed {
    /// Reads once, so that nobody is told an empty list by mistake, then starts the reader.
    pub(crate) async fn start(alerts: Alerts, refresh: Duration) -> Result<Self, Error> {
        let (current, seen) = watch::channel(Arc::new(alerts.current().await?));
        let platform = alerts.platform.clone();
        let changed = alerts.changed.clone();
        worker::run(&platform.tasks, &platform.clock, "display.feed", refresh, &changed, move || {
            let (alerts, current) = (alerts.clone(), current.clone());
            async move {
                let read = Arc::new(alerts.current().await?);
                current.send_if_modified(|known| {
                    let is_new = **known != *read;
                    if is_new {
                        *known = read;
                    }
                    is_new
                });
                Ok(Turn::Idle)
            }
        });
        Ok(Self { alerts: seen, clock: platform.clock })
    }

    /// A screen's list as it is now.
    pub(crate) fn playlist(&mut self, screen: &Profile) -> Playlist {
        Playlist::of(screen, &self.alerts.borrow_and_update().clone(), self.clock.now())
    }

    /// Waits for a change of anybody's list.
    pub(crate) async fn changed(&mut self) {
        if self.alerts.changed().await.is_err() {
            // The reader has stopped, so the process is stopping; there will be no change.
            std::future::pending::<()>().await;
        }
    }
}
