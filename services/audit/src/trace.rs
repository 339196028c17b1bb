//! The table of the trace: appended to by one writer at a time, read by auditors.

use chrono::{DateTime, Utc};
use platform::compiled_once;
use platform::database::{Connection, Database, readable};
use proto::AuditEntry;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Error;
use crate::chain::{Hash, Head};
use crate::losses::{self, Heard};
use crate::tree::{self, Frontier};

/// An entry of the trace. Its JSON text, fields in this order, is the body that the hash covers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditTraceEntry)]
pub struct Entry {
    /// Place in the chain, from 1, without gaps.
    pub sequence: i64,
    /// Id under which it was published.
    pub entry_id: Uuid,
    /// When it was done, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// staff, resident, source or system.
    pub actor_kind: String,
    /// Who.
    pub actor: String,
    /// In which role.
    pub role: String,
    /// What they did, such as `alert.approve`.
    pub action: String,
    /// To what kind of thing.
    pub object_kind: String,
    /// To which one.
    pub object: String,
    /// In which district, where it is of one.
    pub district: Option<u32>,
    /// What else belongs to it; never personal data.
    pub detail: Value,
    /// Which process of which service published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    /// The publisher's how-manieth it is, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
}

/// Entries that the tree is grown by in one transaction, where it is behind.
const GROWN_AT_ONCE: i64 = 1_000;

/// Appends an entry unless it is there already. Whether it was appended.
#[compiled_once]
pub async fn append(database: &Database, entry: AuditEntry) -> Result<bool, Error> {
    let heard = Heard::of(&entry);
    let entry = Entry::of(entry)?;
    loop {
        let mut tx = database.begin().await?;
        let Some(end) = lock(&mut tx, entry.entry_id).await? else {
            tx.rollback().await?;
            return Ok(false);
        };
        let head = end.head;
        let frontier = match end.is_behind() {
            false => end.frontier,
            // after an upgrade, until it has been built over what was there
            true => match grow(&mut tx, end).await {
                Ok(()) => {
                    tx.commit().await?;
                    continue;
                }
                // something that the tree has to stand on is gone: the chain goes on without it, and the job that signs rings
                Err(fault) if fault.is_of_the_tree() => None,
                Err(error) => return Err(error),
            },
        };
        write(&mut tx, head, frontier, &entry).await?;
        losses::note(&mut tx, &heard).await?;
        tx.commit().await?;
        metrics::counter!("audit_entries_total").increment(1);
        return Ok(true);
    }
}

impl Entry {
    fn of(entry: AuditEntry) -> Result<Self, Error> {
        let detail = if entry.detail_json.is_empty() { "{}" } else { entry.detail_json.as_str() };
        Ok(Self {
            sequence: 0,
            entry_id: entry.entry_id.parse().map_err(|_| Error::NotAnEntry { field: "entry_id" })?,
            at_ms: entry.at_ms,
            actor_kind: entry.actor_kind,
            actor: entry.actor,
            role: entry.role,
            action: entry.action,
            object_kind: entry.object_kind,
            object: entry.object,
            district: entry.district,
            detail: serde_json::from_str(detail).map_err(|_| Error::NotAnEntry { field: "detail_json" })?,
            publisher: Some(entry.publisher).filter(|publisher| !publisher.is_empty()),
            number: Some(entry.number).filter(|number| *number > 0),
        })
    }
}

/// The end of the trace, held by a transaction.
struct End {
    head: Head,
    /// None where what stands there is none.
    frontier: Option<Frontier>,
}

impl End {
    /// Whether there is a tree that does not cover the trace, or covers more than there is.
    fn is_behind(&self) -> bool {
        self.frontier.as_ref().is_some_and(|frontier| i64::try_from(frontier.size()) != Ok(self.head.sequence))
    }
}

/// Locks the end, so that there is one writer at a time; `None` where this entry is in the trace already.
async fn lock(tx: &mut Connection, entry_id: Uuid) -> Result<Option<End>, Error> {
    let row = sqlx::query!("select sequence, hash, tree_size, frontier from audit.head for update").fetch_one(&mut *tx).await?;
    let known = sqlx::query_scalar!(r#"select exists (select from audit.entry where entry_id = $1) as "known!""#, entry_id);
    if known.fetch_one(tx).await? {
        return Ok(None);
    }
    let head = Head { sequence: row.sequence, hash: stored_hash(&row.hash)? };
    Ok(Some(End { head, frontier: Frontier::from_bytes(row.tree_size.unsigned_abs(), &row.frontier) }))
}

/// Writes an entry behind the end, with what it adds to the tree, where there is a tree to add to, and the end after it.
async fn write(tx: &mut Connection, head: Head, frontier: Option<Frontier>, entry: &Entry) -> Result<(), Error> {
    let sequence = head.sequence + 1;
    let body = serde_json::to_string(&Entry { sequence, ..entry.clone() }).map_err(|source| Error::Stored { sequence, source })?;
    let head = head.then(&body);
    let Some(mut frontier) = frontier else {
        sqlx::query!(
            "with entry as (insert into audit.entry (sequence, entry_id, body, hash) values ($1, $2, $3, $4))
             update audit.head set sequence = $1, hash = $4",
            sequence,
            entry.entry_id,
            body,
            head.hash.bytes(),
        )
        .execute(tx)
        .await?;
        return Ok(());
    };
    let completed = in_a_row(&frontier.push(tree::leaf(&body)));
    // a row that stands there before its entry does is none of ours: it stops nothing, and the tree with it is not signed
    sqlx::query!(
        "with entry as (insert into audit.entry (sequence, entry_id, body, hash) values ($1, $2, $3, $4)),
              subtree as (insert into audit.subtree (sequence, hashes) values ($1, $5) on conflict (sequence) do nothing)
         update audit.head set sequence = $1, hash = $4, tree_size = $1, frontier = $6",
        sequence,
        entry.entry_id,
        body,
        head.hash.bytes(),
        completed,
        frontier.to_bytes(),
    )
    .execute(tx)
    .await?;
    Ok(())
}

fn in_a_row(completed: &[Hash]) -> Vec<u8> {
    completed.iter().flat_map(|hash| hash.bytes().iter().copied()).collect()
}

/// Grows the tree over some entries that it is behind.
async fn grow(tx: &mut Connection, end: End) -> Result<(), Error> {
    let mut frontier = end.frontier.ok_or(Error::TreeDamaged)?;
    let from = i64::try_from(frontier.size()).map_err(|_| Error::TreeDamaged)?;
    if from >= end.head.sequence {
        return Err(Error::TreeDamaged);
    }
    let until = end.head.sequence.min(from + GROWN_AT_ONCE);
    let bodies = sqlx::query_scalar!("select body from audit.entry where sequence > $1 and sequence <= $2 order by sequence", from, until)
        .fetch_all(&mut *tx)
        .await?;
    if i64::try_from(bodies.len()) != Ok(until - from) {
        return Err(Error::EntriesAreGone { after: from, until });
    }
    let (sequences, rows): (Vec<i64>, Vec<Vec<u8>>) =
        (from + 1..).zip(bodies.iter().map(|body| in_a_row(&frontier.push(tree::leaf(body))))).unzip();
    sqlx::query!(
        "with subtree as (insert into audit.subtree (sequence, hashes) select * from unnest($1::bigint[], $2::bytea[])
                         on conflict (sequence) do nothing)
         update audit.head set tree_size = $3, frontier = $4",
        &sequences,
        &rows,
        until,
        frontier.to_bytes(),
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Grows the tree over all that is there, and returns what makes it up.
#[compiled_once]
pub(crate) async fn grown(database: &Database) -> Result<Frontier, Error> {
    loop {
        let mut tx = database.begin().await?;
        let end = lock(&mut tx, Uuid::nil()).await?.ok_or(Error::TreeDamaged)?;
        if !end.is_behind() {
            tx.rollback().await?;
            return end.frontier.ok_or(Error::TreeDamaged);
        }
        grow(&mut tx, end).await?;
        tx.commit().await?;
    }
}

/// How many entries the tree does not cover: some while it is built after an upgrade, and where something that it stands on is gone.
#[compiled_once]
pub(crate) async fn outside_the_tree(database: &Database) -> Result<u64, Error> {
    let row = sqlx::query!("select sequence, tree_size, frontier from audit.head").fetch_one(database.pool()).await?;
    let covered = Frontier::from_bytes(row.tree_size.unsigned_abs(), &row.frontier).map_or(0, |_| row.tree_size);
    Ok((row.sequence - covered).unsigned_abs())
}

/// Which entries; what is not given does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// By this actor.
    pub actor: Option<String>,
    /// Of this action.
    pub action: Option<String>,
    /// On this kind of object.
    pub object_kind: Option<String>,
    /// On this object.
    pub object: Option<String>,
    /// In this district.
    pub district: Option<i32>,
    /// Done at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Done before this time.
    pub until: Option<DateTime<Utc>>,
}

/// Some entries, the newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Those that can be read.
    pub entries: Vec<Entry>,
    /// What to look before for the next page, if there may be one.
    pub next: Option<i64>,
}

/// The newest entries that fit (counts, of which each service tells one a minute, only where they are asked for), at most `limit`, all before `before`.
#[compiled_once]
pub async fn newest(database: &Database, filter: &Filter, before: Option<i64>, limit: i64) -> Result<Page, Error> {
    let rows = sqlx::query!(
        "select sequence, body from audit.entry
         where ($1::text is null or actor = $1) and (case when $2::text is null then action <> 'audit.count' else action = $2 end)
           and ($3::text is null or object_kind = $3) and ($4::text is null or object = $4)
           and ($5::integer is null or district = $5)
           and ($6::bigint is null or at_ms >= $6) and ($7::bigint is null or at_ms < $7)
           and ($8::bigint is null or sequence < $8)
         order by sequence desc limit $9",
        filter.actor,
        filter.action,
        filter.object_kind,
        filter.object,
        filter.district,
        filter.from.map(|from| from.timestamp_millis()),
        filter.until.map(|until| until.timestamp_millis()),
        before,
        limit,
    )
    .fetch_all(database.pool())
    .await?;
    let read = |sequence, body: String| serde_json::from_str(&body).map_err(|source| Error::Stored { sequence, source });
    let full = i64::try_from(rows.len()).is_ok_and(|found| found == limit);
    let next = rows.last().map(|row| row.sequence).filter(|_| full);
    Ok(Page { entries: readable("audit", rows.into_iter().map(|row| read(row.sequence, row.body))), next })
}

/// The end of the chain.
#[compiled_once]
pub async fn head(connection: &mut Connection) -> Result<Head, Error> {
    let row = sqlx::query!("select sequence, hash from audit.head").fetch_one(connection).await?;
    Ok(Head { sequence: row.sequence, hash: stored_hash(&row.hash)? })
}

/// Bodies and hashes of the entries after one and up to another, in order, at most `limit`: the raw material of a proof.
pub(crate) async fn links(database: &Database, after: i64, until: i64, limit: i64) -> Result<Vec<(i64, String, Hash)>, Error> {
    let rows = sqlx::query!(
        "select sequence, body, hash from audit.entry where sequence > $1 and sequence <= $2 order by sequence limit $3",
        after,
        until,
        limit,
    )
    .fetch_all(database.pool())
    .await?;
    rows.into_iter().map(|row| Ok((row.sequence, row.body, stored_hash(&row.hash)?))).collect()
}

fn stored_hash(bytes: &[u8]) -> Result<Hash, Error> {
    Hash::try_from(bytes).map_err(|_| Error::Malformed { field: "hash" })
}
