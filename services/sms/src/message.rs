//! The rows of submitted messages, one for each part, and how receipts settle them.
//!
//! A receipt and the row of its part race each other: the centre may deliver the receipt before its answer to the last part has
//! been stored. There is no lock between the two. Each side makes its own row last and *then* looks for the other's
//! ([`settle`]); whichever is later sees both. If a process dies in between, its side is done again: the batch is sent from its
//! last checkpoint, a receipt that was not answered is delivered again.
//!
//! A message is delivered when all its parts are, and undeliverable as soon as one is (the view `sms.message`). What a receipt
//! has settled stays so, however often receipts about the part come.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use domain::{
    ids::{AlertId, BatchId, ResidentNo},
    month::Month,
};
use platform::database::{Database, Tx};
use uuid::Uuid;

use crate::{
    error::Error,
    smpp::receipt::{Delivery, Receipt},
};

/// Receipts are looked for among the parts of alerts made in so many months before this one: a look at every month that is
/// kept would cost most where there is nothing to find.
const MONTHS_OF_RECEIPTS: u32 = 6;

/// One submitted message.
#[derive(Debug, Clone)]
pub struct Message {
    /// To whom.
    pub resident: ResidentNo,
    /// The centre's ids of its parts, one for each.
    pub smsc_ids: Vec<String>,
    /// When the centre had all parts.
    pub submitted_at: DateTime<Utc>,
}

/// The batch that messages are of.
#[derive(Debug, Clone, Copy)]
pub struct Of {
    /// Its alert.
    pub alert: AlertId,
    /// The batch.
    pub batch: BatchId,
    /// Whether some of them may have been submitted before, by a holder that died.
    pub again: bool,
}

/// Stores messages of one batch. A message that was submitted again replaces what there was of it: the later submission is the
/// one whose receipts count.
pub async fn store(database: &Database, of: Of, messages: &[Message]) -> Result<(), Error> {
    let parts = || messages.iter().flat_map(|message| message.smsc_ids.iter().zip(1_i16..).map(move |(id, part)| (message, id, part)));
    let ids: Vec<String> = parts().map(|(_, id, _)| id.clone()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let residents: Vec<i64> = parts().map(|(message, ..)| i64::from(message.resident.get())).collect();
    let numbers: Vec<i16> = parts().map(|(.., part)| part).collect();
    let counts: Vec<i16> = parts().map(|(message, ..)| i16::try_from(message.smsc_ids.len()).unwrap_or(i16::MAX)).collect();
    let at: Vec<DateTime<Utc>> = parts().map(|(message, ..)| message.submitted_at).collect();

    if of.again {
        // also parts beyond those that it has now
        let delete = sqlx::query!(
            "delete from sms.part where alert_id = $1 and batch_id = $2 and resident_no = any ($3::bigint[])",
            of.alert.uuid(),
            of.batch.get(),
            &residents
        );
        delete.execute(database.pool()).await?;
    }
    sqlx::query!(
        "insert into sms.part (alert_id, batch_id, resident_no, submitted_at, part, parts, smsc_id)
         select $1, $2, resident_no, at, part, parts, smsc_id
         from unnest($3::bigint[], $4::timestamptz[], $5::smallint[], $6::smallint[], $7::text[])
              as new (resident_no, at, part, parts, smsc_id)
         on conflict (alert_id, batch_id, resident_no, part) do update
         set submitted_at = excluded.submitted_at, parts = excluded.parts, smsc_id = excluded.smsc_id,
             settled_at = null, delivered = null, detail = null",
        of.alert.uuid(),
        of.batch.get(),
        &residents,
        &at,
        &numbers,
        &counts,
        &ids,
    )
    .execute(database.pool())
    .await?;
    settle(database, &ids, of.alert.uuid()).await
}

/// Settles the parts that these receipts are about, and tells which of the receipts are about none: whose part is unknown, or not
/// stored yet. Only final ones count; of two about one part the later wins.
pub async fn receive(database: &Database, receipts: &[Receipt], now: DateTime<Utc>) -> Result<HashSet<String>, Error> {
    let told = Told::of(receipts);
    if told.ids.is_empty() {
        return Ok(HashSet::new());
    }
    let mut tx = by_index(database).await?;
    let known = sqlx::query_scalar!(
        "update sms.part p
         set delivered = coalesce(p.delivered, told.delivered), settled_at = coalesce(p.settled_at, $4),
             detail = case when p.delivered is null and not told.delivered then told.detail else p.detail end
         from unnest($1::text[], $2::boolean[], $3::text[]) as told (smsc_id, delivered, detail)
         where p.smsc_id = told.smsc_id and p.alert_id >= $5
         returning p.smsc_id",
        &told.ids,
        &told.delivered,
        &told.details,
        now,
        since(now),
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let mut unknown: HashSet<String> = told.ids.into_iter().collect();
    for id in known {
        unknown.remove(&id);
    }
    Ok(unknown)
}

/// Keeps receipts that have overtaken their part, until it comes; a later receipt about it replaces the earlier.
pub async fn put_aside(database: &Database, receipts: &[Receipt], now: DateTime<Utc>) -> Result<(), Error> {
    let told = Told::of(receipts);
    if told.ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into sms.receipt as r (smsc_id, delivered, detail, received_at)
         select smsc_id, delivered, detail, $4 from unnest($1::text[], $2::boolean[], $3::text[]) as new (smsc_id, delivered, detail)
         on conflict (smsc_id) do update
         set delivered = excluded.delivered, detail = excluded.detail, received_at = excluded.received_at",
        &told.ids,
        &told.delivered,
        &told.details,
        now,
    )
    .execute(database.pool())
    .await?;
    settle(database, &told.ids, since(now)).await
}

/// How many rows were of no use any more.
pub struct Gone {
    /// Receipts whose message never turned up.
    pub receipts: u64,
    /// Traces of replies.
    pub replies: u64,
}

/// Removes receipts that nobody will ask for any more, and the traces of replies that cannot come again.
pub async fn forget(database: &Database, before: DateTime<Utc>) -> Result<Gone, Error> {
    let receipts = sqlx::query!("delete from sms.receipt where received_at < $1", before).execute(database.pool()).await?.rows_affected();
    let replies = sqlx::query!("delete from sms.reply where received_at < $1", before).execute(database.pool()).await?.rows_affected();
    Ok(Gone { receipts, replies })
}

/// Brings receipts that were put aside and parts together, as far as both are there. Who finds a receipt in another's hands leaves
/// it to them: they have seen its part.
async fn settle(database: &Database, ids: &[String], since: Uuid) -> Result<(), Error> {
    let mut tx = by_index(database).await?;
    sqlx::query!(
        "with told as materialized (
             select r.smsc_id, r.delivered, r.detail, r.received_at, p.alert_id, p.batch_id, p.resident_no, p.part
             from sms.receipt r join sms.part p on p.smsc_id = r.smsc_id
             where r.smsc_id = any ($1::text[]) and p.alert_id >= $2
             for update of r skip locked
         ), taken as (
             delete from sms.receipt r using told where r.smsc_id = told.smsc_id
         )
         update sms.part p
         set delivered = told.delivered, settled_at = told.received_at, detail = case when not told.delivered then told.detail end
         from told
         where p.alert_id = told.alert_id and p.batch_id = told.batch_id and p.resident_no = told.resident_no and p.part = told.part
           and p.smsc_id = told.smsc_id and p.delivered is null",
        ids,
        since,
    )
    .execute(&mut *tx)
    .await?;
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

/// Final receipts, one for each part, as columns.
#[derive(Default)]
struct Told {
    ids: Vec<String>,
    delivered: Vec<bool>,
    details: Vec<String>,
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
        }
        told
    }
}

#[cfg(test)]
mod tests;
