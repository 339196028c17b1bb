//! How long it takes to say how many people an audience has, and to show one resident's inbox, over HTTP.
//!
//! ```text
//! cargo run --release -p benches --bin lookups -- [--residents N] [--database URL] [--json]
//! ```
//!
//! Sizes: whole city, district, townships, community, industry, language, a combination with exclusions; each is asked 100 times with a
//! session of staff. The sizes of the whole city are compared with a look at everybody. Load is the time in which a process that has just
//! started sums up its copy.
//!
//! Inbox: 1,000 alerts are live, 10 for the whole city, 40 for a district each, 300 for a township, 500 for a community, 150 for 260 people
//! named by records; audiences are scattered over all numbers, as if people had registered in any order. It is shown 1,000 times each to
//! somebody whom only the alerts of their own places concern, and to somebody whom all 1,000 concern and who has acknowledged every other one.
//!
//! Without `--database` the residents are synthetic, by default 1,000,000, in a database made for this on the server at
//! `FENGHUO_TEST_POSTGRES` and dropped at the end. With it, the database is brought up to date first; what the measurement adds to it is
//! removed at the end. Client, service and PostgreSQL share the machine.

mod inbox;
mod sizes;

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use async_trait::async_trait;
use domain::ids::StaffId;
use domain::second_factor::Proof;
use domain::staff::{Role, Scope};
use platform::clock::Clock;
use platform::database::{Database, DatabaseMode, DatabaseSettings};
use platform::http::{Authenticator, Authenticators, Caller, Problem, Server, Shell, StaffCaller};
use platform::{Platform, StoreSettings, scratch};
use resident::generate::{self, People};
use resident::{SessionAuthenticator, Settings};
use tokio_util::sync::CancellationToken;

const RESIDENTS: u32 = 1_000_000;
const SEED: u64 = 20_200_101;
const STAFF: &str = "fhs_bench";

#[derive(Default)]
struct Arguments {
    residents: Option<u32>,
    database: Option<String>,
    json: bool,
}

impl Arguments {
    fn read() -> anyhow::Result<Self> {
        let mut read = Self::default();
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{argument} takes a value"));
            match argument.as_str() {
                "--json" => read.json = true,
                "--residents" => read.residents = Some(value()?.parse().context("--residents takes a number")?),
                "--database" => read.database = Some(value()?),
                other => bail!("usage: lookups [--residents N] [--database URL] [--json], not {other:?}"),
            }
        }
        ensure!(read.residents.is_none() || read.database.is_none(), "a database has its own residents: leave out --residents");
        Ok(read)
    }
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::read()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let figures = runtime.block_on(measure(&arguments))?;
    if arguments.json {
        println!("{}", serde_json::to_string(&figures)?);
    } else {
        figures.print();
    }
    Ok(())
}

#[derive(serde::Serialize)]
struct Figures {
    residents: i64,
    sizes: sizes::Figures,
    inbox: inbox::Figures,
}

/// Milliseconds that something took, many times.
#[derive(serde::Serialize)]
struct Times {
    min_ms: f64,
    median_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

impl Times {
    fn of(mut took: Vec<Duration>) -> Self {
        took.sort();
        let at =
            |share: f64| took.get(((took.len() as f64 - 1.0) * share).round() as usize).map_or(f64::NAN, |took| took.as_secs_f64() * 1e3);
        Self { min_ms: at(0.0), median_ms: at(0.5), p99_ms: at(0.99), max_ms: at(1.0) }
    }
}

impl Figures {
    fn print(&self) {
        println!("{} residents", self.residents);
        println!("{:<60} {:>10} {:>8} {:>8} {:>8}", "size of an audience, ms", "people", "min", "median", "max");
        for asked in &self.sizes.asked {
            let Times { min_ms, median_ms, max_ms, .. } = asked.times;
            println!("  {:<58} {:>10} {min_ms:>8.2} {median_ms:>8.2} {max_ms:>8.2}", asked.audience, asked.people);
        }
        let sizes = &self.sizes;
        println!("  copy: {} cells, {:.1} MB, loaded in {:.0} ms", sizes.cells, sizes.copy_bytes as f64 / 1e6, sizes.load_ms);
        println!("{:<60} {:>10} {:>8} {:>8} {:>8}", "inbox with 1,000 live alerts, ms", "bytes", "min", "median", "p99");
        for shown in &self.inbox.shown {
            let Times { min_ms, median_ms, p99_ms, .. } = shown.times;
            println!("  {:<58} {:>10} {min_ms:>8.2} {median_ms:>8.2} {p99_ms:>8.2}", shown.reader, shown.bytes);
        }
        let inbox = &self.inbox;
        println!(
            "  copy: {} alerts, audiences of {:.1} MB, {:.1} MB of memory, loaded in {:.0} ms",
            inbox.live,
            inbox.audience_bytes as f64 / 1e6,
            inbox.memory_bytes as f64 / 1e6,
            inbox.load_ms
        );
    }
}

async fn measure(arguments: &Arguments) -> anyhow::Result<Figures> {
    let own = Database::scratch(&scratch::postgres_url()).await.context("PostgreSQL does not answer")?;
    let settings = StoreSettings { keys: scratch::passing_key(), ..StoreSettings::default() };
    let platform = Platform::on(own, &settings, Clock::real()).await?;
    let measured = prepared(&platform, arguments).await;
    // also after a failure nothing is left behind
    scratch::remove(&platform).await?;
    measured
}

/// An inbox is read from the tables of both.
async fn tables(database: &Database) -> anyhow::Result<()> {
    database.migrate(resident::SCHEMA, &resident::MIGRATOR).await?;
    database.migrate(dispatch::SCHEMA, &dispatch::MIGRATOR).await?;
    Ok(())
}

async fn prepared(platform: &Platform, arguments: &Arguments) -> anyhow::Result<Figures> {
    tables(&platform.database).await?;
    let Some(url) = &arguments.database else {
        let people = People::new(arguments.residents.unwrap_or(RESIDENTS), SEED);
        generate::write(&people, &platform.database, &platform.keyring, Clock::real().now(), |_| {}).await?;
        sqlx::query("vacuum analyze").execute(platform.database.pool()).await?;
        return look_up(platform).await;
    };
    let settings = DatabaseSettings { mode: DatabaseMode::Postgres, url: url.as_str().into(), ..DatabaseSettings::default() };
    let database = Database::open(&settings).await.context("the database does not answer")?;
    tables(&database).await?;
    // Bus and keys stay those of the scratch database: nothing here seals, opens or publishes.
    look_up(&Platform { database, ..platform.clone() }).await
}

async fn look_up(platform: &Platform) -> anyhow::Result<Figures> {
    let routes = resident::start(platform, Settings::default()).await?;
    let authenticators = Authenticators::new().with(OneOfficer).with(SessionAuthenticator::new(platform, &Settings::default()));
    let router = Shell::new(routes, authenticators).router();
    let server = Server::bind(([127, 0, 0, 1], 0).into()).await?;
    let (address, stop) = (server.address(), CancellationToken::new());
    let serving = tokio::spawn(server.serve(router, stop.clone(), Duration::from_secs(5)));

    let residents =
        sqlx::query_scalar!(r#"select count(*) as "residents!" from resident.reach"#).fetch_one(platform.database.pool()).await?;
    let client = Client { http: benches::asking::client(), base: format!("http://{address}/api/v1") };
    let sizes = sizes::measure(platform, &client).await?;
    let inbox = inbox::measure(platform, &client).await?;
    stop.cancel();
    serving.await?;
    Ok(Figures { residents, sizes, inbox })
}

struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    /// What the request answers, and how long it took to have read all of it.
    async fn timed(&self, request: reqwest::RequestBuilder) -> anyhow::Result<(bytes::Bytes, Duration)> {
        let begun = Instant::now();
        let body = request.send().await?.error_for_status()?.bytes().await?;
        Ok((body, begun.elapsed()))
    }
}

/// Knows the one session of this measurement.
struct OneOfficer;

#[async_trait]
impl Authenticator for OneOfficer {
    fn prefixes(&self) -> &'static [&'static str] {
        &["fhs_"]
    }

    async fn authenticate(&self, token: &str) -> Result<Option<Caller>, Problem> {
        let (id, name, session) = (StaffId::new(), "市指挥部".to_owned(), "bench".to_owned());
        let officer =
            StaffCaller { id, name, role: Role::CityCommandOfficer, scope: Scope::City, acts_from: None, session, proof: Proof::NotAsked };
        Ok((token == STAFF).then_some(Caller::Staff(officer)))
    }
}
