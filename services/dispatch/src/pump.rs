//! The pump: which batches are in the broker.
//!
//! The ledger is the queue; the broker holds only a short window of it, since what is there cannot be overtaken: as much as a channel sends in half
//! a lease. Whose batches fill it is decided by [`domain::turn`]: by deadline, but an alert that cannot hold its own takes no other along.
//! Urgent batches have a window and a line in the broker of their own: a provider that stalls on routine batches cannot keep them out. In quiet
//! hours routine batches stay where they are, also in the middle of a wave (CQ10).
//!
//! A batch whose lease ended is ready again: at once where its holder is lost, and where nobody has claimed it, unless its holders are at work and it
//! merely waits there. After a database that failed its holders come first, for as long as it takes them to write what they know: in real time, in
//! which they wait.

mod line;
mod window;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::alert::DeliveryClass;
use domain::deadline;
use domain::outcome::Channel;
use platform::Platform;
use platform::clock::Clock;
use platform::database::{Database, Tx};
use proto::{AppBatchReady, Event, SmsBatchReady, UrgentAppBatchReady, UrgentSmsBatchReady};
use tokio::time::Instant;

use crate::forecast::Capacity;
use crate::settings::Settings;
use crate::{Error, SCHEMA};
use line::{Line, Next};
pub(crate) use window::sized;

/// So long after the database failed no lease ends: longer than a holder waits between two tries ([`crate::worker`]).
pub(crate) const HOLDERS_FIRST: Duration = Duration::from_secs(10);
/// A batch that waits for so many leases although its holders are at work has been lost on the way.
const LEASES_TO_WAIT: i32 = 10;

/// What one turn of the pump did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pumped {
    /// Batches whose lease had ended.
    pub recovered: usize,
    /// Batches given to the broker.
    pub released: usize,
}

/// The pump of one process.
pub(crate) struct Pump {
    database: Database,
    clock: Clock,
    settings: Settings,
    line: Line,
    /// Until when no lease ends.
    holders_first: Mutex<Option<Instant>>,
}

impl Pump {
    pub(crate) fn new(platform: &Platform, settings: Settings, capacity: Capacity) -> Self {
        let (database, clock) = (platform.database.clone(), platform.clock.clone());
        Self { database, clock, line: Line::new(settings.clone(), capacity), settings, holders_first: Mutex::default() }
    }

    /// For a process that starts: the database may have been away, and other processes have what it does not know.
    pub(crate) fn starting(self) -> Self {
        self.holders_first(HOLDERS_FIRST.min(self.settings.lease().to_std().unwrap_or_default()));
        self
    }

    /// No lease ends for so long. A clock that stands still until somebody moves it must not keep what nobody holds any more.
    fn holders_first(&self, time: Duration) {
        *self.holders_first.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + time);
    }

    /// Fills the windows once. Runs in one process at a time; elsewhere it does nothing.
    pub(crate) async fn turn(&self) -> Result<Pumped, Error> {
        self.fill().await.inspect_err(|_| self.holders_first(HOLDERS_FIRST))
    }

    async fn fill(&self) -> Result<Pumped, Error> {
        let now = self.clock.now();
        let mut tx = self.database.begin().await?;
        let mine = sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock(hashtextextended('dispatch.pump', 0)) as "mine!""#)
            .fetch_one(&mut *tx)
            .await?;
        if !mine {
            return Ok(Pumped::default());
        }
        let until = *self.holders_first.lock().unwrap_or_else(PoisonError::into_inner);
        let lost = if until.is_some_and(|until| Instant::now() < until) { 0 } else { self.recover(&mut tx).await? };
        let quiet = deadline::release_at(DeliveryClass::Routine, now, &self.settings.quiet_hours) > now;
        let quiet_from = if quiet { None } else { self.settings.quiet_hours.begins_after(now) };
        let next = self.line.next(&mut tx, now, quiet).await?;
        let released = next.len();
        if released > 0 {
            self.release(&mut tx, &next, quiet_from).await?;
        }
        tx.commit().await?;
        if lost > 0 {
            metrics::counter!("dispatch_leases_ended_total").increment(lost as u64);
            tracing::warn!(recovered = lost, "batches whose lease had ended are ready again");
        }
        Ok(Pumped { recovered: lost, released })
    }

    /// Makes batches ready again whose lease has ended. How many of them had a holder.
    async fn recover(&self, tx: &mut Tx) -> Result<usize, Error> {
        let held = sqlx::query_scalar!(
            r#"with clock as materialized (select dispatch.lease_clock($1) as now), ended as (
                   select b.alert_id, b.batch_id, b.state from dispatch.batch b cross join clock
                    where b.state in ('released', 'claimed') and b.lease_until <= clock.now
                      and (b.state = 'claimed' or b.lease_until <= clock.now - make_interval(secs => $2) or not exists (
                              select from dispatch.batch h
                               where h.state = 'claimed' and h.channel = b.channel and h.urgent = b.urgent and h.lease_until > clock.now))
                      for update of b skip locked
               )
               update dispatch.batch b
                  set state = 'ready', lease_until = null, holder = null, lease = b.lease + case when ended.state = 'claimed' then 1 else 0 end
                 from ended where b.alert_id = ended.alert_id and b.batch_id = ended.batch_id
               returning ended.state = 'claimed' as "held!""#,
            self.clock.ahead().as_seconds_f64(),
            (self.settings.lease() * LEASES_TO_WAIT).as_seconds_f64(),
        )
        .fetch_all(&mut **tx)
        .await?;
        Ok(held.into_iter().filter(|held| *held).count())
    }

    async fn release(&self, tx: &mut Tx, next: &[Next], quiet_from: Option<DateTime<Utc>>) -> Result<(), Error> {
        sqlx::query!(
            r#"update dispatch.batch b
                  set state = 'released', lease_until = dispatch.lease_clock($3),
                      send_until = case when b.urgent then null else $4::timestamptz end
                 from unnest($1::uuid[], $2::bigint[]) as n (alert_id, batch_id)
                where b.alert_id = n.alert_id and b.batch_id = n.batch_id and b.state = 'ready'"#,
            &next.iter().map(|next| next.alert_id.uuid()).collect::<Vec<_>>(),
            &next.iter().map(|next| next.batch_id).collect::<Vec<_>>(),
            (self.clock.ahead() + self.settings.lease()).as_seconds_f64(),
            quiet_from,
        )
        .execute(&mut **tx)
        .await?;
        let mut lines: BTreeMap<(bool, Channel), Vec<(i64, String)>> = BTreeMap::new();
        for batch in next {
            lines.entry((!batch.lane.urgent, batch.lane.channel)).or_default().push((batch.batch_id, batch.alert_id.to_string()));
        }
        for ((routine, channel), batches) in lines {
            let keys = batches.into_iter();
            match (channel, routine) {
                (Channel::App, true) => publish(tx, keys.map(|(batch_id, alert_id)| AppBatchReady { batch_id, alert_id })).await?,
                (Channel::App, false) => publish(tx, keys.map(|(batch_id, alert_id)| UrgentAppBatchReady { batch_id, alert_id })).await?,
                (Channel::Sms, true) => publish(tx, keys.map(|(batch_id, alert_id)| SmsBatchReady { batch_id, alert_id })).await?,
                (Channel::Sms, false) => publish(tx, keys.map(|(batch_id, alert_id)| UrgentSmsBatchReady { batch_id, alert_id })).await?,
                // Screens show an alert, nobody sends it to them in batches; the ledger's check refuses such a row.
                (Channel::Display, _) => {}
            }
        }
        Ok(())
    }
}

async fn publish<E: Event>(tx: &mut Tx, events: impl Iterator<Item = E>) -> Result<(), Error> {
    Ok(tx.publish_all(SCHEMA, &events.collect::<Vec<_>>()).await?)
}
