//! PostgreSQL behind one pool and one kind of transaction: a server, or one of our own beside the process
//! ([`private_postgres`]). They differ only in where PostgreSQL is.
//!
//! A change and the events that tell of it are written in one transaction: [`Tx::publish`] puts the event into the outbox
//! of the publisher's schema, [`Tx::commit`] wakes the relay that carries it to the bus ([`crate::bus`]).
//!
//! A table that grows for ever is partitioned by month ([`Monthly`]), so that old months can be dropped.

mod executor;
mod monthly;
mod numbering;
mod outbox;
mod prepared;
mod private;
mod readable;
mod scratch;
pub mod standing;
mod transaction;
mod wakes;

use crate::compiled_once;
use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use private_postgres::Server;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sqlx::Executor as _;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};

use crate::encryption::{self, Asked, Tls};
use crate::error::Error;
pub use executor::{Connection, Pool};
pub use monthly::Monthly;
use numbering::Numbering;
pub use numbering::{COUNT, Count};
pub use readable::{readable, readable_row};
use scratch::Scratch;
pub use transaction::Tx;
use wakes::Wakes;

/// Where the data lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseMode {
    /// A PostgreSQL of our own, started and stopped with the process, in `data_dir`.
    #[default]
    Embedded,
    /// A PostgreSQL server, 15 or newer, at `url`.
    Postgres,
}

/// The section `database` of the configuration.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseSettings {
    /// Where the data lives.
    ///
    /// A demo or one machine needs no server; several processes do.
    pub mode: DatabaseMode,
    /// Directory of the private database; made when it is missing.
    ///
    /// Put it on a disk that keeps what it has confirmed: every acknowledgement waits for it.
    pub data_dir: PathBuf,
    /// The server, for `mode = "postgres"`.
    ///
    /// Holds a password: better read from a file.
    ///
    /// Example: "postgres://user:password@host/database"
    #[serde(skip_serializing)]
    pub url: SecretString,
    /// Whether the connection to a server on another machine has to be encrypted: `required` or `off`.
    ///
    /// `off` is for a way that is protected otherwise, such as a tunnel or a network of one's own.
    ///
    /// Unit: one of `"required"`, `"off"`
    pub tls: Tls,
    /// The certificate authority that the server's certificate has to come from, in a file of PEM; those that browsers believe where none is named.
    ///
    /// With it the connection is encrypted also to a server on this machine.
    ///
    /// Example: "/etc/fenghuo/ca.pem"
    pub ca_file: Option<PathBuf>,
    /// Most connections of this process to the database at once.
    ///
    /// The sum over all processes has to stay below the server's `max_connections`.
    ///
    /// Unit: connections
    pub connections: u32,
}

impl Default for DatabaseSettings {
    fn default() -> Self {
        Self {
            mode: DatabaseMode::default(),
            data_dir: PathBuf::from("data/database"),
            url: SecretString::default(),
            tls: Tls::default(),
            ca_file: None,
            connections: 10,
        }
    }
}

/// How long a request for a connection waits.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
/// A connection to a server of our own that nobody has used for so long is given up: each costs some megabytes of one machine.
const OWN_IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// And none lives longer than this: the pool uses all of them in turn, so that after a busy minute none would ever be idle, and what a
/// connection has read of the catalogue and of statements only grows.
const OWN_LIFETIME: Duration = Duration::from_mins(1);

/// A pool of connections. Clones share it.
#[derive(Clone, Debug)]
pub struct Database(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    // closed before what stands behind it ends
    pool: Pool,
    behind: Behind,
    wakes: Arc<Wakes>,
    numbering: Arc<Numbering>,
}

/// What stands behind the pool and must be ended after it.
#[derive(Debug)]
enum Behind {
    Own(Arc<Server>),
    Server,
    Scratch { scratch: Box<Scratch>, _server: Option<Arc<Server>> },
}

impl Database {
    /// Opens the database of the settings.
    #[compiled_once]
    pub async fn open(settings: &DatabaseSettings) -> Result<Self, Error> {
        match settings.mode {
            DatabaseMode::Embedded => {
                let server = private::open(settings.data_dir.clone()).await?;
                let pool = PgPoolOptions::new().idle_timeout(OWN_IDLE_TIMEOUT).max_lifetime(OWN_LIFETIME);
                Self::connect(pool, private::options(&server), settings.connections, Behind::Own(server)).await
            }
            DatabaseMode::Postgres => {
                let options = options(settings)?;
                Self::connect(PgPoolOptions::new(), options, settings.connections, Behind::Server).await
            }
        }
    }

    /// A new database on a server of this process's own that is dropped after the last clone.
    #[compiled_once]
    pub async fn temporary() -> Result<Self, Error> {
        let server = private::passing().await?;
        Self::on_scratch(private::options(&server), Some(server)).await
    }

    /// A new database on the server at `url` that is dropped after the last clone.
    #[compiled_once]
    pub async fn scratch(url: &str) -> Result<Self, Error> {
        let settings = DatabaseSettings { url: SecretString::from(url), tls: Tls::Off, ..DatabaseSettings::default() };
        Self::on_scratch(options(&settings)?, None).await
    }

    async fn on_scratch(options: PgConnectOptions, server: Option<Arc<Server>>) -> Result<Self, Error> {
        let scratch = Box::new(Scratch::create(options).await?);
        Self::connect(PgPoolOptions::new(), scratch.options(), 10, Behind::Scratch { scratch, _server: server }).await
    }

    async fn connect(pool: PgPoolOptions, options: PgConnectOptions, connections: u32, behind: Behind) -> Result<Self, Error> {
        let pool = pool
            .max_connections(connections.max(1))
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // Our statements are short and many. Where a table is new to the planner it guesses large numbers, and a server that compiles
            // statements then takes seconds for what takes a millisecond.
            .after_connect(|connection, _| Box::pin(async move { connection.execute("set jit = off").await.map(drop) }))
            .connect_with(options.application_name("fenghuo"))
            .await?;
        Ok(Self(Arc::new(Inner { pool: Pool::new(pool), behind, wakes: Arc::default(), numbering: Arc::default() })))
    }

    /// The pool, for single statements.
    pub fn pool(&self) -> &Pool {
        &self.0.pool
    }

    /// Begins a transaction; dropped without [`Tx::commit`] it is undone.
    pub fn begin(&self) -> BoxFuture<'_, Result<Tx, Error>> {
        Box::pin(async { Ok(Tx::new(self.0.pool.begin().await?, Arc::clone(&self.0.wakes), &self.0.numbering)) })
    }

    /// Brings the tables of `schema` up to date. What has been applied is kept in `<schema>._sqlx_migrations`. Where nothing is to be done nothing is
    /// tried, so a process whose role owns none of it starts as well.
    ///
    /// # Errors
    /// [`Error::TablesBehind`] where something is to be done and the role may not do it.
    pub fn migrate<'a>(&'a self, schema: &'a str, migrator: &'a Migrator) -> BoxFuture<'a, Result<(), Error>> {
        let migrator = Migrator {
            migrations: migrator.migrations.clone(),
            table_name: format!("{schema}._sqlx_migrations").into(),
            create_schemas: vec![schema.to_owned().into()].into(),
            ..Migrator::DEFAULT
        };
        Box::pin(async move {
            let mut connection = self.0.pool.acquire().await?;
            let found = standing::of_tables(connection.driver(), &[(schema, &migrator)]).await?;
            if found == [standing::TableStanding::UpToDate] {
                return Ok(());
            }
            drop(connection);
            migrator.run(self.0.pool.driver()).await.map_err(|source| match source {
                MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) if is_forbidden(&error) => {
                    Error::TablesBehind { schema: schema.to_owned() }
                }
                source => Error::Migration { schema: schema.to_owned(), source },
            })
        })
    }

    /// Whether the database answers.
    #[compiled_once]
    pub async fn ping(&self) -> Result<(), Error> {
        sqlx::query_scalar!(r#"select 1 as "one!""#).fetch_one(&self.0.pool).await?;
        Ok(())
    }

    /// The time by the server's clock.
    #[compiled_once]
    pub async fn server_clock(&self) -> Result<DateTime<Utc>, Error> {
        Ok(sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#).fetch_one(&self.0.pool).await?)
    }

    /// Closes all connections and stops a server of our own, so that its directory can be opened again. Other clones
    /// are useless afterwards.
    #[compiled_once]
    pub async fn close(&self) -> Result<(), Error> {
        self.0.pool.driver().close().await;
        match &self.0.behind {
            Behind::Own(server) => private::stop(Arc::clone(server)).await,
            Behind::Scratch { scratch, .. } => scratch.remove().await,
            Behind::Server => Ok(()),
        }
    }

    pub(crate) fn wakes(&self) -> &Arc<Wakes> {
        &self.0.wakes
    }

    /// Publishes from `schema` how many audit entries this process has published from it, if there is something new to tell.
    #[compiled_once]
    pub async fn tell_count(&self, schema: &'static str) -> Result<(), Error> {
        let Some((count, entry)) = self.0.numbering.count(schema, crate::clock::Clock::real().now().timestamp_millis()) else {
            return Ok(());
        };
        let told = async {
            let mut tx = self.begin().await?;
            tx.publish_unnumbered(schema, &entry).await?;
            tx.commit().await
        };
        let told = told.await;
        if told.is_err() {
            self.0.numbering.untold(schema, count);
        }
        told
    }
}

/// How to reach the server of the settings.
fn options(settings: &DatabaseSettings) -> Result<PgConnectOptions, Error> {
    let url = parse_url(&settings.url)?;
    let asked = Asked { tls: settings.tls, ca_file: settings.ca_file.as_deref() };
    let host = url.get_socket().map_or(Cow::Borrowed(url.get_host()), |path| path.to_string_lossy());
    if asked.is_encrypted(&host) {
        encryption::choose_library();
        let authority = asked.authority("database.ca_file")?.map(String::into_bytes);
        let url = url.clone().ssl_mode(PgSslMode::VerifyFull);
        return Ok(match authority {
            Some(certificates) => url.ssl_root_cert_from_pem(certificates),
            None => url,
        });
    }
    // what the address asks for itself holds; else nothing is tried that nobody asked for
    let says = ["sslmode=", "ssl-mode="].iter().any(|word| settings.url.expose_secret().contains(word));
    if says {
        encryption::choose_library();
        Ok(url)
    } else {
        Ok(url.ssl_mode(PgSslMode::Disable))
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

/// Whether a statement failed because the role has no right to it: 42501.
fn is_forbidden(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "42501")
}

/// Whether a statement failed for the data it was given, which another statement with other data need not: classes 22, data, and
/// 23, integrity.
pub fn refuses_the_data(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
}
