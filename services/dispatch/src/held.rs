//! A batch that is held lets go of whom it has reached.
//!
//! A provider that is away or throttles, credentials that are refused for one of four thousand, quiet hours: a batch may wait for long with most of its people
//! told. Their time to acknowledge has begun, and would never be over, since reminders go by closed batches. So a batch that waits this long after
//! its first hand-over is cut in two: whoever was reached stays and it is closed; the others go on in a planned batch of their own, with what is known
//! of them, at the same place in the line.

use chrono::TimeDelta;
use domain::batch::{BatchNumber, Outcomes, RecipientList};
use domain::ids::AlertId;
use domain::outcome::Outcome;
use platform::clock::Clock;
use platform::database::{Database, Tx};

use crate::aside::{self, Slot, Step};
use crate::ledger::read;
use crate::{Error, signals};

/// After its first hand-over. An ordinary batch is done in seconds.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);

/// Cuts one batch in two that has been held for long. False: there is none.
pub(crate) async fn turn(database: &Database, clock: &Clock) -> Result<bool, Error> {
    let slot = Slot::default();
    aside::stepping(database, clock, Step::Close, &slot, let_go(database, clock, &slot)).await
}

async fn let_go(database: &Database, clock: &Clock, slot: &Slot) -> Result<bool, Error> {
    let now = clock.now();
    let mut tx = database.begin().await?;
    // Given back by a holder, and nobody has it in hand. Its wave is locked as by a planner, for the number.
    let Some(held) = sqlx::query!(
        r#"select b.alert_id, b.batch_id, b.wave, b.outcomes as "outcomes!", r.recipients, w.next_number, s.failures is not null as "again!"
             from dispatch.batch b
             join dispatch.recipient_list r on r.alert_id = b.alert_id and r.batch_id = b.batch_id
             join dispatch.alert a on a.alert_id = b.alert_id
             join dispatch.wave w on w.alert_id = b.alert_id and w.wave = b.wave
             left join dispatch.set_aside s on s.alert_id = b.alert_id and s.wave = b.wave and s.step = 'close'
            where b.state = 'ready' and b.accepted > 0 and b.accepted < b.size and b.first_hand_over_at <= $2 and b.outcomes is not null
              and b.wave <= 2 and a.ack_window_s > 0 and a.state in ('dispatching', 'active') and a.expires_at > $1
              and (s.until is null or s.until <= $1)
            order by b.first_hand_over_at limit 1 for update of b, w skip locked"#,
        now,
        now - PATIENCE,
    )
    .fetch_optional(&mut *tx)
    .await?
    else {
        return Ok(false);
    };
    let alert_id = AlertId::from_uuid(held.alert_id);
    slot.is_about(alert_id, held.wave, held.again);
    let of = held.batch_id;
    let (list, outcomes) = read(of, &held.recipients, &held.outcomes)?;
    let each = list.as_slice().iter().copied().zip(outcomes.as_slice().iter().copied());
    let others: Vec<(u32, Outcome)> = each.filter(|(_, outcome)| !outcome.is_handed_over()).collect();
    let next = u32::try_from(held.next_number).map_err(|error| Error::damaged("batch number", alert_id, error))?;
    let number = BatchNumber::planned(next).map_err(|error| Error::damaged("batch number", alert_id, error))?;
    go_on(&mut tx, alert_id, of, number, &others).await?;
    sqlx::query!(
        r#"update dispatch.batch
              set state = 'closed', closed_at = $3, lease = lease + 1, accepted = size - $4, retried = $4
            where alert_id = $1 and batch_id = $2"#,
        held.alert_id,
        of,
        now,
        i16::try_from(others.len()).map_err(|error| Error::damaged("size", of, error))?,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("update dispatch.wave set next_number = next_number + 1 where alert_id = $1 and wave = $2", held.alert_id, held.wave)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    signals::PUMP.wake();
    signals::WATCH.wake();
    tracing::info!(%alert_id, batch_id = of, others = others.len(), "a batch that is held lets go of whom it has reached");
    Ok(true)
}

/// Writes the batch of the others.
async fn go_on(tx: &mut Tx, alert_id: AlertId, of: i64, number: BatchNumber, others: &[(u32, Outcome)]) -> Result<(), Error> {
    let list =
        RecipientList::from_ascending(others.iter().map(|(number, _)| *number)).map_err(|error| Error::damaged("recipients", of, error))?;
    let mut outcomes = Outcomes::pending(others.len());
    for (position, (_, outcome)) in others.iter().enumerate() {
        outcomes.set(position, *outcome);
    }
    sqlx::query!(
        r#"with written as (
               insert into dispatch.batch (alert_id, wave, urgent, due_at, channel, number, size, first_no, last_no, not_before, refused_since,
                                           state, outcomes)
               select alert_id, wave, urgent, due_at, channel, $3, $4, $5, $6, not_before, refused_since, 'ready', $7
                 from dispatch.batch where alert_id = $1 and batch_id = $2
               returning batch_id
           )
           insert into dispatch.recipient_list (alert_id, batch_id, recipients) select $1, batch_id, $8 from written"#,
        alert_id.uuid(),
        of,
        number.get(),
        i16::try_from(list.len()).map_err(|error| Error::damaged("size", of, error))?,
        i64::from(list.first()),
        i64::from(list.last()),
        outcomes.encode(),
        list.encode(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
