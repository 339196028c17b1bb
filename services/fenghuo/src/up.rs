//! `fenghuo up`: the whole platform in one process, with simulated providers and a demo city.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
use platform::http::Server;
use platform::telemetry::{LogFormat, TelemetrySettings};
use platform::{Platform, telemetry};
use resident::generate::People;
use simulators::{Options, Simulators};
use strum::VariantArray as _;

use crate::configuration::Configuration;
use crate::demo::{self, Access};
use crate::services::{self, Service};
use crate::simulate::Providers;
use crate::{pages, residents, serve};

/// Run the whole platform in one process, with simulated providers and a demo city.
#[derive(Args)]
pub(crate) struct Up {
    /// Where everything is kept: the database, the keys, the passwords of the demo staff.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// Address to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// How many synthetic residents live in the demo city, at the first start.
    #[arg(long, value_name = "N", default_value_t = 32_054)]
    residents: u32,
    /// No residents, no rules, no staff but an administrator.
    #[arg(long)]
    empty: bool,
}

pub(crate) async fn run(config: Option<&Path>, up: Up) -> Result<()> {
    let mut settings = Configuration::load(config)?;
    std::fs::create_dir_all(&up.data).with_context(|| format!("{} cannot be made", up.data.display()))?;
    let server = Server::bind(up.listen).await?;
    settings.database.data_dir = up.data.join("database");
    settings.keys.master_key_file = Some(up.data.join("master.key"));
    settings.keys.create = true;
    settings.identity.cookie_secure = false;
    settings.telemetry.format = LogFormat::Human;
    if settings.telemetry == (TelemetrySettings { format: LogFormat::Human, ..TelemetrySettings::default() }) {
        // a person watches: which requests were refused is no news
        settings.telemetry.level = "info,platform::http=warn".to_owned();
    }
    telemetry::log(&settings.telemetry)?;
    let metrics = telemetry::record()?;

    let simulators =
        // the demo's clock may be ahead of the machine's, and with it the tokens it signs
        Simulators::start(Options { keep_payloads: true, token_age_checked: false, ..Options::default() }).await.context("the simulated providers did not start")?;
    Providers::of(&simulators).configure(&mut settings, &up.data.join("providers"))?;

    let platform = Platform::open(&settings.stores(), demo::play::clock(&up.data)).await.context("the embedded stores did not start")?;
    services::migrate(&platform).await?;
    let accounts = up.data.join("staff.txt");
    let new = if up.empty { administrator(&platform, &accounts).await? } else { city(&platform, up.residents).await? };
    remember(&accounts, &new)?;

    let mut shell = services::start(&platform, &settings, Service::VARIANTS).await?.metrics(metrics);
    if !up.empty && up.listen.ip().is_loopback() {
        let people = People::new(up.residents, residents::SEED);
        let play = demo::play::router(up.data.clone(), accounts.clone(), platform.clock.clone(), simulators.clone(), people);
        shell = shell.pages(pages::router().merge(play));
    }
    welcome(&server, &simulators, &accounts, up.empty)?;
    if !up.empty && !new.is_empty() {
        first_hour(&platform, &server, &up, new, accounts);
    }
    serve::until_stopped(&platform, server, shell, Duration::from_secs(settings.http.drain_seconds)).await;
    simulators.stop().await;
    Ok(())
}

/// Has the city's staff play its first hour once the platform answers; until then the city is there without alerts.
fn first_hour(platform: &Platform, server: &Server, up: &Up, staff: Vec<Access>, accounts: PathBuf) {
    let (url, data, now) = (format!("http://{}", server.address()), up.data.clone(), platform.clock.now());
    let people = People::new(up.residents, residents::SEED);
    tokio::spawn(async move {
        let played = demo::scenes::first_hour(&url, &data, &staff, now, people).await;
        let kept = played.and_then(|key| {
            let screens =
                key.map(|secret| Access {
                    login: "screen".to_owned(), secret, title: "公共屏幕 解放碑 1 号屏（密钥）".to_owned()
                });
            remember(&accounts, screens.as_slice())
        });
        if let Err(error) = kept {
            tracing::warn!(error = format!("{error:#}"), "the demo city's first hour was not played to its end");
        }
    });
}

/// The demo city, made at the first start.
async fn city(platform: &Platform, count: u32) -> Result<Vec<Access>> {
    match residents::write(platform, &People::new(count, residents::SEED), true).await {
        Err(error) if !matches!(error.downcast_ref(), Some(resident::Error::ResidentsExist)) => return Err(error),
        _ => {}
    }
    demo::settle(platform).await
}

/// Nothing but a way in, made at the first start.
async fn administrator(platform: &Platform, accounts: &Path) -> Result<Vec<Access>> {
    if accounts.exists() {
        return Ok(Vec::new());
    }
    let secret = identity::create_administrator(platform, "admin").await?;
    Ok(vec![Access { login: "admin".to_owned(), secret, title: "系统管理员".to_owned() }])
}

/// Adds new accounts to the file that only this user can read.
fn remember(file: &Path, new: &[Access]) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut lines = options.open(file).with_context(|| format!("{} cannot be written", file.display()))?;
    for access in new {
        writeln!(lines, "{:<20} {:<44} {}", access.login, access.secret, access.title)?;
    }
    Ok(())
}

fn welcome(server: &Server, simulators: &Simulators, accounts: &PathBuf, empty: bool) -> Result<()> {
    let (url, control) = (format!("http://{}", server.address()), simulators.addresses().control_url());
    let staff = std::fs::read_to_string(accounts).with_context(|| format!("{} cannot be read", accounts.display()))?;
    let shown: Vec<&str> = staff.lines().filter(|line| !line.starts_with("review.") || line.starts_with("review.500103")).collect();
    println!("\n烽火 Fenghuo is up at {url}   (interface: {url}/openapi.json)\n");
    println!("Staff (all of them, with the reviewers of the other districts, in {}):", accounts.display());
    for line in shown {
        println!("  {line}");
    }
    println!("\nSimulated APNs, FCM, Web Push and SMS centre: {control}/stats · {control}/sms?phone=%2B8619000000001");
    if !empty {
        println!(
            "\nTry first: report a close contact, and see the alert go to district and city review and to the phone.
  KEY=<the api-key above>; PASSWORD=<of review.500103>
  curl {url}/api/v1/records -H \"authorization: Bearer $KEY\" -H 'content-type: application/json' -d '[{{\"source_id\":\"demo-1\",
    \"kind\":\"close_contact\",\"occurred_at\":\"'$(date -u +%FT%TZ)'\",\"level\":\"high\",\"district\":\"500103\",\"subject\":{{\"phone\":\"19000002691\"}}}}]'
  curl {url}/api/v1/session -H 'content-type: application/json' -d '{{\"login\":\"review.500103\",\"password\":\"'$PASSWORD'\"}}'
  curl {url}/api/v1/alerts -H \"authorization: Bearer <token>\"
Or play a whole outbreak: fenghuo rehearse mers-2015\n"
        );
    }
    std::io::stdout().flush()?;
    Ok(())
}
