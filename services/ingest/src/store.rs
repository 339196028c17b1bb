//! Stores a checked chunk in one transaction: its records, its refused rows, the counts of its load and the event that tells
//! rules of it.
//!
//! A person may register while a record about them is being stored. The chunk therefore holds a shared lock from before it
//! looks for its people until it is committed, and a registration is matched under the exclusive one ([`crate::registrations`]):
//! one of the two always sees the other.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::AddAssign;

use chrono::{DateTime, Utc};
use domain::ids::LoadId;
use domain::source_health::{self, LATENESS_CLASSES};
use platform::Platform;
use platform::crypto::Purpose;
use platform::database::Tx;
use platform::http::FieldFault;
use proto::RecordsStored;
use uuid::Uuid;

use crate::check::{Candidate, Chunk};
use crate::framing::Refusal;
use crate::placed::{Columns, Placed};
use crate::sender::Sender;
use crate::source_hours::{self, Lateness};
use crate::subjects::Known;
use crate::{Error, SCHEMA, corrections, pairing, reason};

/// The advisory lock between chunks and registrations.
pub(crate) const MATCHING_LOCK: i64 = 0x6665_6e67_6875_6f01;

/// Refused rows that a load keeps, or a chunk's more, where two are stored at once; the others are counted only.
const KEPT_ROWS: u64 = 100_000;
/// Bytes of refused rows that a load keeps.
const KEPT_BYTES: u64 = 256 << 20;

/// How much of refused rows is kept.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Kept {
    rows: u64,
    bytes: u64,
}

impl AddAssign for Kept {
    fn add_assign(&mut self, more: Self) {
        self.rows += more.rows;
        self.bytes += more.bytes;
    }
}

/// What became of the rows of a chunk, by number.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub accepted: u64,
    pub repeated: u64,
    pub refused: u64,
    pub corrected: u64,
    pub retracted: u64,
}

impl Counts {
    fn by_outcome(self) -> [(&'static str, u64); 5] {
        let Self { accepted, repeated, refused, corrected, retracted } = self;
        [("accepted", accepted), ("repeated", repeated), ("refused", refused), ("corrected", corrected), ("retracted", retracted)]
    }
}

/// What became of a chunk.
#[derive(Debug)]
pub(crate) struct Stored {
    pub chunk: Uuid,
    pub counts: Counts,
    pub refusals: Vec<Refusal>,
    /// What was kept of it.
    pub kept: Kept,
    /// Its new records by how late they came.
    pub late: Lateness,
}

/// Stores one chunk of a load.
pub(crate) async fn store(
    platform: &Platform,
    sender: &Sender,
    load: LoadId,
    chunk: Chunk,
    kept: Kept,
    now: DateTime<Utc>,
) -> Result<Stored, Error> {
    let mut tx = platform.database.begin().await?;
    let stored = store_in(&mut tx, platform, sender, load, chunk, kept, now).await?;
    tx.commit().await?;
    self::stored(platform, sender, &stored, now).await;
    Ok(stored)
}

/// Counts a chunk that is stored, in the metrics and in the health of its source.
pub(crate) async fn stored(platform: &Platform, sender: &Sender, stored: &Stored, now: DateTime<Utc>) {
    for (outcome, number) in stored.counts.by_outcome() {
        metrics::counter!("ingest_records_total", "outcome" => outcome).increment(number);
    }
    source_hours::note(platform, sender.source(), stored.counts, &stored.late, now).await;
}

/// The same in a transaction of the caller's.
pub(crate) async fn store_in(
    tx: &mut Tx,
    platform: &Platform,
    sender: &Sender,
    load: LoadId,
    chunk: Chunk,
    kept: Kept,
    now: DateTime<Utc>,
) -> Result<Stored, Error> {
    let Chunk { block, mut candidates, mut corrections, mut refusals } = chunk;
    let chunk_id = Uuid::now_v7();
    sqlx::query!("select pg_advisory_xact_lock_shared($1)", MATCHING_LOCK)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("holding registrations back"))?;
    let corrected = corrections.iter().filter_map(|correction| correction.by.as_ref());
    let subjects = candidates.iter().chain(corrected).flat_map(pairing::subjects);
    let known = Known::among(tx, subjects.collect::<Vec<_>>().iter()).await?;
    let by = corrections.iter_mut().filter_map(|correction| correction.by.as_mut());
    pairing::settle(candidates.iter_mut().chain(by), &known);

    let mut refuse = |candidate: &Candidate, fault: FieldFault| {
        refusals.push(Refusal::of(candidate.row.line, fault, block.row(candidate.row).to_vec()));
    };
    let mut placed = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        match Placed::of(candidate, sender, &known) {
            Ok(record) => placed.push(record),
            Err(refused) => refuse(&refused.0, refused.1),
        }
    }
    let (mut records, mut repeated) = once(placed, &mut refuse);
    // two loads that store the same ids take them in one order and never wait for each other in a circle
    records.sort_unstable_by(|one, other| one.source_id().cmp(other.source_id()));

    let mut accepted = insert(tx, sender.source(), chunk_id, &records, now).await?;
    let mut before = HashMap::new();
    if accepted < records.len() as u64 {
        before = known_before(tx, sender.source(), chunk_id, &records).await?;
        for record in &records {
            if let Some(before) = before.get(record.source_id()) {
                match before.stands(&record.candidate.content_hash) {
                    Ok(()) => repeated += 1,
                    Err(fault) => refuse(&record.candidate, fault),
                }
            }
        }
        accepted = (records.len() - before.len()) as u64;
    }
    let mut late = [0; LATENESS_CLASSES];
    let mut paired = Vec::new();
    for record in records.iter().filter(|record| before.is_empty() || !before.contains_key(record.source_id())) {
        paired.extend(record.candidate.paired);
        late[source_health::lateness_class(now - record.candidate.record.occurred_at)] += 1;
    }

    let corrected = corrections::apply(tx, sender, chunk_id, &block, corrections, &known, now).await?;
    refusals.extend(corrected.refusals);
    repeated += corrected.repeated;
    paired.extend(corrected.paired);

    let refused = refusals.len() as u64;
    let kept = keep(tx, platform, load, &refusals, kept).await?;
    let counts = Counts { accepted, repeated, refused, corrected: corrected.replaced, retracted: corrected.retracted };
    count(tx, load, counts).await?;
    pairing::tell(tx, &paired).await?;
    if accepted + corrected.replaced > 0 {
        tell(tx, load, chunk_id, accepted + corrected.replaced).await?;
    }
    Ok(Stored { chunk: chunk_id, counts, refusals, kept, late })
}

/// Of records with one id, the first; the same content again is counted, another content refused.
fn once(placed: Vec<Placed>, refuse: &mut impl FnMut(&Candidate, FieldFault)) -> (Vec<Placed>, u64) {
    let mut repeated = 0;
    let mut spare = Vec::new();
    {
        let mut first: HashMap<&str, &[u8; 32]> = HashMap::with_capacity(placed.len());
        for (at, record) in placed.iter().enumerate() {
            let candidate = &record.candidate;
            match first.entry(&candidate.record.source_id) {
                Entry::Vacant(entry) => {
                    entry.insert(&candidate.content_hash);
                }
                Entry::Occupied(entry) => {
                    if **entry.get() == candidate.content_hash {
                        repeated += 1;
                    } else {
                        refuse(candidate, reason::other_content());
                    }
                    spare.push(at);
                }
            }
        }
    }
    if spare.is_empty() {
        return (placed, 0);
    }
    let mut spare = spare.into_iter().peekable();
    let records = placed.into_iter().enumerate().filter(|(at, _)| spare.next_if_eq(at).is_none()).map(|(_, record)| record).collect();
    (records, repeated)
}

/// The statement that inserts records, with its ending.
macro_rules! insert_records {
    ($ending:tt, $source:expr, $chunk:expr, $now:expr, $columns:expr) => {
        sqlx::query!(
            "insert into ingest.record (source, source_id, chunk_id, content_hash, kind, origin, level, district, township, community,
                 occurred_at, received_at, resident_no, subject_hash, subject_kind, attributes)
             select $1, new.source_id, $2, new.content_hash, new.kind, new.origin, new.level, new.district, new.township, new.community,
                 new.occurred_at, $3, new.resident_no, new.subject_hash, new.subject_kind, new.attributes::jsonb
             from unnest($4::text[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::int[], $10::int[], $11::bigint[], $12::timestamptz[],
                         $13::int[], $14::bytea[], $15::text[], $16::text[])
                  as new (source_id, content_hash, kind, origin, level, district, township, community, occurred_at,
                          resident_no, subject_hash, subject_kind, attributes)" + $ending,
            $source,
            $chunk,
            $now,
            &$columns.ids as &[&str],
            &$columns.content_hashes as &[&[u8]],
            &$columns.kinds as &[&str],
            &$columns.origins as &[&str],
            &$columns.levels as &[&str],
            &$columns.districts,
            &$columns.townships as &[Option<i32>],
            &$columns.communities as &[Option<i64>],
            &$columns.times,
            &$columns.residents as &[Option<i32>],
            &$columns.subject_hashes as &[Option<Vec<u8>>],
            &$columns.subject_kinds as &[&str],
            &$columns.attributes
        )
    };
}

/// Of fewer records it costs more to find out whether all are new than to insert them one by one where they are.
const WORTH_A_TRY: usize = 256;
/// So many of a chunk are looked for beforehand: of a list that comes again nearly all are there.
const LOOKED_FOR: usize = 16;

/// Inserts the records that are new; returns how many were. Where all are, as nearly always, PostgreSQL need not hold each of them against those that others
/// insert at the same moment, which costs a third of its time: that is tried first, and undone when one was there.
async fn insert(tx: &mut Tx, source: &str, chunk: Uuid, records: &[Placed], now: DateTime<Utc>) -> Result<u64, Error> {
    if records.is_empty() {
        return Ok(0);
    }
    let columns = Columns::of(records)?;
    if records.len() >= WORTH_A_TRY && !some_are_there(tx, source, &columns).await? && insert_all(tx, source, chunk, &columns, now).await? {
        return Ok(records.len() as u64);
    }
    insert_new(tx, source, chunk, &columns, now).await
}

/// Whether some of the records have been stored before, as far as a few of them tell.
async fn some_are_there(tx: &mut Tx, source: &str, columns: &Columns<'_>) -> Result<bool, Error> {
    let step = columns.ids.len().div_ceil(LOOKED_FOR).max(1);
    let ids: Vec<&str> = columns.ids.iter().step_by(step).copied().collect();
    sqlx::query_scalar!(
        r#"select exists (select from ingest.record where source = $1 and source_id = any($2)) as "there!""#,
        source,
        &ids as &[&str],
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(Error::database("looking for earlier records"))
}

/// Inserts all records, if all are new; else none.
async fn insert_all(tx: &mut Tx, source: &str, chunk: Uuid, columns: &Columns<'_>, now: DateTime<Utc>) -> Result<bool, Error> {
    let failed = Error::database("storing records");
    let step = async |tx: &mut Tx, what| sqlx::raw_sql(what).execute(&mut **tx).await.map(drop);
    step(tx, "savepoint before_records").await.map_err(&failed)?;
    let inserted = insert_records!("", source, chunk, now, columns).execute(&mut **tx).await;
    match inserted {
        Ok(_) => {
            step(tx, "release savepoint before_records").await.map_err(&failed)?;
            Ok(true)
        }
        Err(error) if error.as_database_error().is_some_and(|error| error.is_unique_violation()) => {
            step(tx, "rollback to savepoint before_records").await.map_err(&failed)?;
            Ok(false)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Inserts the records that are new; returns how many were.
async fn insert_new(tx: &mut Tx, source: &str, chunk: Uuid, columns: &Columns<'_>, now: DateTime<Utc>) -> Result<u64, Error> {
    let inserted = insert_records!(" on conflict (source, source_id) do nothing", source, chunk, now, columns)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("storing records"))?;
    Ok(inserted.rows_affected())
}

/// A record that was there before.
struct Before {
    content: Vec<u8>,
    retracted: bool,
    /// What it said before its corrections.
    earlier: Vec<Vec<u8>>,
}

impl Before {
    /// Whether a delivery says what stands there; else why it is refused.
    fn stands(&self, content: &[u8; 32]) -> Result<(), FieldFault> {
        if self.retracted {
            Err(reason::retracted())
        } else if self.content == content {
            Ok(())
        } else if self.earlier.iter().any(|earlier| earlier == content) {
            Err(reason::corrected_since())
        } else {
            Err(reason::other_content())
        }
    }
}

/// Those of the records that were there before.
async fn known_before(tx: &mut Tx, source: &str, chunk: Uuid, records: &[Placed]) -> Result<HashMap<String, Before>, Error> {
    let ids: Vec<&str> = records.iter().map(Placed::source_id).collect();
    let rows = sqlx::query!(
        r#"select source_id, content_hash, retracted_at is not null as "retracted!",
               array(select v.content_hash from ingest.record_version v where v.source = $1 and v.source_id = r.source_id) as "earlier!"
           from ingest.record r where source = $1 and source_id = any($2) and chunk_id <> $3"#,
        source,
        &ids as &[&str],
        chunk
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("comparing with earlier records"))?;
    let before = |content, retracted, earlier| Before { content, retracted, earlier };
    Ok(rows.into_iter().map(|row| (row.source_id, before(row.content_hash, row.retracted, row.earlier))).collect())
}

/// Keeps refused rows, sealed, as long as there is room for them; returns how much that was.
async fn keep(tx: &mut Tx, platform: &Platform, load: LoadId, refusals: &[Refusal], before: Kept) -> Result<Kept, Error> {
    let (mut lines, mut fields, mut reasons, mut reasons_en) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut others, mut rows) = (Vec::new(), Vec::new());
    let mut kept = Kept::default();
    for refusal in refusals {
        if before.rows + kept.rows >= KEPT_ROWS || before.bytes + kept.bytes >= KEPT_BYTES {
            break;
        }
        kept.rows += 1;
        kept.bytes += refusal.row.len() as u64;
        let Some((first, more)) = refusal.faults.split_first() else { continue };
        lines.push(i64::try_from(refusal.line).unwrap_or(i64::MAX));
        fields.push(first.field.as_str());
        reasons.push(first.reason.as_str());
        reasons_en.push(first.reason_en.as_str());
        others.push(serde_json::to_value(more).map_err(|_| Error::Stored { what: "faults of a row" })?);
        rows.push(platform.keyring.seal(Purpose::RefusedRow, &refusal.row).into_bytes());
    }
    if lines.is_empty() {
        return Ok(kept);
    }
    sqlx::query!(
        "insert into ingest.refused_row (load_id, line, field, reason, reason_en, others, row_sealed)
         select $1, * from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::bytea[])",
        load.uuid(),
        &lines,
        &fields as &[&str],
        &reasons as &[&str],
        &reasons_en as &[&str],
        &others,
        &rows
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("keeping refused rows"))?;
    Ok(kept)
}

/// Adds to the counts of a load.
async fn count(tx: &mut Tx, load: LoadId, counts: Counts) -> Result<(), Error> {
    let stored = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    sqlx::query!(
        "update ingest.load set accepted = accepted + $2, repeated = repeated + $3, refused = refused + $4, corrected = corrected + $5,
             retracted = retracted + $6 where load_id = $1",
        load.uuid(),
        stored(counts.accepted),
        stored(counts.repeated),
        stored(counts.refused),
        stored(counts.corrected),
        stored(counts.retracted)
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("counting a load"))?;
    Ok(())
}

/// Notes the chunk and tells rules of it.
pub(crate) async fn tell(tx: &mut Tx, load: LoadId, chunk: Uuid, records: u64) -> Result<(), Error> {
    let stored = i32::try_from(records).unwrap_or(i32::MAX);
    sqlx::query!("insert into ingest.chunk (chunk_id, load_id, records) values ($1, $2, $3)", chunk, load.uuid(), stored)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("noting a chunk"))?;
    let event = RecordsStored { load_id: chunk.to_string(), records: u32::try_from(records).unwrap_or(u32::MAX) };
    Ok(tx.publish(SCHEMA, &event).await?)
}
