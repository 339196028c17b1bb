//! Second reminder 二次提醒 and follow-up (CQ11): what happens to those who stay silent.
//!
//! When the acknowledgement window after a wave's last hand-over is over, wave 1 is followed by wave 2 for whoever has not acknowledged, outside
//! quiet hours; wave 2 is followed by a follow-up item for each who is still silent, for their community. Everything
//! is found in the tables by the clock, so a restart or a moved clock changes nothing; each step moves a state and happens once.

use domain::alert::DeliveryClass;
use domain::batch::RecipientList;
use domain::deadline;
use domain::ids::AlertId;
use platform::clock::Clock;
use platform::database::{Database, Tx, readable_row};

use crate::aside::{self, Slot, Step};
use crate::follow_ups::{self, Reason};
use crate::ledger::column;
use crate::ledger::number_of;
use crate::settings::Settings;
use crate::{Error, signals};

/// Batches of the reminder wave looked through in one transaction.
const BATCHES: i64 = 100;

/// Takes one step for one wave whose window is over. False: there is none.
pub(crate) async fn turn(database: &Database, clock: &Clock, settings: &Settings) -> Result<bool, Error> {
    let slot = Slot::default();
    aside::stepping(database, clock, Step::Remind, &slot, remind(database, clock, settings, &slot)).await
}

async fn remind(database: &Database, clock: &Clock, settings: &Settings, slot: &Slot) -> Result<bool, Error> {
    let now = clock.now();
    let mut tx = database.begin().await?;
    let Some(wave) = sqlx::query!(
        r#"select w.alert_id, w.wave, w.planned_to, a.class, s.failures is not null as "again!"
             from dispatch.wave w join dispatch.alert a using (alert_id)
             left join dispatch.set_aside s on s.alert_id = w.alert_id and s.wave = w.wave and s.step = 'remind'
            where w.state = 'closed' and w.silent_at <= $1 and a.state = 'active' and a.expires_at > $1
              and (s.until is null or s.until <= $1)
            order by w.silent_at limit 1 for update of w skip locked"#,
        now
    )
    .fetch_optional(&mut *tx)
    .await?
    else {
        return Ok(false);
    };
    let alert_id = AlertId::from_uuid(wave.alert_id);
    slot.is_about(alert_id, wave.wave, wave.again);
    let class: DeliveryClass = wave.class.parse().map_err(|error: strum::ParseError| Error::damaged("class", alert_id, error))?;
    if wave.wave == 1 {
        let begins_at = deadline::release_at(class, now, &settings.quiet_hours);
        if begins_at > now {
            // Not planned before the night is over: whoever acknowledges in it is not reminded.
            sqlx::query!("update dispatch.wave set silent_at = $2 where alert_id = $1 and wave = 1", wave.alert_id, begins_at)
                .execute(&mut *tx)
                .await?;
        } else {
            let due_at = deadline::due_at(class, now, &settings.quiet_hours);
            sqlx::query!(
                r#"with first as (update dispatch.wave set state = 'settled' where alert_id = $1 and wave = 1)
                   insert into dispatch.wave (alert_id, wave, urgent, due_at, state, began_at) values ($1, 2, $2, $3, 'planning', $4)"#,
                wave.alert_id,
                class == DeliveryClass::Urgent,
                due_at,
                now,
            )
            .execute(&mut *tx)
            .await?;
            tracing::info!(%alert_id, "reminding those who have not acknowledged");
        }
    } else {
        follow_up(&mut tx, alert_id, wave.planned_to, clock).await?;
    }
    tx.commit().await?;
    signals::PLANNER.wake();
    signals::URGENT_PLANNER.wake();
    Ok(true)
}

/// Opens follow-up items for the silent among the next batches of wave 2, and settles the wave after the last.
async fn follow_up(tx: &mut Tx, alert_id: AlertId, after: i64, clock: &Clock) -> Result<(), Error> {
    let batches = sqlx::query!(
        r#"select b.batch_id, r.recipients from dispatch.batch b join dispatch.recipient_list r using (alert_id, batch_id)
            where b.alert_id = $1 and b.wave = 2 and b.batch_id > $2 order by b.batch_id limit $3"#,
        alert_id.uuid(),
        after,
        BATCHES,
    )
    .fetch_all(&mut **tx)
    .await?;
    let last = batches.last().map(|batch| batch.batch_id);
    let complete = i64::try_from(batches.len()).is_ok_and(|found| found < BATCHES);
    let mut reminded: Vec<u32> = Vec::new();
    for batch in batches {
        let list = RecipientList::decode(&batch.recipients).map_err(|error| Error::damaged("recipients", batch.batch_id, error));
        reminded.extend(readable_row("recipients of a batch", list).iter().flat_map(RecipientList::as_slice));
    }
    let silent = sqlx::query_scalar!(
        r#"select n as "resident_no!" from unnest($2::bigint[]) as n
            where not exists (select from resident.acknowledged k where k.alert_id = $1 and k.resident_no = n)"#,
        alert_id.uuid(),
        &column(&reminded),
    )
    .fetch_all(&mut **tx)
    .await?;
    let silent = silent.into_iter().map(number_of).collect::<Result<Vec<_>, _>>()?;
    follow_ups::open(tx, alert_id, &silent, Reason::Silent, clock.now()).await?;
    sqlx::query!(
        "update dispatch.wave set planned_to = coalesce($2, planned_to), state = case when $3 then 'settled' else state end
          where alert_id = $1 and wave = 2",
        alert_id.uuid(),
        last,
        complete,
    )
    .execute(&mut **tx)
    .await?;
    if complete {
        tracing::info!(%alert_id, "follow-up items opened for those who stayed silent");
    }
    Ok(())
}
