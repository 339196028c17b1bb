//! How receipts settle the parts that they are about.
//!
//! A receipt and the row of its part race each other: the centre may deliver the receipt before its answer to the last part has
//! been stored. There is no lock between the two. Each side makes its own row last and *then* looks for the other's
//! ([`settle`]); whichever is later sees both. If a process dies in between, its side is done again: the batch is sent from its
//! last checkpoint, a receipt that was not answered is delivered again.
//!
//! Where the centre says that one receipt is about all parts of a message, it settles all of them.
//!
//! Only final receipts count: the first that is stored; of several that come together, the last. A centre gives its ids again after a while: a receipt is about the newest
//! part that has the id, never about one that was submitted long after it. Whom a message did not reach is told to dispatch, in the
//! transaction that settles the part.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use domain::{
    ids::{AlertId, BatchId, ResidentNo},
    month::Month,
};
use platform::database::{Database, Tx};
use proto::{SmsUndelivered, events::sms_undelivered::Entry};
use uuid::Uuid;

use crate::{
    SCHEMA,
    error::Error,
    smpp::{
        message_id::plain,
        receipt::{Delivery, Receipt},
    },
};

/// Receipts are looked for among the parts of alerts made in so many months before this one: a look at every month that is
/// kept would cost most where there is nothing to find.
const MONTHS_OF_RECEIPTS: u32 = 6;

/// Settles the parts that these receipts are about, and tells which of the receipts are about none: whose part is unknown, or not
/// stored yet. Only final ones count; of two about one part the later wins.
pub async fn receive(database: &Database, receipts: &[Receipt], now: DateTime<Utc>) -> Result<HashSet<String>, Error> {
    let told = Told::of(receipts);
    if told.ids.is_empty() {
        return Ok(HashSet::new());
    }
    let mut tx = by_index(database).await?;
    let known = sqlx::query!(
        r#"with part as materialized (
               select distinct on (told.id) told.id, told.delivered, told.detail, told.covers, p.alert_id, p.batch_id, p.resident_no, p.part
                 from unnest($1::text[], $2::boolean[], $3::text[], $6::smallint[]) as told (id, delivered, detail, covers)
                 join sms.part p on ltrim(lower(p.smsc_id), '0') = told.id and p.alert_id >= $5
                order by told.id, p.submitted_at desc
           ), settled as (
               update sms.part p
                  set delivered = part.delivered, settled_at = $4, detail = case when not part.delivered then part.detail end
                 from part
                where p.alert_id = part.alert_id and p.batch_id = part.batch_id and p.resident_no = part.resident_no
                  and (p.part = part.part or part.covers > 1 and p.parts = part.covers) and p.delivered is null
            returning p.alert_id, p.batch_id, p.resident_no, p.part, p.delivered
           )
           select part.id as "id!", part.alert_id as "alert_id!", part.batch_id as "batch_id!", part.resident_no as "resident_no!",
                  coalesce(not settled.delivered, false) as "lost!"
             from part left join settled using (alert_id, batch_id, resident_no, part)"#,
        &told.ids,
        &told.delivered,
        &told.details,
        now,
        since(now),
        &told.covers,
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut unknown: HashSet<String> = told.ids.into_iter().collect();
    let mut undelivered = Undelivered::default();
    for row in known {
        unknown.remove(&row.id);
        if row.lost {
            undelivered.add(row.alert_id, row.batch_id, row.resident_no);
        }
    }
    undelivered.tell(&mut tx, now).await?;
    tx.commit().await?;
    Ok(unknown)
}

/// Keeps receipts that have overtaken their part, until it comes; a later receipt about it replaces the earlier.
pub async fn put_aside(database: &Database, receipts: &[Receipt], now: DateTime<Utc>) -> Result<(), Error> {
    let told = Told::of(receipts);
    if told.ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into sms.receipt as r (smsc_id, delivered, detail, received_at, covers)
         select smsc_id, delivered, detail, $4, covers
           from unnest($1::text[], $2::boolean[], $3::text[], $5::smallint[]) as new (smsc_id, delivered, detail, covers)
         on conflict (smsc_id) do update
         set delivered = excluded.delivered, detail = excluded.detail, received_at = excluded.received_at, covers = excluded.covers",
        &told.ids,
        &told.delivered,
        &told.details,
        now,
        &told.covers,
    )
    .execute(database.pool())
    .await?;
    settle_plain(database, &told.ids, since(now)).await
}

/// Brings receipts that were put aside and the parts with these ids, as the centre answered them, together.
pub async fn settle(database: &Database, ids: &[String], since: Uuid) -> Result<(), Error> {
    let ids: Vec<String> = ids.iter().map(|id| plain(id)).collect();
    settle_plain(database, &ids, since).await
}

/// Brings receipts that were put aside and parts together, as far as both are there. Who finds a receipt in another's hands leaves
/// it to them: they have seen its part. One that was there long before the part is about an earlier message with its id.
async fn settle_plain(database: &Database, ids: &[String], since: Uuid) -> Result<(), Error> {
    let mut tx = by_index(database).await?;
    let lost = sqlx::query!(
        r#"with told as materialized (
             select r.smsc_id, r.delivered, r.detail, r.received_at, r.covers, p.alert_id, p.batch_id, p.resident_no, p.part
             from sms.receipt r join sms.part p on ltrim(lower(p.smsc_id), '0') = r.smsc_id
             where r.smsc_id = any ($1::text[]) and p.alert_id >= $2 and p.submitted_at <= r.received_at + interval '2 minutes'
               and not exists (select from sms.part newer
                                where ltrim(lower(newer.smsc_id), '0') = r.smsc_id and newer.alert_id >= $2
                                  and newer.submitted_at > p.submitted_at)
             for update of r skip locked
         ), taken as (
             delete from sms.receipt r using told where r.smsc_id = told.smsc_id
         )
         update sms.part p
         set delivered = told.delivered, settled_at = told.received_at, detail = case when not told.delivered then told.detail end
         from told
         where p.alert_id = told.alert_id and p.batch_id = told.batch_id and p.resident_no = told.resident_no
           and (p.part = told.part or told.covers > 1 and p.parts = told.covers) and p.delivered is null
         returning p.alert_id, p.batch_id, p.resident_no, not told.delivered as "lost!", told.received_at"#,
        ids,
        since,
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut undelivered = Undelivered::default();
    let at = lost.iter().map(|row| row.received_at).max();
    lost.iter().filter(|row| row.lost).for_each(|row| undelivered.add(row.alert_id, row.batch_id, row.resident_no));
    if let Some(at) = at {
        undelivered.tell(&mut tx, at).await?;
    }
    Ok(tx.commit().await?)
}

/// A transaction whose joins go by index. A month's parts may be millions before anything is known of their distribution, and
/// the database would then read all of them to find some hundred.
async fn by_index(database: &Database) -> Result<Tx, Error> {
    let mut tx = database.begin().await?;
    sqlx::query!(
        r#"select set_config('enable_hashjoin', 'off', true) as a, set_config('enable_mergejoin', 'off', true) as b,
                  set_config('enable_seqscan', 'off', true) as c"#
    )
    .fetch_one(&mut *tx)
    .await?;
    Ok(tx)
}

/// The oldest alert that receipts come for.
fn since(now: DateTime<Utc>) -> Uuid {
    Month::of(now).earlier(MONTHS_OF_RECEIPTS).lowest_id()
}

/// Whom a message did not reach, by alert.
#[derive(Default)]
struct Undelivered(BTreeMap<Uuid, BTreeMap<i64, BatchId>>);

impl Undelivered {
    fn add(&mut self, alert_id: Uuid, batch_id: i64, resident_no: i64) {
        self.0.entry(alert_id).or_default().insert(resident_no, BatchId::new(batch_id));
    }

    async fn tell(self, tx: &mut Tx, now: DateTime<Utc>) -> Result<(), Error> {
        let events: Vec<SmsUndelivered> = self.0.into_iter().map(|(alert_id, people)| told_of(alert_id, &people, now)).collect();
        let people: usize = events.iter().map(|event| event.entries.len()).sum();
        if people > 0 {
            metrics::counter!("sms_undelivered_total").increment(people as u64);
            tx.publish_all(SCHEMA, &events).await?;
        }
        Ok(())
    }
}

fn told_of(alert_id: Uuid, people: &BTreeMap<i64, BatchId>, now: DateTime<Utc>) -> SmsUndelivered {
    let entry = |(resident_no, batch_id): (&i64, &BatchId)| {
        let resident_no = u32::try_from(*resident_no).ok().map(ResidentNo::new)?;
        Some(Entry { resident_no: resident_no.get(), batch_id: batch_id.get() })
    };
    SmsUndelivered {
        alert_id: AlertId::from_uuid(alert_id).to_string(),
        entries: people.iter().filter_map(entry).collect(),
        at_ms: now.timestamp_millis(),
    }
}

/// Final receipts, one for each part, as columns.
#[derive(Default)]
struct Told {
    ids: Vec<String>,
    delivered: Vec<bool>,
    details: Vec<String>,
    covers: Vec<i16>,
}

impl Told {
    fn of(receipts: &[Receipt]) -> Self {
        let mut latest = BTreeMap::new();
        for receipt in receipts.iter().filter(|receipt| receipt.delivery != Delivery::Underway) {
            latest.insert(receipt.id.as_str(), receipt);
        }
        let mut told = Self::default();
        for (id, receipt) in latest {
            told.ids.push(id.to_owned());
            told.delivered.push(receipt.delivery == Delivery::Delivered);
            told.details.push(receipt.detail.clone());
            told.covers.push(receipt.covers);
        }
        told
    }
}
