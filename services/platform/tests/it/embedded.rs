//! The promises on the set that runs inside the process: embedded PostgreSQL, in-process bus and cache.

use std::future::Ready;
use std::time::Duration;

use http::StatusCode;
use platform::clock::Clock;
use platform::crypto::{Keyring, Purpose};
use platform::database::{Database, DatabaseSettings};
use platform::http::{Authenticators, Routes, Shell};
use platform::worker::{self, Turn, Wake};
use platform::{BoxError, Error, Platform, StoreSettings, scratch};
use stages::{Desk, NOBODY, eventually, processor_time, until};

use crate::contract;

bus_held_by! { platform::scratch::temporary }
stores_held_by! { platform::scratch::temporary }

/// The engine of a process that went away lets go of its directory a moment later.
async fn open_when_free(settings: &DatabaseSettings) -> Result<Database, Error> {
    eventually("the directory is free", async || match Database::open(settings).await {
        Err(Error::Embedded { .. }) => None,
        opened => Some(opened),
    })
    .await
}

#[test]
fn what_was_in_hand_when_the_process_died_is_handled_by_the_next() {
    let directory = tempfile::tempdir().expect("a directory");
    let settings = StoreSettings {
        database: DatabaseSettings { data_dir: directory.path().join("database"), ..DatabaseSettings::default() },
        keys: scratch::passing_key(),
        ..StoreSettings::default()
    };
    contract::crash::what_was_in_hand_when_the_process_died_is_handled_by_the_next(async |clock: Clock| {
        Platform::on(open_when_free(&settings.database).await?, &settings, clock).await
    });
}

#[tokio::test]
async fn a_closed_directory_can_be_opened_again_and_an_open_one_cannot() {
    let directory = tempfile::tempdir().expect("a directory");
    let settings = DatabaseSettings { data_dir: directory.path().join("database"), ..DatabaseSettings::default() };
    let database = Database::open(&settings).await.expect("a new directory");
    sqlx::raw_sql("create table kept (id int); insert into kept values (7)").execute(database.pool()).await.expect("written");
    assert!(matches!(Database::open(&settings).await, Err(Error::Embedded { .. })), "it is in use");
    database.close().await.expect("closed");

    let again = Database::open(&settings).await.expect("free again");
    let kept: i32 = sqlx::query_scalar("select id from kept").fetch_one(again.pool()).await.expect("still there");
    assert_eq!(kept, 7);
    again.close().await.expect("closed");
}

#[tokio::test]
async fn a_process_whose_worker_keeps_panicking_is_not_ready_and_says_which() {
    contract::on(scratch::temporary(contract::standing_clock()).await, async |platform: &Platform| {
        let desk = || Desk::at(Shell::new(Routes::new("nothing"), Authenticators::new()).checks(platform.checks()));
        let readiness = async || desk().get(NOBODY, "/readyz").await;
        assert_eq!(readiness().await.0, StatusCode::OK);
        let panics: fn() -> Ready<Result<Turn, BoxError>> = || panic!("on purpose");
        worker::run(&platform.tasks, &platform.clock, "trial.worker", Duration::from_secs(1), &Wake::new(), panics);
        until("it has panicked again and again", async || readiness().await.0 == StatusCode::SERVICE_UNAVAILABLE).await;
        let (_, found) = readiness().await;
        let workers = found["checks"].as_array().and_then(|checks| checks.iter().find(|check| check["name"] == "workers"));
        let reason = workers.and_then(|workers| workers["reason"].as_str()).expect("they are not ready, and why");
        assert!(reason.starts_with("trial.worker has broken down "), "{found}");
    })
    .await;
}

#[test]
fn opening_a_million_tokens_is_a_matter_of_seconds() {
    const TOKENS: u32 = 20_000;
    let keyring = Keyring::random();
    let sealed = keyring.seal(Purpose::PushToken, &[b'f'; 152]);
    let began = processor_time();
    for _ in 0..TOKENS {
        keyring.open(Purpose::PushToken, &sealed).expect("it opens");
    }
    let each = (processor_time() - began) / TOKENS;
    println!("opening a token of 152 bytes takes {} ns", each.as_nanos());
    assert!(each < Duration::from_micros(200), "{each:?} of processor time, even unoptimised");
}
