//! The promises on real services: PostgreSQL, RabbitMQ and Redis, found as [`platform::scratch`] says. They fail when a
//! service does not answer.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::staff::Role;
use http::StatusCode;
use lapin::options::BasicPublishOptions;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use platform::bus::{BusMode, BusSettings};
use platform::cache::{Cache, CacheSettings, Tokens};
use platform::clock::Clock;
use platform::database::{Database, DatabaseMode, DatabaseSettings};
use platform::http::Authenticators;
use platform::tasks::chain;
use platform::{Error, Platform, StoreSettings, scratch};
use prost::Message as _;
use proto::topology::{AUDIT_ENTRIES, RULES_RECORDS};
use proto::{AuditEntry, RecordsStored};
use secrecy::{ExposeSecret as _, SecretString};
use stages::{Desk, Heard, Staff, soon, until};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::unbounded_channel;

use crate::contract::bus::{listen, load, next, publish};
use crate::contract::{self, SCHEMA, settle, standing_clock};
use crate::weir::Weir;

const OPERATOR: Staff = Staff(&[("fhs_operator", Role::TechnicalOperator, "city")]);

/// PostgreSQL and Redis, for what needs no broker: declaring its queues takes a second.
async fn without_broker(clock: Clock) -> Result<Platform, Error> {
    let settings = StoreSettings { bus: BusSettings::default(), ..scratch::service_settings() };
    Platform::on(Database::scratch(&scratch::postgres_url()).await?, &settings, clock).await
}

bus_held_by! { [ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"] platform::scratch::services }
stores_held_by! { [ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"] crate::services::without_broker }

/// The host and port in a server's URL.
fn host_of(url: &SecretString) -> String {
    let rest = url.expose_secret().split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    authority.rsplit('@').next().unwrap_or(authority).to_owned()
}

/// The same URL, by way of the weir.
fn by_way_of(weir: &Weir, url: &SecretString) -> SecretString {
    SecretString::from(url.expose_secret().replace(&host_of(url), &weir.address.to_string()))
}

#[test]
#[ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"]
fn what_was_in_hand_when_the_process_died_is_handled_by_the_next() {
    let (store, url) = (scratch::service_settings(), scratch::postgres_url());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    // outlives both processes
    let database = runtime.block_on(Database::scratch(&url)).expect("PostgreSQL answers");
    let name: String = runtime.block_on(sqlx::query_scalar("select current_database()").fetch_one(database.pool())).expect("a name");
    let (server, _) = url.rsplit_once('/').expect("a database in the URL");
    let settings = StoreSettings {
        database: DatabaseSettings {
            mode: DatabaseMode::Postgres,
            url: SecretString::from(format!("{server}/{name}")),
            ..DatabaseSettings::default()
        },
        ..store
    };
    contract::crash::what_was_in_hand_when_the_process_died_is_handled_by_the_next(async |clock: Clock| {
        Platform::open(&settings, clock).await
    });
    runtime.block_on(database.close()).expect("dropped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"]
async fn an_outage_of_the_broker_loses_nothing() {
    let settings = scratch::service_settings();
    let weir = Weir::before(&host_of(&settings.bus.url)).await;
    let bus = BusSettings { url: by_way_of(&weir, &settings.bus.url), ..settings.bus.clone() };
    let settings = StoreSettings { bus, ..settings };
    let database = Database::scratch(&scratch::postgres_url()).await.expect("PostgreSQL answers");
    contract::on(Platform::on(database, &settings, standing_clock()).await, async |platform: &Platform| {
        let (told, mut heard) = unbounded_channel();
        listen(platform, &RULES_RECORDS, told);
        platform.bus.start_relay(SCHEMA);
        publish(platform, &load(1)).await;
        assert_eq!(next(&mut heard).await, 1);

        weir.close();
        for number in 2..=50 {
            publish(platform, &load(number)).await;
        }
        assert!(heard.try_recv().is_err(), "the broker is away");
        assert!(matches!(platform.bus.settled().await, Ok(false) | Err(Error::Broker { .. })));
        weir.open();

        let mut missing: Vec<u32> = (2..=50).collect();
        while !missing.is_empty() {
            let number = next(&mut heard).await;
            missing.retain(|other| *other != number);
        }
        settle(platform).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"]
async fn what_somebody_else_writes_to_the_broker_is_never_handled() {
    let settings = scratch::service_settings();
    let database = Database::scratch(&scratch::postgres_url()).await.expect("PostgreSQL answers");
    let bus = settings.bus.clone();
    contract::on(Platform::on(database, &settings, standing_clock()).await, async |platform: &Platform| {
        let (told, mut heard) = unbounded_channel();
        listen(platform, &RULES_RECORDS, told);
        platform.bus.start_relay(SCHEMA);
        let intruder = Connection::connect(bus.url.expose_secret(), ConnectionProperties::default()).await.expect("the broker answers");
        let channel = intruder.create_channel().await.expect("a channel");
        let like_ours = || {
            let id = uuid::Uuid::new_v4().to_string();
            BasicProperties::default().with_message_id(id.into()).with_type("records.stored".into())
        };
        let marked = |mark: &str| {
            let mut headers = FieldTable::default();
            headers.insert("fenghuo-mark".into(), AMQPValue::LongString(mark.into()));
            like_ours().with_headers(headers)
        };
        let queue = format!("{}.{}", bus.prefix, RULES_RECORDS.name);
        let forged = [like_ours(), marked(""), marked("zz"), marked(&"0".repeat(64)), BasicProperties::default()];
        for properties in forged {
            let payload = load(66).encode_to_vec();
            let sent = channel.basic_publish("".into(), queue.as_str().into(), BasicPublishOptions::default(), &payload, properties);
            sent.await.expect("it is written");
        }
        publish(platform, &load(1)).await;
        assert_eq!(next(&mut heard).await, 1, "ours is handled");
        until("the others are given up", async || platform.bus.dead_letters().await.is_ok_and(|letters| letters.len() == 5)).await;

        // an operator who has them delivered again lends them no mark
        let _trace = Heard::<AuditEntry>::on(platform, &AUDIT_ENTRIES);
        let desk = Desk::of(platform::bus::routes(platform), Authenticators::new().with(OPERATOR));
        let again = desk.post("fhs_operator", "/api/v1/dead-letters/deliveries", serde_json::Value::Null).await;
        assert_eq!(again, (StatusCode::OK, serde_json::json!({ "letters": 5 })));
        until("they are given up again", async || platform.bus.dead_letters().await.is_ok_and(|letters| letters.len() == 5)).await;
        settle(platform).await;
        assert!(heard.try_recv().is_err(), "nothing of it was handled");
        let letters = platform.bus.dead_letters().await.expect("they can be read");
        assert!(letters.iter().all(|letter| letter.reason.contains("bears no mark of this installation")), "{letters:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"]
async fn however_many_wait_long_for_another_attempt_nobody_waits_behind_them() {
    const FAILING: u32 = 300;
    let settings = scratch::service_settings();
    // so long that they wait on the broker
    let settings = StoreSettings { bus: BusSettings { first_retry_ms: 3_000, ..settings.bus.clone() }, ..settings };
    let database = Database::scratch(&scratch::postgres_url()).await.expect("PostgreSQL answers");
    contract::on(Platform::on(database, &settings, standing_clock()).await, async |platform: &Platform| {
        let (told, mut heard) = unbounded_channel();
        let seen = Arc::new(Mutex::new(BTreeSet::new()));
        let fails_once = move |event: RecordsStored| {
            let (told, first) = (told.clone(), seen.lock().expect("nobody panics").insert(event.records));
            async move {
                if first && event.records < FAILING {
                    return Err("not now".into());
                }
                Ok(told.send(event.records)?)
            }
        };
        platform.bus.subscribe(&RULES_RECORDS, 4, fails_once).expect("the queue carries the event");
        platform.bus.start_relay(SCHEMA);
        for number in 0..=FAILING {
            publish(platform, &load(number)).await;
        }
        assert_eq!(next(&mut heard).await, FAILING, "the last comes first");
        let mut missing: BTreeSet<u32> = (0..FAILING).collect();
        while !missing.is_empty() {
            missing.remove(&next(&mut heard).await);
        }
        settle(platform).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"]
async fn what_cannot_be_published_takes_nothing_out_of_the_hands_of_readers() {
    contract::on(scratch::services(standing_clock()).await, async |platform: &Platform| {
        let (told, mut heard) = unbounded_channel();
        let may_end = Arc::new(Semaphore::new(0));
        let gate = Arc::clone(&may_end);
        let first_is_slow = move |event: RecordsStored| {
            let (told, gate) = (told.clone(), Arc::clone(&gate));
            async move {
                told.send(event.records)?;
                if event.records == 1 {
                    gate.acquire().await?.forget();
                }
                Ok(())
            }
        };
        platform.bus.subscribe(&RULES_RECORDS, 4, first_is_slow).expect("the queue carries the event");
        platform.bus.start_relay(SCHEMA);
        publish(platform, &load(1)).await;
        assert_eq!(next(&mut heard).await, 1, "it is in hand");

        // no queue reads this
        sqlx::query(
            "insert into trial.outbox (event_id, topic, payload, occurred_at) values (gen_random_uuid(), 'no.such-topic', '', now())",
        )
        .execute(platform.database.pool())
        .await
        .expect("it is written");
        for number in 2..=4 {
            publish(platform, &load(number)).await;
            assert_eq!(next(&mut heard).await, number, "the first is not delivered again");
        }
        sqlx::query("delete from trial.outbox").execute(platform.database.pool()).await.expect("gone");
        may_end.add_permits(1);
        settle(platform).await;
        assert!(heard.try_recv().is_err(), "each once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"]
async fn queues_that_somebody_deleted_are_made_again_and_read_again() {
    contract::on(scratch::services(standing_clock()).await, async |platform: &Platform| {
        let (told, mut heard) = unbounded_channel();
        listen(platform, &RULES_RECORDS, told);
        platform.bus.start_relay(SCHEMA);
        publish(platform, &load(1)).await;
        assert_eq!(next(&mut heard).await, 1);
        platform.bus.delete_all().await.expect("deleted");
        publish(platform, &load(2)).await;
        assert_eq!(next(&mut heard).await, 2);
        settle(platform).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"]
async fn the_bus_on_rabbitmq_works_beside_the_embedded_database() {
    let settings = scratch::service_settings();
    let database = Database::temporary().await.expect("the embedded database starts");
    contract::on(Platform::on(database, &settings, standing_clock()).await, async |platform: &Platform| {
        contract::bus::a_handler_may_use_the_database_and_publish(platform).await;
    })
    .await;
}

async fn cache_behind_a_weir() -> (Weir, Cache) {
    let settings = scratch::service_settings().cache;
    let weir = Weir::before(&host_of(&settings.url)).await;
    let settings = CacheSettings { url: by_way_of(&weir, &settings.url), ..settings };
    let cache = Cache::open(&settings, &standing_clock()).await.expect("Redis answers");
    (weir, cache)
}

#[tokio::test]
#[ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"]
async fn a_redis_that_goes_away_is_an_error_and_used_again_later() {
    let (weir, cache) = cache_behind_a_weir().await;
    cache.set("a", b"1", Duration::from_secs(60)).await.expect("stored");
    weir.close();
    let refused = soon("an error", cache.take_tokens("provider", 10.0, 10, 1)).await;
    assert!(matches!(refused, Err(Error::Cache { .. })), "{refused:?}");
    weir.open();
    until("it connects again", async || cache.get("a").await.is_ok()).await;
    cache.clear().await.expect("cleared");
}

#[tokio::test]
#[ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"]
async fn who_asks_first_after_a_restart_of_redis_is_answered() {
    let (weir, cache) = cache_behind_a_weir().await;
    cache.set("a", b"1", Duration::from_secs(60)).await.expect("stored");
    for _ in 0..3 {
        weir.cut().await;
        assert_eq!(cache.get("a").await.expect("an answer"), Some(b"1".to_vec()));
    }
    cache.clear().await.expect("cleared");
}

#[tokio::test]
#[ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"]
async fn a_process_whose_clock_is_an_hour_ahead_keeps_no_other_from_its_rate() {
    let settings = scratch::service_settings().cache;
    let ahead = Cache::open(&settings, &Clock::shifted(Duration::from_secs(3_600))).await.expect("Redis answers");
    let right = Cache::open(&settings, &Clock::real()).await.expect("Redis answers");
    assert_eq!(ahead.take_tokens("provider", 10.0, 1, 1).await.expect("an answer"), Tokens::Granted);
    until("a token comes", async || right.take_tokens("provider", 10.0, 1, 1).await.expect("an answer") == Tokens::Granted).await;
    right.clear().await.expect("cleared");
}

#[tokio::test]
#[ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"]
async fn services_that_do_not_answer_are_errors_that_name_them() {
    let nobody = "127.0.0.1:9";
    let database = DatabaseSettings {
        mode: DatabaseMode::Postgres,
        url: SecretString::from(format!("postgres://u:sesame@{nobody}/x")),
        ..DatabaseSettings::default()
    };
    let refused = Database::open(&database).await.expect_err("nobody listens there");
    assert!(matches!(refused, Error::Database(_)) && !chain(&refused).contains("sesame"), "{refused}");

    let settings = StoreSettings {
        bus: BusSettings {
            mode: BusMode::Rabbitmq,
            url: SecretString::from(format!("amqp://u:sesame@{nobody}/%2f")),
            ..BusSettings::default()
        },
        keys: scratch::passing_key(),
        ..StoreSettings::default()
    };
    let database = Database::scratch(&scratch::postgres_url()).await.expect("PostgreSQL answers");
    let refused = Platform::on(database, &settings, standing_clock()).await.expect_err("nobody listens there");
    assert!(matches!(refused, Error::Broker { .. }) && !chain(&refused).contains("sesame"), "{refused}");
}
