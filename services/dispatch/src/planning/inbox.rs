//! For whom an alert shows in the inbox, where only planning finds that out.
//!
//! While it grows it is published each time that it has doubled, and every few seconds: who is in a later chunk holds the push by then, and is
//! looked for in the ledger until the next one. What was gathered last is kept, so a further publication reads only the batches since.
//!
//! Published after the chunks are written, in a transaction of its own: while the lists of a whole city are gathered neither the alert nor its
//! wave is locked, so a stop waits for nothing. What was published last stands with the alert (`audience_revision`, the chunks that it
//! holds), so what a dead process left unpublished is found.

use std::sync::PoisonError;

use chrono::TimeDelta;
use domain::batch::{MAX_PLANNED, RecipientList};
use domain::ids::{AlertId, WaveNo};
use futures::TryStreamExt as _;
use platform::database::{Tx, readable_row};
use proto::AlertReleased;
use roaring::RoaringBitmap;

use super::{Line, Planner};
use crate::aside::{self, Slot, Step};
use crate::ledger::number_of;
use crate::{Error, SCHEMA};

/// While an audience grows it is published as often at least.
const OFTEN: TimeDelta = TimeDelta::seconds(5);

/// Whom the planned batches of an alert's first wave hold, up to a number.
#[derive(Debug)]
pub(super) struct Gathered {
    alert_id: AlertId,
    next_number: i32,
    residents: RoaringBitmap,
}

impl Planner {
    /// Publishes the audience of one alert of which more is planned than is known: with the first chunk, each time that it has doubled, every few
    /// seconds, and at the end. False: there is none.
    pub(crate) async fn publish(&self) -> Result<bool, Error> {
        let slot = Slot::default();
        aside::stepping(&self.database, &self.clock, Step::Publish, &slot, self.publish_one(&slot)).await
    }

    async fn publish_one(&self, slot: &Slot) -> Result<bool, Error> {
        let now = self.clock.now();
        let mut tx = self.database.begin().await?;
        let Some(due) = sqlx::query!(
            r#"select a.alert_id, w.chunks, w.next_number, s.failures is not null as "again!"
                 from dispatch.alert a join dispatch.wave w on w.alert_id = a.alert_id and w.wave = 1
                 left join dispatch.set_aside s on s.alert_id = a.alert_id and s.wave = 1 and s.step = 'publish'
                where a.state in ('dispatching', 'active') and (a.exercise or not a.personal) and not a.for_holders
                  and (a.class = 'urgent' or not $2)
                  and w.chunks > a.audience_revision
                  and (w.state <> 'planning' or w.chunks >= greatest(1, 2 * a.audience_revision) or a.audience_at <= $3)
                  and (s.until is null or s.until <= $1)
                order by a.class = 'urgent' desc, a.due_at limit 1"#,
            now,
            self.line == Line::Urgent,
            now - OFTEN,
        )
        .fetch_optional(&mut *tx)
        .await?
        else {
            return Ok(false);
        };
        let alert_id = AlertId::from_uuid(due.alert_id);
        slot.is_about(alert_id, 1, due.again);
        let mine = sqlx::query_scalar!(
            r#"select pg_try_advisory_xact_lock(hashtextextended('dispatch.inbox:' || $1, 0)) as "mine!""#,
            alert_id.to_string()
        )
        .fetch_one(&mut *tx)
        .await?;
        if !mine {
            // Another process gathers them.
            return Ok(false);
        }
        let mut gathered = self.gathered(alert_id, due.next_number);
        gather(&mut tx, &mut gathered, due.next_number).await?;
        gathered.residents.optimize();
        let published = sqlx::query!(
            "update dispatch.alert set audience_bitmap = $2, audience_revision = $3, audience_at = $4
              where alert_id = $1 and audience_revision < $3 and state in ('dispatching', 'active')",
            alert_id.uuid(),
            bytes(&gathered.residents),
            due.chunks,
            now,
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        if published > 0 {
            tx.publish(SCHEMA, &AlertReleased { alert_id: alert_id.to_string() }).await?;
        }
        tx.commit().await?;
        *self.gathered.lock().unwrap_or_else(PoisonError::into_inner) = Some(gathered);
        Ok(true)
    }

    /// What was gathered of this alert last, if this process did; from nothing otherwise.
    fn gathered(&self, alert_id: AlertId, next_number: i32) -> Gathered {
        let kept = self.gathered.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept.filter(|kept| kept.alert_id == alert_id && kept.next_number <= next_number).unwrap_or(Gathered {
            alert_id,
            next_number: 0,
            residents: RoaringBitmap::new(),
        })
    }
}

/// Adds the planned batches below a number. A wave's planned batches are numbered in the order in which they are written.
async fn gather(tx: &mut Tx, gathered: &mut Gathered, next_number: i32) -> Result<(), Error> {
    let mut lists = sqlx::query_scalar!(
        r#"select r.recipients from dispatch.recipient_list r join dispatch.batch b using (alert_id, batch_id)
            where b.alert_id = $1 and b.wave = 1 and b.number >= $2 and b.number < $3"#,
        gathered.alert_id.uuid(),
        gathered.next_number,
        next_number,
    )
    .fetch(&mut **tx);
    while let Some(list) = lists.try_next().await? {
        extend(&mut gathered.residents, gathered.alert_id, &list);
    }
    gathered.next_number = next_number;
    Ok(())
}

/// Everybody in a planned batch of the wave so far, read as a stream.
pub(super) async fn planned(tx: &mut Tx, alert_id: AlertId, wave: WaveNo) -> Result<RoaringBitmap, Error> {
    let mut planned = RoaringBitmap::new();
    let mut lists = sqlx::query_scalar!(
        r#"select r.recipients from dispatch.recipient_list r join dispatch.batch b using (alert_id, batch_id)
            where b.alert_id = $1 and b.wave = $2 and b.number <= $3"#,
        alert_id.uuid(),
        i16::from(wave.get()),
        MAX_PLANNED.cast_signed(),
    )
    .fetch(&mut **tx);
    while let Some(list) = lists.try_next().await? {
        extend(&mut planned, alert_id, &list);
    }
    Ok(planned)
}

/// Those of these residents who stand in a planned batch of the alert's wave.
pub(super) async fn planned_of(tx: &mut Tx, alert_id: AlertId, wave: WaveNo, residents: &RoaringBitmap) -> Result<RoaringBitmap, Error> {
    let batches = sqlx::query!(
        "select batch_id, first_no, last_no from dispatch.batch where alert_id = $1 and wave = $2 and number <= $3",
        alert_id.uuid(),
        i16::from(wave.get()),
        MAX_PLANNED.cast_signed(),
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut may_hold = Vec::new();
    for batch in batches {
        if residents.range(number_of(batch.first_no)?..=number_of(batch.last_no)?).next().is_some() {
            may_hold.push(batch.batch_id);
        }
    }
    let mut planned = RoaringBitmap::new();
    if may_hold.is_empty() {
        return Ok(planned);
    }
    let mut lists = sqlx::query_scalar!(
        "select recipients from dispatch.recipient_list where alert_id = $1 and batch_id = any($2)",
        alert_id.uuid(),
        &may_hold,
    )
    .fetch(&mut **tx);
    while let Some(list) = lists.try_next().await? {
        extend(&mut planned, alert_id, &list);
    }
    Ok(planned & residents)
}

fn extend(residents: &mut RoaringBitmap, alert_id: AlertId, list: &[u8]) {
    let list = RecipientList::decode(list).map_err(|error| Error::damaged("recipients", alert_id, error));
    if let Some(list) = readable_row("recipients of a batch", list) {
        residents.extend(list.as_slice().iter().copied());
    }
}

/// A bitmap in Roaring's portable format.
pub(super) fn bytes(residents: &RoaringBitmap) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(residents.serialized_size());
    residents.serialize_into(&mut bytes).expect("writing to memory does not fail");
    bytes
}
