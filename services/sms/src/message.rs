//! The rows of submitted messages, and how receipts settle them.
//!
//! A receipt and the row of its message race each other: the centre may deliver the receipt before the answer to the last
//! part has been stored. So both sides do the same: store, then [`settle`] whatever is complete now. The two take one lock for
//! their short transaction, so that one of them always sees the other.
//!
//! A message is delivered when all its parts are, and undeliverable as soon as one part is. Receipts that have done their
//! work are removed; a receipt delivered again later finds nothing to settle and is swept away after some days.

use chrono::{DateTime, Utc};
use domain::ids::{AlertId, BatchId, ResidentNo};
use platform::database::{Database, Tx};

use crate::{
    error::Error,
    smpp::receipt::{Delivery, Receipt},
};

/// Held by every transaction that stores messages or receipts.
const LOCK: i64 = 0x736d_735f_7365_7474;

/// One submitted message.
#[derive(Debug, Clone)]
pub struct Message {
    /// To whom.
    pub resident: ResidentNo,
    /// Keyed hash of the number it went to.
    pub phone_hash: [u8; 32],
    /// The centre's ids of its parts, one for each.
    pub smsc_ids: Vec<String>,
    /// When the centre had all parts.
    pub submitted_at: DateTime<Utc>,
}

/// Stores messages of one batch. Writing a message again (it was submitted again after a crash) replaces its ids: the later
/// submission is the one whose receipts count.
pub async fn store(database: &Database, batch: BatchId, alert: AlertId, messages: &[Message]) -> Result<(), Error> {
    if messages.is_empty() {
        return Ok(());
    }
    let residents: Vec<i64> = messages.iter().map(|message| i64::from(message.resident.get())).collect();
    let hashes: Vec<Vec<u8>> = messages.iter().map(|message| message.phone_hash.to_vec()).collect();
    let parts: Vec<i16> = messages.iter().map(|message| i16::try_from(message.smsc_ids.len()).unwrap_or(i16::MAX)).collect();
    // An array of arrays must be rectangular in PostgreSQL; the ids hold no comma (SMPP's are decimal or hexadecimal), but a
    // line feed no centre sends is the safer joint.
    let ids: Vec<String> = messages.iter().map(|message| message.smsc_ids.join("\n")).collect();
    let at: Vec<DateTime<Utc>> = messages.iter().map(|message| message.submitted_at).collect();

    let mut tx = database.begin().await?;
    lock(&mut tx).await?;
    sqlx::query!(
        r#"insert into sms.message as m (batch_id, alert_id, resident_no, phone_hash, parts, smsc_ids, submitted_at)
           select $1, $2, resident_no, phone_hash, parts, string_to_array(ids, e'\n'), at
           from unnest($3::bigint[], $4::bytea[], $5::smallint[], $6::text[], $7::timestamptz[])
                as new (resident_no, phone_hash, parts, ids, at)
           on conflict (batch_id, resident_no) do update
           set smsc_ids = excluded.smsc_ids, parts = excluded.parts, submitted_at = excluded.submitted_at,
               state = 'submitted', detail = null, settled_at = null"#,
        batch.get(),
        alert.uuid(),
        &residents,
        &hashes,
        &parts,
        &ids,
        &at,
    )
    .execute(&mut *tx)
    .await?;
    let all_ids: Vec<String> = messages.iter().flat_map(|message| message.smsc_ids.iter().cloned()).collect();
    settle(&mut tx, &all_ids).await?;
    Ok(tx.commit().await?)
}

/// Stores receipts and settles what they complete. Only final ones count; of two about one part the later wins.
pub async fn receive(database: &Database, receipts: &[Receipt], now: DateTime<Utc>) -> Result<(), Error> {
    let mut latest = std::collections::BTreeMap::new();
    for receipt in receipts.iter().filter(|receipt| receipt.delivery != Delivery::Underway) {
        latest.insert(receipt.id.as_str(), receipt);
    }
    if latest.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = latest.keys().map(ToString::to_string).collect();
    let delivered: Vec<bool> = latest.values().map(|receipt| receipt.delivery == Delivery::Delivered).collect();
    let details: Vec<String> = latest.values().map(|receipt| receipt.detail.clone()).collect();

    let mut tx = database.begin().await?;
    lock(&mut tx).await?;
    sqlx::query!(
        "insert into sms.receipt as r (smsc_id, delivered, detail, received_at)
         select smsc_id, delivered, detail, $4 from unnest($1::text[], $2::boolean[], $3::text[]) as new (smsc_id, delivered, detail)
         on conflict (smsc_id) do update
         set delivered = excluded.delivered, detail = excluded.detail, received_at = excluded.received_at",
        &ids,
        &delivered,
        &details,
        now,
    )
    .execute(&mut *tx)
    .await?;
    settle(&mut tx, &ids).await?;
    Ok(tx.commit().await?)
}

/// Removes receipts that nobody will ask for any more, and the traces of replies that cannot come again.
pub async fn sweep(database: &Database, before: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!("delete from sms.receipt where received_at < $1", before).execute(database.pool()).await?;
    sqlx::query!("delete from sms.reply where received_at < $1", before).execute(database.pool()).await?;
    Ok(())
}

async fn lock(tx: &mut Tx) -> Result<(), Error> {
    sqlx::query!("select pg_advisory_xact_lock($1)", LOCK).execute(&mut **tx).await?;
    Ok(())
}

/// Settles the messages that have one of these part ids, as far as receipts are here.
async fn settle(tx: &mut Tx, ids: &[String]) -> Result<(), Error> {
    sqlx::query!(
        "with told as (
             select m.batch_id, m.resident_no, m.parts, m.smsc_ids,
                    count(*) filter (where r.delivered) as delivered,
                    bool_or(not r.delivered) as failed,
                    min(r.detail) filter (where not r.delivered) as detail,
                    max(r.received_at) as at
             from sms.message m join sms.receipt r on r.smsc_id = any (m.smsc_ids)
             where m.state = 'submitted' and m.smsc_ids && $1::text[]
             group by m.batch_id, m.resident_no
         ), settled as (
             update sms.message m
             set state = case when told.failed then 'undeliverable' else 'delivered' end, detail = told.detail, settled_at = told.at
             from told
             where m.batch_id = told.batch_id and m.resident_no = told.resident_no
               and (told.failed or told.delivered >= told.parts)
             returning told.smsc_ids
         )
         delete from sms.receipt where smsc_id in (select unnest(smsc_ids) from settled)",
        ids
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
