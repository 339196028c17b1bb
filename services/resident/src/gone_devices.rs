//! Devices that providers say are gone: marked, not addressed any more, and deleted some days later.
//!
//! A mark is taken away when the device registers again. What was registered after it had been addressed stays as it is: the answer was about
//! another registration. And where a great share of one alert's devices is said to be gone, nobody loses anything: then a provider or a setting of
//! ours is wrong, an alarm rings, and what this alert has marked comes back ([`domain::gone`]).

use chrono::{DateTime, TimeDelta, Utc};
use domain::gone;
use domain::ids::AlertId;
use platform::Platform;
use platform::bus::understood;
use platform::database::{Database, Tx};
use platform::jobs::{Did, Job};
use proto::EndpointsGone;
use proto::topology::RESIDENT_ENDPOINTS_GONE;

use crate::devices::count_again;
use crate::{Error, Service};

/// Deletes what has been gone for long enough.
pub(crate) const DELETE_GONE: Job = Job {
    name: "resident.delete_gone_devices",
    cron: "0 50 3 * * *",
    about: "删除服务商确认已失效超过保留期的设备。",
    about_en: "Deletes the devices that have been gone, as their providers say, for longer than they are kept.",
    at_start: false,
};

/// Listens to what is gone, and deletes it in time.
pub(crate) fn start(service: &Service) -> Result<(), Error> {
    let (own, most) = (service.platform.clone(), service.settings.gone_percent);
    service.platform.bus.subscribe(&RESIDENT_ENDPOINTS_GONE, 2, move |event: EndpointsGone| {
        let platform = own.clone();
        async move {
            let alert_id = event.alert_id.as_deref().map(|id| understood("alert id", id.parse::<AlertId>())).transpose()?;
            let mut tx = platform.database.begin().await?;
            take(&mut tx, &platform, Told::of(&event, alert_id), most).await?;
            tx.commit().await?;
            Ok(())
        }
    })?;
    keep_deleted(&service.platform)
}

fn keep_deleted(platform: &Platform) -> Result<(), Error> {
    let (database, clock) = (platform.database.clone(), platform.clock.clone());
    platform.jobs.register(&DELETE_GONE, move || {
        let (database, before) = (database.clone(), clock.now() - gone::KEPT);
        async move { Ok(Did::nothing().and("删除失效设备", "devices deleted", delete(&database, before).await?)) }
    })?;
    Ok(())
}

/// The devices of one event.
struct Told {
    alert_id: Option<AlertId>,
    asked: u64,
    ids: Vec<i64>,
    residents: Vec<i32>,
    /// What was registered from then on is not meant.
    before: Vec<DateTime<Utc>>,
}

impl Told {
    fn of(event: &EndpointsGone, alert_id: Option<AlertId>) -> Self {
        let mut told = Self { alert_id, asked: event.asked.into(), ids: Vec::new(), residents: Vec::new(), before: Vec::new() };
        // Phones of short messages are told here too, by numbers below 0: they are no devices.
        for entry in event.entries.iter().filter(|entry| entry.endpoint_id >= 0) {
            let Ok(resident_no) = i32::try_from(entry.resident_no) else { continue };
            // The event counts in milliseconds, the table in microseconds.
            let addressed = entry.registered_at_ms.and_then(DateTime::from_timestamp_millis);
            told.ids.push(entry.endpoint_id);
            told.residents.push(resident_no);
            told.before.push(addressed.map_or(LATEST, |at| at + TimeDelta::milliseconds(1)).min(LATEST));
        }
        told
    }
}

/// The latest time that PostgreSQL and we both know.
const LATEST: DateTime<Utc> = match DateTime::from_timestamp(253_402_300_799, 0) {
    Some(latest) => latest,
    None => DateTime::<Utc>::MAX_UTC,
};

async fn take(tx: &mut Tx, platform: &Platform, told: Told, most: u32) -> Result<(), Error> {
    if told.ids.is_empty() {
        return Ok(());
    }
    let now = platform.clock.now();
    if is_believed(tx, &told, most, now).await? {
        return mark(tx, &told, now).await;
    }
    metrics::counter!("resident_gone_doubted_total").increment(told.ids.len() as u64);
    tracing::error!(
        alert_id = told.alert_id.map(tracing::field::display),
        devices = told.ids.len(),
        most_percent = most,
        "providers say that a great share of an alert's devices is gone: none is marked, look at the settings of push"
    );
    match told.alert_id {
        Some(alert_id) => bring_back(tx, alert_id).await,
        None => Ok(()),
    }
}

/// Counts what is told of the alert. Once its word is doubted, it stays so.
async fn is_believed(tx: &mut Tx, told: &Told, most: u32, now: DateTime<Utc>) -> Result<bool, Error> {
    let few = told.ids.len() as u64;
    let Some(alert_id) = told.alert_id else { return Ok(gone::is_credible(few, told.asked, most)) };
    let so_far = sqlx::query!(
        r#"insert into resident.gone_of_alert as g (alert_id, asked, gone, last_at) values ($1, $2, $3, $4)
           on conflict (alert_id) do update set asked = g.asked + excluded.asked, gone = g.gone + excluded.gone, last_at = excluded.last_at
           returning asked, gone, doubted_at is not null as "doubted!""#,
        alert_id.uuid(),
        i64::try_from(told.asked).unwrap_or(i64::MAX),
        i64::try_from(few).unwrap_or(i64::MAX),
        now
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(Error::database("counting the devices of an alert that are gone"))?;
    if so_far.doubted {
        return Ok(false);
    }
    let credible = gone::is_credible(so_far.gone.unsigned_abs(), so_far.asked.unsigned_abs(), most);
    if !credible {
        sqlx::query!("update resident.gone_of_alert set doubted_at = $2 where alert_id = $1", alert_id.uuid(), now)
            .execute(&mut **tx)
            .await
            .map_err(Error::database("doubting what is gone"))?;
    }
    Ok(credible)
}

async fn mark(tx: &mut Tx, told: &Told, now: DateTime<Utc>) -> Result<(), Error> {
    // With its resident, so that a token which has moved to somebody else in the meantime stays.
    sqlx::query!(
        "update resident.device set gone_at = $4, gone_alert = $5
         from unnest($1::bigint[], $2::int[], $3::timestamptz[]) as gone (endpoint_id, resident_no, before)
         where device.endpoint_id = gone.endpoint_id and device.resident_no = gone.resident_no and device.gone_at is null
           and device.registered_at < gone.before",
        &told.ids,
        &told.residents,
        &told.before,
        now,
        told.alert_id.map(|alert_id| alert_id.uuid())
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("marking devices that are gone"))?;
    count_again(tx, &told.residents).await
}

/// What the alert has marked is not gone.
async fn bring_back(tx: &mut Tx, alert_id: AlertId) -> Result<(), Error> {
    let owners = sqlx::query_scalar!(
        "update resident.device set gone_at = null, gone_alert = null where gone_alert = $1 returning resident_no",
        alert_id.uuid()
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("bringing devices back"))?;
    if owners.is_empty() { Ok(()) } else { count_again(tx, &owners).await }
}

async fn delete(database: &Database, before: DateTime<Utc>) -> Result<u64, Error> {
    sqlx::query!("delete from resident.gone_of_alert where last_at < $1", before)
        .execute(database.pool())
        .await
        .map_err(Error::database("forgetting what was gone"))?;
    let deleted = sqlx::query!("delete from resident.device where gone_at < $1", before)
        .execute(database.pool())
        .await
        .map_err(Error::database("deleting devices that are gone"))?;
    Ok(deleted.rows_affected())
}
