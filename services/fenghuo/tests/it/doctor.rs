//! `fenghuo doctor` on an installation with PostgreSQL, RabbitMQ, Redis and simulated providers: sound, and with one thing broken at a time.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use chrono::{Datelike as _, TimeDelta};
use platform::clock::Clock;
use platform::database::Database;
use platform::{Platform, StoreSettings, scratch};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use simulators::{Options, Provider, Simulators};
use tempfile::TempDir;

/// An installation of its own, migrated, with everything in order.
struct Installation {
    directory: TempDir,
    simulators: Simulators,
    platform: Platform,
    stores: StoreSettings,
    settings: Value,
}

/// What the doctor said.
struct Report {
    output: Output,
    checks: Vec<Value>,
}

impl Report {
    /// The finding about a thing, and whether there is one of this state with these words in what was found and in the remedy.
    fn says(&self, check: &str, state: &str, what: &str, remedy: &str) -> bool {
        let has = |finding: &Value, field: &str, words: &str| finding[field].as_str().unwrap_or_default().contains(words);
        self.checks.iter().any(|finding| {
            finding["check"] == check && finding["state"] == state && has(finding, "what", what) && has(finding, "remedy", remedy)
        })
    }

    fn not_ok(&self) -> Vec<&str> {
        self.checks.iter().filter(|finding| finding["state"] != "ok").map(|finding| finding["check"].as_str().unwrap()).collect()
    }
}

impl Installation {
    async fn found() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let simulators = Simulators::start(Options { directory: Some(directory.path().to_owned()), ..Options::default() }).await.unwrap();
        let stores = scratch::service_settings();
        let database = Database::scratch(&scratch::postgres_url()).await.expect("PostgreSQL answers");
        let name: String = sqlx::query_scalar("select current_database()").fetch_one(database.pool()).await.unwrap();
        let (addresses, keys) = (simulators.addresses(), simulators.credentials());
        let file = |name: &str| directory.path().join(name);
        for (name, text) in [
            ("master.key", stores.keys.master_key.expose_secret().to_owned()),
            ("vapid.pem", rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem()),
        ] {
            std::fs::write(file(name), text).unwrap();
        }
        for name in ["master.key", "vapid.pem", "apns.p8", "fcm-service-account.json"] {
            std::fs::set_permissions(file(name), std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let settings = json!({
            "server": { "listen": "127.0.0.1:0" },
            "database": { "mode": "postgres", "url": on_server(&name) },
            "bus": { "mode": "rabbitmq", "url": stores.bus.url.expose_secret(), "prefix": stores.bus.prefix },
            "cache": { "mode": "redis", "url": stores.cache.url.expose_secret(), "prefix": stores.cache.prefix },
            "keys": { "master_key_file": file("master.key") },
            "push": {
                "apns": {
                    "base_url": addresses.apns_url(), "topic": "cn.fenghuo.app", "key_id": keys.apns_key_id, "team_id": keys.apns_team_id,
                    "key_file": file("apns.p8"), "extra_ca": file("ca.pem"),
                },
                "fcm": {
                    "base_url": addresses.fcm_url(), "extra_ca": file("ca.pem"),
                    "projects": [{ "service_account_file": file("fcm-service-account.json") }],
                },
                "web_push": {
                    "key_file": file("vapid.pem"), "subject": "mailto:duty@example.com", "allowed_hosts": [addresses.web_push.to_string()],
                    "extra_ca": file("ca.pem"),
                },
            },
            "sms": {
                "host": addresses.smpp.ip(), "port": addresses.smpp.port(), "system_id": keys.smpp_system_id, "password": keys.smpp_password,
            },
        });
        let platform = Platform::on(database, &stores, Clock::real()).await.expect("RabbitMQ and Redis answer");
        let installation = Self { directory, simulators, platform, stores, settings };
        let migrated = installation.fenghuo(&installation.settings, &["migrate"]);
        assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
        installation
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn fenghuo(&self, settings: &Value, arguments: &[&str]) -> Output {
        let config = self.file("city.toml");
        std::fs::write(&config, toml::to_string(settings).unwrap()).unwrap();
        Command::new(env!("CARGO_BIN_EXE_fenghuo")).arg("--config").arg(config).args(arguments).output().expect("the binary runs")
    }

    /// Has the doctor look at this installation with something else set than usual. Whatever is found, it tells no secret.
    fn examine(&self, change: impl FnOnce(&mut Value)) -> Report {
        let mut settings = self.settings.clone();
        change(&mut settings);
        let output = self.fenghuo(&settings, &["doctor", "--json"]);
        let text = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).join("");
        let keys = self.simulators.credentials();
        for secret in [self.stores.keys.master_key.expose_secret(), &keys.smpp_password, "PRIVATE KEY", "wrong-password"] {
            assert!(!text.contains(secret), "a secret is told: {text}");
        }
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no report: {text}"));
        assert_eq!(report["ok"].as_bool(), Some(output.status.success()), "{text}");
        Report { output, checks: report["checks"].as_array().unwrap().clone() }
    }
}

/// The address of a database on the server of the tests.
fn on_server(database: &str) -> String {
    let url = scratch::postgres_url();
    format!("{}/{database}", url.rsplit_once('/').unwrap().0)
}

/// The same address with another user and password, or on a port where nobody listens.
fn changed(url: &str, user: Option<&str>, dead: bool) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, path) = rest.split_once('/').unwrap();
    let (old, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let host = if dead { "127.0.0.1:1" } else { host };
    match user.unwrap_or(old) {
        "" => format!("{scheme}://{host}/{path}"),
        user => format!("{scheme}://{user}@{host}/{path}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"]
async fn what_is_broken_is_told_with_its_remedy() {
    let installation = Installation::found().await;

    let report = installation.examine(|_| ());
    assert!(report.output.status.success(), "{:?}", report.checks);
    assert_eq!(report.not_ok(), [""; 0], "{:?}", report.checks);
    for (check, what) in [
        ("database", "PostgreSQL "),
        ("tables", "schemas up to date"),
        ("sealed keys", "the master key opens them"),
        ("broker", "RabbitMQ "),
        ("queues", "all there"),
        ("cache", "Redis "),
        ("apns", "takes the account"),
        ("fcm", "takes the account"),
        ("web push", "the key signs"),
        ("sms", "binds simulated-city"),
        ("directory", "not set"),
        ("certificate", "is good until"),
    ] {
        assert!(report.says(check, "ok", what, ""), "{check}: {:?}", report.checks);
    }
    let reached = |provider| installation.simulators.recipients(provider).count();
    assert_eq!(
        reached(Provider::Apns) + reached(Provider::Fcm) + reached(Provider::WebPush) + reached(Provider::Sms),
        0,
        "nobody was told"
    );

    stores_that_are_broken(&installation);
    tables_that_are_not_ours(&installation).await;
    keys_that_are_wrong(&installation);
    providers_that_refuse(&installation).await;
    this_machine(&installation);

    installation.simulators.stop().await;
    scratch::remove(&installation.platform).await.expect("nothing is left behind");
}

fn expect(report: &Report, check: &str, state: &str, what: &str, remedy: &str) {
    assert!(report.says(check, state, what, remedy), "{check} {state} {what:?} {remedy:?} is not in {:#?}", report.checks);
    assert_eq!(report.output.status.success(), state != "fail");
}

fn stores_that_are_broken(installation: &Installation) {
    let url = |section: &str| installation.settings[section]["url"].as_str().unwrap().to_owned();
    let with = |section: &'static str, url: String| installation.examine(move |settings| settings[section]["url"] = url.into());

    expect(&with("database", changed(&url("database"), None, true)), "database", "fail", "Connection refused", "start PostgreSQL");
    let stranger = changed(&url("database"), Some("nobody-here:wrong-password"), false);
    expect(&with("database", stranger), "database", "fail", "nobody-here", "user and password in database.url");
    expect(&with("database", on_server("no_such_city")), "database", "fail", "no_such_city", "createdb");
    expect(&with("database", String::new()), "database", "fail", "database.url", "set database.url");

    expect(&with("bus", changed(&url("bus"), None, true)), "broker", "fail", "connecting", "start RabbitMQ");
    expect(
        &with("bus", changed(&url("bus"), Some("guest:wrong-password"), false)),
        "broker",
        "fail",
        "ACCESS_REFUSED",
        "user and password in bus.url",
    );
    let elsewhere = installation.examine(|settings| settings["bus"]["prefix"] = "not-declared".into());
    expect(&elsewhere, "queues", "warn", "not-declared.", "fenghuo serve");

    expect(&with("cache", changed(&url("cache"), None, true)), "cache", "fail", "Connection refused", "start Redis");
    expect(&with("cache", changed(&url("cache"), Some(":wrong-password"), false)), "cache", "fail", "", "user and password in cache.url");
}

async fn tables_that_are_not_ours(installation: &Installation) {
    let empty = Database::scratch(&scratch::postgres_url()).await.unwrap();
    let name: String = sqlx::query_scalar("select current_database()").fetch_one(empty.pool()).await.unwrap();
    let report = installation.examine(|settings| settings["database"]["url"] = on_server(&name).into());
    expect(&report, "tables", "fail", "not up to date: keys, bus, jobs, identity", "fenghuo migrate");
    empty.close().await.unwrap();

    let pool = installation.platform.database.pool();
    let last = "(select max(version) from audit._sqlx_migrations)";
    for (damage, repair, what, remedy) in [
        (
            format!("create table kept as select * from audit._sqlx_migrations; delete from audit._sqlx_migrations where version = {last}"),
            "truncate audit._sqlx_migrations; insert into audit._sqlx_migrations select * from kept; drop table kept",
            "not up to date: audit",
            "fenghuo migrate",
        ),
        (
            format!("update audit._sqlx_migrations set success = false where version = {last}"),
            "update audit._sqlx_migrations set success = true",
            "changed by other statements than this version's: audit",
            "backup",
        ),
        (
            "insert into audit._sqlx_migrations select 99999999, description, installed_on, success, checksum, execution_time from audit._sqlx_migrations limit 1".to_owned(),
            "delete from audit._sqlx_migrations where version = 99999999",
            "of a newer version: audit",
            "run that version",
        ),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(damage)).execute(pool).await.unwrap();
        expect(&installation.examine(|_| ()), "tables", "fail", what, remedy);
        sqlx::raw_sql(repair).execute(pool).await.unwrap();
    }
    assert_eq!(installation.examine(|_| ()).not_ok(), [""; 0]);
}

fn keys_that_are_wrong(installation: &Installation) {
    let other = "00".repeat(32);
    let report = installation.examine(|settings| settings["keys"] = json!({ "master_key": other }));
    expect(&report, "sealed keys", "fail", "not the one that the keys in this database were made with", "first used with");
    let report = installation.examine(|settings| settings["keys"] = json!({ "master_key": "wrong-password" }));
    expect(&report, "master key", "fail", "32 bytes", "openssl rand -hex 32");
    let open = installation.file("open.key");
    std::fs::copy(installation.file("master.key"), &open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    let report = installation.examine(|settings| settings["keys"]["master_key_file"] = open.to_str().into());
    expect(&report, "master key", "fail", "0644", &format!("chmod 600 {}", open.display()));
}

async fn providers_that_refuse(installation: &Installation) {
    let other_key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
    let report = installation.examine(|settings| settings["push"]["apns"]["key"] = other_key.into());
    expect(&report, "apns", "fail", "InvalidProviderToken", "key_id, team_id");
    let report = installation.examine(|settings| settings["push"]["apns"]["key"] = "wrong-password".into());
    expect(&report, "apns", "fail", "it cannot sign", "[push.apns]");
    let report = installation.examine(|settings| settings["push"]["apns"]["base_url"] = "https://127.0.0.1:1".into());
    expect(&report, "apns", "fail", "Connection refused", "base_url");

    // somebody else's service account at Google's, and somebody else's authority
    let others = Simulators::start(Options { directory: Some(installation.file("others")), ..Options::default() }).await.unwrap();
    let account = |of: &Simulators| serde_json::from_str::<Value>(&of.credentials().fcm_service_account).unwrap();
    let mut stolen = account(&others);
    stolen["token_uri"] = account(&installation.simulators)["token_uri"].clone();
    let report = installation.examine(|settings| settings["push"]["fcm"]["projects"] = json!([{ "service_account": stolen.to_string() }]));
    expect(&report, "fcm", "fail", "gives no access token", "service account");
    let report = installation.examine(|settings| settings["push"]["fcm"]["extra_ca"] = installation.file("others/ca.pem").to_str().into());
    expect(&report, "fcm", "fail", "certificate", "extra_ca");
    others.stop().await;

    let ending = installation.file("ending.pem");
    let trusted = std::fs::read_to_string(installation.file("ca.pem")).unwrap();
    std::fs::write(&ending, trusted + &authority_that_ends_soon()).unwrap();
    let report = installation.examine(|settings| settings["push"]["apns"]["extra_ca"] = ending.to_str().into());
    expect(&report, "certificate", "warn", "ending.pem", "new certificate");
    assert!(report.says("apns", "ok", "takes the account", ""));

    let report = installation.examine(|settings| settings["push"]["web_push"]["key"] = "wrong-password".into());
    expect(&report, "web push", "fail", "push.web_push.key", "how its key is made");

    let report = installation.examine(|settings| settings["sms"]["password"] = "wrong-pw".into());
    expect(&report, "sms", "fail", "refuses the account", "sms.password");
    let report = installation.examine(|settings| settings["sms"]["port"] = 1.into());
    expect(&report, "sms", "fail", "Connection refused", "sms.host and sms.port");
}

fn authority_that_ends_soon() -> String {
    let end = Clock::real().now() + TimeDelta::days(12);
    let mut authority = rcgen::CertificateParams::default();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    authority.not_after = rcgen::date_time_ymd(end.year(), u8::try_from(end.month()).unwrap(), u8::try_from(end.day()).unwrap());
    authority.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
}

fn this_machine(installation: &Installation) {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let report = installation.examine(|settings| settings["server"]["listen"] = address.clone().into());
    expect(&report, "listen", "fail", &address, "server.listen");
    let report = installation.examine(|settings| settings["rules"] = json!({ "time_zone": "Asia/Urumqi" }));
    expect(&report, "time zone", "warn", "Asia/Urumqi", "all four alike");

    let mut broken = installation.settings.clone();
    broken["sms"]["windwo"] = 3.into();
    let output = installation.fenghuo(&broken, &["doctor"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.starts_with("fail  configuration ") && said.contains("windwo") && said.lines().count() == 1, "{said}");

    let output = installation.fenghuo(&installation.settings, &["doctor"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.lines().all(|line| line.starts_with("ok    ")), "{said}");
}
