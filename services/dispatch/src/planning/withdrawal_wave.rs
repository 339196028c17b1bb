//! The wave that tells of the end of an alert: to those who hold its word, on the channels that carried it, and to nobody else.
//!
//! It is planned when nothing of the alert is in hand any more, so that it is known who has it, and goes into the ledger of the alert that has
//! ended. Who holds its word is read from the recipient lists and outcomes of its batches, and of the alerts that it corrected; nobody is asked
//! for one by one. Where a correction took its place, whoever gets the correction is told by that, once it is known whom it is for; the others are told that
//! the old one no longer holds for them.

use std::sync::{Arc, PoisonError};

use chrono::{DateTime, Utc};
use domain::alert::DeliveryClass;
use domain::ids::{AlertId, WaveNo};
use domain::outcome::Channel;
use domain::withdrawal::{self, Hearers};
use futures::TryStreamExt as _;
use platform::database::{Tx, readable_row};
use proto::AlertReleased;
use roaring::RoaringBitmap;

use super::chunk::{Chunk, Cursor};
use super::for_holders::hearers_of;
use super::{Line, Planned, Planner, inbox};
use crate::aside::{self, RINGS, Slot, Step};
use crate::ledger::batch_rows::WaveOf;
use crate::ledger::{self, number_of};
use crate::{Error, SCHEMA, ending, signals};

/// Who is told of the end of one alert.
#[derive(Debug)]
pub(super) struct ToTell {
    alert_id: AlertId,
    hearers: Hearers,
    everybody: RoaringBitmap,
}

/// An alert that staff have ended, with how far its wave is planned, under the planner's lock.
struct End {
    wave: Planned,
    begun: bool,
    superseded_by: Option<AlertId>,
    told_until: Option<DateTime<Utc>>,
}

impl Planner {
    /// Plans one chunk of the word that an alert has ended. False: there is none to be planned.
    pub(super) async fn tell_of_end(&self) -> Result<bool, Error> {
        let slot = Slot::default();
        aside::stepping(&self.database, &self.clock, Step::Plan, &slot, self.tell_of_one_end(&slot)).await
    }

    async fn tell_of_one_end(&self, slot: &Slot) -> Result<bool, Error> {
        let now = self.clock.now();
        let mut tx = self.database.begin().await?;
        let Some(end) = self.lock_end(&mut tx, now, slot).await? else {
            return Ok(false);
        };
        let alert_id = end.wave.of.alert_id;
        if end.wave.of.class == DeliveryClass::Routine
            && let Some(until) = self.ear.listen(&self.cache).await
        {
            drop(tx);
            tokio::time::sleep_until(until).await;
            return Ok(true);
        }
        let told = match end.told_until {
            Some(until) if until > now => Some(self.to_tell(&mut tx, &end).await?),
            _ => None,
        };
        let mut planned = true;
        if let Some(told) = told.filter(|told| !told.everybody.is_empty()) {
            if !end.begun {
                begin(&mut tx, &end.wave, now).await?;
                show_as_ended(&mut tx, alert_id).await?;
            }
            let after = (end.wave.planned.to >= 0).then(|| number_of(end.wave.planned.to)).transpose()?;
            let limit = if end.begun { self.settings.chunk } else { self.settings.first_chunk };
            let (app, sms, last) = told.hearers.next(&told.everybody, after, limit as usize);
            planned = last.is_none();
            let chunk = Chunk { app, sms, no_channel: Vec::new(), planned: last.map(Cursor::at) };
            self.write(&mut tx, &end.wave, &chunk).await?;
        }
        if planned {
            sqlx::query!("update dispatch.stop set withdrawal_planned_at = $2 where alert_id = $1", alert_id.uuid(), now)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        signals::PUMP.wake();
        if planned {
            self.told.lock().unwrap_or_else(PoisonError::into_inner).take();
            signals::WATCH.wake();
            tracing::info!(%alert_id, chunks = end.wave.chunks + 1, "who is told of the end of an alert is planned");
        }
        Ok(true)
    }

    /// The most urgent end of which somebody is still to be told, and is known who.
    async fn lock_end(&self, tx: &mut Tx, now: DateTime<Utc>, slot: &Slot) -> Result<Option<End>, Error> {
        let row = sqlx::query!(
            r#"select st.alert_id, st.superseded_by, st.stopped_at, a.class, a.exercise, a.personal, a.withdrawal_until,
                      w.wave is not null as "begun!", w.due_at as "due_at?", coalesce(w.planned_to, -1) as "planned_to!",
                      coalesce(w.chunks, 0) as "chunks!", coalesce(w.next_number, 0) as "next_number!", s.failures is not null as "again!"
                 from dispatch.stop st join dispatch.alert a using (alert_id)
                 left join dispatch.wave w on w.alert_id = st.alert_id and w.wave = 9
                 left join dispatch.set_aside s on s.alert_id = st.alert_id and s.wave = 9 and s.step = 'plan'
                where st.withdrawal_planned_at is null and a.state in ('cancelled', 'superseded') and (a.class = 'urgent' or not $1)
                  and (s.until is null or s.until <= $2)
                  -- nothing of it is in hand any more
                  and not exists (select from dispatch.wave o where o.alert_id = st.alert_id and o.wave < 9 and o.state <> 'settled')
                  and not exists (select from dispatch.batch b where b.alert_id = st.alert_id and b.wave < 9 and b.state = 'claimed')
                  -- whom its correction is for is known, or who got the correction before that ended as well
                  and (st.superseded_by is null or exists (
                       select from dispatch.alert n where n.alert_id = st.superseded_by
                          and case when n.state in ('waiting', 'dispatching', 'active')
                                   then exists (select from dispatch.wave o where o.alert_id = n.alert_id and o.wave = 1 and o.state <> 'planning')
                                   else not exists (select from dispatch.wave o where o.alert_id = n.alert_id and o.wave < 9 and o.state <> 'settled')
                                        and not exists (select from dispatch.batch b where b.alert_id = n.alert_id and b.wave < 9 and b.state = 'claimed')
                              end))
                  -- what it corrected comes first: who is told by that is not told again
                  and not exists (select from dispatch.stop p join dispatch.alert o on o.alert_id = p.alert_id and o.state in ('cancelled', 'superseded')
                                   where p.alert_id = a.corrects and p.withdrawal_planned_at is null
                                     and not exists (select from dispatch.set_aside x where x.alert_id = p.alert_id and x.failures >= $3))
                order by a.class = 'urgent' desc, st.stopped_at limit 1
                  for update of st skip locked"#,
            self.line == Line::Urgent,
            now,
            RINGS,
        )
        .fetch_optional(&mut **tx)
        .await?;
        row.map(|row| {
            let alert_id = AlertId::from_uuid(row.alert_id);
            slot.is_about(alert_id, i16::from(WaveNo::WITHDRAWAL.get()), row.again);
            let class: DeliveryClass = row.class.parse().map_err(|error: strum::ParseError| Error::damaged("class", alert_id, error))?;
            let due_at = row.due_at.unwrap_or_else(|| withdrawal::due_at(class, row.stopped_at, &self.settings.quiet_hours));
            Ok(End {
                wave: Planned {
                    of: WaveOf { alert_id, wave: WaveNo::WITHDRAWAL, class, due_at },
                    exercise: row.exercise,
                    personal: row.personal,
                    for_holders: false,
                    seal: None,
                    found: 0,
                    planned: Cursor { leg: 0, to: row.planned_to },
                    chunks: row.chunks,
                    next_number: row.next_number,
                },
                begun: row.begun,
                superseded_by: row.superseded_by.map(AlertId::from_uuid),
                told_until: row.withdrawal_until,
            })
        })
        .transpose()
    }

    /// Who is told. Kept from chunk to chunk: a whole city is read from its batches once.
    async fn to_tell(&self, tx: &mut Tx, end: &End) -> Result<Arc<ToTell>, Error> {
        let alert_id = end.wave.of.alert_id;
        if let Some(told) = &*self.told.lock().unwrap_or_else(PoisonError::into_inner)
            && told.alert_id == alert_id
            && end.begun
        {
            return Ok(Arc::clone(told));
        }
        // Whatever nobody has taken up is closed: nothing of it is sent any more.
        ending::close_unclaimed(tx, alert_id, self.clock.now()).await?;
        let mut hearers = hearers_of(tx, alert_id).await?;
        if let Some(correction) = end.superseded_by {
            hearers.leave_out(&told_by(tx, correction).await?);
        }
        let told = Arc::new(ToTell { alert_id, everybody: hearers.everybody(), hearers });
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&told));
        Ok(told)
    }
}

async fn begin(tx: &mut Tx, wave: &Planned, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "insert into dispatch.wave (alert_id, wave, urgent, due_at, state, began_at) values ($1, $2, $3, $4, 'planning', $5)",
        wave.of.alert_id.uuid(),
        i16::from(wave.of.wave.get()),
        wave.of.class == DeliveryClass::Urgent,
        wave.of.due_at,
        now,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// An alert may have ended before its audience was published; who was handed it finds it in the inbox all the same, as ended.
async fn show_as_ended(tx: &mut Tx, alert_id: AlertId) -> Result<(), Error> {
    let unpublished = sqlx::query_scalar!(
        r#"select w.chunks from dispatch.alert a join dispatch.wave w on w.alert_id = a.alert_id and w.wave = 1
            where a.alert_id = $1 and (a.exercise or not a.personal) and w.chunks > a.audience_revision"#,
        alert_id.uuid()
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(chunks) = unpublished else { return Ok(()) };
    let planned = inbox::planned(tx, alert_id, WaveNo::FIRST).await?;
    sqlx::query!(
        "update dispatch.alert set audience_bitmap = $2, audience_revision = $3 where alert_id = $1",
        alert_id.uuid(),
        inbox::bytes(&planned),
        chunks,
    )
    .execute(&mut **tx)
    .await?;
    Ok(tx.publish(SCHEMA, &AlertReleased { alert_id: alert_id.to_string() }).await?)
}

/// The alert and what it corrected, the first of them first: alerts in the place of which another one came.
pub(super) async fn chain(tx: &mut Tx, alert_id: AlertId) -> Result<Vec<AlertId>, Error> {
    let chain = sqlx::query_scalar!(
        r#"with recursive chain as (
               select alert_id, corrects, 0 as depth from dispatch.alert where alert_id = $1
                union all
               select p.alert_id, p.corrects, c.depth + 1 from chain c join dispatch.alert p on p.alert_id = c.corrects
                where p.state = 'superseded' and c.depth < 100
           )
           select alert_id as "alert_id!" from chain order by depth desc"#,
        alert_id.uuid()
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(chain.into_iter().map(AlertId::from_uuid).collect())
}

/// Who hears of the correction by itself: everybody it is for, or, when it has ended too, everybody who got it.
async fn told_by(tx: &mut Tx, correction: AlertId) -> Result<RoaringBitmap, Error> {
    let stands = sqlx::query_scalar!(
        r#"select state in ('waiting', 'dispatching', 'active') as "stands!" from dispatch.alert where alert_id = $1"#,
        correction.uuid()
    )
    .fetch_optional(&mut **tx)
    .await?;
    if stands == Some(true) {
        inbox::planned(tx, correction, WaveNo::FIRST).await
    } else {
        Ok(handed_over(tx, correction, None).await?.everybody())
    }
}

/// Who was handed an alert, or its reminder, and by what: everybody, or of these people alone. Read as a stream.
pub(super) async fn handed_over(tx: &mut Tx, alert_id: AlertId, among: Option<&RoaringBitmap>) -> Result<Hearers, Error> {
    let mut hearers = Hearers::default();
    let numbers: Option<Vec<i64>> = among.map(numbers);
    let mut batches = sqlx::query!(
        r#"select b.batch_id, b.channel, b.outcomes as "outcomes!", r.recipients
             from dispatch.batch b join dispatch.recipient_list r using (alert_id, batch_id)
            where b.alert_id = $1 and b.wave < 9 and b.outcomes is not null
              and ($2::bigint[] is null or exists (select from unnest($2) as n where n between b.first_no and b.last_no))"#,
        alert_id.uuid(),
        numbers.as_deref() as Option<&[i64]>,
    )
    .fetch(&mut **tx);
    while let Some(batch) = batches.try_next().await? {
        let accepted = accepted(batch.batch_id, &batch.channel, &batch.recipients, &batch.outcomes);
        if let Some((channel, residents)) = readable_row("outcomes of a batch", accepted) {
            let asked = |number: &u32| among.is_none_or(|people| people.contains(*number));
            hearers.handed_over(channel, residents.into_iter().filter(asked));
        }
    }
    Ok(hearers)
}

fn accepted(of: i64, channel: &str, recipients: &[u8], outcomes: &[u8]) -> Result<(Channel, Vec<u32>), Error> {
    let channel: Channel = channel.parse().map_err(|error: strum::ParseError| Error::damaged("channel", of, error))?;
    Ok((channel, ledger::handed_over(of, recipients, outcomes)?))
}

/// People as a statement takes them.
pub(super) fn numbers(people: &RoaringBitmap) -> Vec<i64> {
    people.iter().map(i64::from).collect()
}
