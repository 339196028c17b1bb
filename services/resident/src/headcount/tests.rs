//! Stories of a small city whose people come, change and go: the headcount always says what a look at everybody says.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

use std::borrow::Cow;

use chrono::DateTime;
use domain::area::{Area, CommunityCode};
use domain::audience::{Audience, AudienceQuery, ResidentTraits};
use platform::database::{Database, DatabaseSettings, Tx};
use platform::{Platform, StoreSettings, scratch};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use roaring::RoaringBitmap;
use rstest::rstest;
use sqlx::migrate::Migrator;
use stages::Store::{self, Embedded, Postgres};
use stages::Tables;

use super::{AudienceCounts, Headcount, fold};
use crate::generate::{self, People};

async fn city(store: Store) -> Database {
    const TABLES: Tables = Tables { stand_ins: &[], schemas: &[(crate::SCHEMA, &crate::MIGRATOR)] };
    store.database_with(TABLES).await
}

const COMMUNITIES: [i64; 4] = [500_103_001_001, 500_103_001_002, 500_103_002_001, 500_104_001_001];

const QUERIES: [&str; 8] = [
    r#"{"include":[{"areas":["city"]}]}"#,
    r#"{"include":[{"areas":["500103"]}]}"#,
    r#"{"include":[{"areas":["500103001","500104001"]}]}"#,
    r#"{"include":[{"areas":["500103001002"]}]}"#,
    r#"{"include":[{"areas":["city"],"industries":["education","postal"]}]}"#,
    r#"{"include":[{"areas":["500103"],"languages":["en"]}]}"#,
    r#"{"include":[{"areas":["500103"]},{"areas":["city"],"languages":["en"]}],"exclude":[{"areas":["500103001"],"industries":["postal"]}]}"#,
    r#"{"include":[{"areas":["500105"]}]}"#,
];

fn query(json: &str) -> AudienceQuery {
    serde_json::from_str(json).unwrap()
}

/// Looks at everybody.
async fn looked(database: &Database, query: &AudienceQuery) -> AudienceCounts {
    let rows = sqlx::query!(
        r#"select community as "community!", industry, language as "language!", app as "app!", apns as "apns!", fcm as "fcm!", web as "web!", sms as "sms!",
                  drill as "drill!" from resident.reach"#
    )
    .fetch_all(database.pool())
    .await
    .unwrap();
    let mut counts = AudienceCounts::default();
    for row in rows {
        let home = CommunityCode::try_from(row.community).unwrap();
        let industry = row.industry.map(|industry| industry.parse().unwrap());
        if !query.selects(&ResidentTraits { home: Area::Community(home), industry, language: row.language.parse().unwrap() }) {
            continue;
        }
        let mut counted = vec![&mut counts.everybody, counts.districts.entry(home.district()).or_default()];
        if row.drill {
            counted.push(&mut counts.drill);
        }
        for count in counted {
            count.people += 1;
            count.app += i64::from(row.app);
            count.apns += i64::from(row.apns);
            count.fcm += i64::from(row.fcm);
            count.web += i64::from(row.web);
            count.sms += i64::from(row.sms && !row.app);
            count.unreachable += i64::from(!row.sms && !row.app);
        }
        *counts.townships.entry(home.township()).or_default() += 1;
    }
    counts
}

async fn assert_exact(database: &Database, headcount: &Headcount, when: &str) {
    for json in QUERIES {
        let query = query(json);
        assert_eq!(headcount.of(&query).await.unwrap(), looked(database, &query).await, "{json} {when}");
    }
}

/// Somebody comes to live in the first community, reached by SMS.
async fn comes(connection: &mut platform::database::Connection, no: i32) {
    sqlx::query(
        "insert into resident.resident (resident_no, phone_hash, phone_sealed, district, township, community, notices, registered_at)
         values ($1, sha256($1::text::bytea), 'sealed', 500103, 500103001, 500103001001, true, now())",
    )
    .bind(no)
    .execute(connection)
    .await
    .unwrap();
}

async fn run(connection: &mut platform::database::Connection, statement: &'static str) {
    sqlx::raw_sql(statement).execute(connection).await.unwrap();
}

async fn number(database: &Database, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(database.pool()).await.unwrap()
}

/// One thing that happens to people: some come, some go, one or many change.
async fn something_happens(tx: &mut Tx, dice: &mut StdRng) {
    let no = dice.random_range(0..60);
    match dice.random_range(0..13) {
        0..3 => {
            sqlx::query(
                "insert into resident.resident (resident_no, phone_hash, phone_sealed, district, township, community, industry, language, notices,
                     has_apns, has_fcm, has_web, enrolled_drill, registered_at)
                 select no, sha256(no::text::bytea), 'sealed', community / 1000000, community / 1000, community,
                     (array['education', 'postal', null])[no % 3 + 1], (array['zh-CN', 'en'])[no % 2 + 1], no % 7 > 0, no % 5 = 0, no % 4 = 0,
                     no % 13 = 0, no % 11 = 0, now()
                 from (select no, ($3::bigint[])[no % 4 + 1] as community from generate_series($1::int, $2) as no) as person
                 on conflict (resident_no) do update set community = excluded.community, notices = not resident.notices",
            )
            .bind(no)
            .bind(no + dice.random_range(0..6))
            .bind(COMMUNITIES)
            .execute(&mut **tx)
            .await
            .unwrap();
        }
        3 => {
            sqlx::query("delete from resident.resident where resident_no between $1 and $1 + 3").bind(no).execute(&mut **tx).await.unwrap();
        }
        what => {
            let change = match what {
                4 => "has_apns = not has_apns",
                5 => "has_fcm = not has_fcm, has_apns = true",
                6 => "notices = not notices",
                7 => "industry = 'postal', language = 'en'",
                8 => "industry = null, enrolled_drill = not enrolled_drill",
                9 => "phone_hash = null, phone_sealed = null, notices = false, has_apns = false, has_fcm = false, has_web = false",
                10 => "has_web = not has_web",
                11 => "district = 500104, township = 500104001, community = 500104001001",
                _ => "registered_at = now()",
            };
            let statement = format!("update resident.resident set {change} where resident_no between $1 and $1 + $2");
            let many = dice.random_range(0..3);
            sqlx::query(sqlx::AssertSqlSafe(statement)).bind(no).bind(many).execute(&mut **tx).await.unwrap();
        }
    }
}

#[rstest]
#[tokio::test]
async fn whatever_happens_to_people_every_copy_says_what_a_look_at_everybody_says(
    #[values(Embedded, Postgres)] store: Store,
    #[values(1, 2, 3)] seed: u64,
) {
    let database = city(store).await;
    let (often, seldom) = (Headcount::new(database.clone()), Headcount::new(database.clone()));
    let mut dice = StdRng::seed_from_u64(seed);
    for moment in 0..60 {
        let mut tx = database.begin().await.unwrap();
        for _ in 0..dice.random_range(1..5) {
            something_happens(&mut tx, &mut dice).await;
        }
        if dice.random_ratio(1, 5) {
            tx.rollback().await.unwrap();
        } else {
            tx.commit().await.unwrap();
        }
        match dice.random_range(0..6) {
            0 => _ = fold::turn(&database, 0).await.unwrap(),
            1 => _ = often.refresh().await.unwrap(),
            _ => {}
        }
        if moment % 3 == 0 {
            assert_exact(&database, &often, "for who asks often").await;
        }
        if moment % 20 == 0 {
            assert_exact(&database, &seldom, "for who asks seldom").await;
        }
    }
    assert_exact(&database, &often, "at the end, for who asks often").await;
    assert_exact(&database, &seldom, "at the end, for who asks seldom").await;
    assert_exact(&database, &Headcount::new(database.clone()), "at the end, for who asks the first time").await;
    // on a server that others use as well a long transaction of theirs may hold a fold up
    stages::until("changes are folded in", async || {
        fold::turn(&database, 0).await.unwrap();
        number(&database, "select fold from resident.headcount_fold").await > 0
    })
    .await;
    database.close().await.unwrap();
}

#[rstest]
#[tokio::test]
async fn what_is_not_committed_does_not_count_and_counts_once_it_is_whatever_was_folded_meanwhile() {
    let database = city(Postgres).await;
    let (early, late) = (Headcount::new(database.clone()), Headcount::new(database.clone()));
    comes(&mut database.pool().acquire().await.unwrap(), 1).await;
    assert_exact(&database, &early, "before").await;

    let mut open = database.begin().await.unwrap();
    comes(&mut open, 2).await;
    for no in 3..40 {
        comes(&mut database.pool().acquire().await.unwrap(), no).await;
        assert_exact(&database, &early, "while a transaction is open").await;
        if no % 10 == 0 {
            fold::turn(&database, 0).await.unwrap();
            fold::turn(&database, 0).await.unwrap();
            early.refresh().await.unwrap();
        }
    }
    assert_exact(&database, &late, "while a transaction is open").await;
    assert_eq!(early.of(&query(QUERIES[0])).await.unwrap().everybody.people, 38);
    run(&mut open, "update resident.resident set notices = false where resident_no = 2").await;
    open.commit().await.unwrap();
    for headcount in [&early, &late] {
        let counts = headcount.of(&query(QUERIES[0])).await.unwrap().everybody;
        assert_eq!((counts.people, counts.sms, counts.unreachable), (39, 38, 1));
    }
    for _ in 0..2 {
        fold::turn(&database, 0).await.unwrap();
        assert_exact(&database, &early, "after the fold").await;
    }
    assert_exact(&database, &late, "after the fold").await;
    database.close().await.unwrap();
}

#[rstest]
#[tokio::test]
async fn a_fold_leaves_one_row_a_cell_and_only_who_slept_through_it_begins_anew() {
    // on a server where nobody else's transactions hold a fold up
    let place = tempfile::tempdir().unwrap();
    let alone = DatabaseSettings { data_dir: place.path().join("database"), ..DatabaseSettings::default() };
    let database = Database::open(&alone).await.unwrap();
    database.migrate(crate::SCHEMA, &crate::MIGRATOR).await.unwrap();
    let (kept, asleep) = (Headcount::new(database.clone()), Headcount::new(database.clone()));
    asleep.refresh().await.unwrap();
    for no in 0..30 {
        comes(&mut database.pool().acquire().await.unwrap(), no).await;
    }
    // a turn folds what had settled at the turn before, and copies are brought up to date oftener than that
    fold::turn(&database, 0).await.unwrap();
    kept.refresh().await.unwrap();
    let before = kept.held().unwrap();
    fold::turn(&database, 0).await.unwrap();
    assert_eq!(number(&database, "select count(*) from resident.headcount").await, 1);
    for (headcount, copy) in [(&kept, before), (&asleep, asleep.held().unwrap())] {
        assert_exact(&database, headcount, "after the fold").await;
        let is_kept = std::sync::Arc::ptr_eq(&headcount.held().unwrap(), &copy);
        assert_eq!(is_kept, std::sync::Arc::ptr_eq(&headcount.0, &kept.0), "only one copy had everything");
    }
    let mut connection = database.pool().acquire().await.unwrap();
    run(&mut connection, "delete from resident.resident where resident_no < 10").await;
    run(&mut connection, "delete from resident.resident where resident_no < 30").await;
    drop(connection);
    fold::turn(&database, 0).await.unwrap();
    fold::turn(&database, 0).await.unwrap();
    assert_eq!(number(&database, "select count(*) from resident.headcount").await, 0, "a cell that nobody is left in");
    assert_exact(&database, &kept, "when everybody has left").await;
    database.close().await.unwrap();
}

#[rstest]
#[tokio::test]
async fn few_differences_are_not_worth_a_fold() {
    let database = city(Embedded).await;
    for no in 0..5 {
        comes(&mut database.pool().acquire().await.unwrap(), no).await;
    }
    for _ in 0..3 {
        fold::turn(&database, fold::FEWEST).await.unwrap();
    }
    assert_eq!(number(&database, "select count(*) from resident.headcount").await, 5);
}

/// A dump has the transaction numbers of the server that it was made on.
#[rstest]
#[tokio::test]
async fn what_was_restored_from_a_dump_counts(#[values(Embedded, Postgres)] store: Store) {
    let database = city(store).await;
    let headcount = Headcount::new(database.clone());
    for no in 0..5 {
        comes(&mut database.pool().acquire().await.unwrap(), no).await;
    }
    let mut connection = database.pool().acquire().await.unwrap();
    run(
        &mut connection,
        "update resident.headcount set tx = '99999999999'; update resident.headcount_fold set folded_to = '99999999998', fold = 7",
    )
    .await;
    drop(connection);
    for turn in ["before a fold", "after it", "after another one"] {
        assert_exact(&database, &headcount, turn).await;
        assert_exact(&database, &Headcount::new(database.clone()), turn).await;
        fold::turn(&database, fold::FEWEST).await.unwrap();
    }
    assert_eq!(number(&database, "select count(*) from resident.headcount where tx <> '0'").await, 0);
    database.close().await.unwrap();
}

#[rstest]
#[tokio::test]
async fn a_bulk_import_is_counted_and_so_is_emptying_the_table(#[values(Embedded, Postgres)] store: Store) {
    let database = city(store).await;
    let settings = StoreSettings { keys: scratch::passing_key(), ..StoreSettings::default() };
    let platform = Platform::on(database.clone(), &settings, platform::clock::Clock::moved(DateTime::UNIX_EPOCH)).await.unwrap();
    let headcount = Headcount::new(database.clone());
    headcount.refresh().await.unwrap();
    generate::write(&People::new(3_000, 1), &database, &platform.keyring, DateTime::UNIX_EPOCH, |_| {}).await.unwrap();
    let everybody = headcount.of(&query(QUERIES[0])).await.unwrap();
    assert_eq!((everybody.everybody.people, everybody.districts.len()), (3_000, 38));
    assert!(everybody.everybody.apns > 0 && everybody.everybody.fcm > everybody.everybody.apns);
    assert_exact(&database, &headcount, "after the import").await;
    let of_devices = number(&database, "select count(distinct resident_no) from resident.device").await;
    assert_eq!(everybody.everybody.app, of_devices);

    let mut connection = database.pool().acquire().await.unwrap();
    run(&mut connection, "truncate resident.resident cascade").await;
    drop(connection);
    assert_eq!(headcount.of(&query(QUERIES[0])).await.unwrap(), AudienceCounts::default());
    scratch::remove(&platform).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn residents_named_by_number_are_all_counted_registered_or_not(#[values(Embedded, Postgres)] store: Store) {
    let database = city(store).await;
    for no in 1..=4 {
        comes(&mut database.pool().acquire().await.unwrap(), no).await;
    }
    let mut connection = database.pool().acquire().await.unwrap();
    run(&mut connection, "update resident.resident set has_apns = true, has_fcm = true, enrolled_drill = true where resident_no = 2").await;
    run(&mut connection, "update resident.resident set notices = false where resident_no = 3").await;
    run(&mut connection, "update resident.resident set phone_hash = null, phone_sealed = null, notices = false where resident_no = 4")
        .await;
    drop(connection);
    let named = Audience::Residents([1, 2, 3, 4, 99, u32::MAX].into_iter().collect::<RoaringBitmap>());
    let counts = Headcount::new(database.clone()).of_audience(&named).await.unwrap();
    let everybody = counts.everybody;
    assert_eq!([everybody.people, everybody.app, everybody.apns, everybody.fcm, everybody.sms, everybody.unreachable], [6, 1, 1, 1, 1, 4]);
    assert_eq!(counts.drill.people, 1);
    assert_eq!(counts.districts.values().map(|district| district.people).collect::<Vec<_>>(), [3]);
    let city = Audience::Query(query(QUERIES[0]));
    assert_eq!(Headcount::new(database.clone()).of_audience(&city).await.unwrap().everybody.people, 3);
    database.close().await.unwrap();
}

/// Whoever was there before people were counted.
#[rstest]
#[tokio::test]
async fn the_people_of_an_older_database_are_counted_with_the_kinds_of_their_devices(#[values(Embedded, Postgres)] store: Store) {
    let database = store.database().await;
    let first = crate::MIGRATOR.migrations.iter().take(1).cloned().collect();
    database.migrate(crate::SCHEMA, &Migrator { migrations: Cow::Owned(first), ..Migrator::DEFAULT }).await.unwrap();
    let mut connection = database.pool().acquire().await.unwrap();
    run(
        &mut connection,
        "insert into resident.resident (resident_no, phone_hash, phone_sealed, district, township, community, language, notices, has_app, registered_at)
         select no, sha256(no::text::bytea), 'sealed', 500103, 500103001, 500103001001, 'en', true, no < 4, now() from generate_series(1, 5) as no;
         insert into resident.device (resident_no, kind, token_hash, token_sealed, registered_at)
         select no, kind, sha256((no || kind)::bytea), 'sealed', now()
         from (values (1, 'apns'), (2, 'fcm_token'), (2, 'fcm_fid'), (3, 'apns'), (3, 'fcm_fid')) as device (no, kind);",
    )
    .await;
    drop(connection);
    database.migrate(crate::SCHEMA, &crate::MIGRATOR).await.unwrap();
    let headcount = Headcount::new(database.clone());
    assert_exact(&database, &headcount, "after the migration").await;
    let counts = headcount.of(&query(QUERIES[0])).await.unwrap().everybody;
    assert_eq!([counts.people, counts.app, counts.apns, counts.fcm, counts.sms], [5, 3, 2, 2, 2]);
    database.close().await.unwrap();
}
