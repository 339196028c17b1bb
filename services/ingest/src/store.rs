//! Stores a checked chunk in one transaction: its records, its refused rows, the counts of its load and the event that tells
//! rules of it.
//!
//! A person may register while a record about them is being stored. The chunk therefore holds a shared lock from before it
//! looks for its people until it is committed, and a registration is matched under the exclusive one ([`crate::registrations`]):
//! one of the two always sees the other.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use chrono::{DateTime, Utc};
use domain::area::{CommunityCode, DistrictCode, TownshipCode};
use domain::ids::LoadId;
use domain::risk_record::Subject;
use platform::Platform;
use platform::crypto::Purpose;
use platform::database::Tx;
use platform::http::FieldFault;
use proto::RecordsStored;
use uuid::Uuid;

use crate::check::{Candidate, Chunk};
use crate::framing::Refusal;
use crate::sender::Sender;
use crate::subjects::{Home, Known};
use crate::{Error, SCHEMA, reason};

/// The advisory lock between chunks and registrations.
pub(crate) const MATCHING_LOCK: i64 = 0x6665_6e67_6875_6f01;

/// Refused rows that a load keeps; more are counted only.
const KEPT_ROWS: u64 = 100_000;
/// Bytes of refused rows that a load keeps.
const KEPT_BYTES: u64 = 256 << 20;

/// How much of a load's refused rows is kept already.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Kept {
    rows: u64,
    bytes: u64,
}

/// What became of a chunk.
#[derive(Debug)]
pub(crate) struct Stored {
    pub accepted: u64,
    pub repeated: u64,
    pub refusals: Vec<Refusal>,
    pub kept: Kept,
}

/// A candidate with its person and its place.
struct Placed {
    candidate: Candidate,
    district: DistrictCode,
    township: Option<TownshipCode>,
    community: Option<CommunityCode>,
    home: Option<Home>,
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
    let Chunk { block, candidates, mut refusals } = chunk;
    let chunk_id = Uuid::now_v7();
    let mut tx = platform.database.begin().await?;
    sqlx::query!("select pg_advisory_xact_lock_shared($1)", MATCHING_LOCK)
        .execute(&mut *tx)
        .await
        .map_err(Error::database("holding registrations back"))?;
    let known = Known::among(&mut tx, &candidates).await?;

    let mut refuse = |candidate: &Candidate, fault: FieldFault| {
        refusals.push(Refusal::of(candidate.row.line, fault, block.row(candidate.row).to_vec()));
    };
    let mut placed = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        match place(&candidate, sender, known.home(&candidate.record.subject)) {
            Ok((district, township, community, home)) => placed.push(Placed { candidate, district, township, community, home }),
            Err(fault) => refuse(&candidate, fault),
        }
    }
    let (mut records, mut repeated) = once(placed, &mut refuse);
    // two loads that store the same ids take them in one order and never wait for each other in a circle
    records.sort_unstable_by(|one, other| one.candidate.record.source_id.cmp(&other.candidate.record.source_id));

    let mut accepted = insert(&mut tx, sender.source(), chunk_id, &records, now).await?;
    if accepted < records.len() as u64 {
        let before = known_before(&mut tx, sender.source(), chunk_id, &records).await?;
        for record in &records {
            match before.get(&record.candidate.record.source_id) {
                Some(hash) if *hash == record.candidate.content_hash => repeated += 1,
                Some(_) => refuse(&record.candidate, reason::other_content()),
                None => {}
            }
        }
        accepted = (records.len() - before.len()) as u64;
    }

    let refused = refusals.len() as u64;
    let kept = keep(&mut tx, platform, load, &refusals, kept).await?;
    count(&mut tx, load, accepted, repeated, refused).await?;
    if accepted > 0 {
        tell(&mut tx, load, chunk_id, accepted).await?;
    }
    tx.commit().await?;
    for (outcome, number) in [("accepted", accepted), ("repeated", repeated), ("refused", refused)] {
        metrics::counter!("ingest_records_total", "outcome" => outcome).increment(number);
    }
    Ok(Stored { accepted, repeated, refusals, kept })
}

/// Where a record belongs: as it says, else where its person lives.
#[expect(clippy::type_complexity, reason = "the parts of a placed record, before it is known whether there will be one")]
fn place(
    candidate: &Candidate,
    sender: &Sender,
    home: Option<Home>,
) -> Result<(DistrictCode, Option<TownshipCode>, Option<CommunityCode>, Option<Home>), FieldFault> {
    if home.is_none() && matches!(candidate.record.subject, Subject::Resident(_)) {
        return Err(reason::resident_no());
    }
    let township = candidate.township.or(home.map(|home| home.township));
    let community = candidate.community.or(home.filter(|home| Some(home.township) == township).map(|home| home.community));
    let district = match candidate.district {
        Some(district) => district,
        None => {
            let district = home.map(|home| home.district).ok_or_else(reason::district_unknown)?;
            sender.may_deliver(candidate.record.kind, district, community)?;
            district
        }
    };
    Ok((district, township, community, home))
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

/// Inserts the records that are new; returns how many were.
async fn insert(tx: &mut Tx, source: &str, chunk: Uuid, records: &[Placed], now: DateTime<Utc>) -> Result<u64, Error> {
    if records.is_empty() {
        return Ok(0);
    }
    let of = |record: &Placed| -> (&'static str, Option<Vec<u8>>) {
        let hash = |hash: &domain::risk_record::SubjectHash| record.home.is_none().then(|| hash.bytes().to_vec());
        match &record.candidate.record.subject {
            Subject::Resident(_) => ("resident", None),
            Subject::PhoneHash(phone) => ("phone", hash(phone)),
            Subject::IdentityHash(identity) => ("identity", hash(identity)),
            Subject::Place(_) => ("place", None),
        }
    };
    let ids: Vec<&str> = records.iter().map(|record| record.candidate.record.source_id.as_str()).collect();
    let hashes: Vec<&[u8]> = records.iter().map(|record| &record.candidate.content_hash[..]).collect();
    let kinds: Vec<&str> = records.iter().map(|record| record.candidate.record.kind.into()).collect();
    let origins: Vec<&str> = records.iter().map(|record| record.candidate.record.origin.into()).collect();
    let levels: Vec<&str> = records.iter().map(|record| record.candidate.record.level.into()).collect();
    // six and nine digits fit an int, twelve a bigint
    let districts: Vec<i32> = records.iter().map(|record| record.district.get() as i32).collect();
    let townships: Vec<Option<i32>> = records.iter().map(|record| record.township.map(|code| code.get() as i32)).collect();
    let communities: Vec<Option<i64>> = records.iter().map(|record| record.community.map(|code| code.get() as i64)).collect();
    let times: Vec<DateTime<Utc>> = records.iter().map(|record| record.candidate.record.occurred_at).collect();
    let residents: Vec<Option<i32>> = records.iter().map(|record| record.home.map(|home| home.resident_no)).collect();
    let (subject_kinds, subject_hashes): (Vec<&str>, Vec<Option<Vec<u8>>>) = records.iter().map(of).unzip();
    let attributes: Vec<String> = records
        .iter()
        .map(|record| serde_json::to_string(&record.candidate.record.attributes))
        .collect::<Result<_, _>>()
        .map_err(|_| Error::Stored { what: "attributes" })?;
    let inserted = sqlx::query!(
        "insert into ingest.record (source, source_id, chunk_id, content_hash, kind, origin, level, district, township, community,
             occurred_at, received_at, resident_no, subject_hash, subject_kind, attributes)
         select $1, new.source_id, $2, new.content_hash, new.kind, new.origin, new.level, new.district, new.township, new.community,
             new.occurred_at, $3, new.resident_no, new.subject_hash, new.subject_kind, new.attributes::jsonb
         from unnest($4::text[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::int[], $10::int[], $11::bigint[], $12::timestamptz[],
                     $13::int[], $14::bytea[], $15::text[], $16::text[])
              as new (source_id, content_hash, kind, origin, level, district, township, community, occurred_at,
                      resident_no, subject_hash, subject_kind, attributes)
         on conflict (source, source_id) do nothing",
        source,
        chunk,
        now,
        &ids as &[&str],
        &hashes as &[&[u8]],
        &kinds as &[&str],
        &origins as &[&str],
        &levels as &[&str],
        &districts,
        &townships as &[Option<i32>],
        &communities as &[Option<i64>],
        &times,
        &residents as &[Option<i32>],
        &subject_hashes as &[Option<Vec<u8>>],
        &subject_kinds as &[&str],
        &attributes
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("storing records"))?;
    Ok(inserted.rows_affected())
}

/// Those of the records that were there before, with the hash of their content.
async fn known_before(tx: &mut Tx, source: &str, chunk: Uuid, records: &[Placed]) -> Result<HashMap<String, [u8; 32]>, Error> {
    let ids: Vec<&str> = records.iter().map(|record| record.candidate.record.source_id.as_str()).collect();
    let rows = sqlx::query!(
        "select source_id, content_hash from ingest.record where source = $1 and source_id = any($2) and chunk_id <> $3",
        source,
        &ids as &[&str],
        chunk
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("comparing with earlier records"))?;
    rows.into_iter()
        .map(|row| Ok((row.source_id, row.content_hash.try_into().map_err(|_| Error::Stored { what: "content hash" })?)))
        .collect()
}

/// Keeps refused rows, sealed, as long as there is room for them.
async fn keep(tx: &mut Tx, platform: &Platform, load: LoadId, refusals: &[Refusal], mut kept: Kept) -> Result<Kept, Error> {
    let (mut lines, mut fields, mut reasons, mut reasons_en) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut others, mut rows) = (Vec::new(), Vec::new());
    for refusal in refusals {
        if kept.rows >= KEPT_ROWS || kept.bytes >= KEPT_BYTES {
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
async fn count(tx: &mut Tx, load: LoadId, accepted: u64, repeated: u64, refused: u64) -> Result<(), Error> {
    let stored = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    sqlx::query!(
        "update ingest.load set accepted = accepted + $2, repeated = repeated + $3, refused = refused + $4 where load_id = $1",
        load.uuid(),
        stored(accepted),
        stored(repeated),
        stored(refused)
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
