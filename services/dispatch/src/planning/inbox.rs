//! For whom an alert shows in the inbox, where only planning finds that out.
//!
//! Published after the chunks are written, in a transaction of its own: while the lists of a whole city are gathered neither the alert nor its
//! wave is locked, so a stop waits for nothing. What was published last stands with the alert (`audience_revision`, the chunks that it
//! holds), so what a dead process left unpublished is found.

use domain::batch::RecipientList;
use domain::ids::{AlertId, WaveNo};
use futures::TryStreamExt as _;
use platform::database::{Tx, readable_row};
use proto::AlertReleased;
use roaring::RoaringBitmap;

use super::{Line, Planner};
use crate::aside::{self, Slot, Step};
use crate::{Error, SCHEMA};

impl Planner {
    /// Publishes the audience of one alert of which more is planned than is known: with the first chunk, each time that it has doubled, and
    /// at the end. False: there is none.
    pub(crate) async fn publish(&self) -> Result<bool, Error> {
        let slot = Slot::default();
        aside::stepping(&self.database, &self.clock, Step::Publish, &slot, self.publish_one(&slot)).await
    }

    async fn publish_one(&self, slot: &Slot) -> Result<bool, Error> {
        let mut tx = self.database.begin().await?;
        let Some(due) = sqlx::query!(
            r#"select a.alert_id, w.chunks, s.failures is not null as "again!"
                 from dispatch.alert a join dispatch.wave w on w.alert_id = a.alert_id and w.wave = 1
                 left join dispatch.set_aside s on s.alert_id = a.alert_id and s.wave = 1 and s.step = 'publish'
                where a.state in ('dispatching', 'active') and (a.exercise or not a.personal) and (a.class = 'urgent' or not $2)
                  and case when w.state = 'planning' then w.chunks >= greatest(1, 2 * a.audience_revision) else w.chunks > a.audience_revision end
                  and (s.until is null or s.until <= $1)
                order by a.class = 'urgent' desc, a.due_at limit 1"#,
            self.clock.now(),
            self.line == Line::Urgent,
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
        let planned = planned(&mut tx, alert_id, WaveNo::FIRST).await?;
        let published = sqlx::query!(
            "update dispatch.alert set audience_bitmap = $2, audience_revision = $3
              where alert_id = $1 and audience_revision < $3 and state in ('dispatching', 'active')",
            alert_id.uuid(),
            bytes(&planned),
            due.chunks,
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        if published > 0 {
            tx.publish(SCHEMA, &AlertReleased { alert_id: alert_id.to_string() }).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// Everybody in a batch of the wave so far, read as a stream.
pub(super) async fn planned(tx: &mut Tx, alert_id: AlertId, wave: WaveNo) -> Result<RoaringBitmap, Error> {
    let mut planned = RoaringBitmap::new();
    {
        let mut lists = sqlx::query_scalar!(
            r#"select r.recipients from dispatch.recipient_list r join dispatch.batch b using (alert_id, batch_id)
                where b.alert_id = $1 and b.wave = $2"#,
            alert_id.uuid(),
            i16::from(wave.get()),
        )
        .fetch(&mut **tx);
        while let Some(list) = lists.try_next().await? {
            let list = RecipientList::decode(&list).map_err(|error| Error::damaged("recipients", alert_id, error));
            let Some(list) = readable_row("recipients of a batch", list) else { continue };
            planned.extend(list.as_slice().iter().copied());
        }
    }
    planned.optimize();
    Ok(planned)
}

/// A bitmap in Roaring's portable format.
pub(super) fn bytes(residents: &RoaringBitmap) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(residents.serialized_size());
    residents.serialize_into(&mut bytes).expect("writing to memory does not fail");
    bytes
}
