//! Planning: from an approved alert to batches that are ready to be sent.
//!
//! 1. [`release`]: when its time has come, an alert gets its first wave.
//! 2. [`chunk`]: one chunk of the most urgent wave that is being planned. Wave 1 walks through the audience ([`first_wave`]), wave 2 through the
//!    recipients of those batches of wave 1 whose window is over, and who have not acknowledged ([`reminder_wave`]). A correction for those who have
//!    what it corrects walks through them instead ([`for_holders`]).
//! 3. [`withdrawal_wave`]: one chunk of the word that an alert has ended, wave 9, for those who hold what it said; [`withdrawn_for_some`]: the same
//!    for those for whom alone it was withdrawn, wave 10.
//!
//! A chunk is one transaction that writes its batches and moves the wave's cursor, so planning goes on after a crash where it stopped, never twice
//! over the same people, with memory for one chunk whatever the size of the city. The first chunk is small and sending begins when it is
//! written. An urgent wave is planned before the next chunk of a routine one, and by a planner that has nothing else to do ([`Line`]);
//! routine waves rest from the moment that there is word of one ([`platform::urgent`]).
//!
//! A chunk locks its wave and nothing else that a stop needs. An alert or wave for which a step fails is set aside ([`crate::aside`]) and the next one is planned.
//!
//! A person stands once in a wave: whoever moves from one leg of an audience to a later one while it is planned is found a second time there, and left
//! out. Whoever moves the other way, or comes into the audience afterwards, is told as soon as the wave is planned ([`latecomers`]).
//!
//! The inbox shows an alert from its release on, before the first push arrives, where the audience names residents. Where it names areas, and
//! in exercises (shown only to enrolled residents), the set of people is known only as far as it is planned: `alert.released` is
//! published with the first chunk and again after each doubling of what is planned and at the end ([`inbox`]). Its readers take the
//! newest `audience_bitmap` each time.

mod arrivals;
mod as_approved;
mod chunk;
mod first_wave;
mod for_holders;
mod inbox;
mod latecomers;
mod release;
mod reminder_wave;
mod withdrawal_wave;
mod withdrawn_for_some;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use domain::alert::DeliveryClass;
use domain::approval_seal::ApprovalSeal;
use domain::audience::Audience;
use domain::ids::{AlertId, WaveNo};
use platform::Platform;
use platform::cache::Cache;
use platform::clock::Clock;
use platform::database::{Database, Tx};
use platform::urgent::Ear;
use resident::headcount::Headcount;
use roaring::RoaringBitmap;
use uuid::Uuid;

use chunk::{Chunk, Cursor};

use crate::aside::{self, Slot, Step};
use crate::ledger::batch_rows::{self, WaveOf};
use crate::settings::Settings;
use crate::{Error, signals, unlike, withdrawn_for};

/// Turns approved alerts into batches. May run in several processes: a wave is planned by one at a time.
#[derive(Debug)]
pub(crate) struct Planner {
    database: Database,
    clock: Clock,
    settings: Settings,
    line: Line,
    cache: Cache,
    ear: Ear,
    /// The audience planned last: a bitmap of a whole city is megabytes, its chunks are hundreds.
    audience: Mutex<Option<(AlertId, Arc<Audience>)>>,
    /// Whom the wave planned last holds so far, where somebody could be found twice.
    planned: Mutex<Option<Known>>,
    /// Who is told of the end that was planned last.
    told: Mutex<Option<Arc<withdrawal_wave::ToTell>>>,
    /// Who has what the correction corrects that was planned last.
    holders: Mutex<Option<Arc<for_holders::Holders>>>,
    /// The audiences of the alerts that stand.
    audiences: Mutex<HashMap<Uuid, Arc<Audience>>>,
    /// Whom the audience published last holds.
    gathered: Mutex<Option<inbox::Gathered>>,
    headcount: Headcount,
    /// The audience that was counted last.
    counted: Mutex<Option<as_approved::Counted>>,
}

/// Who is in the first chunks of a wave.
#[derive(Debug)]
struct Known {
    alert_id: AlertId,
    wave: WaveNo,
    chunks: i32,
    residents: RoaringBitmap,
}

/// What a planner plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Whatever is to be planned, urgent alerts first.
    All,
    /// Urgent alerts only.
    Urgent,
}

/// A wave under the planner's lock.
struct Planned {
    of: WaveOf,
    exercise: bool,
    personal: bool,
    /// It corrects another alert, for those who have that.
    for_holders: bool,
    /// What was approved, where more people than that hold it: a first wave for whoever a query selects.
    seal: Option<ApprovalSeal>,
    /// People that were found so far.
    found: u64,
    planned: Cursor,
    chunks: i32,
    next_number: i32,
}

impl Planner {
    pub(crate) fn new(platform: &Platform, settings: Settings, line: Line) -> Self {
        let (database, cache, clock) = (platform.database.clone(), platform.cache.clone(), platform.clock.clone());
        Self {
            database,
            clock,
            settings,
            line,
            cache,
            ear: Ear::default(),
            audience: Mutex::default(),
            planned: Mutex::default(),
            told: Mutex::default(),
            holders: Mutex::default(),
            audiences: Mutex::default(),
            gathered: Mutex::default(),
            headcount: Headcount::new(platform.database.clone()),
            counted: Mutex::default(),
        }
    }

    /// With the copy of the headcount that others of this process have as well.
    pub(crate) fn counting_with(self, headcount: Headcount) -> Self {
        Self { headcount, ..self }
    }

    /// Releases what is due, plans one chunk of a wave and of the word of an end, for all or for some, then publishes what is due of audiences, and tells latecomers. False: there
    /// was nothing to do.
    pub(crate) async fn turn(&self) -> Result<bool, Error> {
        let released = self.release().await?;
        let planned = self.chunk().await?;
        let told = self.tell_of_end().await? | self.tell_some().await?;
        let published = self.publish().await?;
        if planned {
            // Nobody waits for the next chunk because somebody has moved.
            return Ok(true);
        }
        let arrived = self.arrivals().await?;
        let late = self.latecomers().await?;
        Ok(released || told || published || arrived || late)
    }

    /// Plans one chunk of the most urgent wave. False: no wave is being planned.
    pub(crate) async fn chunk(&self) -> Result<bool, Error> {
        let slot = Slot::default();
        aside::stepping(&self.database, &self.clock, Step::Plan, &slot, self.chunk_of_one(&slot)).await
    }

    async fn chunk_of_one(&self, slot: &Slot) -> Result<bool, Error> {
        let mut tx = self.database.begin().await?;
        let Some(wave) = lock_wave(&mut tx, self.line, self.clock.now(), slot).await? else {
            return Ok(false);
        };
        if wave.of.class == DeliveryClass::Routine
            && let Some(until) = self.ear.listen(&self.cache).await
        {
            drop(tx);
            tokio::time::sleep_until(until).await;
            return Ok(true);
        }
        let limit = if wave.chunks == 0 { self.settings.first_chunk } else { self.settings.chunk };
        let (mut chunk, may_find_twice) = if wave.of.wave == WaveNo::FIRST && wave.for_holders {
            (self.chunk_of_holders(&mut tx, &wave, limit).await?, false)
        } else if wave.of.wave == WaveNo::FIRST {
            let audience = match self.audience(&mut tx, wave.of.alert_id).await {
                Err(Error::NotAsApproved(differences)) => {
                    // an alert is locked before its waves
                    drop(tx);
                    let tx = self.database.begin().await?;
                    self.hold_back(tx, wave.of.alert_id, &differences).await?;
                    return Ok(true);
                }
                read => read?,
            };
            let chunk = first_wave::chunk(&mut tx, &audience, wave.exercise, wave.planned, limit).await?;
            if let Some(seal) = self.goes_too_far(&mut tx, &wave, &chunk).await? {
                drop(tx);
                self.hold_too_many(&wave, &chunk, &seal, &audience).await?;
                return Ok(true);
            }
            (chunk, first_wave::may_find_twice(&audience))
        } else {
            let batches = limit.div_ceil(u32::from(self.settings.batch_size));
            (reminder_wave::chunk(&mut tx, wave.of.alert_id, wave.exercise, self.clock.now(), batches).await?, true)
        };
        chunk.let_go_of(&withdrawn_for::of(&mut tx, wave.of.alert_id).await?);
        let mut known = None;
        if may_find_twice {
            let mut residents = self.known(&mut tx, &wave).await?;
            chunk.leave_out(&mut residents);
            known = Some(Known { alert_id: wave.of.alert_id, wave: wave.of.wave, chunks: wave.chunks + 1, residents });
        }
        self.write(&mut tx, &wave, &chunk).await?;
        tx.commit().await?;
        *self.planned.lock().unwrap_or_else(PoisonError::into_inner) = known;
        signals::PUMP.wake();
        if chunk.planned.is_none() {
            signals::WATCH.wake();
            tracing::info!(alert_id = %wave.of.alert_id, wave = wave.of.wave.get(), chunks = wave.chunks + 1, "wave planned");
        }
        Ok(true)
    }

    /// Who is in the chunks of this wave so far.
    async fn known(&self, tx: &mut Tx, wave: &Planned) -> Result<RoaringBitmap, Error> {
        let known = self.planned.lock().unwrap_or_else(PoisonError::into_inner).take();
        match known {
            Some(known) if (known.alert_id, known.wave, known.chunks) == (wave.of.alert_id, wave.of.wave, wave.chunks) => {
                Ok(known.residents)
            }
            _ if wave.chunks == 0 => Ok(RoaringBitmap::new()),
            // another process, or another wave in between
            _ => inbox::planned(tx, wave.of.alert_id, wave.of.wave).await,
        }
    }

    async fn write(&self, tx: &mut Tx, wave: &Planned, chunk: &Chunk) -> Result<(), Error> {
        let now = self.clock.now();
        let batches = batch_rows::cut_both(&chunk.app, &chunk.sms, &self.settings, (wave.of.alert_id, wave.next_number), now)?;
        batch_rows::write(tx, wave.of, &batches).await?;
        let done = chunk.planned.is_none();
        sqlx::query!(
            r#"update dispatch.wave
                  set planned_to = coalesce($3, planned_to), planned_leg = coalesce($9, planned_leg), chunks = chunks + 1, next_number = next_number + $4, recipients = recipients + $5,
                      no_channel = no_channel + $6, state = case when $7 then 'sending' else state end,
                      planned_at = case when $7 then $8::timestamptz end
                where alert_id = $1 and wave = $2"#,
            wave.of.alert_id.uuid(),
            i16::from(wave.of.wave.get()),
            chunk.planned.map(|cursor| cursor.to),
            i32::try_from(batches.len()).unwrap_or(i32::MAX),
            i64::try_from(chunk.app.len() + chunk.sms.len()).unwrap_or(i64::MAX),
            i64::try_from(chunk.no_channel.len()).unwrap_or(i64::MAX),
            done,
            now,
            chunk.planned.map(|cursor| i32::try_from(cursor.leg).unwrap_or(i32::MAX)),
        )
        .execute(&mut **tx)
        .await?;
        keep_without_channel(tx, wave, chunk).await?;
        self.follow_up(tx, wave, chunk, now).await
    }

    async fn audience(&self, tx: &mut Tx, alert_id: AlertId) -> Result<Arc<Audience>, Error> {
        if let Some((kept, audience)) = &*self.audience.lock().unwrap_or_else(PoisonError::into_inner)
            && *kept == alert_id
        {
            return Ok(Arc::clone(audience));
        }
        let row =
            sqlx::query!("select audience, seal from dispatch.alert where alert_id = $1", alert_id.uuid()).fetch_one(&mut **tx).await?;
        let audience = Arc::new(Audience::from_bytes(&row.audience).map_err(|error| Error::damaged("audience", alert_id, error))?);
        // it may have been read by no release of this process
        if let Some(difference) = unlike::seal_of(alert_id, row.seal)?.and_then(|seal| seal.unlike_audience(&audience)) {
            return Err(Error::NotAsApproved(vec![difference]));
        }
        *self.audience.lock().unwrap_or_else(PoisonError::into_inner) = Some((alert_id, Arc::clone(&audience)));
        Ok(audience)
    }

    /// People named one by one must not be lost because nothing reaches them; for a whole area without channels there is no list of visits.
    async fn follow_up(&self, tx: &mut Tx, wave: &Planned, chunk: &Chunk, now: DateTime<Utc>) -> Result<(), Error> {
        use crate::follow_ups::{Reason, open};
        if wave.of.wave > WaveNo::FIRST {
            open(tx, wave.of.alert_id, &chunk.no_channel, Reason::Silent, now).await
        } else if wave.personal {
            open(tx, wave.of.alert_id, &chunk.no_channel, Reason::Unreachable, now).await
        } else {
            Ok(())
        }
    }
}

impl Chunk {
    /// Leaves out whoever is among these, and adds the others to them.
    fn leave_out(&mut self, known: &mut RoaringBitmap) {
        for numbers in [&mut self.app, &mut self.sms, &mut self.no_channel] {
            numbers.retain(|number| known.insert(*number));
        }
    }

    /// Leaves out whoever is among these.
    fn let_go_of(&mut self, others: &RoaringBitmap) {
        if !others.is_empty() {
            for numbers in [&mut self.app, &mut self.sms, &mut self.no_channel] {
                numbers.retain(|number| !others.contains(*number));
            }
        }
    }
}

/// Notes who was found in the audience and is reached by neither way: told late after all, they are counted there no longer.
async fn keep_without_channel(tx: &mut Tx, wave: &Planned, chunk: &Chunk) -> Result<(), Error> {
    if wave.of.wave > WaveNo::FIRST || chunk.no_channel.is_empty() {
        return Ok(());
    }
    let residents: RoaringBitmap = chunk.no_channel.iter().copied().collect();
    sqlx::query!(
        "insert into dispatch.no_channel (alert_id, chunk, residents) values ($1, $2, $3) on conflict (alert_id, chunk) do nothing",
        wave.of.alert_id.uuid(),
        wave.chunks,
        inbox::bytes(&residents),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn lock_wave(tx: &mut Tx, line: Line, now: DateTime<Utc>, slot: &Slot) -> Result<Option<Planned>, Error> {
    let row = sqlx::query!(
        r#"select w.alert_id, w.wave, w.urgent, w.due_at, w.planned_to, w.planned_leg, w.chunks, w.next_number, a.exercise, a.personal,
                  a.for_holders, case when w.wave = 1 and not a.personal and not a.for_holders then a.seal end as seal,
                  w.recipients + w.no_channel as "found!", s.failures is not null as "again!"
             from dispatch.wave w join dispatch.alert a using (alert_id)
             left join dispatch.set_aside s on s.alert_id = w.alert_id and s.wave = w.wave and s.step = 'plan'
            where w.state = 'planning' and (w.urgent or not $1) and a.state in ('dispatching', 'active') and a.held_at is null and (s.until is null or s.until <= $2)
            order by w.urgent desc, w.due_at limit 1
              for update of w skip locked"#,
        line == Line::Urgent,
        now,
    )
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|row| {
        slot.is_about(AlertId::from_uuid(row.alert_id), row.wave, row.again);
        let wave = u8::try_from(row.wave).map_err(|error| Error::damaged("wave", row.alert_id, error))?;
        let class = if row.urgent { DeliveryClass::Urgent } else { DeliveryClass::Routine };
        Ok(Planned {
            of: WaveOf { alert_id: AlertId::from_uuid(row.alert_id), wave: WaveNo::new(wave), class, due_at: row.due_at },
            exercise: row.exercise,
            personal: row.personal,
            for_holders: row.for_holders,
            seal: unlike::seal_of(AlertId::from_uuid(row.alert_id), row.seal)?,
            found: row.found.unsigned_abs(),
            planned: Cursor {
                leg: usize::try_from(row.planned_leg).map_err(|error| Error::damaged("leg", row.alert_id, error))?,
                to: row.planned_to,
            },
            chunks: row.chunks,
            next_number: row.next_number,
        })
    })
    .transpose()
}
