//! What can go wrong below the services.

use std::path::PathBuf;

/// Any error, as handlers and workers return it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// A failure of the platform itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A statement failed or the database is away.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The embedded database did not start or stop.
    #[error("the embedded database: {0}")]
    Embedded(#[from] private_postgres::Error),
    /// The tables of a schema could not be brought up to date.
    #[error("the migration of schema {schema} failed")]
    Migration {
        /// Whose tables.
        schema: String,
        /// Why.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// The tables of a schema are not up to date, and the role that this process connects as does not own them.
    #[error(
        "the tables of {schema} are not up to date, and the role of this process may not change them: run `fenghuo migrate` as the one that may"
    )]
    TablesBehind {
        /// Whose tables.
        schema: String,
    },
    /// A setting is missing or makes no sense.
    #[error("setting {name}: {reason}")]
    Setting {
        /// The key in the configuration file.
        name: &'static str,
        /// What is wrong and what is wanted.
        reason: String,
    },
    /// Another process works on the database, and the two do not fit together.
    #[error("{reason}")]
    Company {
        /// Why, and what to do.
        reason: &'static str,
    },
    /// The message broker failed or is away.
    #[error("the broker failed on {action}")]
    Broker {
        /// What was tried.
        action: &'static str,
        /// What the client library said.
        #[source]
        source: lapin::Error,
    },
    /// The broker took a message and could not place or confirm it.
    #[error("the broker did not keep a message for {target}: {reason}")]
    Unconfirmed {
        /// The topic or queue.
        target: String,
        /// What it said.
        reason: String,
    },
    /// The broker did not answer in time.
    #[error("the broker did not answer within {seconds} s on {action}")]
    BrokerSilent {
        /// What was tried.
        action: &'static str,
        /// How long was waited.
        seconds: u64,
    },
    /// A queue is not being read any more; it is subscribed to again.
    #[error("the subscription of {queue} ended: {reason}")]
    Unsubscribed {
        /// The queue.
        queue: &'static str,
        /// Why.
        reason: String,
    },
    /// A queue was subscribed to with an event of another topic.
    #[error("queue {queue} carries {expected}, not {got}")]
    WrongEvent {
        /// The queue.
        queue: &'static str,
        /// Its topic.
        expected: &'static str,
        /// The event's topic.
        got: &'static str,
    },
    /// The cache failed or is away.
    #[error("the cache failed on {action}")]
    Cache {
        /// What was tried.
        action: &'static str,
        /// What the client library said.
        #[source]
        source: redis::RedisError,
    },
    /// A token bucket can never grant so many tokens at once.
    #[error("{wanted} tokens were asked of a bucket that holds {burst}")]
    BucketTooSmall {
        /// Asked for.
        wanted: u32,
        /// The bucket's size.
        burst: u32,
    },
    /// The master key is missing or malformed.
    #[error("the master key is unusable: {reason}")]
    MasterKey {
        /// What is wrong with it, never the key.
        reason: String,
    },
    /// Sealed bytes cannot be opened: cut, altered, of another purpose or another installation.
    #[error("sealed data cannot be opened: {reason}")]
    Sealed {
        /// Why, never the data.
        reason: &'static str,
    },
    /// A file could not be read or written.
    #[error("{} cannot be used", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The address to listen on is taken or not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// As configured.
        address: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}
