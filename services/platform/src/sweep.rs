//! Sweeps: comparing what a service should know with what the owner's view says, and taking over what is missing.
//!
//! Each is a job ([`crate::jobs`]), run every minute. What they find is rare and rings; one item that cannot be taken over stops no other.

use std::error::Error;

use chrono::TimeDelta;
use domain::ids::AlertId;

use crate::error::BoxError;
use crate::jobs::Did;
use crate::tasks::chain;

/// What is younger than this is on its way by an event, and no sweep's to take over.
pub const GRACE: TimeDelta = TimeDelta::seconds(30);

/// One run.
#[derive(Debug)]
pub struct Sweep {
    by: &'static str,
    taken_over: u64,
    failed: u64,
    first_failure: Option<String>,
}

impl Sweep {
    /// Of the service `by`.
    #[must_use]
    pub fn of(by: &'static str) -> Self {
        Self { by, taken_over: 0, failed: 0, first_failure: None }
    }

    /// Takes over one alert's `what`, such as its approval or stop, of which no event has told.
    pub async fn take_over<E: Error + 'static>(
        &mut self,
        what: &'static str,
        alert_id: AlertId,
        work: impl Future<Output = Result<(), E>>,
    ) {
        let by = self.by;
        match work.await {
            Ok(()) => {
                self.taken_over += 1;
                metrics::counter!("taken_over_total", "by" => by, "what" => what).increment(1);
                tracing::error!(by, what, %alert_id, "no event has told: taken over by the sweep");
            }
            Err(error) => {
                self.failed += 1;
                let error = chain(&error);
                tracing::error!(by, what, %alert_id, error, "the sweep could not take over what no event has told");
                self.first_failure.get_or_insert(error);
            }
        }
    }

    /// What was done.
    ///
    /// # Errors
    /// When something could not be taken over.
    pub fn done(self) -> Result<Did, BoxError> {
        match self.first_failure {
            None => Ok(Did::nothing().and("接管遗漏的变动", "changes taken over that no event had told", self.taken_over)),
            Some(failure) => Err(format!("{} taken over, {} failed; the first: {failure}", self.taken_over, self.failed).into()),
        }
    }
}
