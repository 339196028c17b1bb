//! A database that fails while a batch is in hand: a failover, a full disk, a connection that breaks.

use std::time::Duration;

use domain::retry::Backoff;
use platform::tasks::chain;

use crate::Error;
use crate::ledger::Claimed;

/// The pauses between two tries to write what is known. The pump leaves holders more time than the longest
/// ([`HOLDERS_FIRST`](crate::pump::HOLDERS_FIRST)).
const PAUSES: Backoff = Backoff { base: Duration::from_millis(200), cap: Duration::from_secs(4), factor: 2 };
/// Tries that are left when the process stops, and the pause between them: the others wait for its end.
pub(super) const TRIES_AT_STOP: u8 = 5;
const PAUSE_AT_STOP: Duration = Duration::from_secs(1);

/// How often the database failed in a row.
#[derive(Debug, Default)]
pub(super) struct Trouble(u8);

impl Trouble {
    pub(super) fn is_met(&self) -> bool {
        self.0 > 0
    }

    pub(super) fn met(&mut self, claimed: &Claimed, error: &Error) {
        self.0 = self.0.saturating_add(1);
        metrics::counter!("dispatch_ledger_retries_total", "channel" => claimed.channel.to_string()).increment(1);
        tracing::warn!(
            batch_id = claimed.batch_id.get(),
            failures = self.0,
            error = chain(error),
            "the ledger cannot be written: the answers to a batch are kept and tried again"
        );
    }

    pub(super) fn is_over(&mut self) {
        self.0 = 0;
    }

    pub(super) fn pause(&self, stops: bool) -> Duration {
        if stops { PAUSE_AT_STOP } else { PAUSES.delay(self.0, rand::random()) }
    }
}
