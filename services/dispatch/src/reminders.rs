//! Second reminder 二次提醒 and follow-up (CQ11): what happens to those who stay silent. Who wrote back in words is not silent: their words wait for staff
//! (resident's feedback), and they are not reminded as though nothing had come.
//!
//! Everybody's time to acknowledge begins with the hand-over of their own batch. When it is over, those of a batch of wave 1 who have not answered are
//! planned into wave 2, outside quiet hours; those of a batch of wave 2 become follow-up items for their community. A batch or a recipient that is held
//! keeps nobody else from it: wave 2 is planned bit by bit, as batches of wave 1 become due, and waits closed in between. Everything
//! is found in the tables by the clock, so a restart or a moved clock changes nothing; each batch is attended to once.

use chrono::{DateTime, Utc};
use domain::alert::DeliveryClass;
use domain::batch::RecipientList;
use domain::deadline;
use domain::ids::AlertId;
use platform::clock::Clock;
use platform::database::{Connection, Database, Tx, readable_row};

use crate::aside::{self, Slot, Step};
use crate::follow_ups::{self, Reason};
use crate::kin::Kin;
use crate::ledger::{column, handed_over, number_of};
use crate::settings::Settings;
use crate::{Error, signals};

/// Batches of the reminder wave looked through in one transaction.
const BATCHES: i64 = 100;

/// Takes one step for one wave with a batch whose window is over, or of which nothing is left. False: there is none.
pub(crate) async fn turn(database: &Database, clock: &Clock, settings: &Settings) -> Result<bool, Error> {
    let slot = Slot::default();
    aside::stepping(database, clock, Step::Remind, &slot, remind(database, clock, settings, &slot)).await
}

/// What is to be done about a wave.
struct Due {
    alert_id: AlertId,
    wave: i16,
    class: String,
    /// The window of a batch is over; else nothing of the wave is left to attend to.
    silent: bool,
    again: bool,
}

async fn remind(database: &Database, clock: &Clock, settings: &Settings, slot: &Slot) -> Result<bool, Error> {
    let now = clock.now();
    let mut tx = database.begin().await?;
    let Some(due) = next(&mut tx, now, settings).await? else { return Ok(false) };
    slot.is_about(due.alert_id, due.wave, due.again);
    let mine = sqlx::query_scalar!(
        r#"select pg_try_advisory_xact_lock(hashtextextended('dispatch.reminders:' || $1, 0)) as "mine!""#,
        due.alert_id.to_string()
    )
    .fetch_one(&mut *tx)
    .await?;
    if !mine {
        // Another process is at it.
        return Ok(false);
    }
    match (due.silent, due.wave) {
        (true, 1) => begin(&mut tx, &due, now, settings).await?,
        (true, _) => follow_up(&mut tx, due.alert_id, now).await?,
        (false, _) => settle(&mut tx, &due).await?,
    }
    tx.commit().await?;
    signals::PLANNER.wake();
    signals::URGENT_PLANNER.wake();
    Ok(true)
}

/// A wave of which something is due. In quiet hours nobody is reminded of a routine alert: whoever acknowledges in them is not reminded
/// after them either. While its reminder is being planned a first wave waits: the planner takes whatever is due.
async fn next(connection: &mut Connection, now: DateTime<Utc>, settings: &Settings) -> Result<Option<Due>, Error> {
    let row = sqlx::query!(
        r#"select w.alert_id, w.wave, a.class, d.silent as "silent!", s.failures is not null as "again!"
             from dispatch.wave w join dispatch.alert a using (alert_id)
             left join dispatch.set_aside s on s.alert_id = w.alert_id and s.wave = w.wave and s.step = 'remind'
            cross join lateral (
                  select exists (select from dispatch.batch b
                                  where b.alert_id = w.alert_id and b.wave = w.wave and b.state = 'closed' and b.attended_at is null
                                    and b.closed_at <= $1::timestamptz - make_interval(secs => a.ack_window_s)) as silent) as d
            where w.wave <= 2 and a.ack_window_s > 0 and a.state in ('dispatching', 'active') and a.held_at is null and a.expires_at > $1
              and (s.until is null or s.until <= $1)
              and case when d.silent then w.wave = 2 or (w.urgent or not $2) and not exists (
                            select from dispatch.wave r where r.alert_id = w.alert_id and r.wave = 2 and r.state = 'planning')
                       else w.state = 'closed' and w.silent_at <= $1
                            and not exists (select from dispatch.batch b where b.alert_id = w.alert_id and b.wave = w.wave and b.attended_at is null)
                            and (w.wave = 1 or exists (
                                     select from dispatch.wave f where f.alert_id = w.alert_id and f.wave = 1 and f.state = 'settled')) end
            order by w.urgent desc, w.wave desc limit 1"#,
        now,
        settings.quiet_hours.is_quiet(now),
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Due {
        alert_id: AlertId::from_uuid(row.alert_id),
        wave: row.wave,
        class: row.class,
        silent: row.silent,
        again: row.again,
    }))
}

/// Whether a step is due, also where somebody else has it in hand.
pub(crate) async fn is_due(database: &Database, now: DateTime<Utc>, settings: &Settings) -> Result<bool, Error> {
    let mut connection = database.pool().acquire().await?;
    Ok(next(&mut connection, now, settings).await?.is_some())
}

/// The reminder begins, or goes on with what has become due since; from now on it has as long as any other wave.
async fn begin(tx: &mut Tx, due: &Due, now: DateTime<Utc>, settings: &Settings) -> Result<(), Error> {
    let alert_id = due.alert_id;
    let class: DeliveryClass = due.class.parse().map_err(|error: strum::ParseError| Error::damaged("class", alert_id, error))?;
    let begun = sqlx::query_scalar!(
        r#"insert into dispatch.wave (alert_id, wave, urgent, due_at, state, began_at) values ($1, 2, $2, $3, 'planning', $4)
           on conflict (alert_id, wave) do update
              set state = 'planning', due_at = excluded.due_at, planned_at = null, closed_at = null, silent_at = null
           returning chunks = 0 as "begun!""#,
        alert_id.uuid(),
        class == DeliveryClass::Urgent,
        deadline::due_at(class, now, &settings.quiet_hours),
        now,
    )
    .fetch_one(&mut **tx)
    .await?;
    if begun {
        tracing::info!(%alert_id, "reminding those who have not acknowledged");
    }
    Ok(())
}

/// Nothing of the wave is left: everybody's window is over and they were attended to.
async fn settle(tx: &mut Tx, due: &Due) -> Result<(), Error> {
    sqlx::query!(
        "update dispatch.wave set state = 'settled' where alert_id = $1 and wave = $2 and state = 'closed'",
        due.alert_id.uuid(),
        due.wave
    )
    .execute(&mut **tx)
    .await?;
    if due.wave > 1 {
        tracing::info!(alert_id = %due.alert_id, "follow-up items opened for those who stayed silent");
    }
    Ok(())
}

/// Opens follow-up items for the silent among the next batches of wave 2 whose window is over. Who went on in a later batch is followed up
/// with that one.
async fn follow_up(tx: &mut Tx, alert_id: AlertId, now: DateTime<Utc>) -> Result<(), Error> {
    let batches = sqlx::query!(
        r#"with due as (
               select b.batch_id from dispatch.batch b join dispatch.alert a using (alert_id)
                where b.alert_id = $1 and b.wave = 2 and b.state = 'closed' and b.attended_at is null
                  and b.closed_at <= $2::timestamptz - make_interval(secs => a.ack_window_s)
                order by b.closed_at, b.batch_id limit $3
           )
           update dispatch.batch b set attended_at = $2
             from due, dispatch.recipient_list r
            where b.alert_id = $1 and b.batch_id = due.batch_id and r.alert_id = $1 and r.batch_id = due.batch_id
        returning b.batch_id, b.number, b.retried + b.fell_back > 0 as "went_on!",
                  b.unreachable + b.withdrawn > 0 as "ended_here!", b.outcomes, r.recipients"#,
        alert_id.uuid(),
        now,
        BATCHES,
    )
    .fetch_all(&mut **tx)
    .await?;
    let kin = Kin::of(tx, alert_id, 2, batches.iter().filter(|batch| batch.went_on).map(|batch| batch.number)).await?;
    let mut reminded: Vec<u32> = Vec::new();
    for batch in batches {
        let people = ended_in(batch.batch_id, &batch.recipients, batch.outcomes.as_deref(), batch.ended_here);
        let went_on = kin.went_on(batch.number, batch.batch_id);
        let people = readable_row("recipients of a batch", people).into_iter().flatten();
        reminded.extend(people.filter(|number| !went_on.contains(*number)));
    }
    let silent = sqlx::query_scalar!(
        r#"select n as "resident_no!" from unnest($2::bigint[]) as n
            where not exists (select from resident.answered k where k.alert_id = $1 and k.resident_no = n)"#,
        alert_id.uuid(),
        &column(&reminded),
    )
    .fetch_all(&mut **tx)
    .await?;
    let silent = silent.into_iter().map(number_of).collect::<Result<Vec<_>, _>>()?;
    follow_ups::open(tx, alert_id, &silent, Reason::Silent, now).await
}

/// Who of a closed batch may have ended in it: whoever it reached, and, where it gave somebody up or left somebody out, all the others, of whom some
/// may have gone on.
fn ended_in(of: i64, recipients: &[u8], outcomes: Option<&[u8]>, ended_here: bool) -> Result<Vec<u32>, Error> {
    if let Some(outcomes) = outcomes.filter(|_| !ended_here) {
        return handed_over(of, recipients, outcomes);
    }
    let list = RecipientList::decode(recipients).map_err(|error| Error::damaged("recipients", of, error))?;
    Ok(list.as_slice().to_vec())
}
