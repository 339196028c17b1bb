//! PostgreSQL of one's own ([`private_postgres`]), in async code.

use std::path::PathBuf;
use std::sync::Arc;

use private_postgres::Server;
use secrecy::ExposeSecret as _;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::OnceCell;

use crate::error::Error;

/// Runs a server on the data in `directory`.
pub(super) async fn open(directory: PathBuf) -> Result<Arc<Server>, Error> {
    blocking(move || Server::open(&directory)).await.map(Arc::new)
}

/// The server of this process for databases that do not last; it ends with the process.
pub(super) async fn passing() -> Result<Arc<Server>, Error> {
    static PASSING: OnceCell<Arc<Server>> = OnceCell::const_new();
    PASSING.get_or_try_init(|| async { blocking(Server::passing).await.map(Arc::new) }).await.cloned()
}

/// How to connect to it.
pub(super) fn options(server: &Server) -> PgConnectOptions {
    let address = server.address();
    PgConnectOptions::new_without_pgpass()
        .socket(&address.socket_directory)
        .port(address.port)
        .username(address.user)
        .password(address.password.expose_secret())
        .database(address.database)
}

/// Stops it.
pub(super) async fn stop(server: Arc<Server>) -> Result<(), Error> {
    blocking(move || server.stop()).await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, private_postgres::Error> + Send + 'static) -> Result<T, Error> {
    let panicked = |error: tokio::task::JoinError| std::io::Error::other(error);
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| sqlx::Error::Io(panicked(error)))?;
    Ok(done?)
}
