//! `fenghuo up`: the whole platform in one process, with simulated providers and a demo city.
//!
//! What a person sees: [`refusal`] of what is no demo, [`progress`] while the city is made, [`welcome`] with the [`browser`] opened, and a
//! goodbye. What the platform logs goes to a file.

mod arguments;
mod browser;
mod progress;
mod refusal;
mod welcome;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use platform::Platform;
use platform::http::{Server, Shell};
use platform::telemetry::{self, LogFormat};
use resident::generate::People;
use simulators::{Options, Simulators};
use strum::VariantArray as _;
use tokio_util::sync::CancellationToken;

use crate::configuration::Configuration;
use crate::demo;
use crate::demo::accounts::{Access, Accounts};
use crate::serve::{self, Patience};
use crate::services::{self, City, Service};
use crate::simulate::Providers;
use crate::{pages, residents, stopping};
pub(crate) use arguments::Up;
use progress::Progress;

/// Nobody waits for a demo: what is under way is given back, and goes on at the next start.
const PATIENCE: Patience =
    Patience { requests: Duration::from_millis(300), tasks: Duration::from_millis(500), database: Duration::from_millis(700) };
/// When all of it takes longer than this the process ends anyway.
const STOPPED_AFTER: Duration = Duration::from_millis(1_800);

pub(crate) async fn run(config: Option<&Path>, up: Up) -> Result<()> {
    refusal::of_production(config)?;
    let mut settings = Configuration::load(config)?;
    std::fs::create_dir_all(&up.data).with_context(|| format!("{} cannot be made", up.data.display()))?;
    let server = Server::bind(up.listen).await?.connections(settings.http.connections);
    settings.database.data_dir = up.data.join("database");
    settings.keys.master_key_file = Some(up.data.join("master.key"));
    settings.keys.create = true;
    settings.identity.cookie_secure = false;
    // browsers give passkeys to a page on localhost, not to one that is reached by number
    settings.identity.console_address = format!("http://localhost:{}", server.address().port());
    let log = up.log_to.place(&up.data);
    up.log.start(&settings.telemetry, LogFormat::Human, &log)?;
    let metrics = telemetry::record()?;
    let stop = stopping::listen(Some(welcome::goodbye(&up.data)))?;

    let progress = Progress::begin("starting the simulated providers");
    let simulators =
        // the demo's clock may be ahead of the machine's, and with it the tokens it signs
        Simulators::start(Options { keep_payloads: true, token_age_checked: false, ..Options::default() }).await.context("the simulated providers did not start")?;
    Providers::of(&simulators).configure(&mut settings, &up.data.join("providers"))?;
    progress.now("starting the database");
    let platform = services::open(&settings.stores(), demo::play::clock(&up.data)).await?;

    let accounts = Accounts::of(&up.data);
    let served = match stop.run_until_cancelled(prepare(&platform, &settings, &up, &accounts, &progress)).await {
        Some(ready) => {
            let Ready { mut shell, new_city } = ready?;
            shell = shell.metrics(metrics);
            if !up.empty && up.listen.ip().is_loopback() {
                let people = People::new(up.residents, residents::SEED);
                let play = demo::play::router(up.data.clone(), accounts.clone(), platform.clock.clone(), simulators.clone(), people);
                shell = shell.pages(pages::router().merge(play));
            }
            progress.end();
            welcome::say(&server, &up, &accounts, &log)?;
            if new_city {
                first_hour(&platform, &server, &up, accounts);
            }
            browser::open_if_there_is_one(&format!("http://{}", server.address()), up.no_open);
            Some((server, shell))
        }
        None => None,
    };
    end(&platform, served, stop, &simulators).await;
    Ok(())
}

/// Serves until the process is told to stop, if there is anything to serve yet, and ends everything soon after.
async fn end(platform: &Platform, served: Option<(Server, Shell)>, stop: CancellationToken, simulators: &Simulators) {
    let over = stop.clone();
    let ended = async {
        match served {
            Some((server, shell)) => serve::until_stopped(platform, server, shell, stop, PATIENCE).await,
            None => serve::close(platform, PATIENCE).await,
        }
        simulators.stop().await;
    };
    let too_late = async {
        over.cancelled().await;
        tokio::time::sleep(STOPPED_AFTER).await;
    };
    tokio::select! {
        () = ended => {}
        () = too_late => tracing::warn!(after_ms = STOPPED_AFTER.as_millis() as u64, "not everything had ended at the stop"),
    }
}

/// The platform, ready to answer.
struct Ready {
    shell: Shell,
    /// Whether the city's staff are new: then they have not played their first hour yet.
    new_city: bool,
}

/// Makes what is missing of the city, and starts all services.
async fn prepare(platform: &Platform, settings: &Configuration, up: &Up, accounts: &Accounts, progress: &Progress) -> Result<Ready> {
    progress.now("making the tables");
    services::migrate(platform).await?;
    let new_city = if up.empty {
        administrator(platform, accounts).await?;
        false
    } else {
        city(platform, up.residents, accounts, progress).await?
    };
    progress.now("starting the services");
    let shell = services::start(platform, settings, Service::VARIANTS, City::Demo).await?;
    Ok(Ready { shell, new_city })
}

/// Has the city's staff play its first hour once the platform answers; until then the city is there without alerts.
fn first_hour(platform: &Platform, server: &Server, up: &Up, accounts: Accounts) {
    let (url, data, now) = (format!("http://{}", server.address()), up.data.clone(), platform.clock.now());
    let people = People::new(up.residents, residents::SEED);
    tokio::spawn(async move {
        let played = async {
            let screen = demo::scenes::first_hour(&url, &data, &accounts.read()?, now, people).await?;
            screen.map_or(Ok(()), |secret| {
                let title = "公共屏幕 解放碑 1 号屏（密钥）".to_owned();
                accounts.keep(&Access { login: "screen".to_owned(), secret, code: None, title })
            })
        };
        if let Err(error) = played.await {
            tracing::warn!(error = format!("{error:#}"), "the demo city's first hour was not played to its end");
        }
    });
}

/// The demo city, made at the first start. Whether any of its staff are new.
async fn city(platform: &Platform, count: u32, accounts: &Accounts, progress: &Progress) -> Result<bool> {
    progress.now("settling the residents");
    match residents::write(platform, &People::new(count, residents::SEED), |written| progress.settled(written, count)).await {
        Err(error) if !matches!(error.downcast_ref(), Some(resident::Error::ResidentsExist)) => return Err(error),
        _ => {}
    }
    progress.now("making the accounts of the staff");
    let mut new = 0;
    demo::settle(platform, &mut |access| {
        new += 1;
        progress.now(&format!("making the accounts of the staff: {new}"));
        accounts.keep(&access)
    })
    .await?;
    Ok(new > 0)
}

/// Nothing but a way in, made at the first start.
async fn administrator(platform: &Platform, accounts: &Accounts) -> Result<()> {
    if !accounts.read()?.is_empty() {
        return Ok(());
    }
    demo::settle_administrators(platform, &mut |access| accounts.keep(&access)).await
}
