//! A city whose services are processes of their own, on PostgreSQL, RabbitMQ and Redis, with simulated providers.
//!
//! Database, queues, keys of the cache and processes are this city's alone and gone when it has [ended](City::end), unless its
//! database was asked to be kept: millions of residents take minutes to write.

mod delivery;
mod people;
mod process;
mod providers;
mod servers;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use chrono::TimeDelta;
use domain::audience::AudienceQuery;
use domain::checklist::all_well;
use platform::clock::Clock;
use platform::database::{Database, DatabaseMode, DatabaseSettings};
use platform::{Platform, StoreSettings, scratch};
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tempfile::TempDir;
use totp_rs::{Builder, Secret};

use crate::asking;

pub use delivery::{Delivery, LedgerSize};
pub use process::{Process, binary, cpu_s};
pub use providers::{Counted, Providers};
pub use servers::Servers;

/// The services that decide, beside those that send.
pub const DESK: &str = "identity audit review resident";
/// The population of every measurement.
pub const SEED: u64 = 7;
/// What everybody chooses as their password.
const PASSWORD: &str = "beacon tower at dusk";
/// How long the platform may take for anything that is not measured.
const PATIENCE: Duration = Duration::from_secs(300);
/// Sealed tokens in a kept database must open again; they are nobody's.
const KEPT_KEY: [u8; 32] = [0x42; 32];

/// How a city is founded.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Synthetic residents.
    pub residents: u32,
    /// Of a hundred residents, those with the app; 70 in a real city.
    pub app_percent: u8,
    /// A database to be made, or used again, under this name.
    pub database: Option<String>,
    /// Services, one process for each text; names with spaces between share a process.
    pub processes: Vec<String>,
    /// Settings that differ, merged over the usual ones.
    pub settings: Value,
    /// PostgreSQL, RabbitMQ and Redis of its own, to be treated badly.
    pub own_servers: bool,
}

/// A member of the city command.
#[derive(Debug)]
struct Officer {
    login: String,
    password: String,
    session: String,
    recovery_codes: Vec<String>,
}

/// The running city.
#[derive(Debug)]
pub struct City {
    /// APNs, FCM and the SMS centre.
    pub providers: Providers,
    /// For looking at what was written, and for cleaning up.
    pub database: Database,
    /// Its name.
    pub database_name: String,
    client: reqwest::Client,
    platform: Platform,
    directory: TempDir,
    config: PathBuf,
    processes: BTreeMap<String, Process>,
    officers: Vec<Officer>,
    servers: Option<Servers>,
}

impl City {
    /// Founds a city and waits until all its processes are ready.
    pub async fn found(plan: &Plan) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let servers = plan.own_servers.then(Servers::start).transpose()?;
        let providers = Providers::start(directory.path())?;
        let mut stores = scratch::service_settings();
        let mut postgres = scratch::postgres_url();
        if let Some(own) = &servers {
            stores.bus.url = SecretString::from(own.rabbitmq_url());
            stores.cache.url = SecretString::from(own.redis_url());
            postgres = own.postgres_url();
        }
        let database = match &plan.database {
            None => Database::scratch(&postgres).await.context("PostgreSQL does not answer")?,
            Some(name) => {
                stores.keys.master_key = SecretString::from(hex::encode(KEPT_KEY));
                kept(name).await?
            }
        };
        let database_name = sqlx::query_scalar!(r#"select current_database() as "name!""#).fetch_one(database.pool()).await?;
        let config = directory.path().join("fenghuo.toml");
        let settings = settings(&postgres, &database_name, &stores, &providers, &plan.settings)?;
        std::fs::write(&config, toml::to_string(&settings)?)?;
        let mut city = Self {
            platform: Platform::on(database.clone(), &stores, Clock::real()).await.context("RabbitMQ or Redis does not answer")?,
            providers,
            database,
            database_name,
            client: asking::client(),
            directory,
            config,
            processes: BTreeMap::new(),
            officers: Vec::new(),
            servers,
        };
        if let Err(error) = city.settle(plan).await {
            city.end().await?;
            return Err(error);
        }
        Ok(city)
    }

    async fn settle(&mut self, plan: &Plan) -> Result<()> {
        self.command(&["migrate"])?;
        let there =
            sqlx::query_scalar!(r#"select exists (select from resident.resident) as "any!""#).fetch_one(self.database.pool()).await?;
        if !there {
            let (count, seed, app) = (plan.residents.to_string(), SEED.to_string(), plan.app_percent.to_string());
            self.command(&["residents", "generate", "--count", &count, "--seed", &seed, "--app-percent", &app])?;
            sqlx::raw_sql("vacuum analyze").execute(self.database.pool()).await?;
        }
        for group in &plan.processes {
            self.begin(group)?;
        }
        for group in &plan.processes {
            self.is_ready(group).await?;
        }
        let administrators = self.administrators().await?;
        for login in ["command.one", "command.two", "command.three"] {
            let new = json!({ "login": login, "name": login, "role": "city_command_officer", "scope": "city" });
            let (made, [first, second]) = self.agreed(&administrators, "staff", new).await?;
            let (session, recovery_codes) = self.activate([login, &first, &second]).await?;
            let id = made["staff"]["id"].as_str().context("no account")?;
            self.agreed(&administrators, &format!("staff/{id}/waiting-lifted"), Value::Null).await?;
            self.officers.push(Officer { login: login.to_owned(), password: PASSWORD.to_owned(), session, recovery_codes });
        }
        Ok(())
    }

    /// Stops everything and removes what the city has made.
    pub async fn end(mut self) -> Result<()> {
        self.processes.clear();
        scratch::remove(&self.platform).await?;
        Ok(())
    }

    /// Its own servers.
    pub fn servers(&self) -> Result<&Servers> {
        self.servers.as_ref().context("this city has no servers of its own")
    }

    /// The same, to be changed.
    pub fn servers_mut(&mut self) -> Result<&mut Servers> {
        self.servers.as_mut().context("this city has no servers of its own")
    }

    /// The logs of all processes, for an error that is not understood.
    pub fn logs(&self) -> String {
        self.processes.iter().map(|(name, process)| format!("--- {name}\n{}\n", process.log())).collect()
    }

    /// Runs a command to its end and returns what it printed.
    pub fn command(&self, arguments: &[&str]) -> Result<String> {
        process::run(&self.config, arguments)
    }

    /// Starts one more process that serves these services. A group may be started several times as `push#2`.
    pub fn begin(&mut self, group: &str) -> Result<()> {
        let log = self.directory.path().join(format!("{}.log", group.replace(' ', "-")));
        let services = group.split('#').next().unwrap_or(group).split(' ');
        let arguments: Vec<&str> = std::iter::once("serve").chain(services).collect();
        let process = Process::start(&self.config, &arguments, log)?;
        self.processes.insert(group.to_owned(), process);
        Ok(())
    }

    /// Waits until it answers for all its stores.
    pub async fn is_ready(&self, group: &str) -> Result<()> {
        let address = format!("{}/readyz", self.process(group)?.url()?);
        eventually(&format!("{group} is ready"), PATIENCE, async || {
            Ok(self.client.get(&address).send().await.ok().filter(|answer| answer.status().is_success()).map(|_| ()))
        })
        .await
    }

    /// Waits until it says that a store is away.
    pub async fn misses_a_store(&self, group: &str) -> Result<()> {
        let address = format!("{}/readyz", self.process(group)?.url()?);
        eventually(&format!("{group} misses a store"), PATIENCE, async || {
            Ok(self.client.get(&address).send().await.ok().filter(|answer| answer.status().is_server_error()).map(|_| ()))
        })
        .await
    }

    /// Waits until all processes, this one too, have found the cache again.
    pub async fn has_its_cache_again(&self) -> Result<()> {
        for group in self.processes.keys() {
            self.is_ready(group).await?;
        }
        eventually("the cache answers", PATIENCE, async || Ok(self.platform.cache.get("anything").await.ok().map(|_| ()))).await
    }

    /// Kills a process as the power would.
    pub fn kill(&mut self, group: &str) -> Result<()> {
        ensure!(self.processes.remove(group).is_some(), "{group} does not run");
        Ok(())
    }

    /// The numbers of a process's metric, added up over its labels.
    pub async fn metric(&self, group: &str, name: &str) -> Result<f64> {
        let text = self.client.get(format!("{}/metrics", self.process(group)?.url()?)).send().await?.error_for_status()?.text().await?;
        let of_it = text.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])));
        Ok(of_it.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum())
    }

    /// A running process.
    pub fn process(&self, group: &str) -> Result<&Process> {
        self.processes.get(group).with_context(|| format!("{group} does not run"))
    }

    /// The running processes with their names.
    pub fn processes(&self) -> impl Iterator<Item = (&str, &Process)> {
        self.processes.iter().map(|(name, process)| (name.as_str(), process)).chain([("providers", &self.providers.process)])
    }

    /// Calls a service and returns its answer, which has to be a good one.
    pub async fn call(&self, service: &str, method: Method, path: &str, token: &str, body: Value) -> Result<Value> {
        let serves = |group: &str| group.split('#').next().unwrap_or(group).split(' ').any(|member| member == service);
        let (_, process) = self.processes.iter().find(|(group, _)| serves(group)).with_context(|| format!("{service} does not run"))?;
        let mut request = self.client.request(method, format!("{}/api/v1/{path}", process.url()?));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let status = response.status();
        let text = response.text().await?;
        if !status.is_success() {
            bail!("{service} {path}: {status} {text}");
        }
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
    }

    /// The sessions of the first two administrators.
    async fn administrators(&self) -> Result<[String; 2]> {
        let folder = self.directory.path();
        self.command(&["staff", "administrators", "--codes", folder.to_str().context("no path")?])?;
        let mut sessions = Vec::new();
        for login in ["admin.one", "admin.two"] {
            let code = std::fs::read_to_string(folder.join(format!("{login}.code")))?;
            let lines: Vec<&str> = code.lines().collect();
            let [login, first, second] = lines.as_slice() else { bail!("no code in its file") };
            sessions.push(self.activate([login, first, second]).await?.0);
        }
        sessions.try_into().ok().context("not two administrators")
    }

    /// What one administrator proposed and the other confirmed, with both halves of its secret.
    async fn agreed(&self, administrators: &[String; 2], path: &str, body: Value) -> Result<(Value, [String; 2])> {
        let made = self.call("identity", Method::POST, path, &administrators[0], body).await?;
        let id = made["proposal"]["id"].as_str().context("no proposal")?;
        let confirmation = format!("proposals/{id}/confirmation");
        let confirmed = self.call("identity", Method::POST, &confirmation, &administrators[1], Value::Null).await?;
        let half = |half: &Value| half.as_str().unwrap_or_default().to_owned();
        Ok((confirmed["proposal"].clone(), [half(&made["first_half"]), half(&confirmed["second_half"])]))
    }

    /// Sets a password with a code and enrols an authenticator app; the session that begins, and the recovery codes.
    async fn activate(&self, [login, first, second]: [&str; 3]) -> Result<(String, Vec<String>)> {
        let body = json!({ "login": login, "first_half": first, "second_half": second, "password": PASSWORD });
        let begun = self.call("identity", Method::POST, "session/activation", "", body).await?;
        let session = begun["token"].as_str().context("no token")?.to_owned();
        let offer = self.call("identity", Method::POST, "session/factors/totp/offer", &session, Value::Null).await?;
        let secret = Secret::try_from_base32(offer["secret"].as_str().context("no secret")?).ok().context("no secret")?;
        let code = Builder::new().with_secret(secret).build().ok().context("no secret")?.generate_current().to_string();
        let factor = json!({ "name": "app", "totp": { "state": offer["state"], "code": code } });
        let enrolled = self.call("identity", Method::POST, "session/factors", &session, factor).await?;
        let session = enrolled["token"].as_str().context("no token")?.to_owned();
        Ok((session, serde_json::from_value(enrolled["recovery_codes"].clone())?))
    }

    async fn sign_in(&self, officer: &Officer) -> Result<String> {
        let password = json!({ "login": officer.login, "password": officer.password });
        let begun = self.call("identity", Method::POST, "session", "", password).await?;
        let session = begun["token"].as_str().context("no token")?.to_owned();
        let code = officer.recovery_codes.last().context("no recovery code is left")?;
        let proved = self.call("identity", Method::POST, "session/proof", &session, json!({ "recovery_code": code })).await?;
        Ok(proved["token"].as_str().context("no token")?.to_owned())
    }

    /// Has everybody sign in again: sessions are in the cache, and gone with it.
    pub async fn sign_in_again(&mut self) -> Result<()> {
        for at in 0..self.officers.len() {
            let session = self.sign_in(&self.officers[at]).await?;
            self.officers[at].session = session;
            self.officers[at].recovery_codes.pop();
        }
        Ok(())
    }

    /// The first officer's session.
    pub fn officer(&self) -> &str {
        self.officers.first().map_or("", |officer| officer.session.as_str())
    }

    /// Composes an urgent alert and has the second officer confirm it. Returns its id.
    pub async fn urgent(&self, audience: &AudienceQuery) -> Result<String> {
        self.approve(audience, &["compose_urgent", "confirm"]).await
    }

    /// Submits a routine alert and leads it through both reviews. Returns its id.
    pub async fn routine(&self, audience: &AudienceQuery) -> Result<String> {
        self.approve(audience, &["submit", "pass_district", "approve"]).await
    }

    /// Each step is another officer's.
    async fn approve(&self, audience: &AudienceQuery, steps: &[&str]) -> Result<String> {
        let author = &self.officers.first().context("there is no officer")?.session;
        let draft = json!({ "content": water(), "audience": { "query": audience } });
        let written = self.call("review", Method::POST, "alerts", author, draft).await?;
        let alert = written["alert_id"].as_str().context("no alert id")?.to_owned();
        let mut decided = Value::Null;
        for (officer, step) in self.officers.iter().zip(steps) {
            decided = self.decide(&officer.session, &alert, step).await?;
        }
        ensure!(decided["state"] == "approved", "not approved: {decided}");
        Ok(alert)
    }

    /// Takes a step with an alert, on its present version.
    pub async fn decide(&self, token: &str, alert: &str, action: &str) -> Result<Value> {
        let seen = self.call("review", Method::GET, &format!("alerts/{alert}"), token, Value::Null).await?;
        let body = json!({ "version": seen["version"], "action": action, "answers": all_well(&seen, action) });
        self.call("review", Method::POST, &format!("alerts/{alert}/decisions"), token, body).await
    }

    /// Two officers withdraw an alert; what is measured begins with the second.
    pub async fn cancel(&self, alert: &str) -> Result<()> {
        let [one, two, ..] = &self.officers[..] else { bail!("it takes two officers") };
        let path = format!("alerts/{alert}/retraction");
        let asked =
            self.call("review", Method::POST, &path, &one.session, json!({ "kind": "withdraw", "reason": "主供水管已修复" })).await?;
        let body = json!({ "retraction_id": asked["waiting"]["retraction_id"], "step": "confirm" });
        let decided = self.call("review", Method::POST, &format!("{path}/decisions"), &two.session, body).await?;
        ensure!(decided["state"] == "cancelled", "not cancelled: {decided}");
        Ok(())
    }
}

/// An alert about a water main, as staff write it.
fn water() -> Value {
    let chinese = json!({ "headline": "请勿饮用自来水", "body": "主供水管受污染，正在抢修。", "instruction": "请饮用瓶装水。", "sms": "自来水受污染，请饮用瓶装水" });
    json!({
        "status": "actual", "msg_type": "alert", "category": "health", "urgency": "immediate", "severity": "severe", "certainty": "observed",
        "purpose": "防止饮用受污染的水", "texts": { "zh-CN": chinese }, "contact": "12320",
        "expires_at": Clock::real().now() + TimeDelta::hours(6), "ack_window_s": 7200, "display": false,
    })
}

/// The kept database of that name with nothing in it but residents.
async fn kept(name: &str) -> Result<Database> {
    let usable = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    ensure!(usable, "a database is named with small letters, digits and _, not {name:?}");
    let (server, _) =
        scratch::postgres_url().rsplit_once('/').map(|(server, old)| (server.to_owned(), old.to_owned())).context("no server")?;
    let open = |url: String| async move {
        let settings = DatabaseSettings { mode: DatabaseMode::Postgres, url: SecretString::from(url), ..DatabaseSettings::default() };
        Database::open(&settings).await
    };
    let main = open(scratch::postgres_url()).await.context("PostgreSQL does not answer")?;
    let there = sqlx::query_scalar!(r#"select exists (select from pg_database where datname = $1) as "there!""#, name);
    if !there.fetch_one(main.pool()).await? {
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create database {name}"))).execute(main.pool()).await?;
    }
    main.close().await?;
    let database = open(format!("{server}/{name}")).await?;
    for schema in ["identity", "audit", "ingest", "rules", "review", "dispatch", "sms", "display", "casework"] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("drop schema if exists {schema} cascade"))).execute(database.pool()).await?;
    }
    let of_alerts = "do $$ begin if to_regclass('resident.alert') is not null then \
                     truncate resident.alert, resident.stop, resident.acknowledgement, resident.reply, resident.outbox; end if; \
                     if to_regclass('resident.arrival') is not null then truncate resident.arrival; end if; end $$";
    sqlx::raw_sql(of_alerts).execute(database.pool()).await?;
    Ok(database)
}

fn settings(postgres: &str, name: &str, stores: &StoreSettings, providers: &Providers, differ: &Value) -> Result<Value> {
    let (server, _) = postgres.rsplit_once('/').context("no server")?;
    let (addresses, keys) = (&providers.addresses, &providers.credentials);
    let mut settings = json!({
        "telemetry": { "format": "json", "level": "warn" },
        "database": { "mode": "postgres", "url": format!("{server}/{name}"), "connections": 16 },
        "bus": { "mode": "rabbitmq", "url": stores.bus.url.expose_secret(), "prefix": stores.bus.prefix },
        "cache": { "mode": "redis", "url": stores.cache.url.expose_secret(), "prefix": stores.cache.prefix },
        "keys": { "master_key": stores.keys.master_key.expose_secret() },
        // nobody sits here to show a factor again while something is measured
        "identity": { "fresh_proof_seconds": 43_200 },
        // sending is measured by day and by night
        "dispatch": { "quiet_hours": { "from": "00:00", "to": "00:00", "tz": "Asia/Shanghai" } },
        "push": {
            "apns": {
                "base_url": addresses.apns_url(), "topic": "cn.fenghuo.app", "key_id": keys.apns_key_id, "team_id": keys.apns_team_id,
                "key_file": providers.file("apns.p8"), "extra_ca": providers.file("ca.pem"),
            },
            "fcm": {
                "base_url": addresses.fcm_url(), "extra_ca": providers.file("ca.pem"),
                // what is measured is the platform, not Google's quota
                "projects": [{ "service_account_file": providers.file("fcm-service-account.json"), "rate_per_minute": 4_000_000_000_u32 }],
            },
        },
        "sms": {
            "host": addresses.smpp.ip(), "port": addresses.smpp.port(), "system_id": keys.smpp_system_id, "password": keys.smpp_password,
            // what is measured is the platform, not what an operator grants
            "rate_per_second": 1_000_000,
        },
    });
    merge(&mut settings, differ);
    Ok(settings)
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (into, from) => *into = from.clone(),
    }
}

/// Asks until there is an answer.
pub async fn eventually<T>(what: &str, patience: Duration, mut ask: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        ensure!(began.elapsed() < patience, "not within {} s: {what}", patience.as_secs());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
