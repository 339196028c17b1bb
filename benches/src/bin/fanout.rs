//! How fast one approved alert reaches everybody: review, planning, ledger, broker, HTTP/2 over TLS, outcomes on disk.
//!
//! ```text
//! cargo run --release -p benches --bin fanout -- --residents N [--channel app|sms|mixed] [--database NAME] [--push N] [--latency-ms N] [--chart FILE] [--json]
//! ```
//!
//! An urgent alert to the whole city is composed and confirmed through the interfaces. The services, the senders, the simulated
//! providers, PostgreSQL, RabbitMQ and Redis share the machine. Recipients, duplicates and losses are those that the simulated
//! providers counted. The limit is measured in the same run, after it: a bare loop against the same simulators with the same mix of
//! messages, without platform.
//!
//! `--latency-ms` has the simulated providers take so long for each answer, with and without the platform; at once, unless told.
//!
//! `--database` keeps the residents in a database of that name for the next run: thirty-two million take a while to write.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use benches::chart::Chart;
use benches::city::{City, Counted, DESK, Plan, cpu_s, eventually};
use benches::limit;
use domain::area::Area;
use domain::audience::{AudienceQuery, Selection};
use serde_json::{Map, Value, json};
use simulators::Provider;

/// How often the providers' counts are looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Messages of the bare loop.
const LIMIT_MESSAGES: u64 = 1_000_000;
/// Short messages of the bare loop, and how it sends them: as the platform does.
const LIMIT_SMS: u32 = 200_000;
const SMS_BINDS: u32 = 2;
const SMS_WINDOW: usize = 64;
/// Slower than this is not waited for.
const SLOWEST_PER_SECOND: u64 = 200;

fn main() -> Result<()> {
    let arguments = Arguments::read(std::env::args().skip(1))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let figures = runtime.block_on(measure(&arguments))?;
    if arguments.json {
        println!("{}", Value::Object(figures));
    } else {
        for (name, value) in &figures {
            println!("{name:<28} {value}");
        }
    }
    Ok(())
}

#[derive(Debug)]
struct Arguments {
    residents: u32,
    channel: String,
    database: Option<String>,
    senders: usize,
    latency_ms: u64,
    chart: Option<String>,
    limit: bool,
    settings: Value,
    json: bool,
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut arguments = Self {
            residents: 1_000_000,
            channel: "app".to_owned(),
            database: None,
            senders: 1,
            latency_ms: 0,
            chart: None,
            limit: true,
            settings: Value::Null,
            json: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--residents" => arguments.residents = value()?.parse().context("--residents is a number")?,
                "--channel" => arguments.channel = value()?,
                "--database" => arguments.database = Some(value()?),
                "--push" => arguments.senders = value()?.parse().context("--push is a number of processes")?,
                "--latency-ms" => arguments.latency_ms = value()?.parse().context("--latency-ms is a number")?,
                "--chart" => arguments.chart = Some(value()?),
                "--settings" => arguments.settings = serde_json::from_str(&value()?).context("--settings is JSON")?,
                "--no-limit" => arguments.limit = false,
                "--json" => arguments.json = true,
                other => bail!(
                    "usage: fanout --residents N [--channel app|sms|mixed] [--database NAME] [--push N] [--latency-ms N] [--chart FILE] \
                     [--settings JSON] [--no-limit] [--json], not {other:?}"
                ),
            }
        }
        ensure!(["app", "sms", "mixed"].contains(&arguments.channel.as_str()), "--channel is app, sms or mixed");
        ensure!(arguments.residents > 0 && arguments.senders > 0, "there is nothing to measure without residents and senders");
        Ok(arguments)
    }

    fn app_percent(&self) -> u8 {
        match self.channel.as_str() {
            "app" => 100,
            "sms" => 0,
            _ => 70,
        }
    }

    fn plan(&self) -> Plan {
        let sends = |service: &'static str, count: usize| {
            (1..=count).map(move |at| if at == 1 { service.to_owned() } else { format!("{service}#{at}") })
        };
        let app = if self.channel == "sms" { 0 } else { self.senders };
        let sms = usize::from(self.channel != "app");
        Plan {
            residents: self.residents,
            app_percent: self.app_percent(),
            database: self.database.clone(),
            processes: [DESK.to_owned(), "dispatch".to_owned()].into_iter().chain(sends("push", app)).chain(sends("sms", sms)).collect(),
            settings: self.settings.clone(),
            own_servers: false,
        }
    }
}

async fn measure(arguments: &Arguments) -> Result<Map<String, Value>> {
    let mut city = City::found(&arguments.plan()).await?;
    let measured = tokio::select! {
        measured = run(&mut city, arguments) => measured,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    if measured.is_err() {
        eprintln!("{}", city.logs());
    }
    // also after a failure nothing is left behind
    city.end().await?;
    measured
}

/// What was seen of one alert while it went out.
struct Seen {
    /// Seconds since the confirmation was sent, and messages that had arrived.
    curve: Vec<(f64, f64)>,
    first_seen_s: f64,
    last_seen_s: f64,
}

async fn watch(city: &City, residents: u64, began: Instant, patience: Duration) -> Result<Seen> {
    let mut seen = Seen { curve: vec![(0.0, 0.0)], first_seen_s: 0.0, last_seen_s: 0.0 };
    loop {
        let counted = city.providers.counted().await?;
        let now = began.elapsed();
        if counted.accepted > 0 && seen.first_seen_s == 0.0 {
            seen.first_seen_s = now.as_secs_f64();
        }
        seen.curve.push((now.as_secs_f64(), counted.recipients as f64));
        if counted.recipients >= residents {
            seen.last_seen_s = now.as_secs_f64();
            return Ok(seen);
        }
        ensure!(now < patience, "{} of {residents} were reached within {} s", counted.recipients, patience.as_secs());
        tokio::time::sleep(LOOK).await;
    }
}

async fn run(city: &mut City, arguments: &Arguments) -> Result<Map<String, Value>> {
    let residents = u64::from(arguments.residents);
    let patience = Duration::from_secs(60 + residents / SLOWEST_PER_SECOND);
    answer_after(city, arguments.latency_ms).await?;
    let (wal_before, cpu_before) = (city.wal_bytes().await?, cpu(city)?);
    let before = city.ledger_size().await?;

    let everybody = AudienceQuery { include: vec![Selection { areas: [Area::City].into(), ..Selection::default() }], exclude: vec![] };
    let began = Instant::now();
    let alert = city.urgent(&everybody).await?;
    let seen = watch(city, residents, began, patience).await?;
    let delivery = city.handed_over(&alert, patience).await?;
    let used_s: Map<String, Value> =
        cpu(city)?.into_iter().zip(cpu_before).map(|((name, now), (_, then))| (name, json!(round(now - then, 2)))).collect();
    let peak: Map<String, Value> =
        city.processes().map(|(name, process)| Ok((name.to_owned(), json!(round(process.peak_rss_mb()?, 1))))).collect::<Result<_>>()?;
    let (wal, ledger) = (city.wal_bytes().await? - wal_before, city.ledger_size().await?);

    let after_s = |time: chrono::DateTime<chrono::Utc>| (time - delivery.approved_at).num_microseconds().unwrap_or(i64::MAX) as f64 / 1e6;
    // the receipts of short messages come later and are not waited for
    let counted: Counted = city.providers.counted().await?;
    let complete_s = after_s(delivery.complete_at);
    ensure!(complete_s > 0.0, "the ledger was complete before the alert was approved");
    let per_second = residents as f64 / complete_s;
    receipts_told(city, patience).await?;
    let limit_cpu = (cpu_s("self")?, city.providers.process.cpu_s()?);
    let limit = if arguments.limit { Some(bare_limit(city, arguments.latency_ms).await?) } else { None };
    let limit_messages = city.providers.counted().await?.accepted;
    let limit_cpu = (cpu_s("self")? - limit_cpu.0 + city.providers.process.cpu_s()? - limit_cpu.1) * 1e6 / limit_messages as f64;
    let all_cpu_s: f64 = used_s.values().filter_map(Value::as_f64).sum();

    if let Some(file) = &arguments.chart {
        let chart = Chart {
            title: format!("{residents} recipients, {per_second:.0} a second"),
            counted: "recipients handed over",
            points: seen.curve,
            marks: vec![(complete_s, format!("ledger complete: {complete_s:.0} s"))],
        };
        std::fs::write(file, chart.svg()).with_context(|| format!("{file} cannot be written"))?;
    }
    let figures = json!({
        "residents": residents,
        "channel": arguments.channel,
        "push_processes": arguments.senders,
        "latency_ms": arguments.latency_ms,
        "planning_s": round(after_s(delivery.planned_at), 3),
        "planning_per_second": (residents as f64 / after_s(delivery.planned_at)).round(),
        "first_hand_over_ms": round(after_s(delivery.first_hand_over_at) * 1e3, 1),
        "last_hand_over_s": round(seen.last_seen_s, 2),
        "ledger_complete_s": round(complete_s, 2),
        "per_second": per_second.round(),
        "limit_per_second": limit.map(f64::round),
        "ratio": limit.map(|limit| round(per_second / limit, 3)),
        "cpu_us_per_recipient": round(all_cpu_s * 1e6 / residents as f64, 2),
        "limit_cpu_us_per_message": limit.map(|_| round(limit_cpu, 2)),
        "accepted": delivery.accepted,
        "duplicates": counted.duplicates + counted.repeats,
        "lost": residents.saturating_sub(counted.recipients),
        "peak_rss_mb": peak,
        "cpu_s": used_s,
        "ledger_bytes_per_recipient": round((ledger.bytes - before.bytes) as f64 / residents as f64, 2),
        "ledger_rows": ledger.rows - before.rows,
        "wal_bytes_per_recipient": round(wal as f64 / residents as f64, 2),
    });
    let Value::Object(figures) = figures else { bail!("figures are an object") };
    Ok(figures)
}

/// Has all providers take so long for each answer.
async fn answer_after(city: &City, latency_ms: u64) -> Result<()> {
    for provider in ["apns", "fcm", "sms"] {
        city.providers.set_faults(&json!({ "provider": provider, "latency_ms": latency_ms })).await?;
    }
    Ok(())
}

/// Waits for receipts, which come after the messages: the platform is busy with them.
async fn receipts_told(city: &City, patience: Duration) -> Result<()> {
    eventually("the SMS centre has told what became of its messages", patience, async || {
        let waiting = city.providers.statistics(Provider::Sms).await?["deliveries_waiting"].as_u64();
        Ok((waiting == Some(0)).then_some(()))
    })
    .await
}

/// The same mix of messages by a bare loop, on a platform that has nothing to do.
async fn bare_limit(city: &mut City, latency_ms: u64) -> Result<f64> {
    let share = |statistics: Value| statistics["accepted"].as_u64().unwrap_or(0);
    let apns = share(city.providers.statistics(Provider::Apns).await?);
    let fcm = share(city.providers.statistics(Provider::Fcm).await?);
    let sms = share(city.providers.statistics(Provider::Sms).await?);
    city.providers.reset().await?;
    answer_after(city, latency_ms).await?;
    let scale = |count: u64| u32::try_from(count * LIMIT_MESSAGES / (apns + fcm).max(1)).unwrap_or(u32::MAX);
    eventually("nothing is left to do", Duration::from_secs(30), async || {
        let idle = sqlx::query_scalar!(r#"select not exists (select from dispatch.batch where state <> 'closed') as "idle!""#);
        Ok(idle.fetch_one(city.database.pool()).await?.then_some(()))
    })
    .await?;
    if sms > 0 {
        // the centre sends receipts to any bind of the account: the platform would answer the bare loop's
        city.kill("sms")?;
    }
    // side by side one loop would only take from the other: of a mix each kind's share of the time is added up
    let app = apns + fcm;
    let push_rate = if app > 0 { limit::bare_http2(&city.providers, scale(apns), scale(fcm)).await? } else { f64::INFINITY };
    let sms_rate = if sms > 0 { limit::bare_smpp(&city.providers, LIMIT_SMS, SMS_BINDS, SMS_WINDOW).await? } else { f64::INFINITY };
    let all = (app + sms) as f64;
    Ok(all / (app as f64 / push_rate + sms as f64 / sms_rate))
}

fn cpu(city: &City) -> Result<Vec<(String, f64)>> {
    let mut all: Vec<(String, f64)> =
        city.processes().map(|(name, process)| Ok((name.to_owned(), process.cpu_s()?))).collect::<Result<_>>()?;
    // backends name the database that they serve; other databases of the server are not ours
    all.push(("postgres".to_owned(), of_servers("postgres", &city.database_name)?));
    all.push(("rabbitmq".to_owned(), of_servers("beam.smp", "rabbit")?));
    all.push(("redis".to_owned(), of_servers("redis-server", "")?));
    Ok(all)
}

/// Processor time of the processes of a server whose command line holds a word.
fn of_servers(name: &str, word: &str) -> Result<f64> {
    let mut seconds = 0.0;
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let of = entry.path();
        let (Ok(comm), Ok(line)) = (std::fs::read_to_string(of.join("comm")), std::fs::read(of.join("cmdline"))) else { continue };
        if comm.trim() == name && String::from_utf8_lossy(&line).contains(word) {
            // one that has just ended counts as nothing
            seconds += entry.file_name().to_str().and_then(|process| cpu_s(process).ok()).unwrap_or(0.0);
        }
    }
    Ok(seconds)
}

fn round(value: f64, digits: i32) -> f64 {
    let factor = 10f64.powi(digits);
    (value * factor).round() / factor
}
