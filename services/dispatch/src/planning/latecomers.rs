//! Latecomers: who came into the audience of an alert after it was planned ([`super::arrivals`]) is told while it holds.
//!
//! Whoever of them stands in no batch of the first wave gets one, with a deadline of its own, in sendable hours; their inbox shows the alert from
//! the moment at which they are found. Nobody is told twice, nor for whom it was withdrawn, and leaving takes nothing back. The hand-over of the alert waits for no latecomer; their
//! reminder and follow-up are those of any batch of the first wave.

use chrono::{DateTime, TimeDelta, Utc};
use domain::alert::DeliveryClass;
use domain::deadline;
use domain::ids::{AlertId, WaveNo};
use platform::database::{Tx, readable_row};
use roaring::RoaringBitmap;

use super::chunk::{Chunk, Reach};
use super::{Line, Planner, inbox};
use crate::aside::{self, Slot, Step};
use crate::ledger::batch_rows::{self, WaveOf};
use crate::ledger::{column, number_of};
use crate::{Error, signals, withdrawn_for};

impl Planner {
    /// Plans the latecomers of one alert. False: there are none.
    pub(crate) async fn latecomers(&self) -> Result<bool, Error> {
        let slot = Slot::default();
        aside::stepping(&self.database, &self.clock, Step::Plan, &slot, self.latecomers_of_one(&slot)).await
    }

    async fn latecomers_of_one(&self, slot: &Slot) -> Result<bool, Error> {
        let now = self.clock.now();
        let mut tx = self.database.begin().await?;
        let Some(row) = sqlx::query!(
            r#"select w.alert_id, w.urgent, w.due_at, w.next_number, a.exercise, s.failures is not null as "again!"
                 from dispatch.wave w join dispatch.alert a using (alert_id)
                 left join dispatch.set_aside s on s.alert_id = w.alert_id and s.wave = w.wave and s.step = 'plan'
                where w.wave = 1 and w.state <> 'planning' and a.state in ('dispatching', 'active') and a.held_at is null and a.expires_at > $1
                  and (w.urgent or not $2) and (s.until is null or s.until <= $1)
                  and w.alert_id in (select l.alert_id from dispatch.latecomer l where l.planned_at is null)
                order by w.urgent desc limit 1
                  for update of w skip locked"#,
            now,
            self.line == Line::Urgent,
        )
        .fetch_optional(&mut *tx)
        .await?
        else {
            return Ok(false);
        };
        let alert_id = AlertId::from_uuid(row.alert_id);
        slot.is_about(alert_id, 1, row.again);
        let class = if row.urgent { DeliveryClass::Urgent } else { DeliveryClass::Routine };
        let chunk = self.next_latecomers(&mut tx, alert_id, row.exercise).await?;

        let not_before = deadline::release_at(class, now, &self.settings.quiet_hours);
        let batches = batch_rows::cut_both(&chunk.app, &chunk.sms, &self.settings, (alert_id, row.next_number), not_before)?;
        // After the wave's own deadline, by which its hand-over knows whom it does not wait for.
        let due_at = deadline::due_at(class, now, &self.settings.quiet_hours).max(row.due_at + TimeDelta::milliseconds(1));
        batch_rows::write(&mut tx, WaveOf { alert_id, wave: WaveNo::FIRST, class, due_at }, &batches).await?;

        let told: RoaringBitmap = chunk.app.iter().chain(&chunk.sms).copied().collect();
        let counted_before = counted_without_channel(&mut tx, alert_id, &told).await?;
        // A wave of which nothing was left to attend to has somebody to remind again.
        sqlx::query!(
            "update dispatch.wave w
                set next_number = w.next_number + $2, recipients = w.recipients + $3, no_channel = w.no_channel - $4,
                    state = case when w.state = 'settled' and a.ack_window_s > 0 and $3 > 0 then 'closed' else w.state end,
                    silent_at = case when w.state = 'settled' and a.ack_window_s > 0 and $3 > 0 then $5 else w.silent_at end
               from dispatch.alert a
              where w.alert_id = $1 and w.wave = 1 and a.alert_id = $1",
            row.alert_id,
            i32::try_from(batches.len()).unwrap_or(i32::MAX),
            i64::try_from(told.len()).unwrap_or(i64::MAX),
            counted_before,
            due_at,
        )
        .execute(&mut *tx)
        .await?;
        note(&mut tx, alert_id, &told, now).await?;
        tx.commit().await?;
        if !told.is_empty() {
            metrics::counter!("dispatch_latecomers_total", "class" => class.to_string()).increment(told.len());
            tracing::info!(%alert_id, latecomers = told.len(), %not_before, "an alert is told to who came into its audience");
            signals::PUMP.wake();
        }
        Ok(true)
    }

    /// The next of them, by the channel that reaches them now. Who stands in a batch already, for whom the alert was withdrawn, and
    /// whom nothing reaches any more, is struck off.
    async fn next_latecomers(&self, tx: &mut Tx, alert_id: AlertId, exercise: bool) -> Result<Chunk, Error> {
        let rows = sqlx::query!(
            r#"select l.resident_no as "resident_no!", coalesce(r.app, false) as "app!", coalesce(r.sms, false) as "sms!", coalesce(r.drill, false) as "drill!"
                 from (select resident_no from dispatch.latecomer where alert_id = $1 and planned_at is null limit $2) as l
                 left join resident.reach r on r.resident_no = l.resident_no
                order by l.resident_no"#,
            alert_id.uuid(),
            i64::from(self.settings.chunk),
        )
        .fetch_all(&mut **tx)
        .await?;
        let mut chunk = Chunk::default();
        let mut looked_at = RoaringBitmap::new();
        for row in rows {
            let number = number_of(i64::from(row.resident_no))?;
            looked_at.insert(number);
            chunk.add(&Reach { number, app: row.app, sms: row.sms, drill: row.drill }, exercise);
        }
        let mut known = inbox::planned_of(tx, alert_id, WaveNo::FIRST, &looked_at).await? | withdrawn_for::of(tx, alert_id).await?;
        chunk.leave_out(&mut known);
        chunk.no_channel.clear();
        let struck_off: Vec<u32> =
            (looked_at - chunk.app.iter().chain(&chunk.sms).copied().collect::<RoaringBitmap>()).into_iter().collect();
        sqlx::query!(
            "delete from dispatch.latecomer where alert_id = $1 and resident_no = any($2::bigint[]) and planned_at is null",
            alert_id.uuid(),
            &column(&struck_off),
        )
        .execute(&mut **tx)
        .await?;
        Ok(chunk)
    }
}

/// They are planned.
async fn note(tx: &mut Tx, alert_id: AlertId, told: &RoaringBitmap, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "update dispatch.latecomer set planned_at = $3 where alert_id = $1 and resident_no = any($2::bigint[]) and planned_at is null",
        alert_id.uuid(),
        &column(&told.iter().collect::<Vec<_>>()),
        now,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How many of these were counted as reached by neither way when the alert was planned.
async fn counted_without_channel(tx: &mut Tx, alert_id: AlertId, told: &RoaringBitmap) -> Result<i64, Error> {
    if told.is_empty() {
        return Ok(0);
    }
    let chunks =
        sqlx::query_scalar!("select residents from dispatch.no_channel where alert_id = $1", alert_id.uuid()).fetch_all(&mut **tx).await?;
    let mut counted = RoaringBitmap::new();
    for chunk in chunks {
        let residents = RoaringBitmap::deserialize_from(&chunk[..]).map_err(|error| Error::damaged("residents", alert_id, error));
        counted.extend(readable_row("residents without a channel", residents).into_iter().flat_map(|residents| residents & told));
    }
    Ok(i64::try_from(counted.len()).unwrap_or(i64::MAX))
}
