//! The database: whether it answers, is one that we can work with, has our tables, and keys that our master key opens.

use std::time::Duration;

use platform::Error;
use platform::bus;
use platform::crypto::{KeyStanding, Keyring};
use platform::database::standing::{self, TableStanding};
use platform::database::{Database, DatabaseMode};
use platform::tasks::chain;
use sqlx::PgConnection;

use super::clocks::Asked;
use super::finding::Finding;
use super::machine::size;
use crate::configuration::Configuration;
use crate::services;

const PATIENCE: Duration = Duration::from_secs(5);
/// The versions of PostgreSQL that the tests run on: from, to.
const SUPPORTED: (i32, i32) = (15, 18);

pub(super) async fn look(settings: &Configuration) -> Vec<Finding> {
    match settings.database.mode {
        DatabaseMode::Postgres => match standing::connect(&settings.database, PATIENCE).await {
            Ok(mut connection) => of_open(&mut connection, settings).await,
            Err(error) => vec![Finding::fail("database", chain(&error), remedy(&error))],
        },
        DatabaseMode::Embedded => of_embedded(settings).await,
    }
}

async fn of_embedded(settings: &Configuration) -> Vec<Finding> {
    let directory = settings.database.data_dir.display();
    if !settings.database.data_dir.exists() {
        return vec![Finding::ok("database", format!("embedded; the first start makes it in {directory}"))];
    }
    let opened = async {
        let database = Database::open(&settings.database).await?;
        let findings = of_open(database.pool().acquire().await?.driver(), settings).await;
        database.close().await?;
        Ok::<_, Error>(findings)
    };
    vec![match opened.await {
        Ok(findings) => return findings,
        Err(Error::Embedded(private_postgres::Error::InUse { process, .. })) => {
            Finding::ok("database", format!("embedded in {directory}, where process {process} looks after it"))
        }
        Err(error) => Finding::fail("database", chain(&error), format!("see the logs in {directory}")),
    }]
}

async fn of_open(connection: &mut PgConnection, settings: &Configuration) -> Vec<Finding> {
    let failed = |check, error: &Error| Finding::fail(check, chain(error), "see the database's log");
    let mut findings = Vec::new();
    let asked = Asked::now();
    match standing::of_server(connection).await {
        Ok(server) => {
            let clock = asked.finding("database clock", server.now);
            findings.extend([of_version(server.version, &server.encoding, server.bytes), clock]);
        }
        Err(error) => findings.push(failed("database", &error)),
    }
    match standing::of_tables(connection, &services::schemas()).await {
        Ok(tables) => {
            findings.push(of_tables(&tables));
            if tables.first().is_some_and(|keys| *keys != TableStanding::Missing) {
                findings.push(of_keys(Keyring::standing(&settings.keys, connection).await));
            }
            if tables.iter().all(|standing| *standing == TableStanding::UpToDate) {
                findings.push(of_dead_letters(bus::dead_letters_in(connection).await));
            }
        }
        Err(error) => findings.push(failed("tables", &error)),
    }
    findings
}

fn of_version(version: i32, encoding: &str, bytes: i64) -> Finding {
    let (major, minor) = (version / 10_000, version % 10_000);
    let what = format!("PostgreSQL {major}.{minor}, {encoding}, {}", size(bytes.unsigned_abs()));
    if major < SUPPORTED.0 {
        return Finding::fail("database", what, format!("use PostgreSQL {} to {}", SUPPORTED.0, SUPPORTED.1));
    }
    if encoding != "UTF8" {
        return Finding::fail("database", what, "make the database anew: createdb --encoding=UTF8 --template=template0");
    }
    if major > SUPPORTED.1 {
        return Finding::warn(
            "database",
            what,
            format!("it is newer than what the tests run on: use PostgreSQL {} to {}", SUPPORTED.0, SUPPORTED.1),
        );
    }
    Finding::ok("database", what)
}

fn of_tables(tables: &[TableStanding]) -> Finding {
    let named = |wanted: fn(&TableStanding) -> bool| {
        let schemas = services::schemas();
        schemas.iter().zip(tables).filter(|(_, standing)| wanted(standing)).map(|((schema, _), _)| *schema).collect::<Vec<_>>().join(", ")
    };
    let damaged = named(|standing| *standing == TableStanding::Damaged);
    let ahead = named(|standing| *standing == TableStanding::Ahead);
    let behind = named(|standing| matches!(standing, TableStanding::Behind(_) | TableStanding::Missing));
    if !damaged.is_empty() {
        return Finding::fail(
            "tables",
            format!("changed by other statements than this version's: {damaged}"),
            "restore them from a backup",
        );
    }
    if !ahead.is_empty() {
        return Finding::fail("tables", format!("of a newer version: {ahead}"), "run that version of fenghuo");
    }
    if !behind.is_empty() {
        return Finding::fail("tables", format!("not up to date: {behind}"), "run `fenghuo migrate`");
    }
    Finding::ok("tables", format!("{} schemas up to date", tables.len()))
}

fn of_keys(standing: Result<KeyStanding, Error>) -> Finding {
    match standing {
        Ok(KeyStanding::Opened) => Finding::ok("sealed keys", "the master key opens them"),
        Ok(KeyStanding::NoneYet) => Finding::ok("sealed keys", "none yet; the first start makes them"),
        Err(error) => Finding::fail("sealed keys", chain(&error), "give the master key that this database was first used with"),
    }
}

fn of_dead_letters(dead: Result<u64, Error>) -> Finding {
    match dead {
        Ok(0) => Finding::ok("dead letters", "none"),
        Ok(dead) => Finding::warn(
            "dead letters",
            format!("{dead} messages that nobody understood"),
            "read why at the console, under 死信 (Dead letters), mend it, and have them delivered again there",
        ),
        Err(error) => Finding::fail("dead letters", chain(&error), "see the database's log"),
    }
}

fn remedy(error: &Error) -> &'static str {
    let Error::Database(error) = error else { return "set database.url" };
    match error.as_database_error().and_then(|error| error.code()).as_deref() {
        Some("28P01" | "28000") => "give user and password in database.url as the server has them, and let the user in (pg_hba.conf)",
        Some("3D000") => "make the database (createdb), or name another in database.url",
        Some("53300") => "let the server take more connections (max_connections)",
        Some("57P03") => "wait until the server has started",
        Some(_) => "see the database's log",
        None => "start PostgreSQL, or set database.url to where it is",
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(150_008, "UTF8", "ok    database         PostgreSQL 15.8, UTF8, 2.00 MB")]
    #[case(180_004, "UTF8", "ok    database         PostgreSQL 18.4")]
    #[case(140_011, "UTF8", "fail  database         PostgreSQL 14.11")]
    #[case(190_000, "UTF8", "warn  database         PostgreSQL 19.0")]
    #[case(170_002, "SQL_ASCII", "fail  database         PostgreSQL 17.2, SQL_ASCII")]
    fn the_version_is_one_that_is_tested_and_holds_every_text(#[case] version: i32, #[case] encoding: &str, #[case] line: &str) {
        assert!(of_version(version, encoding, 2_000_000).to_string().starts_with(line));
    }

    #[test]
    fn the_worst_of_the_tables_is_told_with_its_schemas() {
        let mut tables = vec![TableStanding::UpToDate; services::schemas().len()];
        assert!(of_tables(&tables).to_string().starts_with("ok "));
        tables[3] = TableStanding::Behind(1);
        let found = of_tables(&tables).to_string();
        assert!(found.contains("not up to date: identity →") && found.ends_with("run `fenghuo migrate`"), "{found}");
        tables[1] = TableStanding::Ahead;
        assert!(of_tables(&tables).to_string().contains("of a newer version: bus →"));
        tables[0] = TableStanding::Damaged;
        assert!(of_tables(&tables).to_string().contains("this version's: keys →"));
    }
}
