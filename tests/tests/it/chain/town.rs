//! The town of the stories: the platform in a process that can be killed, providers and phones outside of it, and a clock that both keep.
//!
//! A process is a runtime with its own connections: when it is killed, whatever it was doing ends wherever it just waits, as with a machine
//! that fails. Database, providers and phones go on.

use std::time::{Duration, Instant};

use chrono::{DateTime, FixedOffset, NaiveTime, TimeDelta, TimeZone as _, Utc};
use domain::area::CommunityCode;
use domain::language::Language;
use domain::place::Community;
use http::{Method, StatusCode};
use platform::clock::Clock;
use platform::database::{Database, DatabaseMode, DatabaseSettings};
use platform::{Platform, StoreSettings, scratch};
use resident::generate::{self, Device, People, Person as Resident};
use secrecy::SecretString;
use serde_json::{Value, json};
use simulators::{Options, Simulators};
use sqlx::ConnectOptions as _;
use stages::{PATIENCE, Store, noon};
use tests::{Who, Whole};
use tokio::runtime::{Builder, Runtime};

/// After so long the leases of a process that is gone have run out, also for one that has just started.
const LEASES: Duration = Duration::from_secs(120);

/// Between two looks at whether it rests. Each moves the clock by next to nothing, which wakes whoever would otherwise look around a second later.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);
const NUDGE: Duration = Duration::from_millis(1);

/// The platform as it runs now.
struct Process {
    runtime: Runtime,
    whole: Whole,
}

/// The town.
pub(super) struct Town {
    process: Option<Process>,
    pub(super) phones: Simulators,
    pub(super) clock: Clock,
    stores: StoreSettings,
    push: push::Settings,
    sms: sms::Settings,
    people: People,
    /// Residents and communities that no story has taken.
    residents: std::ops::RangeInclusive<u32>,
    communities: std::slice::Iter<'static, Community>,
    // what stands behind all of it: it is ended last
    outside: Runtime,
    database: Option<Database>,
    _certificate: tempfile::TempDir,
}

impl Town {
    pub(super) fn found(store: Store) -> Self {
        let outside = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let options = Options { token_age_checked: false, ..Options::default() };
        let (phones, database) = outside.block_on(async { (Simulators::start(options).await.unwrap(), store.database().await) });
        let certificate = tempfile::tempdir().unwrap();
        let (push, sms) = providers(&phones, certificate.path());
        let stores = StoreSettings {
            database: DatabaseSettings {
                mode: DatabaseMode::Postgres,
                url: SecretString::from(database.pool().driver().connect_options().to_url_lossy().to_string()),
                ..DatabaseSettings::default()
            },
            keys: scratch::passing_key(),
            ..StoreSettings::default()
        };
        let mut town = Self {
            process: None,
            phones,
            clock: Clock::moved(noon()),
            stores,
            push,
            sms,
            people: People::new(3_800, 7),
            residents: 1..=3_800,
            communities: domain::place::communities().iter(),
            outside,
            database: Some(database),
            _certificate: certificate,
        };
        town.start(true);
        let (people, clock) = (town.people.clone(), town.clock.clone());
        town.run(async |whole| {
            let platform = &whole.platform;
            generate::write(&people, &platform.database, &platform.keyring, clock.now(), |_| ()).await.unwrap();
        });
        town.rest();
        town
    }

    fn start(&mut self, new: bool) {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let whole = runtime.block_on(async {
            let platform = Platform::open(&self.stores, self.clock.clone()).await.unwrap();
            if new {
                Whole::make_tables(&platform).await;
            }
            Whole::on(platform, self.push.clone(), self.sms.clone()).await
        });
        self.process = Some(Process { runtime, whole });
    }

    /// The process ends, wherever it is.
    pub(super) fn kill(&mut self) {
        if let Some(Process { runtime, whole }) = self.process.take() {
            runtime.shutdown_timeout(Duration::from_secs(10));
            drop(whole);
        }
    }

    /// Another one goes on, and after a while what the first had in hand is its own.
    pub(super) fn revive(&mut self) {
        self.start(false);
        self.clock.forward(LEASES);
        // Scheduled work counts by the machine's clock whether its process lives: by that, too, it is later.
        self.run(async |whole| {
            let later = "update jobs.job set alive_until = clock_timestamp() where alive_until is not null";
            sqlx::query(later).execute(whole.platform.database.pool()).await.unwrap();
        });
    }

    /// After a story that broke off in between.
    pub(super) fn revive_if_dead(&mut self) {
        if self.process.is_none() {
            self.revive();
        }
    }

    /// Has the process do something.
    pub(super) fn run<T>(&self, what: impl AsyncFnOnce(&Whole) -> T) -> T {
        let process = self.process.as_ref().unwrap();
        process.runtime.block_on(what(&process.whole))
    }

    /// Asks for what is to be granted.
    pub(super) fn ask(&self, who: Who, method: &Method, path: &str, body: &Value) -> Value {
        let (status, answer) = self.try_to(who, method, path, body);
        assert!(status.is_success(), "{who:?} {method} {path}: {status} {answer}");
        answer
    }

    pub(super) fn try_to(&self, who: Who, method: &Method, path: &str, body: &Value) -> (StatusCode, Value) {
        self.run(async |whole| whole.ask(Some(who), method, path, body).await)
    }

    /// Lets everything happen that can happen at this moment.
    pub(super) fn rest(&self) {
        self.run(async |whole| at_rest(whole, &self.phones).await);
    }

    /// The same, but no further than until so many more messages have arrived since `before`.
    pub(super) fn rest_or(&self, before: u64, messages: u64) {
        self.run(async |whole| {
            tokio::select! {
                biased;
                () = self.phones.until(|phones| arrived(phones) >= before + messages) => {}
                () = at_rest(whole, &self.phones) => {}
            }
        });
    }

    /// Messages that have ever arrived.
    pub(super) fn arrived(&self) -> u64 {
        arrived(&self.phones)
    }

    /// The next moment at which something is to be done on the way to `to`: of an alert, or because a night begins or ends.
    pub(super) fn next_stop(&self, to: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let now = self.clock.now();
        let next = self.run(async |whole| {
            let next = sqlx::query_scalar::<_, Option<DateTime<Utc>>>(NEXT).bind(now);
            next.fetch_one(whole.platform.database.pool()).await.unwrap()
        });
        let nights = [(22, 0), (7, 0)].map(|time| next_time(now, time));
        (now < to).then(|| nights.into_iter().chain(next).fold(to, DateTime::min))
    }

    /// The next resident who reads Chinese and has such a phone.
    pub(super) fn somebody(&mut self, is_wanted: impl Fn(Option<&Device>) -> bool) -> Resident {
        let people = &self.people;
        self.residents
            .by_ref()
            .filter_map(|no| people.person(no))
            .find(|person| person.language == Language::ZhCn && is_wanted(person.device.as_ref()))
            .unwrap()
    }

    /// The next community that no story has had.
    pub(super) fn community(&mut self) -> CommunityCode {
        self.communities.next().unwrap().code
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        self.kill();
        if let Some(database) = self.database.take() {
            let _ = self.outside.block_on(async { database.close().await });
        }
    }
}

fn arrived(phones: &Simulators) -> u64 {
    let all = phones.statistics();
    all.apns.accepted + all.fcm.accepted + all.sms.accepted
}

/// Waits until nothing is on its way and nothing is due: twice in a row, since something may have left one store and not reached the next. What is
/// done on schedule goes on beside it, as it always does: no alert waits for that.
async fn at_rest(whole: &Whole, phones: &Simulators) {
    let began = Instant::now();
    let (mut times, mut pause) = (0, FIRST_PAUSE);
    while times < 2 {
        let Some(who) = busy(whole, phones).await else {
            times += 1;
            continue;
        };
        assert!(began.elapsed() < PATIENCE, "the platform did not come to rest within {} s: {who}", PATIENCE.as_secs());
        times = 0;
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        whole.platform.clock.forward(NUDGE);
    }
}

/// Who still has something to do at this moment.
async fn busy(whole: &Whole, phones: &Simulators) -> Option<&'static str> {
    let platform = &whole.platform;
    match () {
        () if phones.statistics().sms.deliveries_waiting > 0 => Some("the SMS centre has something for it"),
        () if !platform.bus.settled().await.unwrap() => Some("the bus is busy"),
        () if !dispatch::settled(platform, &dispatch::Settings::default()).await.unwrap() => Some("dispatch is busy"),
        () => None,
    }
}

/// When something of an alert is due next.
const NEXT: &str = "select min(at) from (
    select release_at as at from dispatch.alert where state = 'waiting'
    union all select expires_at from dispatch.alert where state in ('waiting', 'dispatching', 'active')
    union all select not_before from dispatch.batch where state = 'ready'
    union all select b.closed_at + make_interval(secs => a.ack_window_s) from dispatch.alert a join dispatch.batch b using (alert_id)
               where a.state in ('dispatching', 'active') and b.state = 'closed' and b.attended_at is null) as things
 where at > $1";

/// Settings with which push and sms reach these providers.
fn providers(phones: &Simulators, directory: &std::path::Path) -> (push::Settings, sms::Settings) {
    let (addresses, credentials) = (phones.addresses(), phones.credentials());
    let ca = directory.join("ca.pem");
    std::fs::write(&ca, &credentials.ca_pem).unwrap();
    let apns = push::ApnsSettings {
        base_url: addresses.apns_url(),
        topic: "cn.fenghuo.app".to_owned(),
        key_id: credentials.apns_key_id.clone(),
        team_id: credentials.apns_team_id.clone(),
        key: SecretString::from(credentials.apns_key_p8.clone()),
        extra_ca: Some(ca.clone()),
        ..push::ApnsSettings::default()
    };
    let service_account = SecretString::from(credentials.fcm_service_account.clone());
    let fcm = push::FcmSettings {
        base_url: addresses.fcm_url(),
        extra_ca: Some(ca),
        projects: vec![push::FcmProject { service_account, ..push::FcmProject::default() }],
        ..push::FcmSettings::default()
    };
    let sms = sms::Settings {
        host: addresses.smpp.ip().to_string(),
        port: addresses.smpp.port(),
        system_id: credentials.smpp_system_id.clone(),
        password: SecretString::from(credentials.smpp_password.clone()),
        ..sms::Settings::default()
    };
    (push::Settings { apns: Some(apns), fcm: Some(fcm), ..push::Settings::default() }, sms)
}

/// This time in the city, next.
pub(super) fn next_time(now: DateTime<Utc>, (hour, minute): (u32, u32)) -> DateTime<Utc> {
    let city = FixedOffset::east_opt(8 * 3_600).unwrap();
    let time = NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
    let today = city.from_local_datetime(&now.with_timezone(&city).date_naive().and_time(time)).unwrap().to_utc();
    if today > now { today } else { today + TimeDelta::days(1) }
}

/// What an alert says whose texts bear this mark.
pub(super) fn content(mark: usize, expires_at: DateTime<Utc>) -> Value {
    let name = format!("第{mark}次饮水提醒");
    let text =
        json!({ "headline": name, "body": "主供水管受污染。", "instruction": "请饮用瓶装水。", "sms": format!("{name}：请饮用瓶装水") });
    json!({
        "status": "actual", "msg_type": "alert", "category": "health", "urgency": "immediate", "severity": "severe", "certainty": "observed",
        "purpose": "防止饮用受污染的水", "texts": { "zh-CN": text }, "contact": "12320", "expires_at": expires_at, "ack_window_s": 3600,
    })
}
