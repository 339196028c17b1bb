//! Platforms that leave nothing behind, for tests and rehearsals.
//!
//! [`temporary`] is the embedded set. [`services`] is the set of real services that `FENGHUO_TEST_POSTGRES`,
//! `FENGHUO_TEST_RABBITMQ` and `FENGHUO_TEST_REDIS` name; each call gets a database and name prefixes of its own. A service that is
//! named and does not answer is an error, never a reason to skip a test.
//!
//! Where none is named, as on a machine that has nothing but a compiler, the embedded set stands in for them, so that `cargo test`
//! works there. Where `CI` is set nothing stands in: the services are then looked for on their usual local ports.

use crate::compiled_once;
use secrecy::SecretString;
use uuid::Uuid;

use crate::bus::{BusMode, BusSettings};
use crate::cache::{CacheMode, CacheSettings};
use crate::clock::Clock;
use crate::crypto::KeySettings;
use crate::database::Database;
use crate::encryption::Tls;
use crate::{Error, Platform, StoreSettings, make_tables};

/// Handlers of a test that fail are tried again this soon.
const FIRST_RETRY_MS: u64 = 5;

/// Everything in this process, on a database that is gone after the last clone.
#[compiled_once]
pub async fn temporary(clock: Clock) -> Result<Platform, Error> {
    on_temporary(Database::temporary().await?, clock).await
}

/// The same on a database in which `prepare` was done; what is called `kind` is prepared once ([`Database::temporary_with`]).
///
/// # Errors
/// When the server fails, or `prepare` does.
pub async fn temporary_with<F>(clock: Clock, kind: String, prepare: impl FnOnce(Database) -> F) -> Result<Platform, Error>
where
    F: Future<Output = Result<(), Error>>,
{
    let database = Database::temporary_with(kind, async |database| {
        make_tables(&database).await?;
        prepare(database).await
    });
    on_temporary(database.await?, clock).await
}

#[compiled_once]
async fn on_temporary(database: Database, clock: Clock) -> Result<Platform, Error> {
    let settings = StoreSettings {
        bus: BusSettings { first_retry_ms: FIRST_RETRY_MS, ..BusSettings::default() },
        keys: passing_key(),
        ..StoreSettings::default()
    };
    Platform::on(database, &settings, clock).await
}

/// PostgreSQL, RabbitMQ and Redis, or what stands in for them. [`remove`] cleans up behind it.
#[compiled_once]
pub async fn services(clock: Clock) -> Result<Platform, Error> {
    if !are_services_named() {
        return temporary(clock).await;
    }
    Platform::on(Database::scratch(&postgres_url()).await?, &service_settings(), clock).await
}

/// A database on PostgreSQL, or on what stands in for it; it is gone after the last clone.
pub async fn database() -> Result<Database, Error> {
    if are_services_named() { Database::scratch(&postgres_url()).await } else { Database::temporary().await }
}

/// The settings that [`services`] uses, with new prefixes and a new key.
pub fn service_settings() -> StoreSettings {
    let prefix = format!("fenghuo-test-{}", Uuid::new_v4().simple());
    StoreSettings {
        bus: BusSettings {
            mode: BusMode::Rabbitmq,
            url: SecretString::from(rabbitmq_url()),
            // where tests find servers is for whoever runs them
            tls: Tls::Off,
            prefix: prefix.clone(),
            first_retry_ms: FIRST_RETRY_MS,
            ..BusSettings::default()
        },
        cache: CacheSettings {
            mode: CacheMode::Redis,
            url: SecretString::from(redis_url()),
            tls: Tls::Off,
            prefix,
            ..CacheSettings::default()
        },
        keys: passing_key(),
        ..StoreSettings::default()
    }
}

/// Stops the tasks and removes what the platform has made in broker, cache and database.
#[compiled_once]
pub async fn remove(platform: &Platform) -> Result<(), Error> {
    platform.tasks.shutdown(std::time::Duration::from_secs(10)).await;
    platform.bus.delete_all().await?;
    platform.cache.clear().await?;
    platform.database.close().await
}

/// A master key that nobody keeps.
pub fn passing_key() -> KeySettings {
    let key: [u8; 32] = rand::random();
    KeySettings { master_key: SecretString::from(hex::encode(key)), ..KeySettings::default() }
}

/// The server that tests make their databases on.
pub fn postgres_url() -> String {
    or_default("FENGHUO_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")
}

/// The broker that tests use.
pub fn rabbitmq_url() -> String {
    or_default("FENGHUO_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672/%2f")
}

/// The Redis that tests use.
pub fn redis_url() -> String {
    or_default("FENGHUO_TEST_REDIS", "redis://127.0.0.1:6379/")
}

/// Whether real services are to be used.
pub fn are_services_named() -> bool {
    ["FENGHUO_TEST_POSTGRES", "FENGHUO_TEST_RABBITMQ", "FENGHUO_TEST_REDIS", "CI"].iter().any(|name| std::env::var_os(name).is_some())
}

fn or_default(variable: &str, default: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| default.to_owned())
}
