//! How a database stands, for those who look after it. Nothing is made and nothing is changed.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};

use super::{DatabaseSettings, options};
use crate::compiled_once;
use crate::error::Error;

/// What a server says of itself and of our database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerStanding {
    /// Its version as PostgreSQL counts it: 150008 is 15.8.
    pub version: i32,
    /// The encoding of our database.
    pub encoding: String,
    /// Its clock.
    pub now: DateTime<Utc>,
    /// How large our database is, in bytes.
    pub bytes: i64,
}

/// How far the tables of a schema are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableStanding {
    /// As this binary wants them.
    UpToDate,
    /// There are none yet.
    Missing,
    /// So many steps of this binary were not taken yet.
    Behind(usize),
    /// A newer binary took steps that this one does not know.
    Ahead,
    /// A step was taken that is another one here, or was left half done.
    Damaged,
}

/// One connection to the server of the settings, without a pool that would try again.
///
/// # Errors
/// When there is none within `patience`.
#[compiled_once]
pub async fn connect(settings: &DatabaseSettings, patience: Duration) -> Result<PgConnection, Error> {
    let options = options(settings)?.application_name("fenghuo");
    let late = || sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, format!("no answer within {} s", patience.as_secs())));
    Ok(tokio::time::timeout(patience, options.connect()).await.map_err(|_| late())??)
}

/// Asks the server.
///
/// # Errors
/// When a statement fails.
#[compiled_once]
pub async fn of_server(connection: &mut PgConnection) -> Result<ServerStanding, Error> {
    let row = sqlx::query!(
        r#"select current_setting('server_version_num')::int as "version!", pg_encoding_to_char(encoding)::text as "encoding!",
                  clock_timestamp() as "now!", pg_database_size(oid) as "bytes!"
             from pg_database where datname = current_database()"#
    )
    .fetch_one(connection)
    .await?;
    Ok(ServerStanding { version: row.version, encoding: row.encoding, now: row.now, bytes: row.bytes })
}

/// Holds what was applied to schemas against what this binary would apply, in the order of `schemas`.
///
/// # Errors
/// When a statement fails.
#[compiled_once]
pub async fn of_tables(connection: &mut PgConnection, schemas: &[(&str, &Migrator)]) -> Result<Vec<TableStanding>, Error> {
    let names: Vec<String> = schemas.iter().map(|(schema, _)| (*schema).to_owned()).collect();
    let there = sqlx::query_scalar!(
        r#"select schemaname::text as "schema!" from pg_tables where tablename = '_sqlx_migrations' and schemaname = any($1::text[])"#,
        &names
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut applied: BTreeMap<String, Vec<Step>> = there.iter().map(|schema| (schema.clone(), Vec::new())).collect();
    if !there.is_empty() {
        // these names are ours: they were found among the schemas that were asked for
        let parts =
            there.iter().map(|schema| format!("select '{schema}' as schema, version, checksum, success from {schema}._sqlx_migrations"));
        let statement = parts.collect::<Vec<_>>().join(" union all ");
        for step in sqlx::query_as::<_, Step>(AssertSqlSafe(statement)).fetch_all(connection).await? {
            applied.entry(step.schema.clone()).or_default().push(step);
        }
    }
    Ok(schemas.iter().map(|(schema, migrator)| judge(applied.get(*schema).map(Vec::as_slice), migrator)).collect())
}

/// A row of `_sqlx_migrations`.
#[derive(sqlx::FromRow)]
struct Step {
    schema: String,
    version: i64,
    checksum: Vec<u8>,
    success: bool,
}

fn judge(applied: Option<&[Step]>, migrator: &Migrator) -> TableStanding {
    let Some(applied) = applied else { return TableStanding::Missing };
    let mut ahead = false;
    for step in applied {
        match migrator.iter().find(|known| known.version == step.version) {
            Some(known) if step.success && known.checksum[..] == step.checksum[..] => {}
            None if step.success => ahead = true,
            _ => return TableStanding::Damaged,
        }
    }
    let missing = migrator.iter().filter(|known| applied.iter().all(|step| step.version != known.version)).count();
    match (ahead, missing) {
        (true, _) => TableStanding::Ahead,
        (false, 0) => TableStanding::UpToDate,
        (false, missing) => TableStanding::Behind(missing),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    static MIGRATOR: Migrator = sqlx::migrate!("migrations/bus");

    fn applied() -> Vec<Step> {
        let step = |known: &sqlx::migrate::Migration| Step {
            schema: "bus".to_owned(),
            version: known.version,
            checksum: known.checksum.to_vec(),
            success: true,
        };
        MIGRATOR.iter().map(step).collect()
    }

    #[rstest]
    #[case::as_it_should_be(|_: &mut Vec<Step>| (), TableStanding::UpToDate)]
    #[case::before_the_last_step(|steps: &mut Vec<Step>| drop(steps.pop()), TableStanding::Behind(1))]
    #[case::before_any_step(|steps: &mut Vec<Step>| steps.clear(), TableStanding::Behind(MIGRATOR.iter().count()))]
    #[case::of_a_newer_binary(|steps: &mut Vec<Step>| steps.push(Step { version: 999_999, ..applied().remove(0) }), TableStanding::Ahead)]
    #[case::left_half_done(|steps: &mut Vec<Step>| steps[0].success = false, TableStanding::Damaged)]
    #[case::made_by_other_statements(|steps: &mut Vec<Step>| steps[0].checksum[0] ^= 1, TableStanding::Damaged)]
    fn what_was_applied_is_held_against_what_is_known(#[case] change: fn(&mut Vec<Step>), #[case] standing: TableStanding) {
        let mut steps = applied();
        change(&mut steps);
        assert_eq!(judge(Some(&steps), &MIGRATOR), standing);
    }

    #[test]
    fn tables_that_are_not_there_are_missing() {
        assert_eq!(judge(None, &MIGRATOR), TableStanding::Missing);
    }
}
