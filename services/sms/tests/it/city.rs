//! A small city with dispatch, this service and a simulated SMS centre; the views of review and resident are stood in for.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use dispatch::worker::WorkerSettings;
use domain::alert::{AlertContent, AlertText, DeliveryClass};
use domain::audience::Audience;
use domain::cap;
use domain::ids::AlertId;
use domain::language::Language;
use domain::staff::Role;
use platform::Platform;
use platform::http::{Authenticators, Routes};
use proto::{AlertApproved, AlertStopped, Event, StopReason};
use roaring::RoaringBitmap;
use secrecy::SecretString;
use simulators::{Options, Simulators};
use sms::Settings;
use stages::views::{self, Reach};
use stages::{Desk, PATIENCE, SECOND, Staff, Store, Tables};

/// The text of the alert: with signature, contact and how to reply it takes three parts.
pub const TEXT: &str = "您被判定为密切接触者，请立即前往渝中区集中隔离点，途中佩戴口罩，不乘坐公共交通工具，不与他人交谈。\
                        请携带身份证件、常用药品和换洗衣物，抵达后向工作人员出示本短信，并如实说明最近十四天的行程和接触人员，\
                        如有发热、咳嗽等症状请提前电话告知";

pub const OFFICER: &str = "fhs_officer";
pub const REVIEWER: &str = "fhs_reviewer_of_500103";
pub const OTHER_REVIEWER: &str = "fhs_reviewer_of_500105";

const STAFF: Staff = Staff(&[
    (OFFICER, Role::CityCommandOfficer, "city"),
    (REVIEWER, Role::DistrictReviewer, "district:500103"),
    (OTHER_REVIEWER, Role::DistrictReviewer, "district:500105"),
]);

/// As much passes at once of the time that a story lets pass.
const STEP: Duration = SECOND;
/// Nothing happens any more when so many looks in a row see nothing happen,
const LOOKS: u32 = 3;
/// with so much real time between them.
const PAUSE: Duration = Duration::from_millis(5);

pub struct City {
    pub platform: Platform,
    pub centre: Simulators,
}

impl City {
    /// Noon, a centre of these options, dispatch running, this service not started.
    pub async fn new(store: Store, options: Options) -> Self {
        const TABLES: Tables = Tables {
            stand_ins: &[views::RESIDENT, views::REVIEW],
            schemas: &[(dispatch::SCHEMA, &dispatch::MIGRATOR), (sms::SCHEMA, &sms::MIGRATOR)],
        };
        let platform = store.open_with(TABLES).await;
        dispatch::start(&platform, dispatch::Settings::default(), dispatch::Capacity::default()).await.unwrap();
        Self { platform, centre: Simulators::start(options).await.unwrap() }
    }

    /// Settings with which the centre lets us in. Its answers are waited for as long as on a busy machine they may take.
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
            response_timeout_s: 60,
            unbound_patience_s: 60,
            worker: WorkerSettings { batches: 2, checkpoint_every: 10, lease_s: 30 },
            ..Settings::default()
        }
    }

    pub async fn start(&self, settings: Settings) -> Routes {
        sms::start(&self.platform, settings).await.unwrap()
    }

    /// A desk from which staff look at these routes.
    pub fn desk(routes: Routes) -> Desk {
        Desk::of(routes, Authenticators::new().with(STAFF))
    }

    /// Residents with a phone and no app; those of the drill take part in exercises.
    pub async fn residents(&self, numbers: impl IntoIterator<Item = u32>, drill: bool) {
        let numbers: Vec<u32> = numbers.into_iter().collect();
        views::residents(&self.platform, numbers.iter().copied(), Reach { app: false, sms: true, drill, language: Language::ZhCn }).await;
        for number in numbers {
            views::phone(&self.platform, number, &phone(number)).await;
        }
    }

    /// A resident with this phone and no app.
    pub async fn resident_with(&self, number: u32, phone: &str) {
        views::residents(&self.platform, [number], Reach { app: false, sms: true, drill: false, language: Language::ZhCn }).await;
        views::phone(&self.platform, number, phone).await;
    }

    /// This resident reads English.
    pub async fn reads_english(&self, number: u32) {
        sqlx::query("update resident.endpoint set language = 'en' where resident_no = $1")
            .bind(i32::try_from(number).unwrap())
            .execute(self.platform.database.pool())
            .await
            .unwrap();
    }

    /// Review approves an urgent alert for these residents, now.
    pub async fn approve(&self, status: cap::Status, residents: impl IntoIterator<Item = u32>) -> AlertId {
        self.approve_as(DeliveryClass::Urgent, self.content(status, &[(Language::ZhCn, TEXT)]), residents).await
    }

    /// What an alert says, valid for two days, with these texts for SMS.
    pub fn content(&self, status: cap::Status, texts: &[(Language, &str)]) -> AlertContent {
        let text =
            |sms: &str| AlertText { headline: "密接告知".into(), body: "说明".into(), instruction: "隔离".into(), sms: sms.into() };
        AlertContent {
            status,
            texts: texts.iter().map(|(language, sms)| (*language, text(sms))).collect(),
            contact: "12320".into(),
            ..stages::alert(self.platform.clock.now() + TimeDelta::days(2))
        }
    }

    pub async fn approve_as(&self, class: DeliveryClass, content: AlertContent, residents: impl IntoIterator<Item = u32>) -> AlertId {
        let alert_id = AlertId::new();
        let audience = Audience::Residents(RoaringBitmap::from_iter(residents));
        views::approved(&self.platform, alert_id, class, &content, &audience).await;
        self.publish(&AlertApproved { alert_id: alert_id.to_string() }).await;
        alert_id
    }

    pub async fn cancel(&self, alert_id: AlertId) {
        let how = StopReason::Cancelled.into();
        self.publish(&AlertStopped { alert_id: alert_id.to_string(), how, by_alert_id: None, reason: "更正".into() }).await;
    }

    pub async fn publish<E: Event>(&self, event: &E) {
        let mut tx = self.platform.database.begin().await.unwrap();
        tx.publish(dispatch::SCHEMA, event).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Lets time pass until it is so: a little of it whenever nothing happens any more without it, so that a slow machine changes
    /// nothing about what happens in it.
    pub async fn until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let (began, pool) = (Instant::now(), self.platform.database.pool());
        let (mut quiet, mut seen) = (0, String::new());
        while !is_so().await {
            assert!(began.elapsed() < PATIENCE, "it never came: {what}\n{seen}");
            tokio::time::sleep(PAUSE).await;
            // everything here runs on this thread, which was idle: what is still going on is going on in the database
            let sees = format!("{:#?}", self.centre.statistics().sms);
            quiet = if pool.driver().num_idle() == pool.driver().size() as usize && sees == seen { quiet + 1 } else { 0 };
            seen = sees;
            if quiet == LOOKS {
                quiet = 0;
                self.platform.clock.forward(STEP);
            }
        }
    }

    /// Waits until it is so, with the time standing still.
    pub async fn until_now(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let began = Instant::now();
        while !is_so().await {
            assert!(began.elapsed() < PATIENCE, "it never came: {what}\n{:#?}", self.centre.statistics().sms);
            tokio::time::sleep(PAUSE).await;
        }
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
        self.until(&format!("{count} are {state}"), async || self.messages(alert_id, state).await == count).await;
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
        stages::close(&self.platform).await;
        self.centre.stop().await;
    }
}

/// The phone of a resident.
pub fn phone(number: u32) -> String {
    format!("138{number:08}")
}
