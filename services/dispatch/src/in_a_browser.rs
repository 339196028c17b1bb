//! Who has an urgent alert in a browser only, and does not answer, gets the SMS.
//!
//! A browser's push service takes a message for weeks, whether or not anybody opens that browser again. So "handed over" says less there than of a phone:
//! after [`Settings::browser_patience_min`] whoever has the alert by nothing else and has neither acknowledged it nor written back is sent it
//! by SMS as well, beside the wave ([`crate::beside`]). Found by batch and by the outcomes that are kept of it anyway; where a reminder has been planned
//! for the batch already, that goes by SMS by itself.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use domain::alert::DeliveryClass;
use domain::deadline;
use domain::ids::{AlertId, WaveNo};
use domain::outcome::{Channel, Outcome};
use platform::clock::Clock;
use platform::database::{Connection, Database, Tx, readable_row};

use crate::aside::{self, Slot, Step};
use crate::beside::{self, Beside};
use crate::ledger::{column, number_of, read};
use crate::settings::Settings;
use crate::{Error, signals};

/// Batches looked through in one transaction.
const BATCHES: i64 = 20;

/// Looks at the next batches of one alert. False: there are none.
pub(crate) async fn turn(database: &Database, clock: &Clock, settings: &Settings) -> Result<bool, Error> {
    let slot = Slot::default();
    aside::stepping(database, clock, Step::Remind, &slot, look(database, clock, settings, &slot)).await
}

/// Whether somebody is to be looked at.
pub(crate) async fn is_due(database: &Database, now: DateTime<Utc>, settings: &Settings) -> Result<bool, Error> {
    let mut connection = database.pool().acquire().await?;
    Ok(next(&mut connection, now, settings).await?.is_some())
}

struct Due {
    alert_id: AlertId,
    exercise: bool,
    /// Somebody is still told of it.
    lives: bool,
    again: bool,
}

async fn next(connection: &mut Connection, now: DateTime<Utc>, settings: &Settings) -> Result<Option<Due>, Error> {
    let row = sqlx::query!(
        r#"select b.alert_id, a.exercise, a.state in ('dispatching', 'active') and a.expires_at > $1 as "lives!", s.failures is not null as "again!"
             from dispatch.batch b join dispatch.alert a using (alert_id)
             left join dispatch.set_aside s on s.alert_id = b.alert_id and s.wave = $3 and s.step = 'remind'
            where b.by_browser > 0 and b.closed_at <= $2 and (s.until is null or s.until <= $1)
            order by b.closed_at limit 1"#,
        now,
        now - TimeDelta::minutes(settings.browser_patience_min.into()),
        i16::from(WaveNo::BESIDE.get()),
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Due { alert_id: AlertId::from_uuid(row.alert_id), exercise: row.exercise, lives: row.lives, again: row.again }))
}

async fn look(database: &Database, clock: &Clock, settings: &Settings, slot: &Slot) -> Result<bool, Error> {
    let now = clock.now();
    let mut tx = database.begin().await?;
    let Some(due) = next(&mut tx, now, settings).await? else { return Ok(false) };
    let alert_id = due.alert_id;
    slot.is_about(alert_id, i16::from(WaveNo::BESIDE.get()), due.again);
    let Some(looked_at) = in_browsers_only(&mut tx, alert_id, now, settings).await? else {
        // Another process is at it.
        return Ok(false);
    };
    let silent = if due.lives { silent(&mut tx, &due, looked_at).await? } else { Vec::new() };
    let beside = Beside {
        alert_id,
        class: DeliveryClass::Urgent,
        due_at: deadline::due_at(DeliveryClass::Urgent, now, &settings.quiet_hours),
        not_before: now,
    };
    beside::write(&mut tx, beside, Channel::Sms, &silent, None, usize::from(settings.size_of(Channel::Sms))).await?;
    tx.commit().await?;
    if !silent.is_empty() {
        metrics::counter!("dispatch_browser_by_sms_total").increment(silent.len() as u64);
        tracing::info!(%alert_id, people = silent.len(), "who has an urgent alert in a browser only and did not answer gets the SMS");
        signals::PUMP.wake();
    }
    Ok(true)
}

/// Takes the next batches of the alert up, once: whoever has it in a browser only. None: somebody else has them in hand.
async fn in_browsers_only(tx: &mut Tx, alert_id: AlertId, now: DateTime<Utc>, settings: &Settings) -> Result<Option<BTreeSet<u32>>, Error> {
    let batches = sqlx::query!(
        r#"with due as (
               select b.batch_id, b.attended_at from dispatch.batch b
                where b.alert_id = $1 and b.by_browser > 0 and b.closed_at <= $2
                order by b.closed_at, b.batch_id limit $3 for update skip locked
           )
           update dispatch.batch b set by_browser = 0
             from due, dispatch.recipient_list r
            where b.alert_id = $1 and b.batch_id = due.batch_id and r.alert_id = $1 and r.batch_id = due.batch_id
        returning b.batch_id, b.outcomes as "outcomes!", r.recipients, due.attended_at is not null as "reminded!""#,
        alert_id.uuid(),
        now - TimeDelta::minutes(settings.browser_patience_min.into()),
        BATCHES,
    )
    .fetch_all(&mut **tx)
    .await?;
    if batches.is_empty() {
        return Ok(None);
    }
    let mut people = BTreeSet::new();
    for batch in batches.into_iter().filter(|batch| !batch.reminded) {
        let batch = read(batch.batch_id, &batch.recipients, &batch.outcomes);
        let Some((list, outcomes)) = readable_row("outcomes of a batch", batch) else { continue };
        let each = list.as_slice().iter().zip(outcomes.as_slice());
        people.extend(each.filter(|(_, outcome)| **outcome == Outcome::AcceptedByBrowser).map(|(number, _)| *number));
    }
    Ok(Some(people))
}

/// Those of them who have a phone for short messages, have not answered, and were not reached by another device since.
async fn silent(tx: &mut Tx, due: &Due, mut people: BTreeSet<u32>) -> Result<Vec<u32>, Error> {
    let (Some(first), Some(last)) = (people.first().copied(), people.last().copied()) else { return Ok(Vec::new()) };
    let since = sqlx::query!(
        r#"select b.batch_id, b.outcomes as "outcomes!", r.recipients from dispatch.batch b join dispatch.recipient_list r using (alert_id, batch_id)
            where b.alert_id = $1 and b.wave = $2 and b.channel = $3 and b.outcomes is not null and b.last_no >= $4 and b.first_no <= $5"#,
        due.alert_id.uuid(),
        i16::from(WaveNo::BESIDE.get()),
        Channel::App.as_ref(),
        i64::from(first),
        i64::from(last),
    )
    .fetch_all(&mut **tx)
    .await?;
    for batch in since {
        let batch = read(batch.batch_id, &batch.recipients, &batch.outcomes);
        let Some((list, outcomes)) = readable_row("outcomes of a batch", batch) else { continue };
        for (number, outcome) in list.as_slice().iter().zip(outcomes.as_slice()) {
            if *outcome == Outcome::Accepted {
                people.remove(number);
            }
        }
    }
    let numbers: Vec<u32> = people.into_iter().collect();
    let silent = sqlx::query_scalar!(
        r#"select r.resident_no::bigint as "resident_no!" from resident.reach r
            where r.resident_no = any($2::bigint[]) and r.sms and (r.drill or not $3)
              and not exists (select from resident.answered k where k.alert_id = $1 and k.resident_no = r.resident_no)
              and not exists (select from dispatch.withdrawn_for w where w.alert_id = $1 and w.resident_no = r.resident_no)
            order by 1"#,
        due.alert_id.uuid(),
        &column(&numbers),
        due.exercise,
    )
    .fetch_all(&mut **tx)
    .await?;
    silent.into_iter().map(number_of).collect()
}
