//! What every service stands on: the database, the bus, the cache, the clock, the keys, the HTTP shell, the telemetry.
//!
//! Each has two forms behind one type, so a service is written once: PostgreSQL on a server or one of our own beside the process
//! ([`database`]), RabbitMQ or a bus inside the process ([`bus`]), Redis or memory ([`cache`]), the machine's clock or one
//! that is moved by hand ([`clock`]).
//!
//! What is promised in both forms:
//! - an event published in a committed transaction arrives at least once at every queue of its topic, also after a
//!   crash of any process or an outage of the broker; one published in a transaction that is undone never arrives;
//! - a handler that fails is tried again without end, later each time, and a message that nobody can understand is kept with the reason;
//! - what runs in the background goes on after a panic, and is seen when it does not;
//! - personal data is stored sealed ([`crypto`]), and neither errors nor logs carry it;
//! - [`tasks::Tasks::shutdown`] lets running work end before the process does.
//!
//! Lists are taken along as files by one way ([`export`]).
//!
//! What many concurrent requests ask of the database is gathered into few statements ([`gather`]).
//!
//! A service gets a [`Platform`], subscribes to its queues, starts its [`worker`]s, registers its [`jobs`] and returns its HTTP routes.

pub mod bus;
pub mod cache;
pub mod clock;
pub mod company;
pub mod config;
pub mod configuration;
pub mod crypto;
pub mod database;
pub mod encryption;
mod error;
pub mod export;
pub mod gather;
pub mod http;
pub mod jobs;
pub mod measures;
mod pulse;
pub mod reading;
pub mod recount;
pub mod scratch;
pub mod skew;
pub mod sweep;
pub mod tasks;
pub mod telemetry;
pub mod urgent;
pub mod worker;

/// For an asynchronous function that other crates call: it returns a boxed future, so that its body is compiled here, once, and not again
/// in every crate that waits for it, as that of any other asynchronous function is.
pub use async_recursion::async_recursion as compiled_once;
pub use error::{BoxError, Error};

use bus::{Bus, BusSettings};
use cache::{Cache, CacheSettings};
use clock::Clock;
use crypto::{KeySettings, Keyring};
use database::{Database, DatabaseSettings};
use http::Check;
use jobs::{JobSettings, Jobs};
use serde::{Deserialize, Serialize};
use skew::Asked;
use tasks::Tasks;

/// The stores of a process. Clones share them.
#[derive(Clone, Debug)]
pub struct Platform {
    /// Where the data lives.
    pub database: Database,
    /// What carries events between services.
    pub bus: Bus,
    /// Sessions, counters, token buckets: what may be lost.
    pub cache: Cache,
    /// What time it is.
    pub clock: Clock,
    /// Seals and hashes personal data.
    pub keyring: Keyring,
    /// The background tasks, and the signal to stop.
    pub tasks: Tasks,
    /// The scheduled work.
    pub jobs: Jobs,
}

/// The settings of the stores, each a section of the configuration.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// The database.
    pub database: DatabaseSettings,
    /// The bus.
    pub bus: BusSettings,
    /// The cache.
    pub cache: CacheSettings,
    /// The master key.
    pub keys: KeySettings,
    /// When scheduled work is done.
    pub jobs: JobSettings,
}

impl Platform {
    /// Opens all stores and brings the platform's own tables (schemas `bus`, `keys` and `jobs`) up to date. Services migrate theirs.
    #[compiled_once]
    pub async fn open(settings: &StoreSettings, clock: Clock) -> Result<Self, Error> {
        settings.jobs.check()?;
        let database = Database::open(&settings.database).await?;
        Self::on(database, settings, clock).await
    }

    /// The same on a database that is open already; `settings.database` is not looked at.
    #[compiled_once]
    pub async fn on(database: Database, settings: &StoreSettings, clock: Clock) -> Result<Self, Error> {
        make_tables(&database).await?;
        let tasks = Tasks::new();
        let keyring = Keyring::load(&settings.keys, &database).await?;
        keyring.follow(&database, &tasks);
        let cache = Cache::open(&settings.cache, &clock).await?;
        let bus = Bus::open(&settings.bus, &database, &keyring, &tasks).await?;
        let jobs = Jobs::new(&settings.jobs, &database, &clock, &tasks)?;
        for note in [clock_of_database(&database).await?, clock_of_cache(&cache).await?].into_iter().flatten() {
            tracing::warn!("{note}");
        }
        Ok(Self { database, bus, cache, clock, keyring, tasks, jobs })
    }

    /// What `/readyz` asks: database, bus and cache answer, and what runs in the background does. Noted is a clock of database or cache that does
    /// not go with this machine's.
    pub fn checks(&self) -> Vec<Check> {
        fn said<T>(answer: Result<T, Error>) -> Result<T, String> {
            answer.map_err(|error| tasks::chain(&error))
        }
        let (database, bus, cache) = (self.database.clone(), self.bus.clone(), self.cache.clone());
        let tasks = self.tasks.clone();
        vec![
            Check::noting("database", move || {
                let database = database.clone();
                async move { said(clock_of_database(&database).await) }
            }),
            Check::noting("bus", move || {
                let bus = bus.clone();
                async move {
                    said(bus.ping().await)?;
                    let dead = bus.dead_letters_known();
                    Ok((dead > 0).then(|| format!("dead letters: {dead}")))
                }
            }),
            Check::noting("cache", move || {
                let cache = cache.clone();
                async move { said(clock_of_cache(&cache).await) }
            }),
            Check::new("workers", move || {
                let ailing = tasks.ailing();
                async move { if ailing.is_empty() { Ok(()) } else { Err(ailing.join("; ")) } }
            }),
        ]
    }
}

/// Asks the database; what is to be said of its clock, if anything.
/// Makes the platform's own tables, or brings them up to date.
pub(crate) async fn make_tables(database: &Database) -> Result<(), Error> {
    database.migrate("keys", &crypto::MIGRATOR).await?;
    database.migrate("bus", &bus::MIGRATOR).await?;
    database.migrate(jobs::SCHEMA, &jobs::MIGRATOR).await
}

async fn clock_of_database(database: &Database) -> Result<Option<String>, Error> {
    let asked = Asked::now();
    Ok(asked.answered(database.server_clock().await?).note("database"))
}

/// Asks the cache; what is to be said of its clock, if anything.
async fn clock_of_cache(cache: &Cache) -> Result<Option<String>, Error> {
    let asked = Asked::now();
    Ok(cache.store_clock().await?.and_then(|theirs| asked.answered(theirs).note("cache")))
}
