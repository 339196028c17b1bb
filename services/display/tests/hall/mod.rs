//! A hall with screens; dispatch and review are stood in for by tables, staff by fixed tokens.

use std::{collections::BTreeMap, future::Future, time::Duration};

use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, BodyDataStream},
};
use chrono::TimeDelta;
use domain::{
    alert::{AlertContent, AlertText},
    area::Area,
    audience::{Audience, AudienceQuery},
    cap::{self, Severity},
    ids::{AlertId, StaffId},
    language::Language,
    staff::{Role, Scope},
};
use futures::StreamExt;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use platform::{
    Platform, StoreSettings,
    clock::Clock,
    database::Database,
    http::{Authenticator, Authenticators, Caller, Problem, Shell, StaffCaller},
    scratch,
};
use proto::{AlertReleased, AlertStopped, StopReason};
use serde_json::{Value, json};
use tower::ServiceExt;

const STAND_INS: &str = "
    create schema dispatch;
    create table dispatch.released_alert (alert_id uuid primary key, short_code text, class text, content jsonb, audience_bitmap bytea,
                                          released_at timestamptz, expires_at timestamptz, ack_by timestamptz, exercise bool, audience bytea);
    create schema review;
    create table review.approved_alert (alert_id uuid primary key, district int);";

pub const ADMINISTRATOR: &str = "fhs_administrator";
pub const OPERATOR: &str = "fhs_operator";
pub const DISTRICT_REVIEWER: &str = "fhs_reviewer_of_500103";

/// How long a story may wait for something, in real time.
const PATIENCE: Duration = Duration::from_secs(30);

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

struct Staff;

#[async_trait]
impl Authenticator for Staff {
    fn prefixes(&self) -> &'static [&'static str] {
        &["fhs_"]
    }

    async fn authenticate(&self, token: &str) -> Result<Option<Caller>, Problem> {
        let (role, scope) = match token {
            ADMINISTRATOR => (Role::Administrator, Scope::City),
            OPERATOR => (Role::TechnicalOperator, Scope::City),
            DISTRICT_REVIEWER => (Role::DistrictReviewer, "district:500103".parse().unwrap()),
            _ => return Ok(None),
        };
        let staff = StaffCaller { id: StaffId::new(), name: token.into(), role, scope, session: token.into() };
        Ok(Some(Caller::Staff(staff)))
    }
}

pub struct Hall {
    pub platform: Platform,
    router: Router,
}

impl Hall {
    pub async fn open(store: Store) -> Self {
        let platform = store.open().await;
        sqlx::raw_sql(STAND_INS).execute(platform.database.pool()).await.unwrap();
        platform.database.migrate(display::SCHEMA, &display::MIGRATOR).await.unwrap();
        let routes = display::start(&platform, display::Settings::default()).await.unwrap();
        let authenticators = Authenticators::new().with(Staff).with(display::authenticator(&platform));
        Self { router: Shell::new(routes, authenticators).router(), platform }
    }

    pub async fn close(self) {
        self.platform.tasks.shutdown(Duration::from_secs(10)).await;
    }

    /// Registers a screen; its key.
    pub async fn screen(&self, area: &str, drill: bool) -> String {
        let screen = json!({"name": "2 号屏", "place": "江北机场 T3", "area": area, "form": "full", "drill": drill});
        let (status, registered) = self.send(Method::POST, ADMINISTRATOR, "/api/v1/screens", screen).await;
        assert_eq!(status, StatusCode::CREATED, "{registered}");
        registered["key"].as_str().unwrap().to_owned()
    }

    pub async fn release(&self, headline: &str, severity: Severity, urgent: bool, area: &str) -> AlertId {
        let alert = self.prepare(headline, severity, urgent, area).await;
        self.tell_of_release(alert).await;
        alert
    }

    pub async fn release_exercise(&self, headline: &str, area: &str) -> AlertId {
        let alert = self.prepare(headline, Severity::Minor, false, area).await;
        sqlx::query("update dispatch.released_alert set exercise = true").execute(self.platform.database.pool()).await.unwrap();
        self.tell_of_release(alert).await;
        alert
    }

    /// Dispatch shows the alert as released, but has not told of it.
    pub async fn prepare(&self, headline: &str, severity: Severity, urgent: bool, area: &str) -> AlertId {
        let (alert_id, now) = (AlertId::new(), self.platform.clock.now());
        let text = AlertText { headline: headline.into(), body: "说明".into(), instruction: "措施".into(), sms: "短信".into() };
        let content = AlertContent {
            status: cap::Status::Actual,
            msg_type: cap::MsgType::Alert,
            references: None,
            category: cap::Category::Health,
            urgency: cap::Urgency::Expected,
            severity,
            certainty: cap::Certainty::Observed,
            purpose: "防控".into(),
            texts: BTreeMap::from([(Language::ZhCn, text)]),
            contact: "12320".into(),
            expires_at: now + TimeDelta::hours(4),
            ack_window_s: 3600,
            place: None,
            display: true,
            source_note: String::new(),
        };
        let area: Area = area.parse().unwrap();
        sqlx::query("insert into dispatch.released_alert values ($1, '7KQ3', $2, $3, null, $4, $5, null, false, $6)")
            .bind(alert_id.uuid())
            .bind(if urgent { "urgent" } else { "routine" })
            .bind(serde_json::to_value(&content).unwrap())
            .bind(now)
            .bind(content.expires_at)
            .bind(Audience::Query(AudienceQuery::everybody_in(area)).to_bytes())
            .execute(self.platform.database.pool())
            .await
            .unwrap();
        alert_id
    }

    pub async fn tell_of_release(&self, alert: AlertId) {
        self.publish(&AlertReleased { alert_id: alert.to_string() }).await;
    }

    pub async fn cancel(&self, alert: AlertId) {
        let how = StopReason::Cancelled.into();
        self.publish(&AlertStopped { alert_id: alert.to_string(), how, by_alert_id: None, reason: "误报".into() }).await;
    }

    async fn publish<E: proto::Event>(&self, event: &E) {
        let mut tx = self.platform.database.begin().await.unwrap();
        tx.publish(display::SCHEMA, event).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Waits until every event that this service reads was handled.
    pub async fn settle(&self) {
        let left = "select count(*) from bus.message where queue like 'display.%'";
        self.until(|| async {
            let outbox: i64 =
                sqlx::query_scalar("select count(*) from display.outbox").fetch_one(self.platform.database.pool()).await.unwrap();
            let messages: i64 = sqlx::query_scalar(left).fetch_one(self.platform.database.pool()).await.unwrap();
            outbox + messages == 0
        })
        .await;
    }

    pub async fn until<F: Future<Output = bool>>(&self, mut is_so: impl FnMut() -> F) {
        let wait = async {
            while !is_so().await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("it came");
    }

    pub async fn headlines(&self, key: &str) -> Vec<String> {
        let (status, playlist) = self.get(key, "/api/v1/screen/playlist").await;
        assert_eq!(status, StatusCode::OK, "{playlist}");
        headlines(&playlist)
    }

    pub async fn until_shown(&self, key: &str, expected: &[&str]) {
        self.until(|| async { self.headlines(key).await == expected }).await;
    }

    pub async fn get(&self, token: &str, path: &str) -> (StatusCode, Value) {
        self.send(Method::GET, token, path, Value::Null).await
    }

    pub async fn send(&self, method: Method, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
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

    /// Opens the screen's event stream.
    pub async fn follow(&self, key: &str, last: Option<&str>) -> Follower {
        let mut request = Request::get("/api/v1/screen/events").header("authorization", format!("Bearer {key}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        Follower { body: response.into_body().into_data_stream(), read: String::new() }
    }
}

/// A screen that listens.
pub struct Follower {
    body: BodyDataStream,
    read: String,
}

/// One event.
#[derive(Debug)]
pub struct Told {
    pub id: String,
    pub headlines: Vec<String>,
}

impl Follower {
    pub async fn next(&mut self) -> Told {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).map(str::to_owned);
                let (id, data) = (line("id:"), line("data:"));
                self.read = rest.to_owned();
                if let (Some(id), Some(data)) = (id, data) {
                    return Told { id, headlines: headlines(&serde_json::from_str(&data).unwrap()) };
                }
                continue;
            }
            let bytes =
                tokio::time::timeout(PATIENCE, self.body.next()).await.expect("an event came").expect("the stream goes on").unwrap();
            self.read.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }
}

fn headlines(playlist: &Value) -> Vec<String> {
    let items = playlist["items"].as_array().unwrap();
    items.iter().map(|item| item["texts"][0]["headline"].as_str().unwrap().to_owned()).collect()
}
