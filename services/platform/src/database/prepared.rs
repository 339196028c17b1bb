//! Databases that begin with tables in them, for tests: the first of a kind is prepared, every other of this process is a copy of that one.
//!
//! To make all tables of a service anew takes a server half a second; a copy takes a tenth of that.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::postgres::PgPoolOptions;
use tokio::sync::OnceCell;

use super::scratch::{self, Scratch};
use super::{Behind, Database, private};
use crate::error::Error;

/// What was prepared on the passing server, by the name of its kind: the name of a database that nobody is connected to.
static PREPARED: Mutex<BTreeMap<String, Arc<OnceCell<String>>>> = Mutex::new(BTreeMap::new());

impl Database {
    /// A new database on a server of this process's own that is dropped after the last clone, and in which `prepare` was done. What is called `kind`
    /// is prepared once.
    ///
    /// # Errors
    /// When the server fails, or `prepare` does.
    pub async fn temporary_with<F>(kind: String, prepare: impl FnOnce(Self) -> F) -> Result<Self, Error>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let server = private::passing().await?;
        let options = private::options(&server);
        let prepared = Arc::clone(PREPARED.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default());
        let original = prepared
            .get_or_try_init(|| async {
                let name = scratch::create(&options, None).await?;
                let database = Self::connect(PgPoolOptions::new(), options.clone().database(&name), 2, Behind::Server).await?;
                prepare(database.clone()).await?;
                // nothing is copied that somebody is connected to
                database.close().await?;
                Ok::<_, Error>(name)
            })
            .await?;
        let scratch = Box::new(Scratch::copy_of(original, options).await?);
        Self::connect(PgPoolOptions::new(), scratch.options(), 10, Behind::Scratch { scratch, _server: Some(server) }).await
    }
}
