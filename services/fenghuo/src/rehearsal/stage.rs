//! The platform of a rehearsal: all services in this process, a moved clock, simulated providers.
//!
//! The clock never jumps over something the platform has to do: [`Stage::move_to`] stops at the end of every gathering
//! window, every retry, reminder, expiry and end of quiet hours on the way, and lets the platform come to rest there. Scheduled work
//! does not stop it: what has become due on the way is done before the clock goes on.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use platform::clock::Clock;
use platform::database::{Database, DatabaseMode};
use platform::http::Server;
use platform::telemetry::{self, LogFormat, LogPlace};
use platform::{Platform, StoreSettings};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use simulators::{Options, Simulators};
use strum::VariantArray as _;
use tokio_util::sync::CancellationToken;

use super::arguments::Rehearse;
use super::cast::Cast;
use crate::asking;
pub(crate) use crate::asking::answer;
use crate::configuration::Configuration;
use crate::demo;
use crate::demo::accounts::Access;
use crate::residents;
use crate::services::{self, City, Service};
use crate::simulate::Providers;

/// How long the platform may take to come to rest, in real time.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often it is asked, in real time.
const ASKED_EVERY: Duration = Duration::from_millis(10);
/// After an interruption, leases of the process that is gone must have run out.
const AFTER_INTERRUPTION: TimeDelta = TimeDelta::minutes(2);

/// What is kept in the data directory, so that an interrupted rehearsal goes on.
#[derive(Serialize, Deserialize)]
struct Bookmark {
    next_scene: usize,
    now: DateTime<Utc>,
    accounts: Vec<Access>,
}

/// The running platform.
pub(crate) struct Stage {
    pub(crate) platform: Platform,
    pub(crate) settings: Configuration,
    pub(crate) client: reqwest::Client,
    /// Where the platform answers.
    pub(crate) url: String,
    /// Where the simulators are controlled.
    pub(crate) control: String,
    /// `embedded` or `services`.
    pub(crate) set: &'static str,
    accounts: Vec<Access>,
    next_scene: usize,
    bookmark: PathBuf,
    simulators: Option<Simulators>,
    stop: CancellationToken,
    served: tokio::task::JoinHandle<()>,
    // deleted when dropped, unless --data names a directory to keep
    _scratch: Option<tempfile::TempDir>,
}

impl Stage {
    /// Starts the platform: a new city at `start`, or the one that was left in `--data`.
    pub(crate) async fn open(config: Option<&Path>, rehearse: &Rehearse, cast: &Cast, start: DateTime<Utc>) -> Result<Self> {
        let mut settings = Configuration::load(config)?;
        settings.telemetry.format.get_or_insert(LogFormat::Human);
        if std::env::var_os("FENGHUO_TELEMETRY__LEVEL").is_none() {
            settings.telemetry.level = "error".to_owned();
        }
        telemetry::log(&settings.telemetry, &LogPlace::StandardError)?;
        let scratch = match &rehearse.data {
            None => Some(tempfile::tempdir().context("no temporary directory can be made")?),
            Some(_) => None,
        };
        let data = match (&rehearse.data, &scratch) {
            (Some(data), _) => data.clone(),
            (None, Some(scratch)) => scratch.path().to_owned(),
            (None, None) => bail!("no data directory"),
        };
        std::fs::create_dir_all(&data).with_context(|| format!("{} cannot be made", data.display()))?;
        let bookmark = data.join("rehearsal.json");
        let left: Option<Bookmark> = match std::fs::read(&bookmark) {
            Ok(text) => Some(serde_json::from_slice(&text).with_context(|| format!("{} is damaged", bookmark.display()))?),
            Err(_) => None,
        };
        if left.is_none() && data.join("database").exists() {
            // the city was never finished, and its passwords are lost with the process that made them
            std::fs::remove_dir_all(data.join("database")).context("the unfinished city cannot be removed")?;
        }
        ensure!(left.is_none() || !rehearse.services, "--services always begins anew: leave out --data");

        let (providers, simulators) = match &rehearse.providers {
            Some(directory) => (Providers::read(directory)?, None),
            None => {
                let simulators = Simulators::start(Options { keep_payloads: true, token_age_checked: false, ..Options::default() })
                    .await
                    .context("the simulated providers did not start")?;
                (Providers::of(&simulators), Some(simulators))
            }
        };
        providers.configure(&mut settings, &data.join("providers"))?;
        settings.identity.session_idle_seconds = 120 * 24 * 3600;
        settings.identity.session_longest_seconds = 120 * 24 * 3600;
        // Weeks pass in minutes, and everybody asks for their code from this machine.
        (settings.resident.codes_per_minute_from_a_network, settings.resident.codes_per_minute) = (NonZeroU32::MAX, NonZeroU32::MAX);
        settings.resident.silent_after_days = 3_650;

        let clock = Clock::moved(left.as_ref().map_or(start, |left| left.now + AFTER_INTERRUPTION));
        let stores = Self::stores(&mut settings, rehearse, &data)?;
        let database = if rehearse.services {
            use secrecy::ExposeSecret as _;
            Database::scratch(settings.database.url.expose_secret()).await.context("no database can be made on the configured server")?
        } else {
            Database::open(&stores.database).await?
        };
        let platform = Platform::on(database, &stores, clock).await.context("the stores do not answer")?;
        services::migrate(&platform).await?;
        let (accounts, next_scene) = match left {
            Some(left) => (left.accounts, left.next_scene),
            None => (Self::found_city(&platform, cast).await?, 0),
        };
        let shell = services::start(&platform, &settings, Service::VARIANTS, City::Demo).await?;
        let server = Server::bind(([127, 0, 0, 1], 0).into()).await?;
        let url = format!("http://{}", server.address());
        let stop = CancellationToken::new();
        let served = tokio::spawn(server.serve(shell.router(), stop.clone(), Duration::from_secs(5)));
        let stage = Self {
            platform,
            settings,
            client: asking::client(),
            url,
            control: providers.addresses.control_url(),
            set: if rehearse.services { "services" } else { "embedded" },
            accounts,
            next_scene,
            bookmark,
            simulators,
            stop,
            served,
            _scratch: scratch,
        };
        if next_scene == 0 {
            stage.providers_fail_a_little().await?;
            stage.remember(0, start).await?;
        }
        stage.settle().await?;
        Ok(stage)
    }

    fn stores(settings: &mut Configuration, rehearse: &Rehearse, data: &Path) -> Result<StoreSettings> {
        settings.keys.master_key_file = Some(data.join("master.key"));
        settings.keys.create = true;
        if rehearse.services {
            ensure!(
                settings.database.mode == DatabaseMode::Postgres,
                "--services needs database.mode = \"postgres\" and the addresses of PostgreSQL, RabbitMQ and Redis in the configuration"
            );
            // names of its own on the broker and in the cache
            let own = format!("rehearsal-{}", uuid::Uuid::now_v7().simple());
            settings.bus.prefix.clone_from(&own);
            settings.cache.prefix = own;
        } else {
            settings.database = platform::database::DatabaseSettings { data_dir: data.join("database"), ..Default::default() };
            settings.bus = platform::bus::BusSettings::default();
            settings.cache = platform::cache::CacheSettings::default();
        }
        Ok(settings.stores())
    }

    /// Residents, staff, rules.
    async fn found_city(platform: &Platform, cast: &Cast) -> Result<Vec<Access>> {
        residents::write(platform, &cast.people, |_| ()).await?;
        let mut accounts = Vec::new();
        demo::settle(platform, &mut |access| {
            accounts.push(access);
            Ok(())
        })
        .await?;
        Ok(accounts)
    }

    /// Some people have removed the app, some numbers are not reachable, and now and then a provider stumbles: as in life.
    async fn providers_fail_a_little(&self) -> Result<()> {
        for (provider, faults) in [
            ("apns", json!([{ "kind": "gone", "share": 0.06 }, { "kind": "unavailable", "share": 0.03 }])),
            ("fcm", json!([{ "kind": "gone", "share": 0.06 }, { "kind": "unavailable", "share": 0.03 }])),
            ("sms", json!([{ "kind": "bad_recipient", "share": 0.02 }])),
        ] {
            self.control("faults", &json!({ "provider": provider, "faults": faults })).await?;
        }
        Ok(())
    }

    /// Tells the simulators something.
    pub(crate) async fn control(&self, what: &str, body: &Value) -> Result<()> {
        let response =
            self.client.post(format!("{}/{what}", self.control)).json(body).send().await.context("the simulators do not answer")?;
        ensure!(response.status().is_success(), "the simulators refused {what}: {}", response.status());
        Ok(())
    }

    /// The scene with which to begin.
    pub(crate) fn next_scene(&self) -> usize {
        self.next_scene
    }

    /// The password or key of an account.
    pub(crate) fn secret(&self, login: &str) -> Result<&str> {
        let access = self.accounts.iter().find(|access| access.login == login).with_context(|| format!("there is no account {login}"))?;
        Ok(&access.secret)
    }

    /// Notes that a scene is over, for a rehearsal that is interrupted later.
    pub(crate) async fn finished(&self, scene: usize) -> Result<()> {
        self.remember(scene + 1, self.platform.clock.now()).await
    }

    async fn remember(&self, next_scene: usize, now: DateTime<Utc>) -> Result<()> {
        let bookmark = Bookmark { next_scene, now, accounts: self.accounts.clone() };
        let new = self.bookmark.with_extension("new");
        tokio::fs::write(&new, serde_json::to_vec(&bookmark)?).await?;
        tokio::fs::rename(&new, &self.bookmark).await.context("the rehearsal cannot be written down")
    }

    /// Sends records as a source does, and returns the report.
    pub(crate) async fn send_records(&self, records: &[Value]) -> Result<Value> {
        let request = self.client.post(format!("{}/api/v1/records", self.url)).bearer_auth(self.secret("api-key")?).json(records);
        answer(request).await.context("the records were not taken")
    }

    /// Moves the clock to `to`, when `scene` begins, stopping wherever the platform has something to do.
    pub(crate) async fn move_to(&self, scene: usize, to: DateTime<Utc>) -> Result<()> {
        while self.platform.clock.now() < to {
            let next = self.next_thing_to_do().await?.filter(|next| *next < to).unwrap_or(to);
            let next_stop = next.max(self.platform.clock.now());
            // Written down first: leases given at a time that nobody remembers would not run out.
            self.remember(scene, next_stop).await?;
            self.platform.clock.set(next_stop);
            self.settle().await?;
            if next == self.platform.clock.now() && next < to {
                // it is done; a thing that stays due at the same moment would stop the clock for ever
                self.platform.clock.forward(Duration::from_secs(1));
            }
        }
        Ok(())
    }

    async fn next_thing_to_do(&self) -> Result<Option<DateTime<Utc>>> {
        let now = self.platform.clock.now();
        sqlx::query_scalar!(
            "select min(at) from (
                 select min(closes_at) as at from rules.draft where closed_at is null and closes_at > $1
                 union all select min(release_at) from dispatch.alert where state = 'waiting' and release_at > $1
                 union all select min(expires_at) from dispatch.alert where state in ('waiting', 'dispatching', 'active') and expires_at > $1
                 union all select min(until) from dispatch.set_aside where until > $1
                 union all select min(not_before) from dispatch.batch where state = 'ready' and not_before > $1
                 union all select min(b.closed_at + make_interval(secs => a.ack_window_s))
                             from dispatch.alert a join dispatch.batch b using (alert_id)
                            where a.state in ('dispatching', 'active') and a.ack_window_s > 0 and b.state = 'closed' and b.attended_at is null
                              and b.closed_at + make_interval(secs => a.ack_window_s) > $1
                 union all select min(closed_at + make_interval(secs => $2)) from dispatch.batch
                            where by_browser > 0 and closed_at + make_interval(secs => $2) > $1
             ) as things",
            now,
            f64::from(self.settings.dispatch.browser_patience_min) * 60.0
        )
        .fetch_one(self.platform.database.pool())
        .await
        .context("the stores cannot say what is next")
    }

    /// Waits until nothing is on its way any more and nothing is due.
    pub(crate) async fn settle(&self) -> Result<()> {
        let began = tokio::time::Instant::now();
        let mut at_rest = 0;
        // twice in a row: something may have left one store and not yet reached the next
        while at_rest < 2 {
            let busy = self.busy().await?;
            at_rest = if busy.is_none() { at_rest + 1 } else { 0 };
            if let Some(who) = busy {
                ensure!(began.elapsed() < PATIENCE, "the platform did not come to rest within {} s: {who} is busy", PATIENCE.as_secs());
                tokio::time::sleep(ASKED_EVERY).await;
            }
        }
        Ok(())
    }

    /// Who still has something to do now.
    async fn busy(&self) -> Result<Option<&'static str>> {
        if !self.platform.bus.settled().await? {
            return Ok(Some("the bus"));
        }
        if !dispatch::settled(&self.platform, &self.settings.dispatch).await? {
            return Ok(Some("dispatch"));
        }
        if !self.platform.jobs.settled().await? {
            return Ok(Some("scheduled work"));
        }
        Ok((!self.no_draft_is_due().await?).then_some("rules"))
    }

    async fn no_draft_is_due(&self) -> Result<bool> {
        let due = sqlx::query_scalar!(
            r#"select exists (select from rules.draft where closed_at is null and closes_at <= $1) as "due!""#,
            self.platform.clock.now()
        )
        .fetch_one(self.platform.database.pool())
        .await?;
        Ok(!due)
    }

    /// Stops everything. What was made for the rehearsal is gone afterwards, unless `--data` keeps it.
    pub(crate) async fn close(self) -> Result<()> {
        self.stop.cancel();
        let _ = self.served.await;
        if self.set == "services" {
            self.platform.bus.delete_all().await?;
            self.platform.cache.clear().await?;
        }
        self.platform.tasks.shutdown(Duration::from_secs(20)).await;
        self.platform.database.close().await?;
        if let Some(simulators) = self.simulators {
            simulators.stop().await;
        }
        Ok(())
    }
}
