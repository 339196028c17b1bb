//! How many acknowledgements a second the platform takes over HTTP, each durable before it is answered, and how many requests
//! the same HTTP stack answers without a store.
//!
//! ```text
//! cargo run --release -p benches --bin acks -- [--json] [--http 1|2] [--askers N] [RESIDENTS]
//! ```
//!
//! An alert is live for every resident, and every resident acknowledges it once with a session of their own. Measured is the
//! time from the first request sent to the last answer received, by a load generator that is a process of its own and keeps a
//! fixed number of requests under way: over HTTP/2, as a load balancer in front of the platform would, or over an HTTP/1.1
//! connection for each ([`load`]). What is
//! measured is what an app meets: the HTTP shell with its access rules, limits, metrics and log, the look-up of the session, the
//! look at the inbox, and the row in PostgreSQL, committed. Generator, service and PostgreSQL share the machine; the processor
//! time that each of them takes is told as well ([`processes`]).
//!
//! Afterwards the table is asked whether everybody who was answered is in it. The limit is the same load on the same shell, with
//! the same path and the same kind of token, before a handler and an authenticator that only look into memory ([`stand_in`]).
//!
//! The database is made for this on the server at `FENGHUO_TEST_POSTGRES` and dropped at the end.

mod city;
mod load;
mod processes;
mod stand_in;

use anyhow::{Context as _, bail, ensure};
use platform::clock::Clock;
use platform::database::Database;
use platform::telemetry::{self, LogPlace, TelemetrySettings};
use platform::{Platform, StoreSettings, scratch};

use city::City;
use load::Protocol;

/// The platform's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RESIDENTS: u32 = 200_000;
/// Requests under way: enough to keep both cores busy, few enough that nobody waits long.
const ASKERS: u32 = 400;
const USAGE: &str = "usage: acks [--json] [--http 1|2] [--askers N] [RESIDENTS]";

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (mut json, mut residents, mut askers, mut protocol) = (false, RESIDENTS, ASKERS, Protocol::Http2);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            load::ARGUMENT => return load::main(arguments),
            "--json" => json = true,
            "--http" => protocol = arguments.next().and_then(|version| version.parse().ok()).context(USAGE)?,
            "--askers" => askers = arguments.next().and_then(|number| number.parse().ok()).context(USAGE)?,
            number => residents = number.parse().with_context(|| format!("{USAGE}, not {number:?}"))?,
        }
    }
    ensure!(residents > 0 && askers > 0, "there is nothing to measure without residents and askers");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let figures = runtime.block_on(measure(residents, askers, protocol))?;
    if json {
        println!("{}", serde_json::to_string(&figures)?);
    } else {
        print(&figures);
    }
    Ok(())
}

#[derive(serde::Serialize)]
struct Figures {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    p999_ms: f64,
    limit_per_second: f64,
    limit_p99_ms: f64,
    ratio: f64,
    residents: u32,
    askers: u32,
    protocol: Protocol,
    commits: u64,
    acknowledgements_per_commit: f64,
    /// Processor time of one acknowledgement, in microseconds.
    generator_cpu_us: f64,
    service_cpu_us: f64,
    database_cpu_us: f64,
    limit_generator_cpu_us: f64,
    limit_service_cpu_us: f64,
}

fn print(figures: &Figures) {
    println!("acknowledgements over HTTP into PostgreSQL  {:>8.0} /s", figures.per_second);
    println!("the same HTTP stack without a store         {:>8.0} /s  ({:.2} of it reached)", figures.limit_per_second, figures.ratio);
    println!(
        "latency: half within {:.1} ms, 99 % within {:.1} ms, 99.9 % within {:.1} ms (limit: 99 % within {:.1} ms)",
        figures.p50_ms, figures.p99_ms, figures.p999_ms, figures.limit_p99_ms
    );
    println!(
        "{} residents, {} requests at a time over HTTP/{}, {} commits of {:.0} acknowledgements",
        figures.residents, figures.askers, figures.protocol, figures.commits, figures.acknowledgements_per_commit
    );
    println!(
        "processor time of one: generator {:.1} µs, service {:.1} µs, database {:.1} µs (limit: generator {:.1} µs, service {:.1} µs)",
        figures.generator_cpu_us,
        figures.service_cpu_us,
        figures.database_cpu_us,
        figures.limit_generator_cpu_us,
        figures.limit_service_cpu_us
    );
}

async fn measure(residents: u32, askers: u32, protocol: Protocol) -> anyhow::Result<Figures> {
    telemetry::log(&TelemetrySettings::default(), &LogPlace::StandardError)?;
    let metrics = telemetry::record()?;
    let database = Database::scratch(&scratch::postgres_url()).await.context("PostgreSQL does not answer")?;
    let settings = StoreSettings { keys: scratch::passing_key(), ..StoreSettings::default() };
    let platform = Platform::on(database, &settings, Clock::real()).await?;
    let measured = acknowledge(&platform, metrics, residents, askers, protocol).await;
    // also after a failure nothing is left behind
    scratch::remove(&platform).await?;
    measured
}

async fn acknowledge(
    platform: &Platform,
    metrics: metrics_exporter_prometheus::PrometheusHandle,
    residents: u32,
    askers: u32,
    protocol: Protocol,
) -> anyhow::Result<Figures> {
    let city = City::found(platform, residents).await?;
    let limit = city.run(stand_in::shell(residents), askers, protocol).await?;
    ensure!(limit.load.refused.is_empty(), "without a store nobody should be refused, but {} were", limit.load.refused.len());
    let real = city.run(city.shell(metrics.clone()).await?, askers, protocol).await?;
    if let Some(resident) = real.load.refused.first() {
        bail!("{} residents were refused, among them number {resident}", real.load.refused.len());
    }
    city.must_hold_everybody_but(&real.load.refused).await?;
    let commits = city::counted(&metrics.render(), "gathered_batches_total", "resident.acknowledgements");
    Ok(Figures {
        per_second: real.load.per_second(),
        p50_ms: real.load.p50_ms,
        p99_ms: real.load.p99_ms,
        p999_ms: real.load.p999_ms,
        limit_per_second: limit.load.per_second(),
        limit_p99_ms: limit.load.p99_ms,
        ratio: real.load.per_second() / limit.load.per_second(),
        residents,
        askers,
        protocol,
        commits,
        acknowledgements_per_commit: f64::from(residents) / commits as f64,
        generator_cpu_us: real.load.cpu_us(),
        service_cpu_us: real.service_cpu_us,
        database_cpu_us: real.database_cpu_us,
        limit_generator_cpu_us: limit.load.cpu_us(),
        limit_service_cpu_us: limit.service_cpu_us,
    })
}
