//! Replies that found nothing to acknowledge are looked at again, every minute for a while: a quick answer may overtake the note that the alert was
//! handed over, or the release of which this service has yet to hear. Nobody's confirmation is lost by that.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::{AlertId, ResidentNo};
use domain::late_answer::LATE;
use domain::month::Month;
use domain::sms_reply::{Handed, WRITTEN_DOWN_WITHIN};
use futures::future::try_join_all;
use platform::jobs::{Did, Job};
use uuid::Uuid;

use super::handed::{HandedAlert, HandedAlerts, MONTHS};
use crate::{Error, Service, directory};

/// Looks again.
pub(crate) const LOOK_AGAIN: Job = Job {
    name: "resident.second_look",
    cron: "40 * * * * *",
    about: "再次核对暂时没有对应弹窗的短信确认，对上即计入。",
    about_en: "Looks again at confirmations by SMS that found no alert yet, and counts them where there is one now.",
    at_start: false,
};

/// For so long: a release may wait for a deploy.
pub(super) const FOR: TimeDelta = TimeDelta::minutes(15);
/// As many at once; the others after them.
const AT_ONCE: i64 = 5_000;

/// A reply that waits, and what was handed to its sender.
struct Waiting {
    by: ResidentNo,
    said_at: DateTime<Utc>,
    code: Option<String>,
    handed: Vec<HandedAlert>,
}

pub(super) async fn look_again(service: &Service) -> Result<Did, Error> {
    let (pool, now) = (service.platform.database.pool(), service.platform.clock.now());
    let (mut after, mut counted) = (String::new(), 0);
    loop {
        let page = sqlx::query_scalar!(
            "select message_ref from resident.reply where look_until is not null and resident_no is not null and message_ref > $1
              order by message_ref limit $2",
            after,
            AT_ONCE
        )
        .fetch_all(pool)
        .await
        .map_err(Error::database("looking for replies to look at again"))?;
        let Some(last) = page.last() else { break };
        after.clone_from(last);
        counted += look_at(service, &page, now).await?;
    }
    sqlx::query!("update resident.reply set look_until = null where look_until < $1", now)
        .execute(pool)
        .await
        .map_err(Error::database("leaving replies that find nothing"))?;
    Ok(Did::nothing().and("计入短信确认", "confirmations counted", counted))
}

/// Looks at some of them; how many found their alert.
async fn look_at(service: &Service, page: &[String], now: DateTime<Utc>) -> Result<u64, Error> {
    let pool = service.platform.database.pool();
    // One look into the index of hand-overs for each that waits: joined otherwise, all hand-overs might be read to find some.
    let rows = sqlx::query!(
        r#"select r.message_ref, r.resident_no as "resident_no!", r.said_at as "said_at!", r.code, a.short_code, h.alert_id as "alert_id!", h.at as "at!",
                  coalesce(s.stopped_at <= r.said_at, false)
                    or exists (select from review.withdrawn_for w
                                where w.alert_id = h.alert_id and w.resident_no = r.resident_no and w.at <= r.said_at) as "stopped!",
                  exists (select from resident.acknowledgement k where k.alert_id = h.alert_id and k.resident_no = r.resident_no) as "acknowledged!"
             from (select * from resident.reply where message_ref = any ($4::text[]) and look_until is not null and resident_no is not null) as r
             cross join lateral (select alert_id, at from sms.handed
                                  where resident_no = r.resident_no and alert_id >= $3 and at <= r.said_at + $1::bigint * interval '1 second' offset 0) as h
             join resident.alert a on a.alert_id = h.alert_id left join resident.stop s on s.alert_id = h.alert_id
            where a.expires_at > r.said_at and a.expires_at > $2"#,
        WRITTEN_DOWN_WITHIN.num_seconds(),
        now - LATE,
        Month::of(now).earlier(MONTHS).lowest_id(),
        page
    )
    .fetch_all(pool)
    .await
    .map_err(Error::database("looking again at replies"))?;
    let mut waiting: BTreeMap<String, Waiting> = BTreeMap::new();
    for row in rows {
        let by = directory::resident_no(row.resident_no);
        let reply = waiting.entry(row.message_ref).or_insert(Waiting { by, said_at: row.said_at, code: row.code, handed: Vec::new() });
        let handed = Handed { alert: AlertId::from_uuid(row.alert_id), at: row.at, acknowledged: row.acknowledged };
        reply.handed.push(HandedAlert { short_code: row.short_code, stopped: row.stopped, handed });
    }
    let found: Vec<(String, ResidentNo, DateTime<Utc>, AlertId)> = waiting
        .into_iter()
        .filter_map(|(reference, reply)| {
            let handed = HandedAlerts(reply.handed);
            let alert = match reply.code.and_then(|code| code.parse().ok()) {
                Some(code) => handed.named(code),
                None => handed.meant(reply.said_at).map(|(alert, _)| alert),
            }?;
            Some((reference, reply.by, reply.said_at, alert))
        })
        .collect();
    let record = |(_, by, said_at, alert): &(String, ResidentNo, DateTime<Utc>, AlertId)| {
        service.acknowledgements.record_reply(*alert, *by, *said_at)
    };
    try_join_all(found.iter().map(record)).await?;
    let (references, alerts): (Vec<String>, Vec<Uuid>) =
        found.into_iter().map(|(reference, _, _, alert)| (reference, alert.uuid())).unzip();
    sqlx::query!(
        "update resident.reply r set meaning = 'acknowledged', alert_id = found.alert_id, look_until = null
           from unnest($1::text[], $2::uuid[]) as found (message_ref, alert_id) where r.message_ref = found.message_ref",
        &references,
        &alerts
    )
    .execute(pool)
    .await
    .map_err(Error::database("counting replies that were looked at again"))?;
    Ok(references.len() as u64)
}
