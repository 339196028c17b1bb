//! The last looks at deliveries that somebody watches.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::ids::AlertId;
use tokio::sync::Mutex;

use crate::Error;

/// Between two looks.
pub(super) const PAUSE: Duration = Duration::from_secs(1);
/// Looks are kept for alerts that somebody watched in the last second; beyond so many the older ones are dropped.
const WATCHED: usize = 256;

/// The last look at each alert that is watched: a thousand pages that watch one alert are one look a second.
#[derive(Clone, Debug, Default)]
pub(super) struct Looks(Arc<Mutex<HashMap<AlertId, Look>>>);

/// A delivery as JSON, and when it was looked at.
type Look = (Instant, Arc<str>);

impl Looks {
    /// The last look, or what `look` finds where that is older than a page waits.
    pub async fn at<F>(&self, alert_id: AlertId, look: impl FnOnce() -> F) -> Result<Arc<str>, Error>
    where
        F: Future<Output = Result<Arc<str>, Error>>,
    {
        let mut looks = self.0.lock().await;
        // A little less than the pause, so that every page's next look finds news.
        if let Some((_, seen)) = looks.get(&alert_id).filter(|(at, _)| at.elapsed() < PAUSE * 9 / 10) {
            return Ok(Arc::clone(seen));
        }
        let seen = look().await?;
        if looks.len() >= WATCHED {
            looks.retain(|_, (at, _)| at.elapsed() < PAUSE);
        }
        looks.insert(alert_id, (Instant::now(), Arc::clone(&seen)));
        Ok(seen)
    }
}
