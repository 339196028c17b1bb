//! The rows of submitted messages, one for each part.
//!
//! A message is delivered when all its parts are, and undeliverable as soon as one is (the view `sms.message`). What a receipt
//! has settled stays so, however often receipts about the part come ([`crate::receipts`]). Where receipts stay out the message is counted as what is
//! known of it ([`crate::routes`]): as arrived in part, or as without a receipt; nobody waits for ever.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use domain::ids::{AlertId, BatchId, ResidentNo};
use platform::database::Database;

use crate::{begun, error::Error, receipts, smpp::submit::Taken};

/// One submitted message.
#[derive(Debug, Clone)]
pub struct Message {
    /// To whom.
    pub resident: ResidentNo,
    /// Its parts as the centre took them, in order.
    pub parts: Vec<Taken>,
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
    let parts = || messages.iter().flat_map(|message| message.parts.iter().zip(1_i16..).map(move |(taken, part)| (message, taken, part)));
    let ids: Vec<String> = parts().map(|(_, taken, _)| taken.id.clone()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let residents: Vec<i64> = parts().map(|(message, ..)| i64::from(message.resident.get())).collect();
    let numbers: Vec<i16> = parts().map(|(.., part)| part).collect();
    let counts: Vec<i16> = parts().map(|(message, ..)| i16::try_from(message.parts.len()).unwrap_or(i16::MAX)).collect();
    let at: Vec<DateTime<Utc>> = parts().map(|(_, taken, _)| taken.at).collect();

    if of.again {
        // also parts beyond those that it has now; what is only stored once more keeps what its receipt said
        let delete = sqlx::query!(
            "delete from sms.part where alert_id = $1 and batch_id = $2 and resident_no = any ($3::bigint[]) and smsc_id <> all ($4::text[])",
            of.alert.uuid(),
            of.batch.get(),
            &residents,
            &ids,
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
             settled_at = null, delivered = null, detail = null
         where part.smsc_id <> excluded.smsc_id",
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
    receipts::settle(database, &ids, of.alert.uuid()).await
}

/// Those of the residents whose message of this batch is stored whole: a holder that died had submitted it, and nobody noted it.
pub async fn stored(database: &Database, of: Of, residents: &[ResidentNo]) -> Result<HashSet<ResidentNo>, Error> {
    let numbers: Vec<i64> = residents.iter().map(|resident| i64::from(resident.get())).collect();
    let whole = sqlx::query_scalar!(
        r#"select resident_no as "resident_no!" from sms.part
            where alert_id = $1 and batch_id = $2 and resident_no = any ($3::bigint[])
            group by resident_no having count(*) >= max(parts)"#,
        of.alert.uuid(),
        of.batch.get(),
        &numbers,
    )
    .fetch_all(database.pool())
    .await?;
    Ok(whole.into_iter().filter_map(|number| u32::try_from(number).ok()).map(ResidentNo::new).collect())
}

/// How many rows were of no use any more.
pub struct Gone {
    /// Receipts whose message never turned up.
    pub receipts: u64,
    /// Traces of replies.
    pub replies: u64,
    /// Parts of messages that never became whole.
    pub begun: u64,
}

/// Removes receipts that nobody will ask for any more, and the traces of replies that cannot come again.
pub async fn forget(database: &Database, before: DateTime<Utc>) -> Result<Gone, Error> {
    let receipts = sqlx::query!("delete from sms.receipt where received_at < $1", before).execute(database.pool()).await?.rows_affected();
    let replies = sqlx::query!("delete from sms.reply where received_at < $1", before).execute(database.pool()).await?.rows_affected();
    let begun = begun::forget(database, before).await?;
    Ok(Gone { receipts, replies, begun })
}

#[cfg(test)]
mod tests;
