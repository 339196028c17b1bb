//! Word of a stop, for all or for some people, ahead of the next checkpoint.
//!
//! Between two checkpoints of a batch lie hundreds of recipients, and with a slow provider many seconds. So whoever has committed the stop of an
//! alert leaves word where all processes look ([`leave`]), and whoever sends a batch of it listens ([`of_stop`]). Nothing depends on it:
//! without the word the stop is learned at the checkpoint. Where an alert was withdrawn
//! for some people, each time has a word of its own ([`of_some`]).
//!
//! The same goes for an alert that is being checked: who sends it hears of it at once ([`leave_of_check`]).

use std::time::Duration;

use domain::ids::AlertId;
use platform::cache::Cache;
use platform::tasks::chain;
use uuid::Uuid;

use crate::signals;

/// Longer than any batch is in one hand: who claims one later sees the stop in the ledger.
const KEPT: Duration = Duration::from_secs(900);
/// How often it is looked for the word of another process. In real time, as the sending is.
const LOOK: Duration = Duration::from_millis(200);

fn key(alert_id: AlertId) -> String {
    format!("dispatch:stopped:{alert_id}")
}

fn key_of_check(alert_id: AlertId) -> String {
    format!("dispatch:checked:{alert_id}")
}

fn key_of_some(alert_id: AlertId) -> String {
    format!("dispatch:withdrawn-for:{alert_id}")
}

/// Leaves word that the alert has ended. After the commit: who hears of it asks the ledger.
pub(crate) async fn leave(cache: &Cache, alert_id: AlertId) {
    if let Err(error) = cache.set(&key(alert_id), b"1", KEPT).await {
        tracing::warn!(%alert_id, error = chain(&error), "senders learn of a stop at their next checkpoint only");
    }
    signals::STOPPED.wake();
}

/// Leaves word that the alert is being checked. After the commit: who hears of it asks the ledger, where it stands also when it goes on.
pub(crate) async fn leave_of_check(cache: &Cache, alert_id: AlertId) {
    if let Err(error) = cache.set(&key_of_check(alert_id), b"1", KEPT).await {
        tracing::warn!(%alert_id, error = chain(&error), "senders learn that an alert is being checked at their next checkpoint only");
    }
    signals::STOPPED.wake();
}

/// Resolves when there is word that the alert is being checked, or was a while ago.
pub(crate) async fn of_check(cache: &Cache, alert_id: AlertId) {
    wait_for(cache, &key_of_check(alert_id)).await;
}

/// Leaves word that there are more people for whom the alert was withdrawn. After the commit.
pub(crate) async fn leave_of_some(cache: &Cache, alert_id: AlertId) {
    if let Err(error) = cache.set(&key_of_some(alert_id), Uuid::now_v7().as_bytes(), KEPT).await {
        tracing::warn!(%alert_id, error = chain(&error), "senders learn for whom an alert was withdrawn at their next checkpoint only");
    }
    signals::STOPPED.wake();
}

/// Resolves when there is another word than `known` that the alert was withdrawn for some people: with that.
pub(crate) async fn of_some(cache: &Cache, alert_id: AlertId, known: Option<&[u8]>) -> Vec<u8> {
    let (mut signal, key) = (signals::STOPPED.listen(), key_of_some(alert_id));
    loop {
        if let Ok(Some(word)) = cache.get(&key).await
            && known != Some(&word[..])
        {
            return word.to_vec();
        }
        tokio::select! {
            () = signal.woken() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Resolves when there is word that the alert has ended.
pub(crate) async fn of_stop(cache: &Cache, alert_id: AlertId) {
    wait_for(cache, &key(alert_id)).await;
}

async fn wait_for(cache: &Cache, key: &str) {
    let mut signal = signals::STOPPED.listen();
    loop {
        tokio::select! {
            () = signal.woken() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
        // A cache that is away tells nothing; what needs it says so itself.
        if matches!(cache.get(key).await, Ok(Some(_))) {
            return;
        }
    }
}
