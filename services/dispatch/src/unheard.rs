//! The end of an alert to people named one by one: whoever was not reached, or did not answer, is visited.
//!
//! When its validity is over nobody is sent to or reminded any more, whatever kept it from them: a provider that was away, credentials that were refused, a
//! window that ended later than the alert. None of these people may be lost: each one the alert named who has not answered it becomes a follow-up item,
//! silent where it was handed over, else unreachable, also those who were never planned. One chunk after the other, once what senders still had in hand
//! is settled. For a whole area there is no list of visits.

use std::ops::Bound;

use chrono::{DateTime, TimeDelta, Utc};
use domain::audience::Audience;
use domain::ids::AlertId;
use futures::TryStreamExt as _;
use platform::clock::Clock;
use platform::database::{Connection, Database, Tx, readable_row};
use roaring::RoaringBitmap;

use crate::Error;
use crate::aside::{self, Slot, Step};
use crate::follow_ups::{self, Named};
use crate::ledger::{handed_over, number_of};

/// Residents looked at in one transaction.
const CHUNK: usize = 20_000;
/// Whatever a sender has in hand is settled after one lease or two; what cannot be settled keeps nobody waiting for longer.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);

/// Looks at the next people of one alert that has ended. False: there is none.
pub(crate) async fn turn(database: &Database, clock: &Clock) -> Result<bool, Error> {
    let slot = Slot::default();
    aside::stepping(database, clock, Step::Remind, &slot, chunk(database, clock, &slot)).await
}

/// Whether somebody is to be looked at.
pub(crate) async fn is_due(database: &Database, now: DateTime<Utc>) -> Result<bool, Error> {
    let mut connection = database.pool().acquire().await?;
    Ok(next(&mut connection, now).await?.is_some())
}

/// An alert that has ended, and how far it was gone through.
struct Ended {
    alert_id: AlertId,
    done_to: i64,
    again: bool,
}

async fn next(connection: &mut Connection, now: DateTime<Utc>) -> Result<Option<Ended>, Error> {
    let row = sqlx::query!(
        r#"select a.alert_id, a.unheard_to as "unheard_to!", s.failures is not null as "again!"
             from dispatch.alert a left join dispatch.set_aside s on s.alert_id = a.alert_id and s.wave = 0 and s.step = 'remind'
            where a.unheard_to is not null and (s.until is null or s.until <= $1)
              and (a.ended_at <= $2
                   or not exists (select from dispatch.wave w where w.alert_id = a.alert_id and w.state <> 'settled')
                      and not exists (select from dispatch.batch b where b.alert_id = a.alert_id and b.state <> 'closed'))
            order by a.ended_at limit 1"#,
        now,
        now - PATIENCE,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Ended { alert_id: AlertId::from_uuid(row.alert_id), done_to: row.unheard_to, again: row.again }))
}

async fn chunk(database: &Database, clock: &Clock, slot: &Slot) -> Result<bool, Error> {
    let now = clock.now();
    let mut tx = database.begin().await?;
    let Some(ended) = next(&mut tx, now).await? else { return Ok(false) };
    let alert_id = ended.alert_id;
    slot.is_about(alert_id, 0, ended.again);
    let Some(alert) = sqlx::query!(
        r#"select audience, audience_bitmap, for_holders, exercise, ack_window_s > 0 as "is_answered!" from dispatch.alert
            where alert_id = $1 and unheard_to = $2 for no key update skip locked"#,
        alert_id.uuid(),
        ended.done_to,
    )
    .fetch_optional(&mut *tx)
    .await?
    else {
        // Another process is at it.
        return Ok(false);
    };
    let audience = Audience::from_bytes(&alert.audience).map_err(|error| Error::damaged("audience", alert_id, error))?;
    let people = match (&audience, &alert.audience_bitmap) {
        // a correction for those who have what it corrects is about nobody else
        (Audience::Residents(_), Some(bytes)) if alert.for_holders => {
            let residents = RoaringBitmap::deserialize_from(&bytes[..]).map_err(|error| Error::damaged("audience", alert_id, error))?;
            following(&residents, ended.done_to)?
        }
        (Audience::Residents(residents), _) => following(residents, ended.done_to)?,
        (Audience::Query(_), _) => Vec::new(),
    };
    let reached = reached(&mut tx, alert_id, &people).await?;
    let unheard: Vec<(u32, bool)> = people
        .iter()
        .map(|number| (*number, reached.contains(*number)))
        // Who was reached by an alert that asks for no answer owes none.
        .filter(|(_, reached)| alert.is_answered || !reached)
        .collect();
    let opened = follow_ups::open_for_unheard(&mut tx, Named { alert_id, exercise: alert.exercise }, &unheard, now).await?;
    let done_to = (people.len() == CHUNK).then(|| people.last().copied().map(i64::from)).flatten();
    sqlx::query!("update dispatch.alert set unheard_to = $2 where alert_id = $1", alert_id.uuid(), done_to).execute(&mut *tx).await?;
    tx.commit().await?;
    tracing::info!(%alert_id, looked_at = people.len(), opened, "follow-up items opened for those whom an alert has not reached or moved by its end");
    Ok(true)
}

/// The next people after this one.
fn following(residents: &RoaringBitmap, done_to: i64) -> Result<Vec<u32>, Error> {
    let after = match done_to {
        ..0 => Bound::Unbounded,
        last => Bound::Excluded(number_of(last)?),
    };
    Ok(residents.range((after, Bound::Unbounded)).take(CHUNK).collect())
}

/// To whom of these, who are ascending, and of whoever lies between them, the alert was handed over.
async fn reached(tx: &mut Tx, alert_id: AlertId, people: &[u32]) -> Result<RoaringBitmap, Error> {
    let mut reached = RoaringBitmap::new();
    let (Some(first), Some(last)) = (people.first(), people.last()) else { return Ok(reached) };
    let mut batches = sqlx::query!(
        r#"select b.batch_id, b.outcomes as "outcomes!", r.recipients
             from dispatch.batch b join dispatch.recipient_list r using (alert_id, batch_id)
            where b.alert_id = $1 and b.wave <= 2 and b.accepted > 0 and b.outcomes is not null and b.last_no >= $2 and b.first_no <= $3"#,
        alert_id.uuid(),
        i64::from(*first),
        i64::from(*last),
    )
    .fetch(&mut **tx);
    while let Some(batch) = batches.try_next().await? {
        let accepted = handed_over(batch.batch_id, &batch.recipients, &batch.outcomes);
        reached.extend(readable_row("outcomes of a batch", accepted).into_iter().flatten());
    }
    Ok(reached)
}
