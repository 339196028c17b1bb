//! Who of a batch the centre has taken is kept in `sms.part`, whatever happens meanwhile to the database or to the process.
//!
//! A database that fails for a while is waited for: what the centre has answered is known as long as the process lives. A process that dies leaves
//! rows without outcomes in the ledger: whoever goes on with its batch finds them, and sends to nobody who has one.

use std::time::Duration;

use domain::{ids::BatchId, retry::Backoff};
use platform::{Platform, tasks::chain};

use crate::error::Error;

/// The pauses between two tries to store what is known.
const PAUSES: Backoff = Backoff { base: Duration::from_millis(200), cap: Duration::from_secs(4), factor: 2 };
/// Tries that are left when the process stops, and the pause between them.
const TRIES_AT_STOP: u8 = 5;
const PAUSE_AT_STOP: Duration = Duration::from_secs(1);

/// A database that fails while something is to be kept.
#[derive(Debug)]
pub(crate) struct Trouble {
    failures: u8,
    last_tries: u8,
}

impl Trouble {
    /// None so far.
    pub(crate) const fn none() -> Self {
        Self { failures: 0, last_tries: TRIES_AT_STOP }
    }

    /// Waits until what is known of so many messages of a batch may be stored again. In real time, like the waiting for the centre.
    ///
    /// # Errors
    /// The error itself, when it is none that passes, or the process stops and has no try left.
    pub(crate) async fn met(&mut self, platform: &Platform, batch: BatchId, messages: usize, error: Error) -> Result<(), Error> {
        if self.last_tries == 0 || !matches!(error, Error::Database(_) | Error::Platform(_)) {
            return Err(error);
        }
        self.failures = self.failures.saturating_add(1);
        let stops = platform.tasks.token().is_cancelled();
        tracing::warn!(
            batch_id = batch.get(),
            messages,
            failures = self.failures,
            error = chain(&error),
            "messages that were sent cannot be stored: they are kept and tried again"
        );
        tokio::select! {
            () = tokio::time::sleep(if stops { PAUSE_AT_STOP } else { PAUSES.delay(self.failures, rand::random()) }) => {}
            () = platform.tasks.cancelled(), if !stops => {}
        }
        self.last_tries -= u8::from(stops);
        Ok(())
    }
}
