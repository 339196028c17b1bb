//! Corrections of a chunk: what stands under an id is kept as a version of its own, and gives way to another content or to nothing.
//!
//! They are stored with the records of their chunk, in its transaction, and after them: a file may hold a record and its correction.
//! What ended is told to rules by an event of its own ([`RecordsEnded`]); what took its place is in the chunk like any other record.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::record_life::{self, Change, Correction, Standing, Wanted};
use platform::database::Tx;
use proto::RecordsEnded;
use uuid::Uuid;

use crate::check::Correcting;
use crate::framing::{self, Block, Refusal};
use crate::pairing::Paired;
use crate::placed::{Columns, Placed};
use crate::sender::Sender;
use crate::subjects::Known;
use crate::{Error, SCHEMA, reason};

/// What became of the corrections of a chunk.
#[derive(Debug, Default)]
pub(crate) struct Corrected {
    pub replaced: u64,
    pub retracted: u64,
    pub repeated: u64,
    pub refusals: Vec<Refusal>,
    /// Whom what took a record's place names together.
    pub paired: Vec<Paired>,
}

/// One that changes something.
struct Ending {
    source_id: String,
    how: Correction,
    reason: String,
    /// What stood there was taken back before: no version ends.
    is_gone: bool,
}

/// What stands under an id.
struct Row {
    content: [u8; 32],
    retracted: bool,
}

/// Applies corrections that were checked.
pub(crate) async fn apply(
    tx: &mut Tx,
    sender: &Sender,
    chunk: Uuid,
    block: &Block,
    corrections: Vec<Correcting>,
    known: &Known,
    now: DateTime<Utc>,
) -> Result<Corrected, Error> {
    let mut corrected = Corrected::default();
    if corrections.is_empty() {
        return Ok(corrected);
    }
    let refusal = |row: framing::Row, fault| Refusal::of(row.line, fault, block.row(row).to_vec());
    let standing = lock(tx, sender.source(), &corrections).await?;
    let last: HashMap<String, u64> = corrections.iter().map(|one| (one.source_id.clone(), one.row.line)).collect();
    let (mut endings, mut replacements) = (Vec::new(), Vec::new());
    for Correcting { row, source_id, reason, by } in corrections {
        if last.get(&source_id) != Some(&row.line) {
            corrected.refusals.push(refusal(row, reason::corrected_below()));
            continue;
        }
        let row_standing = standing.get(&source_id);
        let stands = row_standing.map(|row| Standing { content: &row.content, retracted: row.retracted });
        let wanted = by.as_ref().map_or(Wanted::Nothing, |candidate| Wanted::Content(&candidate.content_hash));
        let Ok(change) = record_life::change(stands, wanted) else {
            corrected.refusals.push(refusal(row, reason::no_such_record()));
            continue;
        };
        let is_gone = row_standing.is_some_and(|row| row.retracted);
        match (change, by) {
            (Change::Repeated, _) => corrected.repeated += 1,
            (Change::Replaced, Some(candidate)) => match Placed::of(candidate, sender, known) {
                Ok(placed) => {
                    replacements.push(placed);
                    endings.push(Ending { source_id, how: Correction::Replace, reason, is_gone });
                }
                Err(refused) => corrected.refusals.push(refusal(row, refused.1)),
            },
            (Change::Retracted | Change::Replaced, _) => endings.push(Ending { source_id, how: Correction::Retract, reason, is_gone }),
        }
    }
    corrected.paired = replacements.iter().filter_map(|placed| placed.candidate.paired).collect();
    corrected.replaced = replacements.len() as u64;
    corrected.retracted = endings.len() as u64 - corrected.replaced;
    let ended = keep_versions(tx, sender.source(), chunk, &endings, now).await?;
    retract(tx, sender.source(), &endings, now).await?;
    replace(tx, sender.source(), chunk, &replacements, now).await?;
    if ended > 0 {
        let records = u32::try_from(ended).unwrap_or(u32::MAX);
        tx.publish(SCHEMA, &RecordsEnded { load_id: chunk.to_string(), records }).await?;
    }
    Ok(corrected)
}

/// What stands under the ids, held until the chunk is stored; always in one order, so that two chunks never wait for each other in a circle.
async fn lock(tx: &mut Tx, source: &str, corrections: &[Correcting]) -> Result<HashMap<String, Row>, Error> {
    let ids: Vec<&str> = corrections.iter().map(|correction| correction.source_id.as_str()).collect();
    let rows = sqlx::query!(
        r#"select source_id, content_hash, retracted_at is not null as "retracted!" from ingest.record
            where source = $1 and source_id = any($2) order by source_id for update"#,
        source,
        &ids as &[&str]
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("looking for records to correct"))?;
    rows.into_iter()
        .map(|row| {
            let content = row.content_hash.try_into().map_err(|_| Error::Stored { what: "content hash" })?;
            Ok((row.source_id, Row { content, retracted: row.retracted }))
        })
        .collect()
}

/// Keeps what stands under the ids as versions that hold no longer; how many there were.
async fn keep_versions(tx: &mut Tx, source: &str, chunk: Uuid, endings: &[Ending], now: DateTime<Utc>) -> Result<u64, Error> {
    let ending: Vec<&Ending> = endings.iter().filter(|ending| !ending.is_gone).collect();
    let ids: Vec<&str> = ending.iter().map(|ending| ending.source_id.as_str()).collect();
    let hows: Vec<&str> = ending.iter().map(|ending| ending.how.into()).collect();
    let reasons: Vec<&str> = ending.iter().map(|ending| ending.reason.as_str()).collect();
    let kept = sqlx::query!(
        "insert into ingest.record_version (source, source_id, version, record_id, chunk_id, content_hash, kind, origin, level, district,
             township, community, occurred_at, received_at, resident_no, subject_hash, subject_kind, attributes, how, reason, ended_at, ended_in)
         select source, source_id, version, record_id, chunk_id, content_hash, kind, origin, level, district, township, community, occurred_at,
             received_at, resident_no, subject_hash, subject_kind, attributes, ending.how, ending.reason, $2, $3
         from ingest.record join unnest($4::text[], $5::text[], $6::text[]) as ending (source_id, how, reason) using (source_id)
         where source = $1",
        source,
        now,
        chunk,
        &ids as &[&str],
        &hows as &[&str],
        &reasons as &[&str]
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("keeping versions of records"))?;
    Ok(kept.rows_affected())
}

async fn retract(tx: &mut Tx, source: &str, endings: &[Ending], now: DateTime<Utc>) -> Result<(), Error> {
    let ids: Vec<&str> =
        endings.iter().filter(|ending| ending.how == Correction::Retract).map(|ending| ending.source_id.as_str()).collect();
    sqlx::query!("update ingest.record set retracted_at = $3 where source = $1 and source_id = any($2)", source, &ids as &[&str], now)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("taking records back"))?;
    Ok(())
}

/// Puts new versions in the place of the old ones. A new version has a number of its own, by which rules tell it from the old one.
async fn replace(tx: &mut Tx, source: &str, chunk: Uuid, replacements: &[Placed], now: DateTime<Utc>) -> Result<(), Error> {
    let columns = Columns::of(replacements)?;
    sqlx::query!(
        "update ingest.record set record_id = default, version = record.version + 1, retracted_at = null, chunk_id = $2, received_at = $3,
             content_hash = new.content_hash, kind = new.kind, origin = new.origin, level = new.level, district = new.district,
             township = new.township, community = new.community, occurred_at = new.occurred_at, resident_no = new.resident_no,
             subject_hash = new.subject_hash, subject_kind = new.subject_kind, attributes = new.attributes::jsonb
         from unnest($4::text[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::int[], $10::int[], $11::bigint[], $12::timestamptz[],
                     $13::int[], $14::bytea[], $15::text[], $16::text[])
              as new (source_id, content_hash, kind, origin, level, district, township, community, occurred_at,
                      resident_no, subject_hash, subject_kind, attributes)
         where record.source = $1 and record.source_id = new.source_id",
        source,
        chunk,
        now,
        &columns.ids as &[&str],
        &columns.content_hashes as &[&[u8]],
        &columns.kinds as &[&str],
        &columns.origins as &[&str],
        &columns.levels as &[&str],
        &columns.districts,
        &columns.townships as &[Option<i32>],
        &columns.communities as &[Option<i64>],
        &columns.times,
        &columns.residents as &[Option<i32>],
        &columns.subject_hashes as &[Option<Vec<u8>>],
        &columns.subject_kinds as &[&str],
        &columns.attributes
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("correcting records"))?;
    Ok(())
}
