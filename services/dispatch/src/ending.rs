//! The end of an alert: cancelled or superseded by staff (CAP *Cancel*, *Update*), or closed because its validity is over.
//!
//! That it has ended is committed first and alone, waiting for nobody: from then on nobody claims a batch of it, and whoever has one in hand is
//! told at once ([`crate::word`]), or learns it at the next checkpoint. Whatever is not yet claimed is withdrawn afterwards, wave by wave
//! ([`withdraw_next`]), also by another process when this one dies in between. Whoever was handed an alert that staff end is told of it by a wave of its
//! own, which planning makes of what is kept here ([`domain::withdrawal`]).

use chrono::{DateTime, Utc};
use domain::ids::{AlertId, WaveNo};
use domain::withdrawal;
use platform::Platform;
use platform::clock::Clock;
use platform::database::{Database, Tx};
use proto::{AlertClosed, StopReason};

use crate::approved::one_at_a_time;
use crate::aside::{self, Slot, Step};
use crate::{Error, SCHEMA, signals, word};

domain::words! {
    /// How staff ended an alert.
    pub(crate) enum Stop {
        Cancelled,
        Superseded,
    }
}

impl From<StopReason> for Stop {
    fn from(reason: StopReason) -> Self {
        match reason {
            StopReason::Superseded => Self::Superseded,
            // An event of a newer process may name a reason unknown here; a stop is a stop.
            StopReason::Cancelled | StopReason::Unspecified => Self::Cancelled,
        }
    }
}

/// Ends an alert of which alert.stopped tells. A repeat changes nothing; a stop of an alert that is not here yet is kept for it.
pub(crate) async fn on_stopped(platform: &Platform, alert_id: AlertId, how: Stop) -> Result<(), Error> {
    let now = platform.clock.now();
    let mut tx = platform.database.begin().await?;
    one_at_a_time(&mut tx, alert_id).await?;
    sqlx::query!(
        "insert into dispatch.stop (alert_id, how, stopped_at, superseded_by, reason, texts)
         select $1, $2, $3, r.superseded_by, r.stop_reason, r.last_word from (select) as always left join review.alert_standing r on r.alert_id = $1
         on conflict (alert_id) do nothing",
        alert_id.uuid(),
        how.as_ref(),
        now
    )
    .execute(&mut *tx)
    .await?;
    let stopped = sqlx::query_scalar!(
        r#"update dispatch.alert set state = $2, ended_at = $3
            where alert_id = $1 and state in ('waiting', 'dispatching', 'active') returning expires_at"#,
        alert_id.uuid(),
        how.as_ref(),
        now
    )
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(expires_at) = stopped {
        let until = withdrawal::told_until(now, expires_at);
        sqlx::query!("update dispatch.alert set withdrawal_until = $2 where alert_id = $1", alert_id.uuid(), until)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    if stopped.is_some() {
        word::leave(&platform.cache, alert_id).await;
        tracing::info!(%alert_id, how = how.as_ref(), "alert stopped");
    }
    signals::WATCH.wake();
    Ok(())
}

/// Closes one alert whose validity is over. False: there is none.
pub(crate) async fn close_expired(database: &Database, clock: &Clock) -> Result<bool, Error> {
    let now = clock.now();
    let mut tx = database.begin().await?;
    let Some(alert_id) = sqlx::query_scalar!(
        r#"update dispatch.alert set state = 'closed', ended_at = $1, unheard_to = case when personal then -1 end
            where alert_id = (select alert_id from dispatch.alert
                               where state in ('waiting', 'dispatching', 'active') and expires_at <= $1
                               order by expires_at limit 1 for no key update skip locked)
        returning alert_id"#,
        now
    )
    .fetch_optional(&mut *tx)
    .await?
    else {
        return Ok(false);
    };
    let alert_id = AlertId::from_uuid(alert_id);
    tx.publish(SCHEMA, &AlertClosed { alert_id: alert_id.to_string(), at_ms: now.timestamp_millis() }).await?;
    tx.commit().await?;
    signals::REMINDERS.wake();
    tracing::info!(%alert_id, "alert closed: its validity is over");
    Ok(true)
}

/// Settles one wave of an alert that has ended and closes its unclaimed batches. False: there is none that nobody else has in hand.
pub(crate) async fn withdraw_next(database: &Database, clock: &Clock) -> Result<bool, Error> {
    let slot = Slot::default();
    aside::stepping(database, clock, Step::Withdraw, &slot, withdraw(database, clock, &slot)).await
}

async fn withdraw(database: &Database, clock: &Clock, slot: &Slot) -> Result<bool, Error> {
    let now = clock.now();
    let mut tx = database.begin().await?;
    // A wave that is being planned is passed over: its planner ends with the chunk, and the next look finds it.
    let Some(wave) = sqlx::query!(
        r#"select w.alert_id, w.wave, s.failures is not null as "again!"
             from dispatch.wave w join dispatch.alert a using (alert_id)
             left join dispatch.set_aside s on s.alert_id = w.alert_id and s.wave = w.wave and s.step = 'withdraw'
            where w.state <> 'settled' and a.state in ('closed', 'cancelled', 'superseded') and (s.until is null or s.until <= $1)
              -- the word of the end itself is sent, and done with when everybody has it
              and (w.wave < 9 or a.withdrawal_until <= $1 or w.state = 'sending' and not exists (
                   select from dispatch.batch b where b.alert_id = w.alert_id and b.wave = 9 and b.state <> 'closed'))
            limit 1 for update of w skip locked"#,
        now
    )
    .fetch_optional(&mut *tx)
    .await?
    else {
        return Ok(false);
    };
    let alert_id = AlertId::from_uuid(wave.alert_id);
    slot.is_about(alert_id, wave.wave, wave.again);
    let withdrawn = settle(&mut tx, alert_id, wave.wave, now).await?;
    let told = if wave.wave == i16::from(WaveNo::WITHDRAWAL.get()) { told(&mut tx, alert_id).await? } else { None };
    aside::forget(&mut tx, alert_id).await?;
    tx.commit().await?;
    if let Some(told) = told {
        told.measure("end");
    }
    tracing::info!(%alert_id, wave = wave.wave, withdrawn, "what was not sent of an ended alert is withdrawn");
    signals::PUMP.wake();
    signals::PLANNER.wake();
    signals::URGENT_PLANNER.wake();
    Ok(true)
}

/// How long a word back has taken, from when two people had said it.
pub(crate) struct Told {
    pub(crate) class: String,
    pub(crate) said_at: DateTime<Utc>,
    pub(crate) first_at: Option<DateTime<Utc>>,
    pub(crate) last_at: Option<DateTime<Utc>>,
}

impl Told {
    pub(crate) fn measure(self, word: &'static str) {
        let since = |at: DateTime<Utc>| (at - self.said_at).as_seconds_f64().max(0.0);
        if let (Some(first), Some(last)) = (self.first_at, self.last_at) {
            metrics::histogram!("retraction_first_hand_over_seconds", "class" => self.class.clone(), "word" => word).record(since(first));
            metrics::histogram!("retraction_told_seconds", "class" => self.class, "word" => word).record(since(last));
        }
    }
}

/// How the word of an end has gone out.
async fn told(tx: &mut Tx, alert_id: AlertId) -> Result<Option<Told>, Error> {
    Ok(sqlx::query_as!(
        Told,
        "select a.class, st.stopped_at as said_at, t.first_hand_over_at as first_at, t.last_closed_at as last_at
           from dispatch.stop st join dispatch.alert a using (alert_id)
           join dispatch.word_told t on t.alert_id = st.alert_id and t.wave = 9
          where st.alert_id = $1",
        alert_id.uuid()
    )
    .fetch_optional(&mut **tx)
    .await?)
}

/// Returns how many recipients were withdrawn.
async fn settle(tx: &mut Tx, alert_id: AlertId, wave: i16, now: DateTime<Utc>) -> Result<i64, Error> {
    sqlx::query!(
        "update dispatch.wave set state = 'settled', silent_at = null, closed_at = coalesce(closed_at, $3) where alert_id = $1 and wave = $2",
        alert_id.uuid(),
        wave,
        now
    )
    .execute(&mut **tx)
    .await?;
    let withdrawn = sqlx::query_scalar!(
        r#"with closed as (
               update dispatch.batch set state = 'closed', withdrawn = size - accepted, closed_at = $3, lease = lease + 1, lease_until = null
                where alert_id = $1 and wave = $2 and state in ('ready', 'released') returning withdrawn
           )
           select coalesce(sum(withdrawn), 0)::bigint as "withdrawn!" from closed"#,
        alert_id.uuid(),
        wave,
        now
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(withdrawn)
}

/// Closes what nobody has in hand of the waves of an alert that staff ended: batches that a dead holder left after their wave was settled.
pub(crate) async fn close_unclaimed(tx: &mut Tx, alert_id: AlertId, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "update dispatch.batch set state = 'closed', withdrawn = size - accepted, closed_at = $2, lease = lease + 1, lease_until = null
          where alert_id = $1 and wave < 9 and state in ('ready', 'released')",
        alert_id.uuid(),
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
