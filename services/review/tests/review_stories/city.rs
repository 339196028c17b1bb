//! A city command with its districts. Rules are stood in for by the events they publish, dispatch, resident, display and audit by lists of what they were
//! told, staff by fixed tokens.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use chrono::TimeDelta;
use domain::alert::{AlertContent, AlertText};
use domain::audience::Audience;
use domain::cap;
use domain::ids::{AlertId, RuleId, StaffId};
use domain::language::Language;
use domain::staff::Role;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use platform::clock::Clock;
use platform::http::{Authenticator, Authenticators, Caller, Problem, Shell, StaffCaller};
use platform::{Platform, scratch};
use proto::topology::{
    AUDIT_ENTRIES, DISPATCH_APPROVED, DISPATCH_STOPPED, DISPLAY_CLOSED, DISPLAY_RELEASED, DISPLAY_STOPPED, RESIDENT_CLOSED,
    RESIDENT_RELEASED, RESIDENT_STOPPED,
};
use proto::{AlertApproved, AlertClosed, AlertReleased, AlertStopped, AuditEntry, DraftGathered, Event};
use review::Settings;
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

pub const SUBMITTER: &str = "fhs_submitter_of_500103";
pub const REVIEWER: &str = "fhs_reviewer_of_500103";
pub const SECOND_REVIEWER: &str = "fhs_second_reviewer_of_500103";
pub const OTHER_REVIEWER: &str = "fhs_reviewer_of_500104";
pub const OFFICER: &str = "fhs_officer";
pub const SECOND_OFFICER: &str = "fhs_second_officer";
pub const THIRD_OFFICER: &str = "fhs_third_officer";
pub const WORKER: &str = "fhs_worker_of_500103";

/// Who is who: token, role, scope. The place in the list is the person's id.
const STAFF: [(&str, Role, &str); 8] = [
    (SUBMITTER, Role::SubmittingUnit, "district:500103"),
    (REVIEWER, Role::DistrictReviewer, "district:500103"),
    (SECOND_REVIEWER, Role::DistrictReviewer, "district:500103"),
    (OTHER_REVIEWER, Role::DistrictReviewer, "district:500104"),
    (OFFICER, Role::CityCommandOfficer, "city"),
    (SECOND_OFFICER, Role::CityCommandOfficer, "city"),
    (THIRD_OFFICER, Role::CityCommandOfficer, "city"),
    (WORKER, Role::CommunityWorker, "community:500103001003"),
];

/// How long a story may wait for something, in real time.
const PATIENCE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(3600);

/// What a story is told on.
#[derive(Clone, Copy, Debug)]
pub enum Store {
    /// Everything in this process, on one connection.
    Embedded,
    /// PostgreSQL, RabbitMQ and Redis.
    Services,
}

impl Store {
    async fn open(self) -> Platform {
        let clock = Clock::moved("2026-03-10T12:00:00+08:00".parse().unwrap());
        match self {
            Self::Embedded => scratch::temporary(clock).await.unwrap(),
            Self::Services => scratch::services(clock).await.unwrap(),
        }
    }
}

/// The id of who has this token.
pub fn id(token: &str) -> StaffId {
    let place = STAFF.iter().position(|(known, ..)| *known == token).unwrap();
    StaffId::from_uuid(Uuid::from_u128(0x0190_b5a0_6f2e_7c3a_9d1e_0000_0000_0000 + place as u128))
}

struct Staff;

#[async_trait]
impl Authenticator for Staff {
    fn prefixes(&self) -> &'static [&'static str] {
        &["fhs_"]
    }

    async fn authenticate(&self, token: &str) -> Result<Option<Caller>, Problem> {
        let found = STAFF.iter().find(|(known, ..)| *known == token);
        Ok(found.map(|(token, role, scope)| {
            let scope = scope.parse().unwrap();
            Caller::Staff(StaffCaller { id: id(token), name: (*token).into(), role: *role, scope, session: (*token).into() })
        }))
    }
}

type Heard<E> = Arc<Mutex<Vec<E>>>;

pub struct City {
    pub platform: Platform,
    router: Router,
    approved: Heard<AlertApproved>,
    stopped: Heard<AlertStopped>,
    trail: Heard<AuditEntry>,
}

impl City {
    pub async fn open(store: Store) -> Self {
        let platform = store.open().await;
        platform.database.migrate(review::SCHEMA, &review::MIGRATOR).await.unwrap();
        let routes = review::start(&platform, Settings::default()).await.unwrap();
        let router = Shell::new(routes, Authenticators::new().with(Staff)).router();
        let city = Self { platform, router, approved: Arc::default(), stopped: Arc::default(), trail: Arc::default() };
        listen(&city.platform, &DISPATCH_APPROVED, &city.approved);
        listen(&city.platform, &DISPATCH_STOPPED, &city.stopped);
        listen(&city.platform, &AUDIT_ENTRIES, &city.trail);
        // what is published concerns others as well
        for queue in [&RESIDENT_STOPPED, &DISPLAY_STOPPED] {
            listen::<AlertStopped>(&city.platform, queue, &Arc::default());
        }
        for queue in [&RESIDENT_RELEASED, &DISPLAY_RELEASED] {
            listen::<AlertReleased>(&city.platform, queue, &Arc::default());
        }
        for queue in [&RESIDENT_CLOSED, &DISPLAY_CLOSED] {
            listen::<AlertClosed>(&city.platform, queue, &Arc::default());
        }
        city
    }

    pub async fn close(self) {
        scratch::remove(&self.platform).await.unwrap();
    }

    /// A good alert, valid for a day.
    pub fn content(&self) -> AlertContent {
        let chinese = AlertText {
            headline: "请煮沸饮用水".into(),
            body: "本区水厂检出细菌超标。".into(),
            instruction: "饮用前请煮沸，直至另行通知。".into(),
            sms: "本区自来水饮用前请煮沸，直至另行通知。".into(),
        };
        AlertContent {
            status: cap::Status::Actual,
            msg_type: cap::MsgType::Alert,
            references: None,
            category: cap::Category::Health,
            urgency: cap::Urgency::Immediate,
            severity: cap::Severity::Severe,
            certainty: cap::Certainty::Observed,
            purpose: "防止水源性疾病传播".into(),
            texts: BTreeMap::from([(Language::ZhCn, chinese)]),
            contact: "渝中区疾控中心 023-63840000".into(),
            expires_at: self.platform.clock.now() + TimeDelta::days(1),
            ack_window_s: 3_600,
            place: None,
            display: false,
            source_note: "市疾控中心".into(),
        }
    }

    /// A rule's draft for these residents of 500103, which the officer answers for.
    pub fn draft(&self, content: &AlertContent, residents: impl IntoIterator<Item = u32>, missing: &[&str]) -> DraftGathered {
        DraftGathered {
            draft_id: AlertId::new().to_string(),
            rule_id: RuleId::new().to_string(),
            rule_version: 3,
            district: 500_103,
            activated_by: id(OFFICER).to_string(),
            content_json: serde_json::to_string(content).unwrap(),
            audience: Audience::Residents(residents.into_iter().collect()).to_bytes(),
            records: 2,
            missing: missing.iter().map(ToString::to_string).collect(),
            gathered_at_ms: self.platform.clock.now().timestamp_millis(),
        }
    }

    /// An alert for all of 500103 as its author sees it.
    pub async fn write(&self, token: &str) -> Value {
        let body = json!({ "district": "500103", "content": self.content(), "audience": everybody_in("500103") });
        let (status, alert) = self.post(token, "/api/v1/alerts", body).await;
        assert_eq!(status, StatusCode::CREATED, "{alert}");
        alert
    }

    /// Takes these steps, each as it has to be.
    pub async fn take(&self, mut alert: Value, steps: &[(&str, &str)]) -> Value {
        for (token, action) in steps {
            let (status, answer) = self.decide(token, &alert, action, "").await;
            assert_eq!(status, StatusCode::OK, "{action}: {answer}");
            alert = answer;
        }
        alert
    }

    /// An alert that went the whole way to its approval.
    pub async fn approved_alert(&self) -> Value {
        let alert = self.write(SUBMITTER).await;
        self.take(alert, &[(SUBMITTER, "submit"), (REVIEWER, "pass_district"), (OFFICER, "approve")]).await
    }

    /// Decides about the alert as it was looked at.
    pub async fn decide(&self, token: &str, alert: &Value, action: &str, reason: &str) -> (StatusCode, Value) {
        let body = json!({ "version": alert["version"], "action": action, "reason": reason });
        self.post(token, &format!("{}/decisions", path(alert)), body).await
    }

    /// The alert as it stands, seen by an officer.
    pub async fn look(&self, alert: &Value) -> Value {
        self.get(OFFICER, &path(alert)).await.1
    }

    /// Which alerts dispatch was told are approved, since it was last asked.
    pub async fn approved(&self) -> Vec<String> {
        self.settle().await;
        std::mem::take(&mut *self.approved.lock().unwrap()).into_iter().map(|event| event.alert_id).collect()
    }

    /// What dispatch was told to stop, since it was last asked.
    pub async fn stopped(&self) -> Vec<AlertStopped> {
        self.settle().await;
        std::mem::take(&mut *self.stopped.lock().unwrap())
    }

    /// What was written into the audit trail since it was last asked: who did what.
    pub async fn trail(&self) -> Vec<(String, String)> {
        self.settle().await;
        std::mem::take(&mut *self.trail.lock().unwrap()).into_iter().map(|entry| (entry.actor, entry.action)).collect()
    }

    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(self.platform.database.pool()).await.unwrap()
    }

    /// Publishes an event and waits until it was handled.
    pub async fn publish<E: Event + Sync>(&self, event: &E) {
        let mut tx = self.platform.database.begin().await.unwrap();
        tx.publish(review::SCHEMA, event).await.unwrap();
        tx.commit().await.unwrap();
        self.settle().await;
    }

    /// Waits until everything published was handled, and nothing was given up.
    pub async fn settle(&self) {
        until(|| async { self.platform.bus.settled().await.unwrap() }).await;
        let dead = self.platform.bus.dead_letters().await.unwrap();
        assert!(dead.is_empty(), "{dead:?}");
    }

    /// Opens the live line of somebody's page.
    pub async fn listen_as(&self, token: &str) -> Line {
        let request = Request::get("/api/v1/events").header("authorization", format!("Bearer {token}")).body(Body::empty());
        let response = self.router.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        Line { body: response.into_body(), read: String::new() }
    }

    pub async fn get(&self, token: &str, path: &str) -> (StatusCode, Value) {
        self.send(Method::GET, token, path, Value::Null).await
    }

    pub async fn post(&self, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
        self.send(Method::POST, token, path, body).await
    }

    pub async fn put(&self, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
        self.send(Method::PUT, token, path, body).await
    }

    async fn send(&self, method: Method, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        let request = match body {
            Value::Null => request.body(Body::empty()),
            body => request.header("content-type", "application/json").body(Body::from(body.to_string())),
        };
        let response = self.router.clone().oneshot(request.unwrap()).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }
}

/// A page's live line.
pub struct Line {
    body: Body,
    read: String,
}

impl Line {
    /// The next event that is told.
    pub async fn next(&mut self) -> String {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.read = rest;
                if !event.starts_with(':') {
                    return event;
                }
                continue;
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.expect("it came").unwrap().unwrap();
            self.read.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
        }
    }
}

/// The audience of everybody who lives there.
pub fn everybody_in(area: &str) -> Value {
    json!({ "query": { "include": [{ "areas": [area] }] } })
}

pub fn path(alert: &Value) -> String {
    format!("/api/v1/alerts/{}", alert["alert_id"].as_str().unwrap())
}

/// The words of a list in JSON, by a field of theirs or as they are.
pub fn words(list: &Value, field: &str) -> Vec<String> {
    let word = |item: &Value| if field.is_empty() { item.clone() } else { item[field].clone() };
    list.as_array().unwrap().iter().map(|item| word(item).as_str().unwrap_or_default().to_owned()).collect()
}

fn listen<E: Event + Sync>(platform: &Platform, queue: &'static proto::Queue, heard: &Heard<E>) {
    let heard = Arc::clone(heard);
    let handler = move |event: E| {
        heard.lock().unwrap().push(event);
        async { Ok(()) }
    };
    platform.bus.subscribe(queue, 1, handler).unwrap();
}

async fn until<F: Future<Output = bool>>(mut is_so: impl FnMut() -> F) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("it came");
}
