//! Taking back what the centre has of a stopped alert and has not delivered: a phone that was off must not ring for it tomorrow.
//!
//! Best effort, at a bounded rate, page by page, wherever the process stops. What was on the wire when the alert was stopped is asked for in
//! a second pass. Without a bind it waits; messages end with the alert in any case, by their validity.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::AlertId;
use platform::{
    BoxError, Platform,
    bus::understood,
    worker::{Turn, Wake},
};
use proto::{AlertStopped, topology::SMS_STOPPED};

use crate::{error::Error, settings::Settings, smpp::submit::Account};

/// Alerts that are noted at once.
const CONCURRENCY: usize = 4;
/// A page goes out so often.
const EVERY: Duration = Duration::from_secs(1);
/// By then what the centre took before the stop is stored.
const FIRST_PASS: TimeDelta = TimeDelta::seconds(5);
/// By then the centre has answered what was on the wire when the alert was stopped.
const SECOND_PASS: TimeDelta = TimeDelta::minutes(3);
/// An alert whose messages have ended by themselves.
const LONGEST: TimeDelta = TimeDelta::days(2);

/// Listens for stopped alerts, and takes back.
pub(crate) fn start(platform: &Platform, settings: &Arc<Settings>, account: &Arc<Account>) -> Result<(), platform::Error> {
    let wake = Wake::new();
    let (own, woken) = (platform.clone(), wake.clone());
    platform.bus.subscribe(&SMS_STOPPED, CONCURRENCY, move |event: AlertStopped| {
        let (platform, wake) = (own.clone(), woken.clone());
        async move {
            note(&platform, understood("alert id", event.alert_id.parse())?).await?;
            wake.wake();
            Ok::<(), BoxError>(())
        }
    })?;
    let (own, settings, account) = (platform.clone(), settings.clone(), account.clone());
    platform::worker::run(&platform.tasks, &platform.clock, "sms.take-back", EVERY, &wake, move || {
        let (platform, settings, account) = (own.clone(), settings.clone(), account.clone());
        async move {
            turn(&platform, &settings, &account).await?;
            // The next page comes with the next second.
            Ok(Turn::Idle)
        }
    });
    Ok(())
}

/// A repeat changes nothing: what was taken back is asked for once more at most.
async fn note(platform: &Platform, alert_id: AlertId) -> Result<(), Error> {
    let now = platform.clock.now();
    sqlx::query!(
        "insert into sms.stopped (alert_id, stopped_at, next_at) values ($1, $2, $3) on conflict (alert_id) do nothing",
        alert_id.uuid(),
        now,
        now + FIRST_PASS,
    )
    .execute(platform.database.pool())
    .await?;
    Ok(())
}

/// Asks for one page of one alert.
async fn turn(platform: &Platform, settings: &Settings, account: &Account) -> Result<(), Error> {
    let now = platform.clock.now();
    if !account.is_bound() {
        return Ok(());
    }
    let mut tx = platform.database.begin().await?;
    let Some(stopped) = sqlx::query!(
        "select alert_id, stopped_at, pass, batch_id, resident_no, part from sms.stopped where next_at <= $1
          order by next_at limit 1 for update skip locked",
        now
    )
    .fetch_optional(&mut *tx)
    .await?
    else {
        return Ok(());
    };
    let most = i64::from(settings.cancel_per_second.get());
    // In the second pass only what came after the first had begun.
    let since: Option<DateTime<Utc>> = (stopped.pass > 1).then_some(stopped.stopped_at);
    let parts = sqlx::query!(
        "select batch_id, resident_no, part, smsc_id from sms.part
          where alert_id = $1 and (batch_id, resident_no, part) > ($2, $3, $4) and delivered is null
            and ($5::timestamptz is null or submitted_at > $5)
            -- the word that it has ended is not taken back with it
            and not exists (select from dispatch.withdrawal_batch w where w.alert_id = $1 and w.batch_id = sms.part.batch_id)
          order by batch_id, resident_no, part limit $6",
        stopped.alert_id,
        stopped.batch_id,
        stopped.resident_no,
        stopped.part,
        since,
        most,
    )
    .fetch_all(&mut *tx)
    .await?;
    let ids: Vec<String> = parts.iter().map(|part| part.smsc_id.clone()).collect();
    if !account.cancel(&ids).await {
        return Ok(());
    }
    let is_last = i64::try_from(parts.len()).is_ok_and(|count| count < most);
    if let Some(last) = parts.last().filter(|_| !is_last) {
        sqlx::query!(
            "update sms.stopped set batch_id = $2, resident_no = $3, part = $4, next_at = $5 where alert_id = $1",
            stopped.alert_id,
            last.batch_id,
            last.resident_no,
            last.part,
            now,
        )
        .execute(&mut *tx)
        .await?;
    } else if stopped.pass > 1 || now - stopped.stopped_at > LONGEST {
        sqlx::query!("delete from sms.stopped where alert_id = $1", stopped.alert_id).execute(&mut *tx).await?;
    } else {
        sqlx::query!(
            "update sms.stopped set pass = 2, batch_id = -1, resident_no = -1, part = -1, next_at = $2 where alert_id = $1",
            stopped.alert_id,
            now.max(stopped.stopped_at + SECOND_PASS),
        )
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await?;
    if !parts.is_empty() {
        tracing::info!(alert_id = %AlertId::from_uuid(stopped.alert_id), messages = parts.len(), "the SMS centre is asked to take back");
    }
    Ok(())
}
