//! In place of the engine in a build without it.

use std::path::PathBuf;

use sqlx::postgres::PgConnectOptions;

use crate::error::Error;

/// Cannot exist: the build has no engine.
#[derive(Debug)]
pub(super) enum Embedded {}

impl Embedded {
    pub(super) async fn open(_directory: PathBuf) -> Result<Self, Error> {
        Err(Error::EmbeddedMissing)
    }

    pub(super) async fn temporary() -> Result<Self, Error> {
        Err(Error::EmbeddedMissing)
    }

    pub(super) fn options(&self) -> PgConnectOptions {
        match *self {}
    }

    pub(super) async fn stop(&self) -> Result<(), Error> {
        match *self {}
    }
}
