//! What rules tells of records that ended behind an alert.

use chrono::{DateTime, Utc};
use domain::audience::Audience;
use domain::ids::AlertId;
use domain::record_life::{Correction, Remedy};
use platform::bus::understood;
use platform::database::Tx;
use proto::RecordsBehindAlertEnded;
use proto::events::records_behind_alert_ended::Entry;
use proto::topology::REVIEW_RECORDS_ENDED;

use crate::store::{self, Alert, Step};
use crate::{Error, Service};

pub(crate) fn subscribe(service: &Service) -> Result<(), Error> {
    let own = service.clone();
    service.platform.bus.subscribe(&REVIEW_RECORDS_ENDED, 1, move |event: RecordsBehindAlertEnded| {
        let service = own.clone();
        async move { Ok(heard(&service, understood("alert id", event.alert_id.parse())?, &event.entries).await?) }
    })?;
    Ok(())
}

/// Notes them at the alert and at whatever corrects it. A repeat changes nothing; an alert that is not here yet finds them when it comes.
async fn heard(service: &Service, alert: AlertId, entries: &[Entry]) -> Result<(), Error> {
    let now = service.platform.clock.now();
    let mut tx = service.platform.database.begin().await?;
    // corrections first: they are locked before what they correct wherever they are decided about
    let concerned = sqlx::query_scalar!(
        r#"with recursive chain as (
               select $1::uuid as alert_id, 0 as depth
                union all
               select a.alert_id, c.depth + 1 from chain c join review.alert a on a.corrects = c.alert_id
                where a.state not in ('refused', 'cancelled') and c.depth < 100
           )
           select alert_id as "alert_id!" from chain order by depth desc"#,
        alert.uuid()
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(Error::database("looking for corrections of an alert"))?;
    let mut noted = 0;
    for id in concerned {
        noted += note(&mut tx, AlertId::from_uuid(id), entries, now).await?;
    }
    tx.commit().await?;
    service.changed.wake();
    metrics::counter!("alerts_records_ended_total").increment(noted);
    tracing::info!(%alert, records = noted, "records behind an alert ended");
    Ok(())
}

/// Notes them at one alert, and makes a new version of it, so that nobody decides about one that they looked at before. Whoever a correction
/// leaves out is no matter of it, and about those for whom it was withdrawn there is nothing left to decide.
async fn note(tx: &mut Tx, alert: AlertId, entries: &[Entry], now: DateTime<Utc>) -> Result<u64, Error> {
    let loaded = match store::load(tx, alert, true).await {
        Ok(loaded) => Some(loaded),
        Err(Error::NoSuchAlert(_)) => None,
        Err(error) => return Err(error),
    };
    let is_meant = |entry: &&Entry| match (&loaded, entry.resident_no) {
        (Some(Alert { corrects: Some(_), audience: Audience::Residents(residents), .. }), Some(no)) => residents.contains(no),
        _ => true,
    };
    let entries: Vec<&Entry> = entries.iter().filter(is_meant).collect();
    let column = |of: fn(&Entry) -> bool| entries.iter().map(|entry| of(entry)).collect::<Vec<bool>>();
    let hows: Vec<&str> =
        entries.iter().map(|entry| if entry.retracted { Correction::Retract } else { Correction::Replace }.into()).collect();
    let times: Vec<DateTime<Utc>> = entries.iter().map(|entry| DateTime::from_timestamp_millis(entry.at_ms).unwrap_or(now)).collect();
    let noted = sqlx::query!(
        "insert into review.ended_record (alert_id, record_no, resident_no, area, source, how, reason, still_named, still_met, ended_at,
             decided_at, remedy)
         select $1, record_no, ended.resident_no, area, source, how, reason, still_named, still_met, ended_at,
                case when still_named or w.alert_id is not null then $10::timestamptz end,
                case when w.alert_id is not null then $13 when still_named then $11 end
           from unnest($2::bigint[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[], $9::bool[], $12::timestamptz[])
                as ended (record_no, resident_no, area, source, how, reason, still_named, still_met, ended_at)
           left join review.withdrawal w on w.alert_id = $1 and w.resident_no = ended.resident_no
         on conflict (alert_id, record_no) do nothing",
        alert.uuid(),
        &entries.iter().map(|entry| entry.record_no).collect::<Vec<_>>(),
        &entries.iter().map(|entry| entry.resident_no.map(u32::cast_signed)).collect::<Vec<_>>() as &[Option<i32>],
        &entries.iter().map(|entry| entry.area.as_str()).collect::<Vec<_>>() as &[&str],
        &entries.iter().map(|entry| entry.source.as_str()).collect::<Vec<_>>() as &[&str],
        &hows as &[&str],
        &entries.iter().map(|entry| entry.reason.as_str()).collect::<Vec<_>>() as &[&str],
        &column(|entry| entry.still_named),
        &column(|entry| entry.still_met),
        now,
        Remedy::Stand.as_ref(),
        &times,
        Remedy::Withdraw.as_ref()
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("noting records that ended"))?
    .rows_affected();
    if let Some(mut alert) = loaded.filter(|alert| noted > 0 && !alert.state.is_final()) {
        let state = alert.state;
        alert.changed_at = now;
        store::save(tx, &mut alert).await?;
        store::record(tx, &alert, Step::of_platform("records_ended", state)).await?;
    }
    Ok(noted)
}
