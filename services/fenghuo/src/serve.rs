//! `fenghuo serve`: services against the configured stores.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use platform::clock::Clock;
use platform::database::DatabaseMode;
use platform::http::{Server, Shell};
use platform::{Platform, telemetry};
use strum::VariantArray as _;
use tokio_util::sync::CancellationToken;

use crate::configuration::Configuration;
use crate::services::{self, Service};

/// How long running batches and handlers get when the process stops.
const PATIENCE: Duration = Duration::from_secs(30);

/// Run services against the configured stores and providers.
#[derive(Args)]
pub(crate) struct Serve {
    /// Which services; all of them if none is named.
    #[arg(value_name = "SERVICE")]
    services: Vec<Service>,
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
    telemetry::log(&settings.telemetry)?;
    let metrics = telemetry::record()?;
    let platform = Platform::open(&settings.stores(), Clock::real()).await.context("the stores do not answer")?;
    services::migrate(&platform).await?;
    let shell = services::start(&platform, &settings, &named).await?.metrics(metrics);
    let server = Server::bind(settings.server.listen).await?;
    println!("fenghuo: {} at http://{}", names(&named), server.address());
    until_stopped(&platform, server, shell, Duration::from_secs(settings.http.drain_seconds)).await;
    Ok(())
}

/// Serves until the process is told to stop, then lets requests, batches and handlers end.
pub(crate) async fn until_stopped(platform: &Platform, server: Server, shell: Shell, drain: Duration) {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        told_to_stop().await;
        stopped.cancel();
    });
    server.serve(shell.router(), stop, drain).await;
    if !platform.tasks.shutdown(PATIENCE).await {
        tracing::warn!(patience_s = PATIENCE.as_secs(), tasks = platform.tasks.running(), "tasks were still running at the stop");
    }
    if let Err(error) = platform.database.close().await {
        tracing::warn!(%error, "the database did not close");
    }
}

/// Ctrl-C, or SIGTERM from whoever supervises.
async fn told_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

fn names(services: &[Service]) -> String {
    services.iter().map(|service| format!("{service:?}").to_lowercase()).collect::<Vec<_>>().join(" ")
}
