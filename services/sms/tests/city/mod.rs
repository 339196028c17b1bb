//! A small city with dispatch, this service and a simulated SMS centre; the views of review and resident are stood in for.

use std::{collections::BTreeMap, future::Future, num::NonZeroU32, num::NonZeroUsize, time::Duration};

use chrono::TimeDelta;
use dispatch::worker::WorkerSettings;
use domain::{
    alert::{AlertContent, AlertText},
    audience::Audience,
    cap,
    ids::AlertId,
    language::Language,
    phone::PhoneNumber,
};
use platform::{Platform, StoreSettings, clock::Clock, crypto::Purpose, database::Database, http::Routes, scratch};
use proto::{AlertApproved, AlertStopped, StopReason};
use roaring::RoaringBitmap;
use secrecy::SecretString;
use simulators::{Options, Simulators};
use sms::Settings;

const STAND_INS: &str = "
    create schema resident;
    create table resident.reach (resident_no int primary key, district int not null, township int not null, community bigint not null,
                                 industry text, language text not null, app bool not null, sms bool not null, drill bool not null,
                                 apns bool not null default false, fcm bool not null default false);
    create table resident.acknowledged (alert_id uuid not null, resident_no int not null, at timestamptz, by text);
    create table resident.endpoint (resident_no int not null, endpoint_id bigint not null, kind text not null, sealed bytea not null,
                                    language text not null);
    create schema review;
    create table review.approved_alert (alert_id uuid primary key, short_code text, class text, content jsonb, audience bytea,
                                        approved_at timestamptz, district int, exercise bool);";

/// The text of the alert: with signature, contact and how to reply it takes three parts.
pub const TEXT: &str = "您被判定为密切接触者，请立即前往渝中区集中隔离点，途中佩戴口罩，不乘坐公共交通工具，不与他人交谈。\
                        请携带身份证件、常用药品和换洗衣物，抵达后向工作人员出示本短信，并如实说明最近十四天的行程和接触人员，\
                        如有发热、咳嗽等症状请提前电话告知";

/// How long a story may take for one step, in real time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which database a story is told with.
#[derive(Clone, Copy, Debug)]
pub enum Store {
    Embedded,
    Postgres,
}

impl Store {
    /// A platform on a database of its own; the clock stands at noon.
    async fn open(self) -> Platform {
        let clock = Clock::moved("2026-03-10T12:00:00+08:00".parse().unwrap());
        match self {
            Self::Embedded => scratch::temporary(clock).await.unwrap(),
            Self::Postgres => {
                let settings = StoreSettings { keys: scratch::passing_key(), ..StoreSettings::default() };
                Platform::on(Database::scratch(&scratch::postgres_url()).await.unwrap(), &settings, clock).await.unwrap()
            }
        }
    }
}

pub struct City {
    pub platform: Platform,
    pub centre: Simulators,
}

impl City {
    /// Noon, a centre of these options, dispatch running, this service not started.
    pub async fn new(store: Store, options: Options) -> Self {
        let platform = store.open().await;
        sqlx::raw_sql(STAND_INS).execute(platform.database.pool()).await.unwrap();
        platform.database.migrate(dispatch::SCHEMA, &dispatch::MIGRATOR).await.unwrap();
        platform.database.migrate(sms::SCHEMA, &sms::MIGRATOR).await.unwrap();
        dispatch::start(&platform, dispatch::Settings::default(), dispatch::Capacity::default()).await.unwrap();
        Self { platform, centre: Simulators::start(options).await.unwrap() }
    }

    /// Settings with which the centre lets us in.
    pub fn settings(&self) -> Settings {
        let (address, credentials) = (self.centre.addresses().smpp, self.centre.credentials());
        Settings {
            host: address.ip().to_string(),
            port: address.port(),
            system_id: credentials.smpp_system_id.clone(),
            password: SecretString::from(credentials.smpp_password.clone()),
            binds: NonZeroU32::new(2).unwrap(),
            window: NonZeroUsize::new(8).unwrap(),
            rate_per_second: NonZeroU32::new(10_000).unwrap(),
            response_timeout_s: 2,
            unbound_patience_s: 1,
            worker: WorkerSettings { batches: 2, checkpoint_every: 10, lease_s: 30 },
            ..Settings::default()
        }
    }

    pub async fn start(&self, settings: Settings) -> Routes {
        sms::start(&self.platform, settings).await.unwrap()
    }

    /// Residents with a phone and no app; those of the drill take part in exercises.
    pub async fn residents(&self, numbers: impl IntoIterator<Item = u32>, drill: bool) {
        for number in numbers {
            let no = i32::try_from(number).unwrap();
            let e164 = phone(number).parse::<PhoneNumber>().unwrap().e164();
            let sealed = self.platform.keyring.seal(Purpose::ResidentPhone, e164.as_bytes()).into_bytes();
            sqlx::query("insert into resident.reach values ($1, 500103, 500103001, 500103001001, null, 'zh-CN', false, true, $2)")
                .bind(no)
                .bind(drill)
                .execute(self.platform.database.pool())
                .await
                .unwrap();
            sqlx::query("insert into resident.endpoint values ($1, $2, 'phone', $3, 'zh-CN')")
                .bind(no)
                .bind(-i64::from(no))
                .bind(sealed)
                .execute(self.platform.database.pool())
                .await
                .unwrap();
        }
    }

    /// Review approves an urgent alert for these residents, now.
    pub async fn approve(&self, status: cap::Status, residents: impl IntoIterator<Item = u32>) -> AlertId {
        let alert_id = AlertId::new();
        let text = AlertText { headline: "密接告知".into(), body: "说明".into(), instruction: "隔离".into(), sms: TEXT.into() };
        let content = AlertContent {
            status,
            msg_type: cap::MsgType::Alert,
            references: None,
            category: cap::Category::Health,
            urgency: cap::Urgency::Immediate,
            severity: cap::Severity::Severe,
            certainty: cap::Certainty::Observed,
            purpose: "阻断传播".into(),
            texts: BTreeMap::from([(Language::ZhCn, text)]),
            contact: "12320".into(),
            expires_at: self.platform.clock.now() + TimeDelta::days(2),
            ack_window_s: 86_400,
            place: None,
            display: false,
            source_note: String::new(),
        };
        let audience = Audience::Residents(RoaringBitmap::from_iter(residents));
        sqlx::query("insert into review.approved_alert values ($1, '7KQ3', 'urgent', $2, $3, $4, 500103, $5)")
            .bind(alert_id.uuid())
            .bind(serde_json::to_value(content).unwrap())
            .bind(audience.to_bytes())
            .bind(self.platform.clock.now())
            .bind(status == cap::Status::Exercise)
            .execute(self.platform.database.pool())
            .await
            .unwrap();
        self.publish(&AlertApproved { alert_id: alert_id.to_string() }).await;
        alert_id
    }

    pub async fn cancel(&self, alert_id: AlertId) {
        let how = StopReason::Cancelled.into();
        self.publish(&AlertStopped { alert_id: alert_id.to_string(), how, by_alert_id: None, reason: "更正".into() }).await;
    }

    pub async fn publish<E: proto::Event>(&self, event: &E) {
        let mut tx = self.platform.database.begin().await.unwrap();
        tx.publish(dispatch::SCHEMA, event).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Lets time pass until it is so.
    pub async fn until<F: Future<Output = bool>>(&self, what: &str, mut is_so: impl FnMut() -> F) {
        let story = async {
            while !is_so().await {
                self.platform.clock.forward(Duration::from_millis(200));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, story).await.is_ok(), "never came: {what}\n{:#?}", self.centre.statistics().sms);
    }

    /// Messages of the alert in this state.
    pub async fn messages(&self, alert_id: AlertId, state: &str) -> i64 {
        sqlx::query_scalar("select count(*) from sms.message where alert_id = $1 and state = $2")
            .bind(alert_id.uuid())
            .bind(state)
            .fetch_one(self.platform.database.pool())
            .await
            .unwrap()
    }

    pub async fn until_messages(&self, alert_id: AlertId, state: &'static str, count: i64) {
        self.until(state, || async { self.messages(alert_id, state).await == count }).await;
    }

    /// Whether every batch of the alert is closed.
    pub async fn all_closed(&self, alert_id: AlertId) -> bool {
        sqlx::query_scalar("select coalesce(bool_and(state = 'closed'), false) from dispatch.batch where alert_id = $1")
            .bind(alert_id.uuid())
            .fetch_one(self.platform.database.pool())
            .await
            .unwrap()
    }

    pub async fn number(&self, sql: &'static str, alert_id: AlertId) -> i64 {
        sqlx::query_scalar(sql).bind(alert_id.uuid()).fetch_one(self.platform.database.pool()).await.unwrap()
    }

    pub async fn end(self) {
        self.platform.tasks.shutdown(Duration::from_secs(10)).await;
        self.centre.stop().await;
    }
}

/// The phone of a resident.
pub fn phone(number: u32) -> String {
    format!("138{number:08}")
}
