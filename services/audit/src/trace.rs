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
}

/// Appends an entry unless it is there already. Whether it was appended.
#[compiled_once]
pub async fn append(database: &Database, entry: AuditEntry) -> Result<bool, Error> {
    let entry_id: Uuid = entry.entry_id.parse().map_err(|_| Error::Malformed { field: "entry_id" })?;
    let detail = if entry.detail_json.is_empty() { "{}" } else { entry.detail_json.as_str() };
    let detail = serde_json::from_str(detail).map_err(|_| Error::Malformed { field: "detail_json" })?;
    let mut tx = database.begin().await?;
    let head = sqlx::query!("select sequence, hash from audit.head for update").fetch_one(&mut *tx).await?;
    let known = sqlx::query_scalar!("select sequence from audit.entry where entry_id = $1", entry_id).fetch_optional(&mut *tx).await?;
    if known.is_some() {
        tx.rollback().await?;
        return Ok(false);
    }
    let head = Head { sequence: head.sequence, hash: stored_hash(&head.hash)? };
    let entry = Entry {
        sequence: head.sequence + 1,
        entry_id,
        at_ms: entry.at_ms,
        actor_kind: entry.actor_kind,
        actor: entry.actor,
        role: entry.role,
        action: entry.action,
        object_kind: entry.object_kind,
        object: entry.object,
        district: entry.district,
        detail,
    };
    let body = serde_json::to_string(&entry).map_err(|source| Error::Stored { sequence: entry.sequence, source })?;
    let head = head.then(&body);
    sqlx::query!(
        "insert into audit.entry (sequence, entry_id, body, hash) values ($1, $2, $3, $4)",
        head.sequence,
        entry_id,
        body,
        head.hash.bytes(),
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("update audit.head set sequence = $1, hash = $2", head.sequence, head.hash.bytes()).execute(&mut *tx).await?;
    tx.commit().await?;
    metrics::counter!("audit_entries_total").increment(1);
    Ok(true)
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

/// The newest entries that fit, at most `limit`, all before `before`.
#[compiled_once]
pub async fn newest(database: &Database, filter: &Filter, before: Option<i64>, limit: i64) -> Result<Page, Error> {
    let rows = sqlx::query!(
        "select sequence, body from audit.entry
         where ($1::text is null or actor = $1) and ($2::text is null or action = $2)
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
