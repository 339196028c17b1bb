//! A database made for one test on a real server, and dropped after it.

use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use uuid::Uuid;

use crate::error::Error;

/// A database with a random name.
#[derive(Debug)]
pub(super) struct Scratch {
    server: PgConnectOptions,
    name: String,
    removed: AtomicBool,
}

impl Scratch {
    /// Creates it through the database that `server` names.
    pub(super) async fn create(server: PgConnectOptions) -> Result<Self, Error> {
        let name = create(&server, None).await?;
        Ok(Self { server, name, removed: AtomicBool::new(false) })
    }

    /// The same with everything in it that is in `original`, to which nobody is connected.
    pub(super) async fn copy_of(original: &str, server: PgConnectOptions) -> Result<Self, Error> {
        let name = create(&server, Some(original)).await?;
        Ok(Self { server, name, removed: AtomicBool::new(false) })
    }

    /// How to connect to it.
    pub(super) fn options(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }

    /// Drops it, whoever is connected.
    pub(super) async fn remove(&self) -> Result<(), Error> {
        if self.removed.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        run(&self.server, format!("drop database if exists {} with (force)", self.name)).await
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.removed.swap(true, Ordering::SeqCst) {
            return;
        }
        let (server, statement) = (self.server.clone(), format!("drop database if exists {} with (force)", self.name));
        // a drop cannot await, and the runtime it happens in may be ending
        let dropper = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(run(&server, statement)).map_err(std::io::Error::other)
        });
        if !matches!(dropper.join(), Ok(Ok(()))) {
            tracing::warn!(database = self.name, "a scratch database was left behind");
        }
    }
}

/// Makes a database of a random name, empty or like another; its name.
pub(super) async fn create(server: &PgConnectOptions, like: Option<&str>) -> Result<String, Error> {
    let name = format!("fenghuo_scratch_{}", Uuid::new_v4().simple());
    let like = like.map(|original| format!(" template {original}")).unwrap_or_default();
    run(server, format!("create database {name}{like}")).await?;
    Ok(name)
}

/// Names are made above from letters and digits, so the statement is safe.
async fn run(server: &PgConnectOptions, statement: String) -> Result<(), Error> {
    let mut connection = server.connect().await?;
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    Ok(connection.close().await?)
}
