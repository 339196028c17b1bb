//! The pump: which batches are in the broker.
//!
//! The ledger is the queue; the broker holds only a short window of it. The pump fills the window urgent first, then by deadline, so an urgent
//! alert never queues behind a routine one, however large. Urgent batches have a window and a line in the broker of their own: a
//! provider that stalls on routine batches cannot keep them out. A batch whose lease ended, claimed or not, is ready again. In quiet
//! hours routine batches stay where they are, also in the middle of a wave (CQ10).

use std::collections::BTreeMap;

use domain::alert::DeliveryClass;
use domain::deadline;
use domain::outcome::Channel;
use platform::clock::Clock;
use platform::database::Database;
use platform::database::Tx;
use proto::{AppBatchReady, Event, SmsBatchReady, UrgentAppBatchReady, UrgentSmsBatchReady};

use crate::settings::Settings;
use crate::{Error, SCHEMA};

/// What one turn of the pump did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pumped {
    /// Batches whose lease had ended.
    pub recovered: usize,
    /// Batches given to the broker.
    pub released: usize,
}

/// Fills the windows once. Runs in one process at a time; elsewhere it does nothing.
pub(crate) async fn turn(database: &Database, clock: &Clock, settings: &Settings) -> Result<Pumped, Error> {
    let now = clock.now();
    let mut tx = database.begin().await?;
    let mine = sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock(hashtextextended('dispatch.pump', 0)) as "mine!""#)
        .fetch_one(&mut *tx)
        .await?;
    if !mine {
        return Ok(Pumped::default());
    }
    let recovered = sqlx::query_scalar!(
        r#"update dispatch.batch set state = 'ready', lease = lease + 1, lease_until = null, holder = null
            where state in ('released', 'claimed') and lease_until <= $1
        returning batch_id"#,
        now
    )
    .fetch_all(&mut *tx)
    .await?
    .len();
    let quiet = deadline::release_at(DeliveryClass::Routine, now, &settings.quiet_hours) > now;
    let quiet_from = if quiet { None } else { settings.quiet_hours.begins_after(now) };
    let released = sqlx::query!(
        r#"with lane as (
               select channel, urgent, greatest(0, $1 - (
                          select count(*) from dispatch.batch f
                           where f.state in ('released', 'claimed') and f.channel = l.channel and f.urgent = l.urgent)) as free
                 from (values ('app', true), ('sms', true), ('app', false), ('sms', false)) as l (channel, urgent)
                where l.urgent or not $2
           ), next as (
               select picked.alert_id, picked.batch_id from lane cross join lateral (
                   select r.alert_id, r.batch_id from dispatch.batch r
                    where r.state = 'ready' and r.channel = lane.channel and r.urgent = lane.urgent and r.not_before <= $3
                    order by r.due_at, r.batch_id limit lane.free
                      for update skip locked) as picked
           )
           update dispatch.batch b
              set state = 'released', lease_until = $4, send_until = case when b.urgent then null else $5::timestamptz end
             from next where b.alert_id = next.alert_id and b.batch_id = next.batch_id
        returning b.alert_id, b.batch_id, b.channel, b.urgent, b.due_at"#,
        i64::from(settings.window),
        quiet,
        now,
        now + settings.lease(),
        quiet_from,
    )
    .fetch_all(&mut *tx)
    .await?;
    let count = released.len();
    let mut lines: BTreeMap<(bool, Channel), Vec<_>> = BTreeMap::new();
    for batch in released {
        let channel = batch.channel.parse().map_err(|error: strum::ParseError| Error::damaged("channel", batch.batch_id, error))?;
        lines.entry((!batch.urgent, channel)).or_default().push((batch.due_at, batch.batch_id, batch.alert_id.to_string()));
    }
    for ((routine, channel), mut batches) in lines {
        batches.sort_unstable();
        let keys = batches.into_iter().map(|(_, batch_id, alert_id)| (batch_id, alert_id));
        match (channel, routine) {
            (Channel::App, true) => publish(&mut tx, keys.map(|(batch_id, alert_id)| AppBatchReady { batch_id, alert_id })).await?,
            (Channel::App, false) => publish(&mut tx, keys.map(|(batch_id, alert_id)| UrgentAppBatchReady { batch_id, alert_id })).await?,
            (Channel::Sms, true) => publish(&mut tx, keys.map(|(batch_id, alert_id)| SmsBatchReady { batch_id, alert_id })).await?,
            (Channel::Sms, false) => publish(&mut tx, keys.map(|(batch_id, alert_id)| UrgentSmsBatchReady { batch_id, alert_id })).await?,
            // Screens show an alert, nobody sends it to them in batches; the ledger's check refuses such a row.
            (Channel::Display, _) => {}
        }
    }
    tx.commit().await?;
    if recovered > 0 {
        metrics::counter!("dispatch_leases_ended_total").increment(recovered as u64);
        tracing::warn!(recovered, "batches whose lease had ended are ready again");
    }
    Ok(Pumped { recovered, released: count })
}

async fn publish<E: Event>(tx: &mut Tx, events: impl Iterator<Item = E>) -> Result<(), Error> {
    Ok(tx.publish_all(SCHEMA, &events.collect::<Vec<_>>()).await?)
}
