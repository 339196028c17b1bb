//! A city whose people register. Dispatch is stood in for by a table, the SMS centre and audit by lists of what they were told, staff by fixed tokens.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use chrono::TimeDelta;
use domain::alert::{AlertContent, AlertText};
use domain::cap;
use domain::ids::{AlertId, StaffId};
use domain::language::Language;
use domain::phone::PhoneNumber;
use domain::staff::Role;
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt;
use platform::clock::Clock;
use platform::crypto::{Purpose, Sealed};
use platform::http::{Authenticator, Authenticators, Caller, Problem, Shell, StaffCaller};
use platform::{Platform, scratch};
use proto::topology::{
    AUDIT_ENTRIES, DISPATCH_STOPPED, DISPLAY_CLOSED, DISPLAY_RELEASED, DISPLAY_STOPPED, INGEST_REGISTRATIONS, REVIEW_CLOSED,
    REVIEW_RELEASED, SMS_CODES,
};
use proto::{AlertClosed, AlertReleased, AlertStopped, AuditEntry, CodeRequested, Event, ResidentRegistered, SmsReplied, StopReason};
use resident::{SessionAuthenticator, Settings};
use roaring::RoaringBitmap;
use serde_json::{Value, json};
use tower::ServiceExt;

const STAND_INS: &str = "
    create schema dispatch;
    create table dispatch.released_alert (alert_id uuid primary key, short_code text, content jsonb, audience_bitmap bytea,
                                          released_at timestamptz, expires_at timestamptz, ack_by timestamptz);";

/// A community of 渝中 and the one beside it, in one township; and one of another district.
pub const HOME: &str = "500103001003";
pub const NEXT_DOOR: &str = "500103001006";
pub const ELSEWHERE: &str = "500104001001";

pub const WORKER: &str = "fhs_worker_of_home";
pub const WORKER_NEXT_DOOR: &str = "fhs_worker_next_door";
pub const REVIEWER: &str = "fhs_reviewer_of_500103";
pub const OFFICER: &str = "fhs_officer";

/// How long a story may wait, in real time.
const PATIENCE: Duration = Duration::from_secs(60);
pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(3600);

/// What a story is told on.
#[derive(Clone, Copy, Debug)]
pub enum Store {
    /// Everything in this process.
    Embedded,
    /// PostgreSQL, RabbitMQ and Redis.
    Services,
}

impl Store {
    pub async fn open(self) -> Platform {
        let clock = Clock::moved("2026-03-10T12:00:00+08:00".parse().unwrap());
        match self {
            Self::Embedded => scratch::temporary(clock).await.unwrap(),
            Self::Services => scratch::services(clock).await.unwrap(),
        }
    }
}

struct Staff;

#[async_trait]
impl Authenticator for Staff {
    fn prefixes(&self) -> &'static [&'static str] {
        &["fhs_"]
    }

    async fn authenticate(&self, token: &str) -> Result<Option<Caller>, Problem> {
        let (role, scope) = match token {
            WORKER => (Role::CommunityWorker, format!("community:{HOME}")),
            WORKER_NEXT_DOOR => (Role::CommunityWorker, format!("community:{NEXT_DOOR}")),
            REVIEWER => (Role::DistrictReviewer, "district:500103".to_owned()),
            OFFICER => (Role::CityCommandOfficer, "city".to_owned()),
            _ => return Ok(None),
        };
        let scope = scope.parse().unwrap();
        Ok(Some(Caller::Staff(StaffCaller { id: StaffId::new(), name: token.into(), role, scope, session: token.into() })))
    }
}

/// Somebody who has registered.
#[derive(Clone, Debug)]
pub struct Person {
    pub no: u32,
    pub token: String,
}

/// An alert as a story tells it.
#[derive(Clone, Debug)]
pub struct Alert {
    pub id: AlertId,
    pub code: &'static str,
    /// In Chinese.
    pub headline: &'static str,
    pub english: Option<&'static str>,
    pub valid: TimeDelta,
}

/// A Chinese alert for four hours.
pub fn alert(code: &'static str, headline: &'static str) -> Alert {
    Alert { id: AlertId::new(), code, headline, english: None, valid: TimeDelta::hours(4) }
}

pub struct City {
    pub platform: Platform,
    router: Router,
    codes: Arc<Mutex<Vec<CodeRequested>>>,
    trail: Arc<Mutex<Vec<AuditEntry>>>,
    registered: Arc<Mutex<Vec<ResidentRegistered>>>,
}

impl City {
    pub async fn open(store: Store) -> Self {
        let platform = store.open().await;
        sqlx::raw_sql(STAND_INS).execute(platform.database.pool()).await.unwrap();
        platform.database.migrate(resident::SCHEMA, &resident::MIGRATOR).await.unwrap();
        let routes =
            resident::start(&platform, Settings { web_push: Some(crate::web_push::offer()), ..Settings::default() }).await.unwrap();
        let sessions = SessionAuthenticator::new(&platform);
        let router = Shell::new(routes, Authenticators::new().with(Staff).with(sessions)).router();
        let city = Self { platform, router, codes: Arc::default(), trail: Arc::default(), registered: Arc::default() };
        listen(&city.platform, &SMS_CODES, &city.codes);
        listen(&city.platform, &AUDIT_ENTRIES, &city.trail);
        listen(&city.platform, &INGEST_REGISTRATIONS, &city.registered);
        // what the stories publish concerns others as well
        listen::<AlertStopped>(&city.platform, &DISPATCH_STOPPED, &Arc::default());
        listen::<AlertStopped>(&city.platform, &DISPLAY_STOPPED, &Arc::default());
        listen::<AlertReleased>(&city.platform, &DISPLAY_RELEASED, &Arc::default());
        listen::<AlertReleased>(&city.platform, &REVIEW_RELEASED, &Arc::default());
        listen::<AlertClosed>(&city.platform, &DISPLAY_CLOSED, &Arc::default());
        listen::<AlertClosed>(&city.platform, &REVIEW_CLOSED, &Arc::default());
        city
    }

    pub async fn close(self) {
        scratch::remove(&self.platform).await.unwrap();
    }

    /// Asks for a code and reads it from the SMS.
    pub async fn code(&self, phone: &str) -> String {
        let (status, answer) = self.post("", "/api/v1/registration/code", json!({ "phone": phone })).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        self.settle().await;
        let requested = self.codes.lock().unwrap().pop().expect("a code was sent");
        assert_eq!(self.opened(Purpose::ResidentPhone, requested.phone_sealed), e164(phone));
        let text = self.opened(Purpose::SmsText, requested.text_sealed);
        text.chars().filter(char::is_ascii_digit).take(6).collect()
    }

    /// A person of [`HOME`] registers.
    pub async fn register(&self, phone: &str) -> Person {
        self.register_with(phone, json!({})).await
    }

    /// A person registers and says more, or something else, than their community.
    pub async fn register_with(&self, phone: &str, says: Value) -> Person {
        let code = self.code(phone).await;
        let (status, answer) = self.post("", "/api/v1/registration", registration(phone, &code, says)).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        Person { no: u32::try_from(answer["resident_no"].as_u64().unwrap()).unwrap(), token: text(&answer["token"]) }
    }

    /// Dispatch has the alert planned for these people, and has told nobody.
    pub async fn plan(&self, alert: &Alert, people: &[&Person]) {
        let now = self.platform.clock.now();
        let mut bitmap = Vec::new();
        people.iter().map(|person| person.no).collect::<RoaringBitmap>().serialize_into(&mut bitmap).unwrap();
        sqlx::query(
            "insert into dispatch.released_alert values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (alert_id) do update set audience_bitmap = excluded.audience_bitmap",
        )
        .bind(alert.id.uuid())
        .bind(alert.code)
        .bind(serde_json::to_value(content(alert, now)).unwrap())
        .bind(bitmap)
        .bind(now)
        .bind(now + alert.valid)
        .bind(now + TimeDelta::hours(1))
        .execute(self.platform.database.pool())
        .await
        .unwrap();
    }

    /// The alert is released to these people. Later ones are newer.
    pub async fn release(&self, alert: &Alert, people: &[&Person]) {
        self.platform.clock.forward(Duration::from_secs(1));
        self.plan(alert, people).await;
        self.publish(&AlertReleased { alert_id: alert.id.to_string() }).await;
    }

    /// The alert is stopped: cancelled, or superseded by another one.
    pub async fn stop(&self, alert: &Alert, by: Option<AlertId>, reason: &str) {
        let how = if by.is_some() { StopReason::Superseded } else { StopReason::Cancelled };
        let by_alert_id = by.map(|by| by.to_string());
        self.publish(&AlertStopped { alert_id: alert.id.to_string(), how: how.into(), by_alert_id, reason: reason.into() }).await;
    }

    /// A reply by SMS, received now.
    pub async fn reply(&self, phone: &str, text: &str, message_ref: &str) {
        let (phone_hash, text_sealed) = {
            let keyring = &self.platform.keyring;
            let hash = keyring.hash(Purpose::ResidentPhone, e164(phone).as_bytes());
            (hash.bytes().to_vec(), keyring.seal(Purpose::SmsReply, text.as_bytes()).into_bytes())
        };
        let received_at_ms = self.platform.clock.now().timestamp_millis();
        self.publish(&SmsReplied { phone_hash, text_sealed, received_at_ms, message_ref: message_ref.into() }).await;
    }

    /// What the replies came to, by reference.
    pub async fn meanings(&self) -> Vec<(String, String)> {
        let query = "select message_ref, meaning from resident.reply order by message_ref";
        sqlx::query_as(query).fetch_all(self.platform.database.pool()).await.unwrap()
    }

    pub async fn inbox(&self, person: &Person) -> Vec<Value> {
        let (status, items) = self.get(&person.token, "/api/v1/me/inbox").await;
        assert_eq!(status, StatusCode::OK, "{items}");
        items.as_array().unwrap().clone()
    }

    /// The inbox for somebody who has the one with this tag: how it is answered, and the tag of the answer.
    pub async fn inbox_unless(&self, person: &Person, tag: Option<&HeaderValue>) -> (StatusCode, Option<HeaderValue>) {
        let asked = Request::get("/api/v1/me/inbox").header("authorization", format!("Bearer {}", person.token));
        let asked = tag.into_iter().fold(asked, |asked, tag| asked.header("if-none-match", tag));
        let response = self.router.clone().oneshot(asked.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let octets = body.collect().await.unwrap().to_bytes().len();
        assert_eq!(octets == 0, parts.status == StatusCode::NOT_MODIFIED, "{octets} octets with {}", parts.status);
        (parts.status, parts.headers.get("etag").cloned())
    }

    pub async fn acknowledge(&self, person: &Person, alert: &Alert) -> (StatusCode, Value) {
        self.post(&person.token, &format!("/api/v1/me/alerts/{}/acknowledgement", alert.id), Value::Null).await
    }

    /// Who acknowledged the alert, and by what.
    pub async fn acknowledged(&self, alert: &Alert) -> Vec<(i32, String)> {
        let query = "select resident_no, by from resident.acknowledged where alert_id = $1 order by resident_no";
        sqlx::query_as(query).bind(alert.id.uuid()).fetch_all(self.platform.database.pool()).await.unwrap()
    }

    /// Whether `resident.reach` names the app, and SMS; none if the person is not there.
    pub async fn reach(&self, person: &Person) -> Option<(bool, bool)> {
        let query = sqlx::query_as("select app, sms from resident.reach where resident_no = $1");
        query.bind(person.no.cast_signed()).fetch_optional(self.platform.database.pool()).await.unwrap()
    }

    /// The kinds of the person's addresses in `resident.endpoint`.
    pub async fn endpoints(&self, person: &Person) -> Vec<String> {
        let query = sqlx::query_scalar("select kind from resident.endpoint where resident_no = $1 order by kind");
        query.bind(person.no.cast_signed()).fetch_all(self.platform.database.pool()).await.unwrap()
    }

    /// The tables in which a row holds this text, as text or as its bytes.
    pub async fn tables_with(&self, plain: &str) -> Vec<String> {
        let pool = self.platform.database.pool();
        let tables: Vec<String> = sqlx::query_scalar(
            "select format('%I.%I', table_schema, table_name) from information_schema.tables
             where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')",
        )
        .fetch_all(pool)
        .await
        .unwrap();
        assert!(tables.contains(&"resident.resident".to_owned()) && tables.len() > 8, "{tables:?}");
        let bytes: String = plain.bytes().map(|byte| format!("{byte:02x}")).collect();
        let mut found = Vec::new();
        for table in tables {
            let query = format!("select count(*) from {table} as line where strpos(line::text, $1) > 0 or strpos(line::text, $2) > 0");
            let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(query)).bind(plain).bind(&bytes).fetch_one(pool).await.unwrap();
            if rows > 0 {
                found.push(table);
            }
        }
        found
    }

    pub async fn count(&self, query: impl sqlx::SqlSafeStr) -> i64 {
        sqlx::query_scalar(query).fetch_one(self.platform.database.pool()).await.unwrap()
    }

    /// What was written into the audit trail since it was last asked.
    pub async fn trail(&self) -> Vec<AuditEntry> {
        self.settle().await;
        std::mem::take(&mut *self.trail.lock().unwrap())
    }

    /// Whose registration ingest was told of since it was last asked.
    pub async fn registered(&self) -> Vec<ResidentRegistered> {
        self.settle().await;
        std::mem::take(&mut *self.registered.lock().unwrap())
    }

    /// Publishes an event and waits until it was handled.
    pub async fn publish<E: Event + Sync>(&self, event: &E) {
        let mut tx = self.platform.database.begin().await.unwrap();
        tx.publish(resident::SCHEMA, event).await.unwrap();
        tx.commit().await.unwrap();
        self.settle().await;
    }

    /// Waits until everything published was handled, and nothing was given up.
    pub async fn settle(&self) {
        until(async || self.platform.bus.settled().await.unwrap()).await;
        let dead = self.platform.bus.dead_letters().await.unwrap();
        assert!(dead.is_empty(), "{dead:?}");
    }

    pub async fn get(&self, token: &str, path: &str) -> (StatusCode, Value) {
        self.send(Method::GET, token, path, Value::Null).await
    }

    pub async fn post(&self, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
        self.send(Method::POST, token, path, body).await
    }

    pub async fn delete(&self, token: &str, path: &str) -> StatusCode {
        self.send(Method::DELETE, token, path, Value::Null).await.0
    }

    pub async fn send(&self, method: Method, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = match body {
            Value::Null => request.body(Body::empty()),
            body => request.header("content-type", "application/json").body(Body::from(body.to_string())),
        };
        let response = self.router.clone().oneshot(request.unwrap()).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    fn opened(&self, purpose: Purpose, sealed: Vec<u8>) -> String {
        let plain = self.platform.keyring.open(purpose, &Sealed::from_bytes(sealed).unwrap()).unwrap();
        String::from_utf8(plain.to_vec()).unwrap()
    }
}

/// The body of a registration; what `says` names replaces what it is otherwise.
pub fn registration(phone: &str, code: &str, says: Value) -> Value {
    let mut body = json!({ "phone": phone, "code": code, "community": HOME, "consent_version": domain::consent::CURRENT_VERSION });
    body.as_object_mut().unwrap().extend(says.as_object().unwrap().clone());
    body
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The fields that a problem names.
pub fn fields(problem: &Value) -> Vec<String> {
    problem["errors"].as_array().into_iter().flatten().map(|fault| text(&fault["field"])).collect()
}

fn e164(phone: &str) -> String {
    phone.parse::<PhoneNumber>().unwrap().e164()
}

fn content(alert: &Alert, now: chrono::DateTime<chrono::Utc>) -> AlertContent {
    let words = |headline: &str| AlertText { headline: headline.into(), ..AlertText::default() };
    let english = alert.english.map(|english| (Language::En, words(english)));
    AlertContent {
        status: cap::Status::Actual,
        msg_type: cap::MsgType::Alert,
        references: None,
        category: cap::Category::Health,
        urgency: cap::Urgency::Immediate,
        severity: cap::Severity::Severe,
        certainty: cap::Certainty::Observed,
        purpose: "阻断传播".into(),
        texts: BTreeMap::from_iter([(Language::ZhCn, words(alert.headline))].into_iter().chain(english)),
        contact: "渝中区疾控中心 023-63840000".into(),
        expires_at: now + alert.valid,
        ack_window_s: 3_600,
        place: None,
        display: false,
        source_note: String::new(),
    }
}

fn listen<E: Event + Sync>(platform: &Platform, queue: &'static proto::Queue, heard: &Arc<Mutex<Vec<E>>>) {
    let heard = Arc::clone(heard);
    let handler = move |event: E| {
        heard.lock().unwrap().push(event);
        async { Ok(()) }
    };
    platform.bus.subscribe(queue, 1, handler).unwrap();
}

/// Waits until it is so.
pub async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("it came");
}
