//! Word of a stop, ahead of the next checkpoint.
//!
//! Between two checkpoints of a batch lie hundreds of recipients, and with a slow provider many seconds. So whoever has committed the stop of an
//! alert leaves word where all processes look ([`leave`]), and whoever sends a batch of it listens ([`of_stop`]). Nothing depends on it:
//! without the word the stop is learned at the checkpoint.

use std::time::Duration;

use domain::ids::AlertId;
use platform::cache::Cache;
use platform::tasks::chain;

use crate::signals;

/// Longer than any batch is in one hand: who claims one later sees the stop in the ledger.
const KEPT: Duration = Duration::from_secs(900);
/// How often it is looked for the word of another process. In real time, as the sending is.
const LOOK: Duration = Duration::from_millis(200);

fn key(alert_id: AlertId) -> String {
    format!("dispatch:stopped:{alert_id}")
}

/// Leaves word that the alert has ended. After the commit: who hears of it asks the ledger.
pub(crate) async fn leave(cache: &Cache, alert_id: AlertId) {
    if let Err(error) = cache.set(&key(alert_id), b"1", KEPT).await {
        tracing::warn!(%alert_id, error = chain(&error), "senders learn of a stop at their next checkpoint only");
    }
    signals::STOPPED.wake();
}

/// Resolves when there is word that the alert has ended.
pub(crate) async fn of_stop(cache: &Cache, alert_id: AlertId) {
    let (mut signal, key) = (signals::STOPPED.listen(), key(alert_id));
    loop {
        tokio::select! {
            () = signal.woken() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
        // A cache that is away tells nothing; what needs it says so itself.
        if matches!(cache.get(&key).await, Ok(Some(_))) {
            return;
        }
    }
}
