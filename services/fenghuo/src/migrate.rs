//! `fenghuo migrate`: every table up to date, nothing else.

use std::path::Path;

use anyhow::{Context as _, Result};
use clap::Args;
use platform::Platform;
use platform::clock::Clock;

use crate::configuration::Configuration;
use crate::{roles, services};

/// Bring the database up to date.
#[derive(Args)]
pub(crate) struct Migrate {}

pub(crate) async fn run(config: Option<&Path>) -> Result<()> {
    let platform = open(config).await?;
    println!("fenghuo: the database is up to date");
    roles::renew(&platform).await?;
    close(platform).await
}

/// The stores with all tables up to date, for commands that do one thing and end.
pub(crate) async fn open(config: Option<&Path>) -> Result<Platform> {
    let settings = Configuration::load(config)?;
    let platform = services::open(&settings.stores(), Clock::real()).await?;
    services::migrate(&platform).await?;
    Ok(platform)
}

/// Ends what [`open`] began.
pub(crate) async fn close(platform: Platform) -> Result<()> {
    platform.tasks.shutdown(std::time::Duration::from_secs(5)).await;
    services::count_a_last_time(&platform).await;
    platform.database.close().await.context("the database did not close")
}
