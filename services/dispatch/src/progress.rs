//! Watching waves: when every batch of one is closed, the wave is, and the first wave's end is the alert's hand-over. It waits for no latecomer:
//! their batches have a later deadline than the wave.
//!
//! Whoever writes to an alert and its wave locks both without waiting, here, or the alert first; a planner holds its wave alone.

use chrono::TimeDelta;
use domain::ids::AlertId;
use platform::clock::Clock;
use platform::database::Database;
use proto::{AlertHandedOver, AlertReleased};

use crate::aside::{self, Slot, Step};
use crate::ending::Told;
use crate::{Error, SCHEMA, signals};

/// Closes one wave of which nothing is left to send. False: there is none.
pub(crate) async fn close_wave(database: &Database, clock: &Clock) -> Result<bool, Error> {
    let slot = Slot::default();
    aside::stepping(database, clock, Step::Close, &slot, close(database, clock, &slot)).await
}

async fn close(database: &Database, clock: &Clock, slot: &Slot) -> Result<bool, Error> {
    let now = clock.now();
    let mut tx = database.begin().await?;
    let Some(wave) = sqlx::query!(
        r#"select w.alert_id, w.wave, w.recipients, w.no_channel, w.due_at, a.class, a.ack_window_s, a.approved_at, a.for_holders, s.failures is not null as "again!"
             from dispatch.wave w join dispatch.alert a using (alert_id)
             left join dispatch.set_aside s on s.alert_id = w.alert_id and s.wave = w.wave and s.step = 'close'
            where w.state = 'sending' and a.expires_at > $1 and a.state in ('dispatching', 'active')
              and not exists (select from dispatch.batch b where b.alert_id = w.alert_id and b.wave = w.wave and b.state <> 'closed'
                                 and b.due_at <= w.due_at)
              and (s.until is null or s.until <= $1)
            limit 1 for no key update of a, w skip locked"#,
        now
    )
    .fetch_optional(&mut *tx)
    .await?
    else {
        return Ok(false);
    };
    slot.is_about(AlertId::from_uuid(wave.alert_id), wave.wave, wave.again);
    let sums = sqlx::query!(
        r#"select coalesce(sum(unreachable), 0)::bigint as "unreachable!", min(first_hand_over_at) as first, max(closed_at) as last
             from dispatch.batch where alert_id = $1 and wave = $2 and due_at <= $3"#,
        wave.alert_id,
        wave.wave,
        wave.due_at,
    )
    .fetch_one(&mut *tx)
    .await?;
    // A wave without recipients is done when that is known.
    let done_at = sums.last.unwrap_or(now);
    let unreachable = sums.unreachable + wave.no_channel;
    // Nothing to acknowledge: nobody is reminded. Else nothing of the wave is left to attend to from then on.
    let silent_at = (wave.ack_window_s > 0).then(|| done_at + TimeDelta::seconds(wave.ack_window_s));
    sqlx::query!(
        "update dispatch.wave set state = case when $4::timestamptz is null then 'settled' else 'closed' end, closed_at = $3, silent_at = $4,
                planned_to = -1
          where alert_id = $1 and wave = $2",
        wave.alert_id,
        wave.wave,
        done_at,
        silent_at,
    )
    .execute(&mut *tx)
    .await?;
    let alert_id = AlertId::from_uuid(wave.alert_id);
    if wave.wave == 1 {
        let first_time = sqlx::query!(
            "update dispatch.alert set state = 'active', handed_over_at = $2 where alert_id = $1 and state = 'dispatching'",
            wave.alert_id,
            done_at
        )
        .execute(&mut *tx)
        .await?
        .rows_affected()
            > 0;
        let event = AlertHandedOver {
            alert_id: alert_id.to_string(),
            at_ms: done_at.timestamp_millis(),
            recipients: u32::try_from(wave.recipients + wave.no_channel).unwrap_or(u32::MAX),
            unreachable: u32::try_from(unreachable).unwrap_or(u32::MAX),
        };
        // Once: who was not reached may be sent to again afterwards.
        if first_time {
            tx.publish(SCHEMA, &event).await?;
            // From now on it is known when those who stay silent are reminded: inboxes say so.
            tx.publish(SCHEMA, &AlertReleased { alert_id: alert_id.to_string() }).await?;
        }
    }
    tx.commit().await?;
    signals::REMINDERS.wake();
    if wave.for_holders && wave.wave == 1 {
        Told { class: wave.class.clone(), said_at: wave.approved_at, first_at: sums.first, last_at: sums.last }.measure("correction");
    }
    let late_s = (done_at - wave.due_at).num_seconds().max(0);
    metrics::counter!("dispatch_waves_closed_total", "class" => wave.class, "late" => if late_s > 0 { "yes" } else { "no" }).increment(1);
    tracing::info!(%alert_id, wave = wave.wave, recipients = wave.recipients, unreachable, late_s, "wave closed");
    if late_s > 0 {
        tracing::error!(%alert_id, wave = wave.wave, late_s, "the deadline of a wave was missed");
    }
    Ok(true)
}
