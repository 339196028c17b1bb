//! A city whose people register. Dispatch is stood in for by a table, the SMS centre and audit by lists of what they were told, staff by fixed tokens.

use std::net::Ipv4Addr;
use std::ops::Deref;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::alert::{AlertContent, AlertText};
use domain::area::Area;
use domain::batch::RecipientList;
use domain::ids::{AlertId, ApiKeyId};
use domain::language::Language;
use domain::phone::PhoneNumber;
use domain::risk_record::Origin;
use domain::staff::Role;
use http::{HeaderValue, Request, StatusCode};
use platform::Platform;
use platform::crypto::{Purpose, Sealed};
use platform::http::{Authenticator, Authenticators, Caller, HttpSettings, Problem, Shell, SourceCaller};
use proto::identities_paired::Pair;
use proto::topology::{
    AUDIT_ENTRIES, DISPATCH_HELD, DISPATCH_STOPPED, DISPATCH_WITHDRAWN_FOR, DISPLAY_CLOSED, DISPLAY_HELD, DISPLAY_RELEASED,
    DISPLAY_STOPPED, INGEST_REGISTRATIONS, REVIEW_CLOSED, REVIEW_RECORDS_ENDED, REVIEW_RELEASED, SMS_CODES, SMS_STOPPED,
};
use proto::{
    AlertClosed, AlertHeld, AlertReleased, AlertStopped, AlertWithdrawnFor, AuditEntry, CodeRequested, IdentitiesPaired,
    RecordsBehindAlertEnded, ResidentRegistered, SmsReplied, StopReason,
};
use resident::{SessionAuthenticator, Settings};
use roaring::RoaringBitmap;
use serde_json::{Value, json};
use stages::{Heard, NOBODY, SECOND, Staff, Stage, Store, Tables, unheard, views};

/// A community of 渝中 and the one beside it, in one township; and one of another district.
pub const HOME: &str = "500103001003";
pub const NEXT_DOOR: &str = "500103001006";
pub const ELSEWHERE: &str = "500104001001";

pub const WORKER: &str = "fhs_worker_of_home";
pub const WORKER_NEXT_DOOR: &str = "fhs_worker_next_door";
pub const WORKER_ELSEWHERE: &str = "fhs_worker_elsewhere";
/// Whose second factor was shown too long ago.
pub const STALE_WORKER: &str = "fhs_stale_worker_of_home";
pub const REVIEWER: &str = "fhs_reviewer_of_500103";
pub const OFFICER: &str = "fhs_officer";
pub const NEW_OFFICER: &str = "fhs_new_officer";
pub const SECOND_OFFICER: &str = "fhs_second_officer";
pub const AUDITOR: &str = "fhs_auditor";

/// The key of a hospital, which may ask about patients and nothing else.
pub const HOSPITAL: &str = "fhk_hospital";

const STAFF: Staff = Staff(&[
    (WORKER, Role::CommunityWorker, "community:500103001003"),
    (WORKER_NEXT_DOOR, Role::CommunityWorker, "community:500103001006"),
    (WORKER_ELSEWHERE, Role::CommunityWorker, "community:500104001001"),
    (STALE_WORKER, Role::CommunityWorker, "community:500103001003"),
    (REVIEWER, Role::DistrictReviewer, "district:500103"),
    (OFFICER, Role::CityCommandOfficer, "city"),
    (NEW_OFFICER, Role::CityCommandOfficer, "city"),
    (AUDITOR, Role::Auditor, "city"),
    (SECOND_OFFICER, Role::CityCommandOfficer, "city"),
]);

/// Knows the key of the hospital.
#[derive(Debug)]
struct HospitalKey;

#[async_trait]
impl Authenticator for HospitalKey {
    fn prefixes(&self) -> &'static [&'static str] {
        &["fhk_"]
    }

    async fn authenticate(&self, token: &str) -> Result<Option<Caller>, Problem> {
        Ok((token == HOSPITAL).then(|| {
            Caller::Source(SourceCaller {
                key_id: ApiKeyId::from_uuid(uuid::Uuid::from_u128(9)),
                unit: "市第一医院".to_owned(),
                origin: Origin::Surveillance,
                area: Area::City,
                kinds: Vec::new(),
                asks: vec!["hospital_visit".to_owned(), "school_entry".to_owned()],
                networks: Vec::new(),
            })
        }))
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
    stage: Stage,
    codes: Heard<CodeRequested>,
    trail: Heard<AuditEntry>,
    registered: Heard<ResidentRegistered>,
}

impl Deref for City {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.stage
    }
}

impl City {
    pub async fn open(store: Store) -> Self {
        Self::open_with(store, Settings::default()).await
    }

    /// The same with other settings.
    pub async fn open_with(store: Store, settings: Settings) -> Self {
        const TABLES: Tables = Tables {
            stand_ins: &[views::DISPATCH, views::REVIEW, views::SMS, views::RULES],
            schemas: &[(resident::SCHEMA, &resident::MIGRATOR)],
        };
        Self::begun(store.open_with(TABLES).await, settings).await
    }

    /// The same on stores that may hold something already.
    pub async fn on(platform: Platform, settings: Settings) -> Self {
        views::stand_in(&platform, views::DISPATCH).await;
        views::stand_in(&platform, views::REVIEW).await;
        views::stand_in(&platform, views::SMS).await;
        views::stand_in(&platform, views::RULES).await;
        platform.database.migrate(resident::SCHEMA, &resident::MIGRATOR).await.unwrap();
        Self::begun(platform, settings).await
    }

    /// On stores that have all tables.
    async fn begun(platform: Platform, settings: Settings) -> Self {
        let settings = Settings { web_push: Some(crate::web_push::offer()), ..settings };
        let routes = resident::start(&platform, settings.clone()).await.unwrap();
        let callers = Authenticators::new().with(STAFF).with(HospitalKey).with(SessionAuthenticator::new(&platform, &settings));
        unheard::<AlertStopped>(&platform, &[&DISPATCH_STOPPED, &DISPLAY_STOPPED, &SMS_STOPPED]);
        unheard::<AlertHeld>(&platform, &[&DISPATCH_HELD, &DISPLAY_HELD]);
        unheard::<AlertReleased>(&platform, &[&DISPLAY_RELEASED, &REVIEW_RELEASED]);
        unheard::<AlertWithdrawnFor>(&platform, &[&DISPATCH_WITHDRAWN_FOR]);
        unheard::<RecordsBehindAlertEnded>(&platform, &[&REVIEW_RECORDS_ENDED]);
        unheard::<AlertClosed>(&platform, &[&DISPLAY_CLOSED, &REVIEW_CLOSED]);
        // whoever asks without a network is a proxy of ours, and says from where it was asked
        let http = HttpSettings { trusted_proxies: vec![Ipv4Addr::UNSPECIFIED.into()], ..HttpSettings::default() };
        let stage = Stage::at(platform, resident::SCHEMA, Shell::new(routes, callers).settings(http));
        let (codes, trail, registered) = (stage.hears(&SMS_CODES), stage.hears(&AUDIT_ENTRIES), stage.hears(&INGEST_REGISTRATIONS));
        Self { stage, codes, trail, registered }
    }

    /// Asks for a code and reads it from the SMS.
    pub async fn code(&self, phone: &str) -> Code {
        let (status, answer) = self.post(NOBODY, "/api/v1/registration/code", json!({ "phone": phone })).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        self.code_to(phone, &answer).await
    }

    /// Reads the code that was asked for with this answer from the newest SMS to the phone.
    pub async fn code_to(&self, phone: &str, asked: &Value) -> Code {
        let written = self.written().await;
        let sms = written.into_iter().rev().find(|(to, _)| *to == e164(phone)).expect("a code was sent").1;
        Code { request: text(&asked["request"]), digits: sms.chars().filter(char::is_ascii_digit).take(6).collect() }
    }

    /// As a browser or phone elsewhere asks, behind a proxy of ours.
    pub async fn post_from(&self, address: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let mut request = stages::request(http::Method::POST, NOBODY, path, &body);
        request.headers_mut().insert("x-forwarded-for", address.parse().unwrap());
        let (parts, octets) = self.answered(request).await;
        (parts.status, serde_json::from_slice(&octets).unwrap_or(Value::Null))
    }

    /// Somebody says that this document is theirs, and a community worker of [`HOME`] has seen it and them.
    pub async fn prove(&self, person: &Person, number: &str) -> (StatusCode, Value) {
        assert_eq!(self.put(&person.token, "/api/v1/me/identity", json!({ "identity_number": number })).await.0, StatusCode::NO_CONTENT);
        self.check_identity(WORKER, person, number).await
    }

    /// A trusted source named these phones and documents together.
    pub async fn source_pairs(&self, pairs: &[(&str, &str)]) {
        let keyring = &self.platform.keyring;
        let pair = |(phone, number): &(&str, &str)| {
            let document = domain::identity_document::IdentityDocument::read(number, None, None).unwrap();
            Pair {
                phone_hash: keyring.hash(Purpose::ResidentPhone, e164(phone).as_bytes()).bytes().to_vec(),
                identity_hash: keyring.hash(Purpose::IdentityNumber, document.hashed().as_bytes()).bytes().to_vec(),
            }
        };
        self.tell(&IdentitiesPaired { pairs: pairs.iter().map(pair).collect() }).await;
    }

    /// Staff have seen the person and the document.
    pub async fn check_identity(&self, worker: &str, person: &Person, number: &str) -> (StatusCode, Value) {
        self.post(worker, &format!("/api/v1/residents/{}/identity-check", person.no), json!({ "identity_number": number })).await
    }

    /// How the person's document stands.
    pub async fn identity(&self, person: &Person) -> String {
        text(&self.get(&person.token, "/api/v1/me").await.1["identity"])
    }

    /// What the person is told about their own registration, newest first.
    pub async fn notices(&self, person: &Person) -> Vec<String> {
        let (_, notices) = self.get(&person.token, "/api/v1/me/notices").await;
        notices.as_array().unwrap().iter().map(|notice| text(&notice["kind"])).collect()
    }

    /// Whom records find by this document; nobody where it is not proved.
    pub async fn found_by(&self, number: &str) -> Option<i32> {
        let document = domain::identity_document::IdentityDocument::read(number, None, None).unwrap();
        let hash = self.platform.keyring.hash(Purpose::IdentityNumber, document.hashed().as_bytes()).bytes().to_vec();
        let query = sqlx::query_scalar("select resident_no from resident.subject where identity_hash = $1");
        query.bind(hash).fetch_optional(self.pool()).await.unwrap()
    }

    /// A person of [`HOME`] registers.
    pub async fn register(&self, phone: &str) -> Person {
        self.register_with(phone, json!({})).await
    }

    /// A person registers and says more, or something else, than their community.
    pub async fn register_with(&self, phone: &str, says: Value) -> Person {
        let code = self.code(phone).await;
        let (status, answer) = self.post(NOBODY, "/api/v1/registration", registration(phone, &code, says)).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        Person { no: u32::try_from(answer["resident_no"].as_u64().unwrap()).unwrap(), token: text(&answer["token"]) }
    }

    /// Dispatch has the alert planned for these people, and has told nobody.
    pub async fn plan(&self, alert: &Alert, people: &[&Person]) {
        let now = self.platform.clock.now();
        let mut bitmap = Vec::new();
        people.iter().map(|person| person.no).collect::<RoaringBitmap>().serialize_into(&mut bitmap).unwrap();
        sqlx::query(
            "insert into dispatch.released_alert (alert_id, short_code, content, audience_bitmap, released_at, expires_at, ack_by)
             values ($1, $2, $3, $4, $5, $6, $7) on conflict (alert_id) do update
                 set audience_bitmap = excluded.audience_bitmap, audience_revision = released_alert.audience_revision + 1",
        )
        .bind(alert.id.uuid())
        .bind(alert.code)
        .bind(serde_json::to_value(content(alert, now)).unwrap())
        .bind(bitmap)
        .bind(now)
        .bind(now + alert.valid)
        .bind(now + TimeDelta::hours(1))
        .execute(self.pool())
        .await
        .unwrap();
    }

    /// Dispatch has written these people into a batch of the alert.
    pub async fn in_a_batch(&self, alert: &Alert, people: &[&Person]) {
        let mut numbers: Vec<u32> = people.iter().map(|person| person.no).collect();
        numbers.sort_unstable();
        let list = RecipientList::from_ascending(numbers).unwrap();
        sqlx::query("insert into dispatch.recipient_range values ($1, $2, $3, $4, $5)")
            .bind(alert.id.uuid())
            .bind(i64::from(list.first()))
            .bind(i64::from(list.last()))
            .bind(list.encode())
            .bind(self.platform.clock.now() + alert.valid)
            .execute(self.pool())
            .await
            .unwrap();
    }

    /// Dispatch is still planning the alert, or done with it.
    pub async fn is_growing(&self, alert: &Alert, growing: bool) {
        let change = if growing {
            "insert into dispatch.growing_alert values ($1)"
        } else {
            "delete from dispatch.growing_alert where alert_id = $1"
        };
        sqlx::query(change).bind(alert.id.uuid()).execute(self.pool()).await.unwrap();
    }

    /// Dispatch tells the alert to this person late.
    pub async fn comes_late(&self, alert: &Alert, person: &Person) {
        sqlx::query("insert into dispatch.late_recipient values ($1, $2)")
            .bind(person.no.cast_signed())
            .bind(alert.id.uuid())
            .execute(self.pool())
            .await
            .unwrap();
    }

    /// Who has arrived, as ranges of numbers, since this was last asked.
    pub async fn arrived(&self) -> Vec<(i32, i32)> {
        let arrived = sqlx::query_as("select first_no, last_no from resident.arrived order by 1, 2").fetch_all(self.pool()).await.unwrap();
        sqlx::query("truncate resident.arrival").execute(self.pool()).await.unwrap();
        arrived
    }

    /// The alert is released to these people and handed to their phones by SMS. Later ones are newer.
    pub async fn release(&self, alert: &Alert, people: &[&Person]) {
        self.release_unsent(alert, people).await;
        self.hand_over(alert, people).await;
    }

    /// The alert is released to these people, and not sent yet.
    pub async fn release_unsent(&self, alert: &Alert, people: &[&Person]) {
        self.platform.clock.forward(SECOND);
        self.plan(alert, people).await;
        self.tell(&AlertReleased { alert_id: alert.id.to_string() }).await;
    }

    /// The alert goes to the phones of these people by SMS.
    pub async fn hand_over(&self, alert: &Alert, people: &[&Person]) {
        for person in people {
            sqlx::query("insert into sms.handed (resident_no, alert_id, at) values ($1, $2, $3)")
                .bind(i64::from(person.no))
                .bind(alert.id.uuid())
                .bind(self.platform.clock.now())
                .execute(self.pool())
                .await
                .unwrap();
        }
    }

    /// The alert is stopped: cancelled, or superseded by another one.
    pub async fn stop(&self, alert: &Alert, by: Option<AlertId>, reason: &str) {
        let how = if by.is_some() { StopReason::Superseded } else { StopReason::Cancelled };
        let by_alert_id = by.map(|by| by.to_string());
        self.tell(&AlertStopped { alert_id: alert.id.to_string(), how: how.into(), by_alert_id, reason: reason.into() }).await;
    }

    /// The alert is being checked from now on, or is so no longer.
    pub async fn check(&self, alert: &Alert, checked: bool) {
        views::standing(&self.platform, alert.id, "dispatching").await;
        views::held(&self.platform, alert.id, checked).await;
        self.tell(&AlertHeld { alert_id: alert.id.to_string() }).await;
    }

    /// A reply by SMS, received now.
    pub async fn reply(&self, phone: &str, text: &str, message_ref: &str) {
        self.reply_written(None, phone, text, message_ref).await;
    }

    /// A reply by SMS, received now; the centre tells when it was written.
    pub async fn reply_written(&self, at: Option<DateTime<Utc>>, phone: &str, text: &str, message_ref: &str) {
        let event = {
            let keyring = &self.platform.keyring;
            SmsReplied {
                phone_hash: keyring.hash(Purpose::ResidentPhone, e164(phone).as_bytes()).bytes().to_vec(),
                text_sealed: keyring.seal(Purpose::SmsReply, text.as_bytes()).into_bytes(),
                received_at_ms: self.platform.clock.now().timestamp_millis(),
                message_ref: message_ref.into(),
                written_at_ms: at.map(|at| at.timestamp_millis()),
                phone_sealed: keyring.seal(Purpose::ResidentPhone, e164(phone).as_bytes()).into_bytes(),
            }
        };
        self.tell(&event).await;
    }

    /// What phones were written since it was last asked: the number and the text.
    pub async fn written(&self) -> Vec<(String, String)> {
        self.settle().await;
        let opened = |message: CodeRequested| {
            (self.opened(Purpose::ResidentPhone, message.phone_sealed), self.opened(Purpose::SmsText, message.text_sealed))
        };
        self.codes.take().into_iter().map(opened).collect()
    }

    /// What the replies came to, by reference.
    pub async fn meanings(&self) -> Vec<(String, String)> {
        let query = "select message_ref, meaning from resident.reply order by message_ref";
        sqlx::query_as(query).fetch_all(self.pool()).await.unwrap()
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
        let (parts, octets) = self.answered(asked.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(octets.is_empty(), parts.status == StatusCode::NOT_MODIFIED, "{} octets with {}", octets.len(), parts.status);
        (parts.status, parts.headers.get("etag").cloned())
    }

    pub async fn acknowledge(&self, person: &Person, alert: &Alert) -> (StatusCode, Value) {
        self.post(&person.token, &format!("/api/v1/me/alerts/{}/acknowledgement", alert.id), Value::Null).await
    }

    /// Acknowledges as an app does that could not send it for so long.
    pub async fn acknowledge_late(&self, person: &Person, alert: &Alert, ago: TimeDelta) -> (StatusCode, Value) {
        let path = format!("/api/v1/me/alerts/{}/acknowledgement?ago_s={}", alert.id, ago.num_seconds());
        self.post(&person.token, &path, Value::Null).await
    }

    /// Who acknowledged the alert, and by what.
    pub async fn acknowledged(&self, alert: &Alert) -> Vec<(i32, String)> {
        let query = "select resident_no, by from resident.acknowledged where alert_id = $1 order by resident_no";
        sqlx::query_as(query).bind(alert.id.uuid()).fetch_all(self.pool()).await.unwrap()
    }

    /// Whether `resident.reach` names the app, and SMS; none if the person is not there.
    pub async fn reach(&self, person: &Person) -> Option<(bool, bool)> {
        let query = sqlx::query_as("select app, sms from resident.reach where resident_no = $1");
        query.bind(person.no.cast_signed()).fetch_optional(self.pool()).await.unwrap()
    }

    /// The kinds of the person's addresses in `resident.endpoint`.
    pub async fn endpoints(&self, person: &Person) -> Vec<String> {
        let query = sqlx::query_scalar("select kind from resident.endpoint where resident_no = $1 order by kind");
        query.bind(person.no.cast_signed()).fetch_all(self.pool()).await.unwrap()
    }

    /// The tables in which a row holds this text, as text or as its bytes.
    pub async fn tables_with(&self, plain: &str) -> Vec<String> {
        let tables: Vec<String> = sqlx::query_scalar(
            "select format('%I.%I', table_schema, table_name) from information_schema.tables
             where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')",
        )
        .fetch_all(self.pool())
        .await
        .unwrap();
        assert!(tables.contains(&"resident.resident".to_owned()) && tables.len() > 8, "{tables:?}");
        let bytes: String = plain.bytes().map(|byte| format!("{byte:02x}")).collect();
        let mut found = Vec::new();
        for table in tables {
            let query = format!("select count(*) from {table} as line where strpos(line::text, $1) > 0 or strpos(line::text, $2) > 0");
            let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(query)).bind(plain).bind(&bytes).fetch_one(self.pool()).await.unwrap();
            if rows > 0 {
                found.push(table);
            }
        }
        found
    }

    /// What was written into the audit trail since it was last asked.
    pub async fn trail(&self) -> Vec<AuditEntry> {
        self.settle().await;
        self.trail.take()
    }

    /// Whose registration ingest was told of since it was last asked.
    pub async fn registered(&self) -> Vec<ResidentRegistered> {
        self.settle().await;
        self.registered.take()
    }

    fn opened(&self, purpose: Purpose, sealed: Vec<u8>) -> String {
        let plain = self.platform.keyring.open(purpose, &Sealed::from_bytes(sealed).unwrap()).unwrap();
        String::from_utf8(plain.to_vec()).unwrap()
    }
}

/// A code that came by SMS.
#[derive(Clone, Debug)]
pub struct Code {
    pub request: String,
    pub digits: String,
}

impl Code {
    /// A guess that is wrong.
    pub fn missed(&self) -> Self {
        let digits = if self.digits == "000000" { "000001" } else { "000000" };
        Self { request: self.request.clone(), digits: digits.to_owned() }
    }

    /// One that nobody asked for.
    pub fn of_nobody() -> Self {
        Self { request: "0".repeat(32), digits: "123456".to_owned() }
    }
}

/// The body of a registration; what `says` names replaces what it is otherwise, and what it says is null is left out.
pub fn registration(phone: &str, code: &Code, says: Value) -> Value {
    let mut body = json!({
        "phone": phone, "request": code.request, "code": code.digits, "community": HOME, "consent_version": domain::consent::CURRENT_VERSION,
    });
    let fields = body.as_object_mut().unwrap();
    fields.extend(says.as_object().unwrap().clone());
    fields.retain(|_, value| !value.is_null());
    body
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The fields that a problem names.
pub fn fields(problem: &Value) -> Vec<String> {
    problem["errors"].as_array().into_iter().flatten().map(|fault| text(&fault["field"])).collect()
}

pub fn e164(phone: &str) -> String {
    phone.parse::<PhoneNumber>().unwrap().e164()
}

fn content(alert: &Alert, now: DateTime<Utc>) -> AlertContent {
    let words = |headline: &str| AlertText { headline: headline.into(), ..AlertText::default() };
    let english = alert.english.map(|english| (Language::En, words(english)));
    let texts = [(Language::ZhCn, words(alert.headline))].into_iter().chain(english).collect();
    AlertContent { texts, ..stages::alert(now + alert.valid) }
}
