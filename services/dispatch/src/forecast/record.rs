//! What is kept of a forecast, and the alarms that it raises: in the same transaction, so each is told once.

use chrono::{DateTime, Utc};
use domain::forecast::{Alarm, Brake, Margin, Outlook, alarm};
use domain::ids::AlertId;
use platform::database::Tx;
use proto::{AlertInDanger, AlertOutOfDanger, OutOfDanger};
use uuid::Uuid;

use super::line::{InLine, Over};
use crate::{Error, SCHEMA};

/// What a forecast has to say once its transaction is committed.
#[derive(Debug, Default)]
pub(super) struct Told {
    alarms: Vec<Ringing>,
    in_danger: usize,
    /// By how many seconds the latest alert misses its deadline.
    latest_by_s: i64,
}

/// One alarm.
#[derive(Debug)]
struct Ringing {
    alarm: Alarm,
    alert_id: AlertId,
    wave: i16,
    due_at: DateTime<Utc>,
    spare_s: i64,
    because: Option<Brake>,
}

/// One row of the table as it will be.
struct Row {
    alert_id: AlertId,
    wave: i16,
    outlook: serde_json::Value,
    spare_s: i64,
    done: (u64, u64),
    told_s: Option<i64>,
    in_danger_since: Option<DateTime<Utc>>,
}

/// Keeps the outlooks that have changed, ends the rows of what has left the line, and publishes what has changed about the danger of each.
pub(super) async fn write(
    tx: &mut Tx,
    now: DateTime<Utc>,
    line: &[InLine],
    outlooks: &[Option<Outlook>],
    margin: Margin,
) -> Result<Told, Error> {
    let (mut rows, mut over) = (Vec::new(), Vec::new());
    let (mut dangers, mut relieved) = (Vec::new(), Vec::new());
    let mut told = Told::default();
    for (entry, outlook) in line.iter().zip(outlooks) {
        let Some(outlook) = outlook else {
            over.push(entry);
            if let (Some(_), Some(how)) = (entry.told_s, entry.over) {
                relieved.push(out_of_danger(entry, now, None, how.into()));
                told.alarms.extend((how == Over::InTime).then(|| Ringing::of(entry, Alarm::OutOfDanger, 0, None)));
            }
            continue;
        };
        let spare_s = outlook.spare_s();
        let news = alarm(entry.told_s, spare_s, margin);
        let (told_s, in_danger_since) = match news {
            Some(Alarm::InDanger | Alarm::Worse) => (Some(spare_s), entry.in_danger_since.or(Some(now))),
            Some(Alarm::OutOfDanger) => (None, None),
            None => (entry.told_s, entry.in_danger_since),
        };
        match news {
            Some(Alarm::OutOfDanger) => relieved.push(out_of_danger(entry, now, Some(spare_s), OutOfDanger::Recovered)),
            Some(alarm) => dangers.push(in_danger(entry, now, outlook, alarm)),
            None => {}
        }
        told.alarms.extend(news.map(|news| Ringing::of(entry, news, spare_s, outlook.slowest.map(|slowest| slowest.brake))));
        told.in_danger += usize::from(told_s.is_some());
        told.latest_by_s = told.latest_by_s.max(-spare_s);
        let outlook = serde_json::to_value(outlook).map_err(|error| Error::damaged("outlook", entry.alert_id, error))?;
        if news.is_none() && entry.stood_still() && entry.outlook.as_ref() == Some(&outlook) {
            continue;
        }
        let done = (entry.app.done, entry.sms.done);
        rows.push(Row { alert_id: entry.alert_id, wave: entry.wave, outlook, spare_s, done, told_s, in_danger_since });
    }
    keep(tx, now, &rows).await?;
    end(tx, now, &over).await?;
    tx.publish_all(SCHEMA, &dangers).await?;
    tx.publish_all(SCHEMA, &relieved).await?;
    Ok(told)
}

async fn keep(tx: &mut Tx, now: DateTime<Utc>, rows: &[Row]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let stored = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    // `told_s` and `in_danger_since` are null together; a time stands in for the null of an array element.
    sqlx::query!(
        r#"insert into dispatch.forecast (alert_id, wave, made_at, outlook, spare_s, app_done, sms_done, told_s, in_danger_since)
           select alert_id, wave, $1, outlook, spare_s, app_done, sms_done,
                  case when in_danger then told_s end, case when in_danger then since end
             from unnest($2::uuid[], $3::smallint[], $4::jsonb[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bool[], $9::bigint[],
                         $10::timestamptz[])
               as n (alert_id, wave, outlook, spare_s, app_done, sms_done, in_danger, told_s, since)
           on conflict (alert_id, wave) do update
              set made_at = excluded.made_at, outlook = excluded.outlook, spare_s = excluded.spare_s, app_done = excluded.app_done,
                  sms_done = excluded.sms_done, told_s = excluded.told_s, in_danger_since = excluded.in_danger_since, ended_at = null"#,
        now,
        &rows.iter().map(|row| row.alert_id.uuid()).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.wave).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.outlook.clone()).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.spare_s).collect::<Vec<_>>(),
        &rows.iter().map(|row| stored(row.done.0)).collect::<Vec<_>>(),
        &rows.iter().map(|row| stored(row.done.1)).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.told_s.is_some()).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.told_s.unwrap_or_default()).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.in_danger_since.unwrap_or(now)).collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn end(tx: &mut Tx, now: DateTime<Utc>, over: &[&InLine]) -> Result<(), Error> {
    if over.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"update dispatch.forecast f set ended_at = $1, told_s = null, in_danger_since = null
             from unnest($2::uuid[], $3::smallint[]) as over (alert_id, wave)
            where f.alert_id = over.alert_id and f.wave = over.wave"#,
        now,
        &over.iter().map(|entry| entry.alert_id.uuid()).collect::<Vec<_>>(),
        &over.iter().map(|entry| entry.wave).collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn in_danger(entry: &InLine, now: DateTime<Utc>, outlook: &Outlook, alarm: Alarm) -> AlertInDanger {
    let sentence = outlook.sentence(now);
    AlertInDanger {
        alarm_id: Uuid::now_v7().to_string(),
        alert_id: entry.alert_id.to_string(),
        wave: u32::from(entry.wave.unsigned_abs()),
        district: entry.district.map(domain::area::DistrictCode::get),
        at_ms: now.timestamp_millis(),
        due_at_ms: entry.due_at.timestamp_millis(),
        last_at_ms: outlook.last_at.timestamp_millis(),
        spare_s: outlook.spare_s(),
        because: outlook.slowest.map(|slowest| slowest.brake.label()).unwrap_or_default(),
        sentence: sentence.zh,
        sentence_en: sentence.en,
        again: alarm == Alarm::Worse,
    }
}

fn out_of_danger(entry: &InLine, now: DateTime<Utc>, spare_s: Option<i64>, how: OutOfDanger) -> AlertOutOfDanger {
    AlertOutOfDanger {
        alarm_id: Uuid::now_v7().to_string(),
        alert_id: entry.alert_id.to_string(),
        wave: u32::from(entry.wave.unsigned_abs()),
        district: entry.district.map(domain::area::DistrictCode::get),
        at_ms: now.timestamp_millis(),
        due_at_ms: entry.due_at.timestamp_millis(),
        spare_s,
        how: how.into(),
    }
}

impl From<Over> for OutOfDanger {
    fn from(over: Over) -> Self {
        match over {
            Over::InTime => Self::DoneInTime,
            Over::Late => Self::DoneLate,
            Over::Stopped => Self::Stopped,
        }
    }
}

impl Ringing {
    fn of(entry: &InLine, alarm: Alarm, spare_s: i64, because: Option<Brake>) -> Self {
        Self { alarm, alert_id: entry.alert_id, wave: entry.wave, due_at: entry.due_at, spare_s, because }
    }
}

impl Told {
    /// Rings: in the log and in the metrics.
    pub(super) fn make_known(&self) {
        metrics::gauge!("dispatch_alerts_in_danger").set(self.in_danger as f64);
        metrics::gauge!("dispatch_latest_alert_late_seconds").set(self.latest_by_s as f64);
        for ringing in &self.alarms {
            let Ringing { alarm, alert_id, wave, due_at, spare_s, because } = ringing;
            let because = because.map(Brake::label).unwrap_or_default();
            let kind = match alarm {
                Alarm::InDanger => "in_danger",
                Alarm::Worse => "worse",
                Alarm::OutOfDanger => "out_of_danger",
            };
            metrics::counter!("dispatch_alarms_total", "kind" => kind).increment(1);
            match alarm {
                Alarm::InDanger | Alarm::Worse => {
                    tracing::error!(%alert_id, wave, %due_at, spare_s, because, kind, "an alert is in danger of missing its deadline");
                }
                Alarm::OutOfDanger => tracing::info!(%alert_id, wave, %due_at, spare_s, "an alert is out of danger"),
            }
        }
    }
}
