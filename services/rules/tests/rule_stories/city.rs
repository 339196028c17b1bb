//! A city that reports records. Ingest is stood in for by a table, review and audit by lists of what they were told, staff by fixed tokens.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use domain::alert::AlertContent;
use domain::audience::Audience;
use domain::ids::{LoadId, StaffId};
use domain::language::Language;
use domain::staff::{Role, Scope};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use platform::clock::Clock;
use platform::database::Database;
use platform::http::{Authenticator, Authenticators, Caller, Problem, Shell, StaffCaller};
use platform::{Platform, StoreSettings, scratch};
use proto::topology::{AUDIT_ENTRIES, REVIEW_DRAFTS};
use proto::{AuditEntry, DraftGathered, Event, RecordsStored};
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::{Uuid, uuid};

const FEED: &str = "
    create schema ingest;
    create table ingest.record_feed (
        load_id uuid, record_id bigint, source text, source_id text, kind text, origin text, level text, district int, township int,
        community bigint, occurred_at timestamptz, received_at timestamptz, subject_resident int, subject_kind text, attributes jsonb);";

pub const OFFICER: &str = "fhs_officer";
pub const REVIEWER: &str = "fhs_reviewer_of_500103";
pub const OPERATOR: &str = "fhs_operator";

/// The officer, who answers for the rules.
pub const OFFICER_ID: Uuid = uuid!("0190b5a0-6f2e-7c3a-9d1e-2b4c6d8e0f12");

/// How long a story may wait for something, in real time.
const PATIENCE: Duration = Duration::from_secs(60);
pub const DAY: Duration = Duration::from_secs(86_400);
/// Longer than any rule gathers.
const WINDOW: Duration = Duration::from_secs(2 * 3600);

/// Which database a story is told with.
#[derive(Clone, Copy, Debug)]
pub enum Store {
    Embedded,
    Postgres,
}

impl Store {
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
            OFFICER => (Role::CityCommandOfficer, Scope::City),
            REVIEWER => (Role::DistrictReviewer, "district:500103".parse().unwrap()),
            OPERATOR => (Role::TechnicalOperator, Scope::City),
            _ => return Ok(None),
        };
        let id = if token == OFFICER { StaffId::from_uuid(OFFICER_ID) } else { StaffId::new() };
        Ok(Some(Caller::Staff(StaffCaller { id, name: token.into(), role, scope, session: token.into() })))
    }
}

/// A record as a story tells it.
#[derive(Clone, Debug)]
pub struct Record {
    pub id: i64,
    pub kind: &'static str,
    pub level: &'static str,
    /// A registered resident; none for a place or a stranger.
    pub resident: Option<i32>,
    pub subject: &'static str,
    /// District, township or community.
    pub area: &'static str,
    pub attributes: Value,
}

/// A close contact living in the area.
pub fn contact(id: i64, resident: i32, area: &'static str) -> Record {
    Record { id, kind: "close_contact", level: "high", resident: Some(resident), subject: "resident", area, attributes: json!({}) }
}

/// A draft as review gets it.
#[derive(Debug)]
pub struct Draft {
    pub event: DraftGathered,
    pub content: AlertContent,
    pub audience: Audience,
}

impl Draft {
    pub fn residents(&self) -> Vec<u32> {
        match &self.audience {
            Audience::Residents(residents) => residents.iter().collect(),
            Audience::Query(query) => panic!("a query: {query:?}"),
        }
    }

    pub fn chinese(&self) -> &domain::alert::AlertText {
        &self.content.texts[&Language::ZhCn]
    }
}

pub struct City {
    pub platform: Platform,
    router: Router,
    drafts: Arc<Mutex<Vec<DraftGathered>>>,
    trail: Arc<Mutex<Vec<AuditEntry>>>,
}

impl City {
    /// A city with the shipped rules and nothing said about its districts.
    pub async fn open(store: Store) -> Self {
        let platform = store.open().await;
        sqlx::raw_sql(FEED).execute(platform.database.pool()).await.unwrap();
        platform.database.migrate(rules::SCHEMA, &rules::MIGRATOR).await.unwrap();
        let routes = rules::start(&platform, rules::Settings::default()).await.unwrap();
        let router = Shell::new(routes, Authenticators::new().with(Staff)).router();
        let (drafts, trail) = (Arc::default(), Arc::default());
        let city = Self { router, drafts: Arc::clone(&drafts), trail: Arc::clone(&trail), platform };
        listen(&city.platform, &REVIEW_DRAFTS, drafts);
        listen(&city.platform, &AUDIT_ENTRIES, trail);
        assert_eq!(rules::install_shipped(&city.platform, StaffId::from_uuid(OFFICER_ID)).await.unwrap(), 8);
        city
    }

    pub async fn close(self) {
        self.platform.tasks.shutdown(Duration::from_secs(10)).await;
    }

    /// A load of records is stored and evaluated.
    pub async fn report(&self, records: &[Record]) -> LoadId {
        let load = self.store(records).await;
        self.tell(&[load]).await;
        load
    }

    /// A load of records is stored, and nobody was told.
    pub async fn store(&self, records: &[Record]) -> LoadId {
        let (load, now) = (LoadId::new(), self.platform.clock.now());
        for record in records {
            let digits =
                |count: usize| record.area.get(..count).filter(|part| part.len() == count).map(|part| part.parse::<i64>().unwrap());
            sqlx::query("insert into ingest.record_feed values ($1, $2, '市疾控中心', $3, $4, 'surveillance', $5, $6, $7, $8, $9, $9, $10, $11, $12)")
                .bind(load.uuid())
                .bind(record.id)
                .bind(record.id.to_string())
                .bind(record.kind)
                .bind(record.level)
                .bind(digits(6).unwrap() as i32)
                .bind(digits(9).map(|code| code as i32))
                .bind(digits(12))
                .bind(now)
                .bind(record.resident)
                .bind(record.subject)
                .bind(&record.attributes)
                .execute(self.platform.database.pool())
                .await
                .unwrap();
        }
        load
    }

    /// The rules are told of loads, all at once.
    pub async fn tell(&self, loads: &[LoadId]) {
        let events: Vec<_> = loads.iter().map(|load| RecordsStored { load_id: load.to_string(), records: 1 }).collect();
        let mut tx = self.platform.database.begin().await.unwrap();
        tx.publish_all(rules::SCHEMA, &events).await.unwrap();
        tx.commit().await.unwrap();
        self.settle().await;
    }

    /// Waits until everything published was handled, and nothing was given up.
    pub async fn settle(&self) {
        until(|| async { self.platform.bus.settled().await.unwrap() }).await;
        let dead = self.platform.bus.dead_letters().await.unwrap();
        assert!(dead.is_empty(), "{dead:?}");
    }

    /// The windows of all open drafts end; the drafts that review has got since it was last asked, by district.
    pub async fn end_of_window(&self) -> Vec<Draft> {
        self.platform.clock.forward(WINDOW);
        until(|| async { self.count("select count(*) from rules.draft where closed_at is null").await == 0 }).await;
        self.settle().await;
        let mut events = std::mem::take(&mut *self.drafts.lock().unwrap());
        events.sort_by_key(|event| (event.district, event.rule_version));
        let read = |event: DraftGathered| Draft {
            content: serde_json::from_str(&event.content_json).unwrap(),
            audience: Audience::from_bytes(&event.audience).unwrap(),
            event,
        };
        events.into_iter().map(read).collect()
    }

    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(self.platform.database.pool()).await.unwrap()
    }

    /// What was written into the audit trail since it was last asked: action and object's kind.
    pub async fn trail(&self) -> Vec<AuditEntry> {
        self.settle().await;
        std::mem::take(&mut *self.trail.lock().unwrap())
    }

    /// A district says what it has to offer.
    pub async fn says(&self, district: &str, facts: &[(&str, &str)]) {
        rules::set_district_facts(&self.platform, district.parse().unwrap(), facts, StaffId::from_uuid(OFFICER_ID)).await.unwrap();
    }

    pub async fn get(&self, token: &str, path: &str) -> (StatusCode, Value) {
        self.send(Method::GET, token, path, Value::Null).await
    }

    pub async fn post(&self, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
        self.send(Method::POST, token, path, body).await
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
}

fn listen<E: Event + Sync>(platform: &Platform, queue: &'static proto::Queue, heard: Arc<Mutex<Vec<E>>>) {
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
