//! `fenghuo serve`: services against the configured stores.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use platform::Platform;
use platform::bus::BusMode;
use platform::cache::CacheMode;
use platform::clock::Clock;
use platform::company;
use platform::database::DatabaseMode;
use platform::http::{Server, Shell};
use platform::telemetry::{self, LogFormat, LogPlace};
use strum::VariantArray as _;
use tokio_util::sync::CancellationToken;

use crate::configuration::Configuration;
use crate::logging::LogOptions;
use crate::services::{self, City, Service};
use crate::stopping;

/// How long running batches and handlers get when the process stops, and then the database to close.
const TASKS: Duration = Duration::from_secs(30);
const CLOSING: Duration = Duration::from_secs(10);

/// Run services against the configured stores and providers.
#[derive(Args)]
pub(crate) struct Serve {
    /// Which services; all of them if none is named.
    #[arg(value_name = "SERVICE")]
    services: Vec<Service>,
    #[command(flatten)]
    log: LogOptions,
}

pub(crate) async fn run(config: Option<&Path>, serve: Serve) -> Result<()> {
    let settings = Configuration::load(config)?;
    let mut named = serve.services;
    if named.is_empty() {
        named = Service::VARIANTS.to_vec();
    }
    named.sort();
    named.dedup();
    if named.len() < Service::VARIANTS.len() && settings.database.mode == DatabaseMode::Embedded {
        bail!("the embedded database serves one process only: set database.mode to \"postgres\", or serve everything");
    }
    if named.len() < Service::VARIANTS.len() && (settings.bus.mode == BusMode::InProcess || settings.cache.mode == CacheMode::InProcess) {
        bail!(
            "bus.mode and cache.mode \"in_process\" are for one process that serves everything: set them to \"rabbitmq\" and \"redis\", or name no service"
        );
    }
    serve.log.start(&settings.telemetry, LogFormat::Json, &LogPlace::StandardError)?;
    let certificate = settings.server.certificate()?;
    let stop = stopping::listen(None)?;
    let metrics = telemetry::record()?;
    let stores = settings.stores();
    stores.jobs.check()?;
    let place = company::join(&stores).await.map_err(services::told)?;
    let platform = services::open(&stores, Clock::real()).await?;
    place.keep(&platform.tasks);
    services::migrate(&platform).await?;
    // What is set, by name: which settings are others than at the last start belongs into the trace.
    let given = Configuration::given(config)?.into_iter().map(|given| (given.key, given.value.to_string())).collect();
    platform::configuration::note(&platform, &names(&named), &given).await?;
    let shell = services::start(&platform, &settings, &named, City::Real).await?.metrics(metrics);
    let server = Server::bind(settings.server.listen).await?.connections(settings.http.connections).encrypted(certificate);
    println!("fenghuo: {} at {}", names(&named), server.url());
    let patience = Patience { requests: Duration::from_secs(settings.http.drain_seconds), tasks: TASKS, database: CLOSING };
    until_stopped(&platform, server, shell, stop, patience).await;
    Ok(())
}

/// How long what is under way may take when the process stops.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// Requests.
    pub(crate) requests: Duration,
    /// Batches and handlers of events.
    pub(crate) tasks: Duration,
    /// The database.
    pub(crate) database: Duration,
}

/// Serves until `stop`, then lets requests, batches and handlers end.
pub(crate) async fn until_stopped(platform: &Platform, server: Server, shell: Shell, stop: CancellationToken, patience: Patience) {
    // Batches end at their next checkpoint and live streams at once, beside the requests: none of them waits for another.
    let (stopped, told) = (platform.tasks.token().clone(), stop.clone());
    tokio::spawn(async move {
        told.cancelled().await;
        stopped.cancel();
    });
    server.serve(shell.router(), stop, patience.requests).await;
    close(platform, patience).await;
}

/// Lets batches and handlers end, and closes the database.
pub(crate) async fn close(platform: &Platform, patience: Patience) {
    if !platform.tasks.shutdown(patience.tasks).await {
        tracing::warn!(
            patience_ms = patience.tasks.as_millis() as u64,
            tasks = platform.tasks.running(),
            "tasks were still running at the stop"
        );
    }
    if tokio::time::timeout(patience.database, services::count_a_last_time(platform)).await.is_err() {
        tracing::warn!("the database did not answer: the last entries of the audit trace were not counted");
    }
    match tokio::time::timeout(patience.database, platform.database.close()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the database did not close"),
        Err(_) => tracing::warn!(patience_ms = patience.database.as_millis() as u64, "the database did not close in time"),
    }
}

fn names(services: &[Service]) -> String {
    services.iter().map(|service| format!("{service:?}").to_lowercase()).collect::<Vec<_>>().join(" ")
}
