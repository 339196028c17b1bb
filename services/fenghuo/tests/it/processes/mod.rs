//! A city whose services are processes of their own, on PostgreSQL, RabbitMQ and Redis, with simulated providers.
//!
//! Database, queues, keys of the cache and processes are this city's alone and are gone when its story has ended, well or badly.

mod logins;
mod process;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};

use domain::checklist::all_well;
use futures::FutureExt as _;
use platform::clock::Clock;
use platform::database::Database;
use platform::scratch;
use platform::{Platform, StoreSettings};
use reqwest::Method;
use resident::generate::{Device, People, Person};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use simulators::{Options, Provider, Simulators};
use stages::{Identity, TwoAdministrators, eventually};
use tempfile::TempDir;

use logins::Logins;
use process::Process;

/// A hundred people for each of the 38 districts, on average.
const PEOPLE: u32 = 3_800;
const SEED: u64 = 7;
/// So much of a log is shown when a story failed.
const LONGEST_LOG: usize = 20_000;

/// The running city.
pub struct City {
    pub simulators: Simulators,
    pub people: People,
    client: reqwest::Client,
    /// For cleaning up only: the story itself goes through the interfaces.
    platform: Platform,
    stores: StoreSettings,
    database_url: String,
    logins: Logins,
    directory: TempDir,
    config: PathBuf,
    processes: BTreeMap<String, Process>,
}

/// Tells a story in a city of its own, in which each of `groups` is a process.
pub async fn in_a_city(groups: &[&str], story: impl AsyncFnOnce(&mut City)) {
    in_a_city_that_logs("warn", groups, story).await;
}

/// The same with this much in the logs.
pub async fn in_a_city_that_logs(level: &str, groups: &[&str], story: impl AsyncFnOnce(&mut City)) {
    let mut city = City::found(level).await;
    let told = async {
        city.settle(groups).await;
        story(&mut city).await;
    };
    let told = AssertUnwindSafe(told).catch_unwind().await;
    for (name, process) in &city.processes {
        if told.is_err() {
            let log = process.log();
            let end = log.char_indices().rev().nth(LONGEST_LOG).map_or(0, |(at, _)| at);
            eprintln!("--- log of {name}\n{}", &log[end..]);
        }
    }
    city.processes.clear();
    city.simulators.stop().await;
    scratch::remove(&city.platform).await.expect("nothing is left behind");
    city.logins.remove().await;
    if let Err(panic) = told {
        resume_unwind(panic);
    }
}

impl City {
    async fn found(level: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = Options { directory: Some(directory.path().to_owned()), ..Options::default() };
        let simulators = Simulators::start(options).await.unwrap();
        let stores = scratch::service_settings();
        let database = Database::scratch(&scratch::postgres_url()).await.expect("PostgreSQL answers");
        let name = sqlx::query_scalar!(r#"select current_database() as "name!""#).fetch_one(database.pool()).await.unwrap();
        let (server, _) = scratch::postgres_url().rsplit_once('/').map(|(server, old)| (server.to_owned(), old.to_owned())).unwrap();
        let (addresses, keys) = (simulators.addresses(), simulators.credentials());
        let file = |name: &str| directory.path().join(name);
        let settings = json!({
            "telemetry": { "format": "human", "level": level },
            "database": { "mode": "postgres", "url": format!("{server}/{name}"), "connections": 4 },
            "bus": { "mode": "rabbitmq", "url": stores.bus.url.expose_secret(), "prefix": stores.bus.prefix },
            "cache": { "mode": "redis", "url": stores.cache.url.expose_secret(), "prefix": stores.cache.prefix },
            "keys": { "master_key": stores.keys.master_key.expose_secret() },
            // sending is watched by day and by night
            "dispatch": { "batch_size": 100, "lease_s": 3, "quiet_hours": { "from": "00:00", "to": "00:00", "tz": "Asia/Shanghai" } },
            "push": {
                "apns": {
                    "base_url": addresses.apns_url(), "topic": "cn.fenghuo.app", "key_id": keys.apns_key_id, "team_id": keys.apns_team_id,
                    "key_file": file("apns.p8"), "extra_ca": file("ca.pem"), "connections": 1, "streams": 10,
                },
                "fcm": {
                    "base_url": addresses.fcm_url(), "extra_ca": file("ca.pem"), "connections": 1, "streams": 10,
                    "projects": [{ "service_account_file": file("fcm-service-account.json") }],
                },
                "worker": { "batches": 4, "checkpoint_every": 20, "lease_s": 3 },
            },
            "sms": {
                "host": addresses.smpp.ip(), "port": addresses.smpp.port(), "system_id": keys.smpp_system_id, "password": keys.smpp_password,
            },
        });
        let database_url = format!("{server}/{name}");
        let config = file("fenghuo.toml");
        std::fs::write(&config, toml::to_string(&settings).unwrap()).unwrap();
        Self {
            simulators,
            people: People::new(PEOPLE, SEED),
            client: stages::client(),
            platform: Platform::on(database, &stores, Clock::real()).await.expect("RabbitMQ and Redis answer"),
            stores,
            logins: Logins::of(&database_url),
            database_url,
            directory,
            config,
            processes: BTreeMap::new(),
        }
    }

    /// Where its stores are, and what of them is its own.
    pub fn stores(&self) -> &StoreSettings {
        &self.stores
    }

    /// Where its database is.
    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// What it has in files: its settings, and what its processes wrote.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What every process tells who runs the city.
    pub async fn metrics(&self) -> String {
        let mut all = String::new();
        for process in self.processes.values() {
            all += &self.client.get(format!("{}/metrics", process.url)).send().await.unwrap().text().await.unwrap();
        }
        all
    }

    /// Tables, residents, processes.
    async fn settle(&mut self, groups: &[&str]) {
        self.command(&["migrate"]);
        self.command(&["roles", "--prefix", &self.logins.prefix]);
        self.command(&["residents", "generate", "--count", &PEOPLE.to_string(), "--seed", &SEED.to_string()]);
        for group in groups {
            self.logins.make(self.platform.database.pool(), group).await;
            self.begin(group);
        }
        for group in groups {
            self.is_ready(group).await;
        }
    }

    /// Runs a command to its end and returns what it printed.
    pub fn command(&self, arguments: &[&str]) -> String {
        process::run(&self.config, arguments)
    }

    /// Starts the process that serves these services, named with spaces between.
    pub fn begin(&mut self, group: &str) {
        let log = self.directory.path().join(format!("{}.log", group.replace(' ', "-")));
        self.processes.insert(group.to_owned(), Process::serve(&self.config, group, self.logins.url(group), log));
    }

    /// Waits until it answers for all its stores.
    pub async fn is_ready(&self, group: &str) {
        let address = format!("{}/readyz", self.processes[group].url);
        eventually(&format!("{group} is ready"), async || {
            self.client.get(&address).send().await.ok().filter(|answer| answer.status().is_success())
        })
        .await;
    }

    /// Kills a process as the power would: it can do nothing about it.
    pub fn kill(&mut self, group: &str) {
        assert!(self.processes.remove(group).is_some(), "{group} was running");
    }

    /// Calls a service and returns its answer, which has to be a good one.
    pub async fn call(&self, service: &str, method: Method, path: &str, token: &str, body: Value) -> Value {
        let (status, answer) = self.ask(service, method, path, token, body).await;
        assert!(status.is_success(), "{service} {path}: {status} {answer}");
        answer
    }

    /// Calls a service, whatever it says.
    pub async fn ask(&self, service: &str, method: Method, path: &str, token: &str, body: Value) -> (reqwest::StatusCode, Value) {
        let process = self.processes.iter().find(|(group, _)| group.split(' ').any(|member| member == service));
        let url = &process.unwrap_or_else(|| panic!("{service} runs")).1.url;
        let mut request = self.client.request(method, format!("{url}/api/v1/{path}"));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap_or_else(|error| panic!("{service} {path}: {error}"));
        let status = response.status();
        let text = response.text().await.unwrap();
        (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() })
    }

    pub async fn get(&self, service: &str, path: &str, token: &str) -> Value {
        self.call(service, Method::GET, path, token, Value::Null).await
    }

    pub async fn post(&self, service: &str, path: &str, token: &str, body: Value) -> Value {
        self.call(service, Method::POST, path, token, body).await
    }

    /// The first two administrators, made on the command line, who have set their passwords.
    pub async fn administrators(&self) -> TwoAdministrators {
        let folder = self.directory.path().to_str().expect("a path");
        self.command(&["staff", "administrators", "--codes", folder]);
        let codes = ["admin.one", "admin.two"].map(|login| {
            let code = std::fs::read_to_string(self.directory.path().join(format!("{login}.code"))).expect("the code of each is in a file");
            code.lines().map(str::to_owned).collect::<Vec<_>>()
        });
        let [one, two] = codes.each_ref().map(|code| [code[0].as_str(), &code[1], &code[2]]);
        TwoAdministrators::begin(self, [one, two]).await
    }

    /// Makes an account that need not wait, and gives its session.
    pub async fn staff(&self, administrators: &TwoAdministrators, login: &str, role: &str, scope: &str) -> String {
        administrators.staff(self, login, role, scope).await
    }

    /// Takes a step with an alert, on its present version.
    pub async fn decide(&self, token: &str, alert: &str, action: &str) -> Value {
        let seen = self.get("review", &format!("alerts/{alert}"), token).await;
        let body = json!({ "version": seen["version"], "action": action, "answers": all_well(&seen, action) });
        self.post("review", &format!("alerts/{alert}/decisions"), token, body).await
    }

    /// Registers a person's app with the code from the SMS and returns its token.
    pub async fn register(&self, person: &Person) -> String {
        let known = self.simulators.sms_to(&person.phone).len();
        let asked = self.post("resident", "registration/code", "", json!({ "phone": person.phone })).await;
        let code = eventually("a code comes by SMS", async || {
            let received = self.simulators.sms_to(&person.phone);
            let sms = received.get(known..)?.iter().find(|sms| sms.text.contains("验证码"))?;
            let code: String = sms.text.chars().filter(char::is_ascii_digit).take(6).collect();
            Some(code)
        })
        .await;
        let registration = json!({
            "phone": person.phone, "request": asked["request"], "code": code, "community": person.community, "consent_version": domain::consent::CURRENT_VERSION,
        });
        let registered = self.post("resident", "registration", "", registration).await;
        assert_eq!(registered["resident_no"], person.resident_no, "a known number is the same person");
        text(&registered["token"]).to_owned()
    }

    /// How often somebody was reached by this alert, on the one channel they have.
    pub fn times(&self, person: &Person, alert: &str, sms_code: &str) -> u64 {
        match &person.device {
            Some(Device::Apns(token)) => self.pushes(Provider::Apns, token, alert),
            Some(Device::Fcm(token)) => self.pushes(Provider::Fcm, token, alert),
            None => self.simulators.sms_to(&person.phone).iter().filter(|sms| sms.text.contains(sms_code)).count() as u64,
        }
    }

    fn pushes(&self, provider: Provider, token: &str, alert: &str) -> u64 {
        self.simulators.collapse_ids(provider, token).get(alert).copied().unwrap_or(0)
    }
}

impl Identity for City {
    async fn asked(&self, method: Method, token: &str, path: &str, body: Value) -> (reqwest::StatusCode, Value) {
        self.ask("identity", method, path, token, body).await
    }
}

/// A text out of an answer.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is a text"))
}
