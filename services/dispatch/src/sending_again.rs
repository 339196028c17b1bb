//! Sending again: whoever an alert did not reach is sent to once more, when an officer asks for it after what kept it from them was mended (a wrong
//! sender number, an account that was closed).
//!
//! A round goes through the batches of wave 1 in which somebody was given up as unreachable by then, a few in each transaction: those who have not acknowledged and
//! have a channel now move into new batches of wave 1, where everything else goes on as with any batch: retries, fallback, the reminder by their own
//! hand-over. In their old batch they count as retried, so the numbers of the wave still add up, and a visit that was to be made only because
//! nothing reached them is taken off the list: it comes back when this fails as well. One round at a time; a round that was asked for is found in the tables.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::alert::DeliveryClass;
use domain::batch::Outcomes;
use domain::deadline;
use domain::ids::{AlertId, StaffId, WaveNo};
use domain::outcome::{Channel, Outcome};
use platform::clock::Clock;
use platform::database::{Connection, Database, Tx, readable_row};

use crate::aside::{self, Slot, Step};
use crate::kin::Kin;
use crate::ledger::batch_rows::{self, WaveOf};
use crate::ledger::{column, number_of, read};
use crate::settings::Settings;
use crate::{Error, follow_ups, signals};

/// What an officer asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub alert_id: AlertId,
    /// Which round it is to be, from 1: asking for one that is there already changes nothing.
    pub round: i16,
    /// How many people the officer knows of that were not reached: not more are sent to.
    pub people: i64,
    pub by: StaffId,
}

/// Notes a round, if there is none of this number: true when it is new. The caller commits.
pub(crate) async fn ask(tx: &mut Tx, asked: Asked, now: DateTime<Utc>) -> Result<bool, Error> {
    let Asked { alert_id, round, .. } = asked;
    let alert = sqlx::query!(
        r#"select (state in ('dispatching', 'active') and expires_at > $2) as "live!" from dispatch.alert where alert_id = $1 for no key update"#,
        alert_id.uuid(),
        now,
    )
    .fetch_optional(&mut **tx)
    .await?
    .ok_or(Error::NoSuchAlert)?;
    let before = sqlx::query!(
        r#"select coalesce(max(round), 0::smallint) as "rounds!", coalesce(bool_or(planned_at is null), false) as "under_way!"
             from dispatch.sending_again where alert_id = $1"#,
        alert_id.uuid(),
    )
    .fetch_one(&mut **tx)
    .await?;
    if round >= 1 && round <= before.rounds {
        return Ok(false);
    }
    if !alert.live {
        return Err(Error::NotLive);
    }
    if before.under_way || round != before.rounds + 1 {
        return Err(Error::SendingAgainAlready);
    }
    let found = sqlx::query!(
        r#"select coalesce(sum(unreachable) filter (where state = 'closed'), 0)::bigint as "people!", coalesce(max(batch_id), 0) as "newest!"
             from dispatch.batch where alert_id = $1 and wave = 1"#,
        alert_id.uuid(),
    )
    .fetch_one(&mut **tx)
    .await?;
    if found.people == 0 {
        return Err(Error::EverybodyReached);
    }
    if found.people > asked.people {
        return Err(Error::MoreNotReached { people: found.people });
    }
    sqlx::query!(
        "insert into dispatch.sending_again (alert_id, round, asked_by, asked_at, people, up_to) values ($1, $2, $3, $4, $5, $6)",
        alert_id.uuid(),
        round,
        asked.by.uuid(),
        now,
        found.people,
        found.newest,
    )
    .execute(&mut **tx)
    .await?;
    Ok(true)
}

/// A round under way.
struct Round {
    alert_id: AlertId,
    number: i16,
    up_to: i64,
    planned_to: i64,
    again: bool,
}

/// Goes on with one round. False: none is under way.
pub(crate) async fn turn(database: &Database, clock: &Clock, settings: &Settings) -> Result<bool, Error> {
    let slot = Slot::default();
    aside::stepping(database, clock, Step::Plan, &slot, chunk(database, clock, settings, &slot)).await
}

/// Whether a round is to go on.
pub(crate) async fn is_due(database: &Database, now: DateTime<Utc>) -> Result<bool, Error> {
    let mut connection = database.pool().acquire().await?;
    Ok(next(&mut connection, now).await?.is_some())
}

async fn next(connection: &mut Connection, now: DateTime<Utc>) -> Result<Option<Round>, Error> {
    let row = sqlx::query!(
        r#"select g.alert_id, g.round, g.up_to, g.planned_to, s.failures is not null as "again!"
             from dispatch.sending_again g join dispatch.alert a using (alert_id)
             left join dispatch.set_aside s on s.alert_id = g.alert_id and s.wave = 0 and s.step = 'plan'
            where g.planned_at is null and a.state in ('dispatching', 'active') and a.expires_at > $1 and (s.until is null or s.until <= $1)
            order by a.class = 'urgent' desc, g.asked_at limit 1"#,
        now,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Round {
        alert_id: AlertId::from_uuid(row.alert_id),
        number: row.round,
        up_to: row.up_to,
        planned_to: row.planned_to,
        again: row.again,
    }))
}

async fn chunk(database: &Database, clock: &Clock, settings: &Settings, slot: &Slot) -> Result<bool, Error> {
    let now = clock.now();
    let mut tx = database.begin().await?;
    let Some(round) = next(&mut tx, now).await? else { return Ok(false) };
    let alert_id = round.alert_id;
    slot.is_about(alert_id, 0, round.again);
    // The wave alone, as a planner does, and only if nobody has gone on with the round meanwhile.
    let Some(wave) = sqlx::query!(
        r#"select w.next_number, a.class, a.exercise, g.asked_at
             from dispatch.sending_again g join dispatch.alert a using (alert_id) join dispatch.wave w on w.alert_id = g.alert_id and w.wave = 1
            where g.alert_id = $1 and g.round = $2 and g.planned_to = $3 and g.planned_at is null for update of g, w skip locked"#,
        alert_id.uuid(),
        round.number,
        round.planned_to,
    )
    .fetch_optional(&mut *tx)
    .await?
    else {
        return Ok(false);
    };
    let class: DeliveryClass = wave.class.parse().map_err(|error: strum::ParseError| Error::damaged("class", alert_id, error))?;
    let limit = settings.chunk.div_ceil(u32::from(settings.batch_size));
    let given_up = given_up(&mut tx, &round, limit).await?;
    let channels = reachable(&mut tx, alert_id, wave.exercise, &given_up.people()).await?;

    let by = |channel| channels.iter().filter(|(_, by)| **by == channel).map(|(number, _)| *number).collect::<Vec<_>>();
    let batches = batch_rows::cut_both(&by(Channel::App), &by(Channel::Sms), settings, (alert_id, wave.next_number), now)?;
    let due_at = deadline::due_at(class, wave.asked_at, &settings.quiet_hours);
    batch_rows::write(&mut tx, WaveOf { alert_id, wave: WaveNo::FIRST, class, due_at }, &batches).await?;

    let taken: BTreeSet<u32> = channels.keys().copied().collect();
    given_up.take(&mut tx, alert_id, &taken).await?;
    follow_ups::take_off_unreachable(&mut tx, alert_id, &taken).await?;
    let progress = Progress {
        due_at,
        batches: i32::try_from(batches.len()).unwrap_or(i32::MAX),
        sent: i64::try_from(taken.len()).unwrap_or(i64::MAX),
        planned_to: given_up.more,
    };
    write(&mut tx, &round, progress, now).await?;
    tx.commit().await?;
    signals::PUMP.wake();
    signals::WATCH.wake();
    signals::FORECAST.wake();
    tracing::info!(%alert_id, round = round.number, people = taken.len(), done = given_up.more.is_none(), "people who were not reached are sent to again");
    Ok(true)
}

/// What a chunk of a round did.
struct Progress {
    due_at: DateTime<Utc>,
    batches: i32,
    sent: i64,
    planned_to: Option<i64>,
}

/// The wave is being sent again. Once everybody had been done with, its deadline is that of the round; while that is not so its own still stands.
async fn write(tx: &mut Tx, round: &Round, progress: Progress, now: DateTime<Utc>) -> Result<(), Error> {
    if progress.batches > 0 {
        sqlx::query!(
            r#"update dispatch.wave w
                  set next_number = w.next_number + $2, closed_at = null, silent_at = null,
                      state = case when w.state = 'planning' then w.state else 'sending' end,
                      due_at = case when w.state in ('closed', 'settled') then $3 else w.due_at end
                where w.alert_id = $1 and w.wave = 1"#,
            round.alert_id.uuid(),
            progress.batches,
            progress.due_at,
        )
        .execute(&mut **tx)
        .await?;
    }
    sqlx::query!(
        r#"update dispatch.sending_again
              set sent = sent + $3, planned_to = coalesce($4, planned_to), planned_at = case when $4::bigint is null then $5::timestamptz end
            where alert_id = $1 and round = $2"#,
        round.alert_id.uuid(),
        round.number,
        progress.sent,
        progress.planned_to,
        now,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whom some batches gave up.
struct GivenUp {
    batches: Vec<Batch>,
    /// The last of the batches, if there may be more.
    more: Option<i64>,
}

struct Batch {
    batch_id: i64,
    outcomes: Outcomes,
    /// Where they stand in the batch, and their numbers.
    people: Vec<(usize, u32)>,
}

/// Those whom the next batches gave up and no later one took over.
async fn given_up(tx: &mut Tx, round: &Round, limit: u32) -> Result<GivenUp, Error> {
    let rows = sqlx::query!(
        r#"select b.batch_id, b.number, b.outcomes as "outcomes!", r.recipients
             from dispatch.batch b join dispatch.recipient_list r using (alert_id, batch_id)
            where b.alert_id = $1 and b.wave = 1 and b.state = 'closed' and b.unreachable > 0 and b.outcomes is not null
              and b.batch_id > $2 and b.batch_id <= $3
            order by b.batch_id limit $4"#,
        round.alert_id.uuid(),
        round.planned_to,
        round.up_to,
        i64::from(limit),
    )
    .fetch_all(&mut **tx)
    .await?;
    let more = (rows.len() == limit as usize).then(|| rows.last().map(|row| row.batch_id)).flatten();
    let kin = Kin::of(tx, round.alert_id, 1, rows.iter().map(|row| row.number)).await?;
    let mut batches = Vec::new();
    for row in rows {
        let Some((list, outcomes)) = readable_row("a batch to be sent again", read(row.batch_id, &row.recipients, &row.outcomes)) else {
            continue;
        };
        let elsewhere = kin.went_on(row.number, row.batch_id) | kin.reached(row.number);
        let each = (0..).zip(list.as_slice().iter().zip(outcomes.as_slice()));
        let people = each.filter(|(_, (number, outcome))| was_given_up(**outcome) && !elsewhere.contains(**number));
        let people = people.map(|(position, (number, _))| (position, *number)).collect();
        batches.push(Batch { batch_id: row.batch_id, outcomes, people });
    }
    Ok(GivenUp { batches, more })
}

/// Whether this is how a recipient ends who was not reached. Pending in a closed batch are those who were sent again before.
const fn was_given_up(outcome: Outcome) -> bool {
    !(outcome.is_handed_over() || matches!(outcome, Outcome::Withdrawn | Outcome::Pending))
}

impl GivenUp {
    fn people(&self) -> Vec<u32> {
        self.batches.iter().flat_map(|batch| &batch.people).map(|(_, number)| *number).collect()
    }

    /// Those who are taken into new batches go on there: they are pending again, and counted as retried.
    async fn take(&self, tx: &mut Tx, alert_id: AlertId, taken: &BTreeSet<u32>) -> Result<(), Error> {
        let (mut ids, mut outcomes, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        for batch in &self.batches {
            let mut after = batch.outcomes.clone();
            let going: Vec<usize> =
                batch.people.iter().filter(|(_, number)| taken.contains(number)).map(|(position, _)| *position).collect();
            for position in &going {
                after.set(*position, Outcome::Pending);
            }
            ids.push(batch.batch_id);
            outcomes.push(after.encode());
            counts.push(i32::try_from(going.len()).unwrap_or(i32::MAX));
        }
        sqlx::query!(
            r#"update dispatch.batch b set outcomes = n.outcomes, retried = b.retried + n.going, unreachable = b.unreachable - n.going
                 from unnest($2::bigint[], $3::bytea[], $4::int[]) as n (batch_id, outcomes, going)
                where b.alert_id = $1 and b.batch_id = n.batch_id and n.going > 0"#,
            alert_id.uuid(),
            &ids,
            &outcomes,
            &counts,
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// Those who have not answered and have a channel, by number.
async fn reachable(tx: &mut Tx, alert_id: AlertId, exercise: bool, people: &[u32]) -> Result<BTreeMap<u32, Channel>, Error> {
    let mut channels = BTreeMap::new();
    let rows = sqlx::query!(
        r#"select h.resident_no::bigint as "resident_no!", h.app as "app!", h.sms as "sms!" from resident.reach h
            where h.resident_no = any($2::bigint[]) and (h.drill or not $3)
              and not exists (select from resident.answered k where k.alert_id = $1 and k.resident_no = h.resident_no)
              and not exists (select from dispatch.withdrawn_for w where w.alert_id = $1 and w.resident_no = h.resident_no)"#,
        alert_id.uuid(),
        &column(people),
        exercise,
    )
    .fetch_all(&mut **tx)
    .await?;
    for row in rows {
        if let Some(channel) = Channel::first(row.app, row.sms) {
            channels.insert(number_of(row.resident_no)?, channel);
        }
    }
    Ok(channels)
}
