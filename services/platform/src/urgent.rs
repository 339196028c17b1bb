//! Word of an urgent alert, ahead of its batches.
//!
//! Between the approval and the first batch in a sender's hands lie the outbox, planning, the ledger and the broker: moments in which
//! routine batches, going out at full speed, have the machine. So whoever lets an urgent alert pass leaves word ([`announce`]) where all
//! processes look ([`Ear`]), and those that plan and send routine alerts rest until the urgent one is there. Nothing depends on
//! it: without the word an urgent alert is a little slower.

use crate::compiled_once;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::ids::AlertId;
use tokio::time::Instant;

use crate::cache::Cache;
use crate::tasks::chain;

const KEY: &str = "urgent";
/// How long a word is heeded: as long as it takes to plan and release the first batches, with room to spare. In real time, as the sending is.
pub const AHEAD: Duration = Duration::from_millis(500);
/// How often it is looked for a word at most.
const LOOK: Duration = Duration::from_millis(10);

/// Leaves word.
#[compiled_once]
pub async fn announce(cache: &Cache, alert_id: AlertId) {
    if let Err(error) = cache.set(KEY, alert_id.uuid().as_bytes(), AHEAD).await {
        tracing::warn!(%alert_id, error = chain(&error), "nobody was told of an urgent alert ahead of its batches");
    }
}

/// Hears each word once.
#[derive(Debug, Default)]
pub struct Ear(Mutex<Heard>);

#[derive(Debug, Default)]
struct Heard {
    looked_at: Option<Instant>,
    of: Option<AlertId>,
}

impl Ear {
    /// Until when to rest, if there is a word that was not heard before. The word itself stays where the platform's clock stands still.
    #[compiled_once]
    pub async fn listen(&self, cache: &Cache) -> Option<Instant> {
        let now = Instant::now();
        {
            let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if heard.looked_at.is_some_and(|looked_at| now < looked_at + LOOK) {
                return None;
            }
            heard.looked_at = Some(now);
        }
        // A cache that is away tells nothing; what needs it says so itself.
        let word = cache.get(KEY).await.ok()??;
        let alert_id = AlertId::from_uuid(uuid::Uuid::from_slice(&word).ok()?);
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (heard.of.replace(alert_id) != Some(alert_id)).then_some(now + AHEAD)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::clock::Clock;

    #[tokio::test]
    async fn a_word_is_heard_once_by_everybody_and_is_gone_when_its_time_is_over() {
        let clock = Clock::moved(DateTime::from_timestamp(1_700_000_000, 0).unwrap());
        let cache = Cache::in_process(&clock);
        let (one, other) = (Ear::default(), Ear::default());
        // looks, however short a time ago it has looked
        let hears = async |ear: &Ear| {
            ear.0.lock().unwrap().looked_at = None;
            let now = Instant::now();
            ear.listen(&cache).await.is_some_and(|until| until >= now + AHEAD)
        };
        assert!(!hears(&one).await);
        announce(&cache, AlertId::new()).await;
        assert!(hears(&one).await);
        assert!(!hears(&one).await, "the same word");
        assert!(hears(&other).await);
        announce(&cache, AlertId::new()).await;
        one.0.lock().unwrap().looked_at = Some(Instant::now() + Duration::from_secs(3_600));
        assert!(one.listen(&cache).await.is_none(), "nobody looks at every moment");
        assert!(hears(&one).await, "another alert");
        announce(&cache, AlertId::new()).await;
        clock.forward(AHEAD * 2);
        assert!(!hears(&one).await, "its time is over");
    }
}
