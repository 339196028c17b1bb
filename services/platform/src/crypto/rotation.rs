//! The exchange of keys while everything runs: a new data key, what is sealed with an older one sealed anew, and the end of the older one; another
//! master key.
//!
//! 1. [`add`] makes a key. It opens at once and seals [`KNOWN_AFTER`] later: by then every process has looked for it.
//! 2. [`reseal`] goes through a column, some thousand rows in a transaction, and passes over rows that somebody holds just then. It may be broken off and
//!    begun again at any time: what is done is passed over as well.
//! 3. [`retire`] ends the older keys when nothing is sealed with them. A dump from before holds its own keys, under the master key of its time.
//!
//! The master key is exchanged by [`wrap_anew`], which keeps each key under both, and [`drop_old_wrapping`], once every process has the new one.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

use super::cipher::random_key;
use super::master_key::MasterKey;
use super::{KeySettings, Keyring, LOOKED_FOR_EVERY, Purpose, Sealed, wrapped};
use crate::database::{Database, Tx};
use crate::error::Error;

/// How long a new key is there before anything is sealed with it: so many looks of the slowest process.
pub const KNOWN_AFTER: Duration = Duration::from_secs(LOOKED_FOR_EVERY.as_secs() * 4);
/// Pages of a table that are gone through in one transaction.
const PAGES: i64 = 64;

/// A column of sealed values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The table, with its schema.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// What its values are for.
    pub purpose: Purpose,
}

/// A key as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Its number.
    pub id: i16,
    /// `data` or `hash`.
    pub usage: String,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// From when on it seals.
    pub seals_from: DateTime<Utc>,
    /// When it ended, if it did.
    pub retired_at: Option<DateTime<Utc>>,
    /// Whether it is wrapped under two master keys.
    pub wrapped_anew: bool,
}

/// How far the sealing of a column is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Pages of the table gone through, of so many.
    pub pages: i64,
    /// How many there are.
    pub of: i64,
    /// Values sealed anew.
    pub sealed: u64,
    /// Values that could not be opened: they stay as they are.
    pub damaged: u64,
}

/// All keys, the oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn keys(database: &Database) -> Result<Vec<KeyRow>, Error> {
    Ok(sqlx::query_as!(
        KeyRow,
        r#"select id, use as usage, created_at as made_at, seals_from, retired_at, wrapped_anew is not null as "wrapped_anew!"
             from keys.wrapped_key order by id"#
    )
    .fetch_all(database.pool())
    .await?)
}

/// Makes a data key that seals a little later, unless one waits to do so already. When the newest seals.
///
/// # Errors
/// When the master key is not that of this database, or the database fails.
pub async fn add(settings: &KeySettings, database: &Database) -> Result<DateTime<Utc>, Error> {
    let master = MasterKey::load(&KeySettings { create: false, ..settings.clone() })?;
    let mut tx = database.begin().await?;
    alone(&mut tx).await?;
    let rows = wrapped(tx.driver()).await?;
    if rows.iter().any(|row| row.wrapped_anew.is_some()) {
        return Err(Error::MasterKey {
            reason: "it is being exchanged, and some processes would not open a new key: end that first".to_owned(),
        });
    }
    // whoever does not open what is there adds nothing that others could not open
    super::Keys::unwrap(&master, rows)?;
    let newest = sqlx::query!(
        r#"select max(id) as "id!", max(seals_from) as "seals_from!", max(seals_from) > clock_timestamp() as "waits!" from keys.wrapped_key"#
    )
    .fetch_one(&mut *tx)
    .await?;
    if newest.waits {
        return Ok(newest.seals_from);
    }
    let id = newest.id.checked_add(1).ok_or_else(|| Error::MasterKey { reason: "there are no more numbers for keys".to_owned() })?;
    let seals_from = sqlx::query_scalar!(
        "insert into keys.wrapped_key (id, use, wrapped, seals_from) values ($1, 'data', $2, clock_timestamp() + make_interval(secs => $3))
         returning seals_from",
        id,
        master.wrap("data", id, &random_key()),
        KNOWN_AFTER.as_secs_f64(),
    )
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(seals_from)
}

/// How many values of a column are sealed with another key than the one that seals now.
///
/// # Errors
/// When the database fails.
pub async fn left(database: &Database, keyring: &Keyring, place: Place) -> Result<u64, Error> {
    let Place { table, column, .. } = place;
    let statement = format!("select count(*) from {table} where substr({column}, 2, 2) <> $1");
    let left: i64 = sqlx::query_scalar(AssertSqlSafe(statement)).bind(mark(keyring)).fetch_one(database.pool()).await?;
    Ok(left.unsigned_abs())
}

/// Seals everything in a column with the key that seals now, telling how far it is after every transaction.
///
/// # Errors
/// When the database fails. What was done until then stays done.
pub async fn reseal(database: &Database, keyring: &Keyring, place: Place, mut told: impl FnMut(Progress)) -> Result<Progress, Error> {
    let mut progress = Progress::default();
    for relation in relations(database, place.table).await? {
        let mut page = 0;
        loop {
            // the table grows by what is sealed anew in it
            let pages = pages(database, &relation).await?;
            if page >= pages {
                break;
            }
            let (sealed, damaged) = reseal_pages(database, keyring, place, &relation, page).await?;
            page += PAGES;
            progress =
                Progress { pages: page.min(pages), of: pages, sealed: progress.sealed + sealed, damaged: progress.damaged + damaged };
            told(progress);
        }
    }
    Ok(progress)
}

/// The table itself, or the partitions that hold its rows.
async fn relations(database: &Database, table: &str) -> Result<Vec<String>, Error> {
    Ok(sqlx::query_scalar!(
        r#"select format('%I.%I', n.nspname, c.relname) as "relation!"
             from pg_partition_tree(to_regclass($1)) t join pg_class c on c.oid = t.relid join pg_namespace n on n.oid = c.relnamespace
            where t.isleaf
           union all
           select $1 where not exists (select from pg_partition_tree(to_regclass($1)))"#,
        table
    )
    .fetch_all(database.pool())
    .await?)
}

async fn pages(database: &Database, relation: &str) -> Result<i64, Error> {
    Ok(sqlx::query_scalar!(r#"select pg_relation_size(to_regclass($1)) / current_setting('block_size')::bigint as "pages!""#, relation)
        .fetch_one(database.pool())
        .await?)
}

/// How many values were sealed anew, and how many nobody can open.
async fn reseal_pages(database: &Database, keyring: &Keyring, place: Place, relation: &str, page: i64) -> Result<(u64, u64), Error> {
    let column = place.column;
    let range = format!("ctid >= '({page},0)'::tid and ctid < '({},0)'::tid", page + PAGES);
    let mut tx = database.begin().await?;
    let older =
        format!("select ctid::text, {column} from {relation} where {range} and substr({column}, 2, 2) <> $1 for no key update skip locked");
    let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(AssertSqlSafe(older)).bind(mark(keyring)).fetch_all(&mut *tx).await?;
    let (mut at, mut anew, mut damaged) = (Vec::new(), Vec::new(), 0);
    for (ctid, bytes) in rows {
        match Sealed::from_bytes(bytes).and_then(|sealed| keyring.open(place.purpose, &sealed)) {
            Ok(plain) => {
                at.push(ctid);
                anew.push(keyring.seal(place.purpose, &plain).into_bytes());
            }
            Err(_) => damaged += 1,
        }
    }
    if !at.is_empty() {
        let write = format!(
            "update {relation} set {column} = n.sealed from unnest($1::text[], $2::bytea[]) as n (at, sealed) where ctid = n.at::tid and {range}"
        );
        sqlx::query(AssertSqlSafe(write)).bind(&at).bind(&anew).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok((at.len() as u64, damaged))
}

/// What stands in a sealed value that was sealed with the key that seals now: its number.
fn mark(keyring: &Keyring) -> Vec<u8> {
    keyring.sealing().to_be_bytes().to_vec()
}

/// Ends every data key that is older than the one that seals now, if that one has done so since `before`. How many ended. The caller has seen that nothing is
/// sealed with them.
///
/// # Errors
/// When the database fails.
pub async fn retire(database: &Database, keyring: &Keyring, before: DateTime<Utc>) -> Result<u64, Error> {
    let mut tx = database.begin().await?;
    alone(&mut tx).await?;
    let retired = sqlx::query!(
        "update keys.wrapped_key set wrapped = '', wrapped_anew = null, retired_at = clock_timestamp()
          where use = 'data' and retired_at is null and id < $1
            and exists (select from keys.wrapped_key s where s.id = $1 and s.seals_from <= $2)",
        i16::try_from(keyring.sealing()).unwrap_or(i16::MAX),
        before,
    )
    .execute(&mut *tx)
    .await?
    .rows_affected();
    tx.commit().await?;
    Ok(retired)
}

/// Keeps every key under the master key of `new` as well, so that processes with either start. How many.
///
/// # Errors
/// When one of the two master keys cannot be read, or `old` does not open what is there.
pub async fn wrap_anew(old: &KeySettings, new: &KeySettings, database: &Database) -> Result<usize, Error> {
    let old = MasterKey::load(&KeySettings { create: false, ..old.clone() })?;
    let new = MasterKey::load(&KeySettings { create: false, ..new.clone() })?;
    let mut tx = database.begin().await?;
    alone(&mut tx).await?;
    let (mut ids, mut anew) = (Vec::new(), Vec::new());
    for row in wrapped(tx.driver()).await? {
        let key = old.unwrap(&row.usage, row.id, &row.wrapped)?;
        ids.push(row.id);
        anew.push(new.wrap(&row.usage, row.id, &key));
    }
    sqlx::query!(
        "update keys.wrapped_key k set wrapped_anew = n.wrapped from unnest($1::smallint[], $2::bytea[]) as n (id, wrapped) where k.id = n.id",
        &ids,
        &anew,
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(ids.len())
}

/// Ends the wrapping under the former master key. `now` is the one that every process has by now.
///
/// # Errors
/// When it does not open what was wrapped anew: nothing is dropped then.
pub async fn drop_old_wrapping(now: &KeySettings, database: &Database) -> Result<usize, Error> {
    let master = MasterKey::load(&KeySettings { create: false, ..now.clone() })?;
    let mut tx = database.begin().await?;
    alone(&mut tx).await?;
    let rows = wrapped(tx.driver()).await?;
    for row in &rows {
        match &row.wrapped_anew {
            Some(anew) => master.unwrap(&row.usage, row.id, anew)?,
            // made with the new one since
            None => master.unwrap(&row.usage, row.id, &row.wrapped)?,
        };
    }
    sqlx::query!("update keys.wrapped_key set wrapped = wrapped_anew, wrapped_anew = null where wrapped_anew is not null")
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(rows.len())
}

/// One operator at a time.
async fn alone(tx: &mut Tx) -> Result<(), Error> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('keys.rotation', 0))").execute(&mut **tx).await?;
    Ok(())
}
