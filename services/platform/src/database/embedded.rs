//! PostgreSQL inside the process (`pglite-oxide`), reached through a socket in its own directory.
//!
//! The socket's directory is open to this user only: the engine asks nobody for a password.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use pglite_oxide::PgliteServer;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::error::Error;

/// A socket's path is longer than the kernel takes from here on (108 bytes with its name and end).
const LONGEST_SOCKET_DIRECTORY: usize = 90;
const SOCKET: &str = ".s.PGSQL.5432";

/// A running engine.
#[derive(Debug)]
pub(super) struct Embedded {
    server: Mutex<Option<PgliteServer>>,
    directory: PathBuf,
    socket_directory: PathBuf,
    /// Removed at the end: a directory made only for the socket.
    passing: Option<PathBuf>,
}

impl Embedded {
    /// Starts the engine on `directory`.
    pub(super) async fn open(directory: PathBuf) -> Result<Self, Error> {
        Self::start(Some(directory)).await
    }

    /// Starts an engine whose data is gone with it.
    pub(super) async fn temporary() -> Result<Self, Error> {
        Self::start(None).await
    }

    async fn start(directory: Option<PathBuf>) -> Result<Self, Error> {
        let shown = directory.clone().unwrap_or_else(std::env::temp_dir);
        let failed = |reason: String| Error::Embedded { directory: shown.clone(), reason };
        blocking(move || start_blocking(directory)).await.map_err(failed)?.map_err(failed)
    }

    /// How to connect to it.
    pub(super) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass().socket(&self.socket_directory).port(5432).username("postgres").database("template1")
    }

    /// Stops the engine. Connections must be closed before.
    pub(super) async fn stop(&self) -> Result<(), Error> {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        let failed = |reason: String| Error::Embedded { directory: self.directory.clone(), reason };
        match server {
            Some(server) => {
                blocking(move || server.shutdown().map_err(|error| format!("{error:#}"))).await.map_err(failed)?.map_err(failed)
            }
            None => Ok(()),
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        let server = self.server.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let passing = self.passing.take();
        // the engine ends when its last connection does, which nobody here should have to wait for
        std::thread::spawn(move || {
            drop(server);
            if let Some(directory) = passing {
                let _ = std::fs::remove_dir_all(directory);
            }
        });
    }
}

fn start_blocking(directory: Option<PathBuf>) -> Result<Embedded, String> {
    let text = |error: std::io::Error| error.to_string();
    if let Some(directory) = &directory {
        make_private(directory).map_err(text)?;
    }
    let (socket_directory, passing) = match &directory {
        Some(directory) if directory.as_os_str().len() <= LONGEST_SOCKET_DIRECTORY => (directory.canonicalize().map_err(text)?, None),
        _ => {
            let passing = std::env::temp_dir().join(format!("fenghuo-{}", Uuid::new_v4().simple()));
            make_private(&passing).map_err(text)?;
            (passing.clone(), Some(passing))
        }
    };
    let builder = PgliteServer::builder().unix(socket_directory.join(SOCKET));
    let builder = match &directory {
        Some(directory) => builder.path(directory.join("engine")),
        None => builder.temporary(),
    };
    let server = builder.start().map_err(|error| format!("{error:#}"))?;
    let directory = directory.unwrap_or_else(|| server.root().to_owned());
    Ok(Embedded { server: Mutex::new(Some(server)), directory, socket_directory, passing })
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())
}

fn make_private(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir_all(directory)?;
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700))
}
