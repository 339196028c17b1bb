//! A small city with phones: dispatch and push as they run, the providers simulated, the other services' views stood in for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use dispatch::ledger::Claimed;
use dispatch::worker::{BatchChannel, Noted, Sent, WorkerSettings};
use domain::alert::{AlertContent, AlertText, DeliveryClass};
use domain::audience::Audience;
use domain::cap;
use domain::ids::AlertId;
use domain::language::Language;
use domain::outcome::{Channel, Outcome};
use platform::clock::Clock;
use platform::crypto::Purpose;
use platform::database::Database;
use platform::{BoxError, Platform, StoreSettings, scratch};
use proto::topology::{
    AUDIT_IN_DANGER, AUDIT_OUT_OF_DANGER, DISPLAY_RELEASED, RESIDENT_ENDPOINTS_GONE, RESIDENT_RELEASED, REVIEW_HANDED_OVER, REVIEW_RELEASED,
};
use proto::{AlertApproved, AlertHandedOver, AlertInDanger, AlertOutOfDanger, AlertReleased, EndpointsGone};
use simulators::{Options, Provider, Simulators};

use super::providers::{settings, web_push_settings};
use crate::Settings;

const STAND_INS: &str = "
    create schema resident;
    create table resident.reach (resident_no int primary key, district int not null, township int not null, community bigint not null,
                                 industry text, language text not null, app bool not null, sms bool not null, drill bool not null,
                                 apns bool not null default false, fcm bool not null default false, web bool not null default false);
    create table resident.endpoint (resident_no int not null, endpoint_id bigint not null, kind text not null, sealed bytea not null,
                                    language text not null);
    create function resident.push_endpoints(first_no int, last_no int)
        returns table (resident_no int, endpoint_id bigint, kind text, sealed bytea, language text) language sql stable
        as $$ select * from resident.endpoint where endpoint.resident_no between first_no and last_no and kind <> 'phone' order by 1 $$;
    create table resident.acknowledged (alert_id uuid not null, resident_no int not null, at timestamptz, by text);
    create schema review;
    create table review.approved_alert (alert_id uuid primary key, short_code text, class text, content jsonb, audience bytea,
                                        approved_at timestamptz, district int, exercise bool);";

/// How long a story may take on a busy machine before something hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A second Firebase project that the simulators know.
pub(super) const OTHER_PROJECT: &str = "simulated-city-2";

/// Stands in for sms: every phone takes every message.
struct AnyPhone;

impl BatchChannel for AnyPhone {
    const CHANNEL: Channel = Channel::Sms;

    async fn send(&self, batch: &Claimed, noted: &Noted) -> Result<Sent, BoxError> {
        batch.pending().for_each(|(position, _)| noted.outcome(position, Outcome::Accepted));
        Ok(Sent::Done)
    }
}

/// The city.
pub(super) struct City {
    pub platform: Platform,
    pub simulators: Simulators,
    /// (resident, endpoint) as told to resident.
    pub gone: Arc<Mutex<Vec<(u32, i64)>>>,
    dispatch: dispatch::Settings,
    _directory: tempfile::TempDir,
}

/// Noon in the city.
pub(super) fn noon() -> DateTime<Utc> {
    "2026-03-10T12:00:00+08:00".parse().unwrap()
}

impl City {
    /// With the settings of push changed as the story wants.
    pub(super) async fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = Options {
            directory: Some(directory.path().to_owned()),
            token_age_checked: false,
            fcm_other_projects: vec![OTHER_PROJECT.to_owned()],
            ..Options::default()
        };
        let simulators = Simulators::start(options).await.unwrap();
        let stores = StoreSettings { keys: scratch::passing_key(), ..StoreSettings::default() };
        let database = Database::scratch(&scratch::postgres_url()).await.unwrap();
        let platform = Platform::on(database, &stores, Clock::moved(noon())).await.unwrap();
        sqlx::raw_sql(STAND_INS).execute(platform.database.pool()).await.unwrap();
        platform.database.migrate(dispatch::SCHEMA, &dispatch::MIGRATOR).await.unwrap();

        let gone = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&gone);
        let hear = move |event: EndpointsGone| {
            told.lock().unwrap().extend(event.entries.iter().map(|entry| (entry.resident_no, entry.endpoint_id)));
            async { Ok(()) }
        };
        platform.bus.subscribe(&RESIDENT_ENDPOINTS_GONE, 1, hear).unwrap();
        for queue in [&REVIEW_RELEASED, &RESIDENT_RELEASED, &DISPLAY_RELEASED] {
            platform.bus.subscribe(queue, 1, |_: AlertReleased| async { Ok(()) }).unwrap();
        }
        platform.bus.subscribe(&REVIEW_HANDED_OVER, 1, |_: AlertHandedOver| async { Ok(()) }).unwrap();
        platform.bus.subscribe(&AUDIT_IN_DANGER, 1, |_: AlertInDanger| async { Ok(()) }).unwrap();
        platform.bus.subscribe(&AUDIT_OUT_OF_DANGER, 1, |_: AlertOutOfDanger| async { Ok(()) }).unwrap();
        let (apns, fcm) = settings(&simulators, directory.path());
        let worker = WorkerSettings { batches: 2, checkpoint_every: 5, ..WorkerSettings::default() };
        let web_push = web_push_settings(&simulators, directory.path());
        let mut push = Settings { apns: Some(apns), fcm: Some(fcm), web_push: Some(web_push), worker };
        change(&mut push);
        let dispatch = dispatch::Settings { batch_size: 20, first_chunk: 40, ..dispatch::Settings::default() };
        crate::start(&platform, push).await.unwrap();
        dispatch::worker::run(&platform, &WorkerSettings::default(), Arc::new(AnyPhone)).unwrap();
        dispatch::start(&platform, dispatch.clone(), dispatch::Capacity::default()).await.unwrap();
        Self { platform, simulators, gone, dispatch, _directory: directory }
    }

    /// A resident with an app and a phone number.
    pub(super) async fn resident(&self, number: u32, language: Language, drill: bool) {
        sqlx::query("insert into resident.reach values ($1, 500103, 500103001, 500103001001, null, $2, true, true, $3)")
            .bind(i32::try_from(number).unwrap())
            .bind(language.as_ref())
            .bind(drill)
            .execute(self.platform.database.pool())
            .await
            .unwrap();
    }

    /// Registers a device and returns its token.
    pub(super) async fn device(&self, number: u32, endpoint_id: i64, kind: &str, language: Language) -> String {
        let token = if kind == "apns" { format!("{endpoint_id:064x}") } else { format!("{kind}-{endpoint_id}") };
        self.endpoint(number, endpoint_id, kind, token.as_bytes(), language).await;
        token
    }

    /// Registers whatever is stored of a device.
    pub(super) async fn endpoint(&self, number: u32, endpoint_id: i64, kind: &str, stored: &[u8], language: Language) {
        sqlx::query("insert into resident.endpoint values ($1, $2, $3, $4, $5)")
            .bind(i32::try_from(number).unwrap())
            .bind(endpoint_id)
            .bind(kind)
            .bind(self.platform.keyring.seal(Purpose::PushToken, stored).into_bytes())
            .bind(language.as_ref())
            .execute(self.platform.database.pool())
            .await
            .unwrap();
    }

    /// Residents with an iPhone each; returns the tokens.
    pub(super) async fn apple_users(&self, numbers: std::ops::Range<u32>) -> Vec<String> {
        let mut tokens = Vec::new();
        for number in numbers {
            self.resident(number, Language::ZhCn, false).await;
            tokens.push(self.device(number, i64::from(number), "apns", Language::ZhCn).await);
        }
        tokens
    }

    /// review approves an urgent alert to these residents.
    pub(super) async fn approve(&self, status: cap::Status, residents: impl IntoIterator<Item = u32>) -> AlertId {
        let alert_id = AlertId::new();
        sqlx::query("insert into review.approved_alert values ($1, '7KQ3', $2, $3, $4, $5, 500103, $6)")
            .bind(alert_id.uuid())
            .bind(DeliveryClass::Urgent.as_ref())
            .bind(serde_json::to_value(alert(status)).unwrap())
            .bind(Audience::Residents(residents.into_iter().collect()).to_bytes())
            .bind(noon())
            .bind(status == cap::Status::Exercise)
            .execute(self.platform.database.pool())
            .await
            .unwrap();
        let mut tx = self.platform.database.begin().await.unwrap();
        tx.publish(dispatch::SCHEMA, &AlertApproved { alert_id: alert_id.to_string() }).await.unwrap();
        tx.commit().await.unwrap();
        alert_id
    }

    /// Waits until nothing more happens without the clock.
    pub(super) async fn settle(&self) {
        let settled = async {
            let mut quiet = 0;
            while quiet < 3 {
                let at_rest =
                    self.platform.bus.settled().await.unwrap() && dispatch::settled(&self.platform, &self.dispatch).await.unwrap();
                // A message may be between two queues at any one look.
                quiet = if at_rest { quiet + 1 } else { 0 };
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, settled).await.expect("the city comes to rest");
    }

    /// Moves the clock and waits again.
    pub(super) async fn forward(&self, duration: Duration) {
        self.platform.clock.forward(duration);
        self.settle().await;
    }

    /// (reached by app, reached by SMS) of an alert.
    pub(super) async fn reached(&self, alert_id: AlertId) -> (i64, i64) {
        sqlx::query_as(
            "select coalesce(sum(accepted) filter (where channel = 'app'), 0)::bigint,
                    coalesce(sum(accepted) filter (where channel = 'sms'), 0)::bigint
               from dispatch.batch where alert_id = $1",
        )
        .bind(alert_id.uuid())
        .fetch_one(self.platform.database.pool())
        .await
        .unwrap()
    }

    /// How often each token was reached.
    pub(super) fn times(&self, provider: Provider, tokens: &[String]) -> Vec<u64> {
        tokens.iter().map(|token| self.simulators.times(provider, token)).collect()
    }
}

fn alert(status: cap::Status) -> AlertContent {
    let text = |headline: &str| AlertText {
        headline: headline.to_owned(),
        body: "body".to_owned(),
        instruction: String::new(),
        sms: "sms".to_owned(),
    };
    AlertContent {
        status,
        msg_type: cap::MsgType::Alert,
        references: None,
        category: cap::Category::Health,
        urgency: cap::Urgency::Immediate,
        severity: cap::Severity::Severe,
        certainty: cap::Certainty::Observed,
        purpose: "stop the chain of infection".to_owned(),
        texts: BTreeMap::from([(Language::ZhCn, text("请立即居家隔离")), (Language::En, text("Isolate at once"))]),
        contact: "12320".to_owned(),
        expires_at: noon() + TimeDelta::days(2),
        ack_window_s: 0,
        place: None,
        display: false,
        source_note: String::new(),
    }
}
