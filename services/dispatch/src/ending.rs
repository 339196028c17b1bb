//! The end of an alert: cancelled or superseded by staff (CAP *Cancel*, *Update*), or closed because its validity is over.
//!
//! Whatever is not yet claimed is withdrawn here, in the same transaction; the holder of a claimed batch learns it at the next checkpoint.

use chrono::{DateTime, Utc};
use domain::ids::AlertId;
use platform::clock::Clock;
use platform::database::{Database, Tx};
use proto::{AlertClosed, AlertStopped, StopReason};

use crate::approved::one_at_a_time;
use crate::{Error, SCHEMA, signals};

/// Reads alert.stopped. A repeat changes nothing; a stop of an alert that is not here yet is kept for it.
pub(crate) async fn on_stopped(database: &Database, clock: &Clock, event: &AlertStopped) -> Result<(), Error> {
    let alert_id: AlertId =
        event.alert_id.parse().map_err(|error: domain::ids::IdError| Error::damaged("alert id", &event.alert_id, error))?;
    let how = match event.how() {
        StopReason::Superseded => "superseded",
        // An event of a newer process may name a reason unknown here; a stop is a stop.
        StopReason::Cancelled | StopReason::Unspecified => "cancelled",
    };
    let now = clock.now();
    let mut tx = database.begin().await?;
    one_at_a_time(&mut tx, alert_id).await?;
    sqlx::query!(
        "insert into dispatch.stop (alert_id, how, stopped_at) values ($1, $2, $3) on conflict (alert_id) do nothing",
        alert_id.uuid(),
        how,
        now
    )
    .execute(&mut *tx)
    .await?;
    let stopped = sqlx::query_scalar!(
        r#"update dispatch.alert set state = $2, ended_at = $3
            where alert_id = $1 and state in ('waiting', 'dispatching', 'active') returning alert_id"#,
        alert_id.uuid(),
        how,
        now
    )
    .fetch_optional(&mut *tx)
    .await?;
    if stopped.is_some() {
        let withdrawn = withdraw(&mut tx, alert_id, now).await?;
        tracing::info!(%alert_id, how, withdrawn, "alert stopped");
    }
    tx.commit().await?;
    signals::PUMP.wake();
    Ok(())
}

/// Closes one alert whose validity is over. False: there is none.
pub(crate) async fn close_expired(database: &Database, clock: &Clock) -> Result<bool, Error> {
    let now = clock.now();
    let mut tx = database.begin().await?;
    let Some(alert_id) = sqlx::query_scalar!(
        r#"update dispatch.alert set state = 'closed', ended_at = $1
            where alert_id = (select alert_id from dispatch.alert
                               where state in ('waiting', 'dispatching', 'active') and expires_at <= $1
                               order by expires_at limit 1 for update skip locked)
        returning alert_id"#,
        now
    )
    .fetch_optional(&mut *tx)
    .await?
    else {
        return Ok(false);
    };
    let alert_id = AlertId::from_uuid(alert_id);
    let withdrawn = withdraw(&mut tx, alert_id, now).await?;
    tx.publish(SCHEMA, &AlertClosed { alert_id: alert_id.to_string(), at_ms: now.timestamp_millis() }).await?;
    tx.commit().await?;
    tracing::info!(%alert_id, withdrawn, "alert closed: its validity is over");
    Ok(true)
}

/// Ends the alert's waves and closes its unclaimed batches. Returns how many recipients were withdrawn.
///
/// The waves come first: a planner holds its wave until its chunk is written, so no batch of that chunk can be missed.
async fn withdraw(tx: &mut Tx, alert_id: AlertId, now: DateTime<Utc>) -> Result<i64, Error> {
    sqlx::query!(
        "update dispatch.wave set state = 'settled', silent_at = null, closed_at = coalesce(closed_at, $2) where alert_id = $1 and state <> 'settled'",
        alert_id.uuid(),
        now
    )
    .execute(&mut **tx)
    .await?;
    let withdrawn = sqlx::query_scalar!(
        r#"with closed as (
               update dispatch.batch set state = 'closed', withdrawn = size - accepted, closed_at = $2, lease = lease + 1, lease_until = null
                where alert_id = $1 and state in ('ready', 'released') returning withdrawn
           )
           select coalesce(sum(withdrawn), 0)::bigint as "withdrawn!" from closed"#,
        alert_id.uuid(),
        now
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(withdrawn)
}
