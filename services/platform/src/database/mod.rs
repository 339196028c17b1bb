//! PostgreSQL, as a server or inside the process, behind one pool and one kind of transaction.
//!
//! A change and the events that tell of it are written in one transaction: [`Tx::publish`] puts the event into the outbox
//! of the publisher's schema, [`Tx::commit`] wakes the relay that carries it to the bus ([`crate::bus`]).
//!
//! A table that grows for ever is partitioned by month ([`Monthly`]), so that old months can be dropped.
//!
//! The embedded database has **one** connection. Whoever holds it and waits for a second one waits for ever: inside a
//! transaction use only `&mut *tx`, and hold no transaction while waiting for anything else.

#[cfg(feature = "embedded")]
mod embedded;
#[cfg(not(feature = "embedded"))]
#[path = "embedded_missing.rs"]
mod embedded;
mod monthly;
mod outbox;
mod scratch;

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool, Postgres};

use crate::error::Error;
use embedded::Embedded;
pub use monthly::Monthly;
pub(crate) use outbox::Wakes;
use scratch::Scratch;

/// Where the data lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseMode {
    /// PostgreSQL inside the process, in `data_dir`.
    #[default]
    Embedded,
    /// A PostgreSQL server, 15 or newer, at `url`.
    Postgres,
}

/// The section `database` of the configuration.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseSettings {
    /// Inside the process, or a server.
    pub mode: DatabaseMode,
    /// Directory of the embedded database; made when it is missing.
    pub data_dir: PathBuf,
    /// `postgres://user:password@host/database` of the server.
    #[serde(skip_serializing)]
    pub url: SecretString,
    /// Most connections to the server at once; the embedded database always has one.
    pub connections: u32,
}

impl Default for DatabaseSettings {
    fn default() -> Self {
        Self { mode: DatabaseMode::default(), data_dir: PathBuf::from("data/database"), url: SecretString::default(), connections: 10 }
    }
}

/// How long a request for a connection waits.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
/// The embedded connection is everybody's, so the line may be long.
const EMBEDDED_ACQUIRE_TIMEOUT: Duration = Duration::from_secs(120);

/// A pool of connections. Clones share it.
#[derive(Clone, Debug)]
pub struct Database(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    // closed before the engine below it stops
    pool: PgPool,
    engine: Engine,
    wakes: Arc<Wakes>,
}

/// What stands behind the pool and must be ended after it.
#[derive(Debug)]
enum Engine {
    Embedded(Box<Embedded>),
    Server,
    Scratch(Box<Scratch>),
}

impl Database {
    /// Opens the database of the settings.
    pub async fn open(settings: &DatabaseSettings) -> Result<Self, Error> {
        match settings.mode {
            DatabaseMode::Embedded => Self::embedded(Embedded::open(settings.data_dir.clone()).await?).await,
            DatabaseMode::Postgres => {
                let options = parse_url(&settings.url)?;
                Self::server(options, settings.connections, Engine::Server).await
            }
        }
    }

    /// An embedded database in a directory of its own that is gone after the last clone.
    pub async fn temporary() -> Result<Self, Error> {
        Self::embedded(Embedded::temporary().await?).await
    }

    /// A new database on the server at `url` that is dropped after the last clone.
    pub async fn scratch(url: &str) -> Result<Self, Error> {
        let scratch = Scratch::create(parse_url(&SecretString::from(url))?).await?;
        Self::server(scratch.options(), 10, Engine::Scratch(Box::new(scratch))).await
    }

    async fn embedded(engine: Embedded) -> Result<Self, Error> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(EMBEDDED_ACQUIRE_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(engine.options())
            .await?;
        Ok(Self(Arc::new(Inner { pool, engine: Engine::Embedded(Box::new(engine)), wakes: Arc::default() })))
    }

    async fn server(options: PgConnectOptions, connections: u32, engine: Engine) -> Result<Self, Error> {
        let pool = PgPoolOptions::new()
            .max_connections(connections.max(1))
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options.application_name("fenghuo"))
            .await?;
        Ok(Self(Arc::new(Inner { pool, engine, wakes: Arc::default() })))
    }

    /// The pool, for single statements.
    pub fn pool(&self) -> &PgPool {
        &self.0.pool
    }

    /// Whether PostgreSQL runs inside the process, with its one connection.
    pub fn is_embedded(&self) -> bool {
        matches!(self.0.engine, Engine::Embedded(_))
    }

    /// Begins a transaction; dropped without [`Tx::commit`] it is undone.
    pub async fn begin(&self) -> Result<Tx, Error> {
        Ok(Tx { inner: self.0.pool.begin().await?, published: Vec::new(), wakes: Arc::clone(&self.0.wakes) })
    }

    /// Brings the tables of `schema` up to date. What has been applied is kept in `<schema>._sqlx_migrations`.
    pub async fn migrate(&self, schema: &str, migrator: &Migrator) -> Result<(), Error> {
        let migrator = Migrator {
            migrations: migrator.migrations.clone(),
            table_name: format!("{schema}._sqlx_migrations").into(),
            create_schemas: vec![schema.to_owned().into()].into(),
            // nobody else can be connected to an embedded database
            locking: !self.is_embedded(),
            ..Migrator::DEFAULT
        };
        migrator.run(&self.0.pool).await.map_err(|source| Error::Migration { schema: schema.to_owned(), source })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        sqlx::query_scalar!(r#"select 1 as "one!""#).fetch_one(&self.0.pool).await?;
        Ok(())
    }

    /// Closes all connections and stops the embedded engine, so that its directory can be opened again. Other clones
    /// are useless afterwards.
    pub async fn close(&self) -> Result<(), Error> {
        self.0.pool.close().await;
        match &self.0.engine {
            Engine::Embedded(embedded) => embedded.stop().await,
            Engine::Scratch(scratch) => scratch.remove().await,
            Engine::Server => Ok(()),
        }
    }

    pub(crate) fn wakes(&self) -> &Arc<Wakes> {
        &self.0.wakes
    }
}

fn parse_url(url: &SecretString) -> Result<PgConnectOptions, Error> {
    if url.expose_secret().is_empty() {
        return Err(Error::Setting { name: "database.url", reason: "is missing: postgres://user@host/database".to_owned() });
    }
    // the parser's message may repeat the password
    url.expose_secret().parse().map_err(|_| Error::Setting {
        name: "database.url",
        reason: "is not of the form postgres://user:password@host/database".to_owned(),
    })
}

/// Whether a statement failed for the data it was given, which another statement with other data need not: classes 22, data, and
/// 23, integrity.
pub fn refuses_the_data(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
}

/// A transaction that can publish.
///
/// It dereferences to the connection: `sqlx::query!(…).execute(&mut *tx)`.
#[derive(Debug)]
pub struct Tx {
    inner: sqlx::Transaction<'static, Postgres>,
    published: Vec<&'static str>,
    wakes: Arc<Wakes>,
}

impl Tx {
    /// Makes the changes last, then wakes the relays of the events among them.
    pub async fn commit(self) -> Result<(), Error> {
        self.inner.commit().await?;
        for schema in self.published {
            self.wakes.of(schema).wake();
        }
        Ok(())
    }

    /// Undoes the changes now rather than at the next use of the connection.
    pub async fn rollback(self) -> Result<(), Error> {
        Ok(self.inner.rollback().await?)
    }
}

impl Deref for Tx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}
