//! What the database promises.

use platform::{Error, Platform};
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

fn migrator(statements: &[&'static str]) -> Migrator {
    let migrations = statements
        .iter()
        .zip(1..)
        .map(|(statement, version)| Migration::new(version, "a step".into(), MigrationType::Simple, (*statement).into_sql_str(), false));
    Migrator::with_migrations(migrations.collect())
}

async fn count(platform: &Platform, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(platform.database.pool()).await.expect("a number")
}

pub async fn a_schema_is_migrated_step_by_step_and_only_once(platform: &Platform) {
    let (first, second) = ("create table diary.page (id int)", "insert into diary.page values (1)");
    platform.database.migrate("diary", &migrator(&[first])).await.expect("the first step");
    let both = migrator(&[first, second]);
    let (one, other) = tokio::join!(platform.database.migrate("diary", &both), platform.database.migrate("diary", &both));
    one.and(other).expect("two processes may migrate at once");
    assert_eq!(count(platform, "select count(*) from diary.page").await, 1);
    assert_eq!(count(platform, "select count(*) from diary._sqlx_migrations").await, 2);

    let changed = platform.database.migrate("diary", &migrator(&["create table diary.other (id int)", second])).await;
    assert!(matches!(changed, Err(Error::Migration { schema, .. }) if schema == "diary"), "a step that was changed afterwards");
}

pub async fn a_dropped_transaction_leaves_no_trace_and_no_one_waiting(platform: &Platform) {
    for _ in 0..3 {
        let mut tx = platform.database.begin().await.expect("a transaction");
        sqlx::raw_sql("create schema dropped").execute(&mut *tx).await.expect("inside it all is well");
    }
    let schemas = "select count(*) from information_schema.schemata where schema_name = 'dropped'";
    assert_eq!(count(platform, schemas).await, 0);
}

pub async fn a_failed_statement_spoils_its_transaction_alone(platform: &Platform) {
    let mut tx = platform.database.begin().await.expect("a transaction");
    sqlx::raw_sql("select * from nowhere.at_all").execute(&mut *tx).await.expect_err("no such table");
    tx.rollback().await.expect("undone");
    platform.database.ping().await.expect("the next statement works");
}

pub async fn a_statement_that_is_given_up_does_not_block_the_next(platform: &Platform) {
    let mut tx = platform.database.begin().await.expect("a transaction");
    sqlx::query("select pg_advisory_xact_lock(7)").execute(&mut *tx).await.expect("nobody else has it");
    let never_ends = sqlx::query("select pg_advisory_lock(7)").execute(platform.database.pool());
    let given_up = tokio::time::timeout(std::time::Duration::from_millis(20), never_ends).await;
    assert!(given_up.is_err());
    platform.database.ping().await.expect("the next statement works");
    tx.rollback().await.expect("the lock is free, and the statement that nobody waits for comes to its end");
}

pub async fn time_is_kept_in_utc(platform: &Platform) {
    let zone: String = sqlx::query_scalar("show timezone").fetch_one(platform.database.pool()).await.expect("a setting");
    assert_eq!(zone, "UTC");
}

pub async fn no_statement_is_compiled_by_the_server(platform: &Platform) {
    let compiled: String = sqlx::query_scalar("show jit").fetch_one(platform.database.pool()).await.expect("a setting");
    assert_eq!(compiled, "off");
}
