//! Setting aside: a step that fails for one alert or wave is tried again later, ever later, and never stops the others.
//!
//! Every worker of dispatch takes the most pressing item of a table, so an item that fails each time would stand before all the others for
//! ever. A failed item is therefore set aside, at first for a second, at last for half a minute: a damaged row, a poisoned wave, a bug that one audience
//! brings out. What fails for all alike (the database is away) fails here as well and is the worker's to repeat. From the [`RINGS`]th failure
//! on it rings: in the log, in the metrics, and on the page of the delivery.

use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use domain::ids::AlertId;
use futures::FutureExt as _;
use platform::clock::Clock;
use platform::database::{Connection, Database};
use platform::tasks::{chain, panic_text};

use crate::Error;

/// From so many failures in a row on it rings.
pub(crate) const RINGS: i32 = 3;
/// A reason is for reading, not a dump.
const LONGEST_WHY: usize = 500;

domain::words! {
    /// What may fail for one item.
    #[schema(as = SetAsideStep)]
    pub(crate) enum Step {
        /// Its first wave begins.
        Release,
        /// A chunk of a wave is planned.
        Plan,
        /// Its audience is published for inboxes.
        Publish,
        /// A wave of which nothing is left is closed.
        Close,
        /// Who stayed silent is reminded, or followed up.
        Remind,
        /// What is not sent of an alert that has ended is withdrawn.
        Withdraw,
        /// How many people an audience has is counted, for the forecast.
        Count,
        /// A batch is taken to be sent.
        Send,
    }
}

impl Step {
    /// As which failure the first counts: what is sent comes to nobody's eyes before its deadline, so it rings at once.
    const fn first_failure(self) -> i32 {
        match self {
            Self::Send => RINGS,
            Self::Release | Self::Plan | Self::Publish | Self::Close | Self::Remind | Self::Withdraw | Self::Count => 1,
        }
    }
}

/// What a step is about: an alert as a whole, with wave 0, or one of its waves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub alert_id: AlertId,
    pub wave: i16,
    /// Whether it has been set aside before.
    pub again: bool,
}

/// Where a step says which item it is about, as soon as it has locked it.
#[derive(Debug, Default)]
pub(crate) struct Slot(Mutex<Option<Item>>);

impl Slot {
    /// It is about this alert, or this wave of it; `again` when it has been set aside before.
    pub(crate) fn is_about(&self, alert_id: AlertId, wave: i16, again: bool) {
        *self.item() = Some(Item { alert_id, wave, again });
    }

    fn item(&self) -> MutexGuard<'_, Option<Item>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a step for one item: whether there was one. When it fails after it has said in the slot which it is, its transaction is undone, the item is
/// set aside, and the answer is that there may be more.
pub(crate) async fn stepping(
    database: &Database,
    clock: &Clock,
    step: Step,
    slot: &Slot,
    work: impl Future<Output = Result<bool, Error>>,
) -> Result<bool, Error> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    let done = done.unwrap_or_else(|panic| Err(Error::Panicked(panic_text(panic.as_ref()).to_owned())));
    let item = *slot.item();
    match (done, item) {
        (Ok(found), Some(item)) if item.again => {
            clear(database, step, item).await?;
            Ok(found)
        }
        (Err(error), Some(item)) => {
            put(database, clock.now(), step, item, &error).await?;
            Ok(true)
        }
        (done, _) => done,
    }
}

/// Sets an item aside.
pub(crate) async fn put(database: &Database, now: DateTime<Utc>, step: Step, item: Item, error: &Error) -> Result<(), Error> {
    // PostgreSQL text holds no zero
    let why: String = chain(error).replace('\0', " ").chars().take(LONGEST_WHY).collect();
    let failures = sqlx::query_scalar!(
        r#"insert into dispatch.set_aside as known (alert_id, wave, step, failures, since, until, why)
           values ($1, $2, $3, $6, $4, $4::timestamptz + interval '1 second', $5)
           on conflict (alert_id, wave, step) do update
              set failures = known.failures + 1, why = excluded.why,
                  until = $4::timestamptz + make_interval(secs => least(30, 2 ^ least(known.failures, 5)))
           returning failures"#,
        item.alert_id.uuid(),
        item.wave,
        step.as_ref(),
        now,
        why,
        step.first_failure(),
    )
    .fetch_one(database.pool())
    .await?;
    let (alert_id, wave, step) = (item.alert_id, item.wave, step.as_ref());
    metrics::counter!("dispatch_steps_failed_total", "step" => step.to_owned()).increment(1);
    if failures < RINGS {
        tracing::warn!(%alert_id, wave, step, failures, why, "a step failed and is set aside for a moment");
    } else {
        tracing::error!(%alert_id, wave, step, failures, why, "a step keeps failing: it is set aside, the others go on");
    }
    Ok(())
}

/// The item's step has succeeded.
pub(crate) async fn clear(database: &Database, step: Step, item: Item) -> Result<(), Error> {
    let cleared = sqlx::query!(
        "delete from dispatch.set_aside where alert_id = $1 and wave = $2 and step = $3",
        item.alert_id.uuid(),
        item.wave,
        step.as_ref(),
    )
    .execute(database.pool())
    .await?
    .rows_affected();
    if cleared > 0 {
        tracing::info!(alert_id = %item.alert_id, wave = item.wave, step = step.as_ref(), "a step that was set aside has succeeded");
    }
    Ok(())
}

/// Nothing is to be done any more for an alert that is over.
pub(crate) async fn forget(connection: &mut Connection, alert_id: AlertId) -> Result<(), Error> {
    sqlx::query!("delete from dispatch.set_aside where alert_id = $1", alert_id.uuid()).execute(connection).await?;
    Ok(())
}

/// Shows how many items ring.
pub(crate) async fn measure(database: &Database) -> Result<(), Error> {
    let ringing = sqlx::query_scalar!(r#"select count(*) as "ringing!" from dispatch.set_aside where failures >= $1"#, RINGS)
        .fetch_one(database.pool())
        .await?;
    metrics::gauge!("dispatch_set_aside").set(ringing as f64);
    Ok(())
}
