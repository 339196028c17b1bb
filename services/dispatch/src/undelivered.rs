//! Those whom a short message did not reach although the SMS centre had taken it: receipts say so, minutes or a day later.
//!
//! As long as the alert lives, who has the app as well gets it there; whom nothing else reaches is a follow-up item at once, if the alert names
//! them. A message of a routine alert ends when quiet hours begin, and goes out once more when they are over: a phone that was off in the
//! evening is on in the morning. A repeat changes nothing; when the second message does not arrive either, the follow-up comes then. Who has
//! answered knows.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::alert::DeliveryClass;
use domain::batch::MAX_PLANNED;
use domain::deadline;
use domain::ids::{AlertId, WaveNo};
use domain::outcome::Channel;
use platform::clock::Clock;
use platform::database::{Database, Tx};
use proto::SmsUndelivered;

use crate::approved::one_at_a_time;
use crate::follow_ups::{self, Reason};
use crate::ledger::batch_rows::{self, WaveOf};
use crate::ledger::number_of;
use crate::settings::Settings;
use crate::{Error, signals};

/// Batches for the undelivered are numbered down from the last possible one, far above those that are planned.
const FIRST_NUMBER: u32 = MAX_PLANNED / 2;

/// Somebody who was not reached.
struct Missed {
    resident_no: u32,
    wave: i16,
    wave_due_at: DateTime<Utc>,
    /// They have the app.
    app: bool,
    /// No message to them was lost before.
    first: bool,
}

impl Missed {
    /// How they are told instead; none: by a visit.
    fn instead(&self, ended_by_the_night: bool) -> Option<Channel> {
        // It was sent because the app had reached them in a browser only.
        let is_last_way = WaveNo::new(u8::try_from(self.wave).unwrap_or_default()).is_beside();
        match (self.first && !is_last_way, self.app) {
            (true, true) => Some(Channel::App),
            (true, false) if ended_by_the_night => Some(Channel::Sms),
            _ => None,
        }
    }
}

/// Takes receipts in that say so.
pub(crate) async fn on_undelivered(
    database: &Database,
    clock: &Clock,
    settings: &Settings,
    alert_id: AlertId,
    event: &SmsUndelivered,
) -> Result<(), Error> {
    let now = clock.now();
    let mut tx = database.begin().await?;
    one_at_a_time(&mut tx, alert_id).await?;
    let Some(alert) = sqlx::query!(
        r#"select class, exercise, personal, ack_window_s from dispatch.alert
            where alert_id = $1 and state in ('dispatching', 'active') and expires_at > $2"#,
        alert_id.uuid(),
        now
    )
    .fetch_optional(&mut *tx)
    .await?
    else {
        // Not to be told any more.
        return Ok(());
    };
    let missed = note(&mut tx, alert_id, event, alert.exercise, now).await?;
    let class: DeliveryClass = alert.class.parse().map_err(|error: strum::ParseError| Error::damaged("class", alert_id, error))?;
    let night = class == DeliveryClass::Routine && settings.quiet_hours.is_quiet(now);
    let (mut again, mut unreachable) = (BTreeMap::<(i16, Channel, DateTime<Utc>), Vec<u32>>::new(), Vec::new());
    for missed in &missed {
        // Who is asked to acknowledge is reminded in the morning anyway.
        let is_reminded = alert.ack_window_s > 0 && missed.wave == 1;
        match missed.instead(night && !is_reminded) {
            Some(channel) => again.entry((missed.wave, channel, missed.wave_due_at)).or_default().push(missed.resident_no),
            None => unreachable.push(missed.resident_no),
        }
    }
    for ((wave, channel, wave_due_at), residents) in again {
        let wave = WaveNo::new(u8::try_from(wave).map_err(|error| Error::damaged("wave", alert_id, error))?);
        // After the wave's own deadline, by which its end knows whom it does not wait for, and whom it has counted already.
        let due_at = deadline::due_at(class, now, &settings.quiet_hours).max(wave_due_at + TimeDelta::milliseconds(1));
        let size = usize::from(settings.size_of(channel));
        send_again(&mut tx, WaveOf { alert_id, wave, class, due_at }, channel, &residents, size, now).await?;
    }
    if alert.personal {
        follow_ups::open(&mut tx, alert_id, &unreachable, Reason::Unreachable, now).await?;
    }
    tx.commit().await?;
    if !missed.is_empty() {
        metrics::counter!("dispatch_undelivered_total").increment(missed.len() as u64);
        signals::PUMP.wake();
        signals::WATCH.wake();
    }
    Ok(())
}

/// Notes the undelivered, and returns those of whom it was not known, ascending. Not who has acknowledged or written back: they know;
/// nor for whom it was withdrawn.
async fn note(tx: &mut Tx, alert_id: AlertId, event: &SmsUndelivered, exercise: bool, now: DateTime<Utc>) -> Result<Vec<Missed>, Error> {
    let residents: Vec<i64> = event.entries.iter().map(|entry| i64::from(entry.resident_no)).collect();
    let batches: Vec<i64> = event.entries.iter().map(|entry| entry.batch_id).collect();
    let rows = sqlx::query!(
        r#"with told as (
               select distinct t.resident_no, t.batch_id, b.wave, coalesce(w.due_at, b.due_at) as due_at
                 from unnest($2::bigint[], $3::bigint[]) as t (resident_no, batch_id)
                 join dispatch.batch b on b.alert_id = $1 and b.batch_id = t.batch_id
                 -- what goes beside the waves has none
                 left join dispatch.wave w on w.alert_id = $1 and w.wave = b.wave
           ), noted as (
               insert into dispatch.undelivered (alert_id, resident_no, batch_id, at)
               select $1, resident_no, batch_id, $4 from told order by resident_no, batch_id
               on conflict (alert_id, resident_no, batch_id) do nothing
               returning resident_no, batch_id
           )
           select distinct on (told.resident_no) told.resident_no as "resident_no!", told.wave as "wave!",
                  told.due_at as "wave_due_at!",
                  (r.app and (r.drill or not $5)) as "app!",
                  not exists (select from dispatch.undelivered before
                               where before.alert_id = $1 and before.resident_no = told.resident_no) as "first!"
             from noted join told using (resident_no, batch_id)
             join resident.reach r on r.resident_no = told.resident_no
            where not exists (select from resident.answered k where k.alert_id = $1 and k.resident_no = told.resident_no)
              and not exists (select from dispatch.withdrawn_for w where w.alert_id = $1 and w.resident_no = told.resident_no)
            order by told.resident_no, told.batch_id"#,
        alert_id.uuid(),
        &residents,
        &batches,
        now,
        exercise,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Missed {
                resident_no: number_of(row.resident_no)?,
                wave: row.wave,
                wave_due_at: row.wave_due_at,
                app: row.app,
                first: row.first,
            })
        })
        .collect()
}

/// Batches for those who are told by a second message, in the wave of their first.
async fn send_again(
    tx: &mut Tx,
    of: WaveOf,
    channel: Channel,
    residents: &[u32],
    batch_size: usize,
    not_before: DateTime<Utc>,
) -> Result<(), Error> {
    let lowest = sqlx::query_scalar!(
        "select min(number) from dispatch.batch where alert_id = $1 and wave = $2 and channel = $5 and number between $3 and $4",
        of.alert_id.uuid(),
        i16::from(of.wave.get()),
        i32::try_from(FIRST_NUMBER).unwrap_or(i32::MAX),
        i32::try_from(MAX_PLANNED).unwrap_or(i32::MAX),
        channel.as_ref(),
    )
    .fetch_one(&mut **tx)
    .await?;
    let lowest = lowest.and_then(|lowest| u32::try_from(lowest).ok()).unwrap_or(MAX_PLANNED + 1);
    let batches = u32::try_from(residents.len().div_ceil(batch_size)).unwrap_or(u32::MAX);
    let batches = batch_rows::cut(channel, residents, batch_size, lowest.saturating_sub(batches), not_before)?;
    batch_rows::write(tx, of, &batches).await
}

/// People whom a short message of the alert did not reach.
pub(crate) async fn count(database: &Database, alert_id: AlertId) -> Result<i64, Error> {
    Ok(sqlx::query_scalar!(
        r#"select count(distinct resident_no) as "count!" from dispatch.undelivered where alert_id = $1"#,
        alert_id.uuid()
    )
    .fetch_one(database.pool())
    .await?)
}
