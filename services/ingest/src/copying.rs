//! New records by COPY in its binary form: half the work of an INSERT that has to ask for each row whether it is there.
//!
//! COPY knows no `on conflict`. So it is asked first whether any of the ids is there, and where another load puts one there meanwhile the
//! rows are taken back up to a savepoint, and go the slower way.

use chrono::{DateTime, Utc};
use platform::database::Tx;
use uuid::Uuid;

use crate::Error;
use crate::placed::Columns;

/// The columns in the order in which [`rows`] writes them.
const COPY: &str = "copy ingest.record (source, source_id, chunk_id, content_hash, kind, origin, level, district, township, community,
    occurred_at, received_at, resident_no, subject_hash, subject_kind, attributes) from stdin (format binary)";
const FIELDS: i16 = 16;
/// The signature, no flags, no extension (PostgreSQL, COPY, binary format).
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const END: [u8; 2] = (-1_i16).to_be_bytes();
/// PostgreSQL counts microseconds from 2000.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
/// What the binary form of jsonb begins with.
const JSONB_VERSION: u8 = 1;
const UNIQUE_VIOLATION: &str = "23505";

/// Stores records if none of them is there yet; says whether it did.
pub(crate) async fn copy(tx: &mut Tx, source: &str, chunk: Uuid, columns: &Columns<'_>, now: DateTime<Utc>) -> Result<bool, Error> {
    let any_known = sqlx::query_scalar!(
        r#"select exists(select from ingest.record where source = $1 and source_id = any($2)) as "known!""#,
        source,
        &columns.ids as &[&str]
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(Error::database("asking which records are known"))?;
    if any_known {
        return Ok(false);
    }
    run(tx, "savepoint before_copy").await?;
    match send(tx, rows(source, chunk, columns, now)).await {
        Ok(()) => {
            run(tx, "release savepoint before_copy").await?;
            Ok(true)
        }
        Err(error) if error.as_database_error().is_some_and(|error| error.code().as_deref() == Some(UNIQUE_VIOLATION)) => {
            run(tx, "rollback to savepoint before_copy").await?;
            Ok(false)
        }
        Err(error) => Err(Error::database("storing records by COPY")(error)),
    }
}

async fn run(tx: &mut Tx, statement: &'static str) -> Result<(), Error> {
    sqlx::raw_sql(statement).execute(&mut **tx).await.map_err(Error::database("setting a savepoint"))?;
    Ok(())
}

async fn send(tx: &mut Tx, rows: Vec<u8>) -> Result<(), sqlx::Error> {
    let mut copying = tx.driver().copy_in_raw(COPY).await?;
    copying.send(rows).await?;
    copying.finish().await?;
    Ok(())
}

fn rows(source: &str, chunk: Uuid, columns: &Columns<'_>, now: DateTime<Utc>) -> Vec<u8> {
    const ABOUT: usize = 320;
    let mut rows = Rows(Vec::with_capacity(HEADER.len() + columns.ids.len() * ABOUT));
    rows.0.extend_from_slice(HEADER);
    for (at, id) in columns.ids.iter().enumerate() {
        rows.0.extend_from_slice(&FIELDS.to_be_bytes());
        rows.field(source.as_bytes());
        rows.field(id.as_bytes());
        rows.field(chunk.as_bytes());
        rows.field(columns.content_hashes[at]);
        rows.field(columns.kinds[at].as_bytes());
        rows.field(columns.origins[at].as_bytes());
        rows.field(columns.levels[at].as_bytes());
        rows.field(&columns.districts[at].to_be_bytes());
        rows.perhaps(columns.townships[at].map(i32::to_be_bytes));
        rows.perhaps(columns.communities[at].map(i64::to_be_bytes));
        rows.field(&since_2000(columns.times[at]).to_be_bytes());
        rows.field(&since_2000(now).to_be_bytes());
        rows.perhaps(columns.residents[at].map(i32::to_be_bytes));
        rows.perhaps(columns.subject_hashes[at].as_ref());
        rows.field(columns.subject_kinds[at].as_bytes());
        rows.jsonb(&columns.attributes[at]);
    }
    rows.0.extend_from_slice(&END);
    rows.0
}

fn since_2000(time: DateTime<Utc>) -> i64 {
    time.timestamp_micros() - EPOCH_MICROS
}

struct Rows(Vec<u8>);

impl Rows {
    /// No value is longer than a row may be, which is far less than the format allows.
    fn length(&mut self, bytes: usize) {
        self.0.extend_from_slice(&i32::try_from(bytes).unwrap_or(i32::MAX).to_be_bytes());
    }

    fn field(&mut self, value: &[u8]) {
        self.length(value.len());
        self.0.extend_from_slice(value);
    }

    fn perhaps(&mut self, value: Option<impl AsRef<[u8]>>) {
        match value {
            Some(value) => self.field(value.as_ref()),
            None => self.0.extend_from_slice(&(-1_i32).to_be_bytes()),
        }
    }

    fn jsonb(&mut self, text: &str) {
        self.length(text.len() + 1);
        self.0.push(JSONB_VERSION);
        self.0.extend_from_slice(text.as_bytes());
    }
}
