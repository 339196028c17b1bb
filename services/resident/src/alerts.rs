//! Alerts come into inboxes when dispatch releases them, and leave when they are stopped or closed.
//!
//! Events may be repeated and may overtake each other: a stop that comes before its release is kept, and holds.

use std::str::FromStr;

use domain::ids::AlertId;
use platform::BoxError;
use platform::database::Tx;
use proto::topology::{RESIDENT_CLOSED, RESIDENT_RELEASED, RESIDENT_STOPPED};
use proto::{AlertClosed, AlertReleased, AlertStopped, StopReason};
use uuid::Uuid;

use crate::{Error, Service};

pub(crate) fn subscribe(service: &Service) -> Result<(), Error> {
    let bus = &service.platform.bus;
    let own = service.clone();
    bus.subscribe(&RESIDENT_RELEASED, 1, move |event: AlertReleased| {
        let service = own.clone();
        async move { released(&service, AlertId::from_str(&event.alert_id)?).await }
    })?;
    let own = service.clone();
    bus.subscribe(&RESIDENT_STOPPED, 1, move |event: AlertStopped| {
        let service = own.clone();
        async move { stopped(&service, &event).await }
    })?;
    let own = service.clone();
    bus.subscribe(&RESIDENT_CLOSED, 1, move |event: AlertClosed| {
        let service = own.clone();
        async move { ended(&service, AlertId::from_str(&event.alert_id)?, "closed", None, None).await }
    })?;
    Ok(())
}

/// Copies the alert with its audience, so that inboxes need nothing of dispatch. While a large area is being planned the
/// event comes again and again, each time with the larger audience; and once more when everybody is told, since then it is known when the
/// silent are reminded.
async fn released(service: &Service, alert: AlertId) -> Result<(), BoxError> {
    let mut tx = service.platform.database.begin().await?;
    one_at_a_time(&mut tx, alert).await?;
    let rows = sqlx::query!(
        "insert into resident.alert (alert_id, short_code, content, audience, released_at, expires_at, ack_by)
         select alert_id, short_code, content, audience_bitmap, released_at, expires_at, ack_by
         from dispatch.released_alert where alert_id = $1 and not exists (select from resident.stop where alert_id = $1)
         on conflict (alert_id) do update
             set audience = excluded.audience, ack_by = excluded.ack_by, revision = nextval('resident.alert_revision')
             where (resident.alert.audience, resident.alert.ack_by) is distinct from (excluded.audience, excluded.ack_by)",
        alert.uuid()
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("taking an alert into inboxes"))?
    .rows_affected();
    tx.commit().await?;
    tracing::info!(%alert, changed = rows == 1, "alert in inboxes");
    Ok(())
}

async fn stopped(service: &Service, event: &AlertStopped) -> Result<(), BoxError> {
    let (state, by) = match event.how() {
        StopReason::Superseded => ("superseded", event.by_alert_id.as_deref().map(Uuid::from_str).transpose()?),
        StopReason::Cancelled | StopReason::Unspecified => ("cancelled", None),
    };
    ended(service, AlertId::from_str(&event.alert_id)?, state, by, Some(&event.reason)).await
}

async fn ended(service: &Service, alert: AlertId, state: &str, by: Option<Uuid>, reason: Option<&str>) -> Result<(), BoxError> {
    let mut tx = service.platform.database.begin().await?;
    one_at_a_time(&mut tx, alert).await?;
    sqlx::query!(
        "insert into resident.stop (alert_id, stopped_at) values ($1, $2) on conflict (alert_id) do nothing",
        alert.uuid(),
        service.platform.clock.now()
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("keeping the end of an alert"))?;
    sqlx::query!(
        "update resident.alert set state = $2, superseded_by = $3, stop_reason = $4, revision = nextval('resident.alert_revision')
         where alert_id = $1 and state = 'live'",
        alert.uuid(),
        state,
        by,
        reason
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("taking an alert out of inboxes"))?;
    tx.commit().await?;
    tracing::info!(%alert, state, "alert left inboxes");
    Ok(())
}

/// Release and end of one alert wait for each other; otherwise neither might see what the other writes.
async fn one_at_a_time(tx: &mut Tx, alert: AlertId) -> Result<(), Error> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('resident.alert:' || $1, 0))", alert.to_string())
        .execute(&mut **tx)
        .await
        .map_err(Error::database("waiting for an alert"))?;
    Ok(())
}
