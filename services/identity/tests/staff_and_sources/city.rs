//! A city with its first administrator, and a way to ask it things.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use chrono::{DateTime, Utc};
use domain::staff::{Role, Scope};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use identity::{MIGRATOR, NewStaff, SCHEMA, Settings};
use platform::Platform;
use platform::clock::Clock;
use platform::http::{Access, Authenticators, Json, Routes, Shell, SourceCaller, StaffCaller, routes};
use prost::Message;
use proto::AuditEntry;
use serde_json::{Value, json};
use tower::ServiceExt;

/// Says what the staff member presenting a session is.
#[utoipa::path(get, path = "/whole-city", responses((status = 200, description = "Done")))]
async fn whole_city(caller: StaffCaller) -> Json<Value> {
    Json(json!({ "scope": caller.scope }))
}

/// Says which unit presents a key.
#[utoipa::path(post, path = "/deliver", responses((status = 200, description = "Done")))]
async fn deliver(source: SourceCaller) -> Json<Value> {
    Json(json!({ "unit": source.unit, "area": source.area, "origin": source.origin, "kinds": source.kinds }))
}

pub struct City {
    pub platform: Platform,
    pub clock: Clock,
    router: Router,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn text(&self, pointer: &str) -> String {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

impl City {
    pub async fn founded() -> Self {
        let clock = Clock::moved("2026-11-02T01:00:00Z".parse::<DateTime<Utc>>().unwrap());
        let platform = platform::scratch::temporary(clock.clone()).await.unwrap();
        platform.database.migrate(SCHEMA, &MIGRATOR).await.unwrap();
        // The routes are what is tested; without its relay, what it publishes stays where the tests can read it.
        let settings = Settings { session_idle_seconds: 1800, session_longest_seconds: 12 * 3600, cookie_secure: true };
        let routes = identity::routes(&platform, &settings)
            .await
            .unwrap()
            .merge(Routes::new("test").allow(Access::ANY_STAFF, routes!(whole_city)).allow(Access::Source, routes!(deliver)));
        let authenticators = Authenticators::new().with(identity::authenticator(&platform));
        Self { platform, clock, router: Shell::new(routes, authenticators).router() }
    }

    pub async fn ask(&self, method: &str, path: &str, token: Option<&str>, body: Value) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.ask("GET", path, Some(token), Value::Null).await
    }

    pub async fn signs_in(&self, login: &str, password: &str) -> Answer {
        self.ask("POST", "/api/v1/session", None, json!({ "login": login, "password": password })).await
    }

    /// The token of somebody who signs in.
    pub async fn session(&self, login: &str, password: &str) -> String {
        let answer = self.signs_in(login, password).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.text("/token")
    }

    /// A new administrator's session.
    pub async fn administrator(&self) -> String {
        let password = identity::create_administrator(&self.platform, "root").await.unwrap();
        self.session("root", &password).await
    }

    /// A member of staff with their password.
    pub async fn has(&self, login: &str, role: Role, scope: Scope) -> String {
        let new = NewStaff { login: login.to_owned(), name: "李主任".to_owned(), role, scope };
        identity::ensure_staff(&self.platform, new).await.unwrap().unwrap()
    }

    pub fn passes(&self, time: Duration) {
        self.clock.forward(time);
    }

    /// Actions published for the audit trace so far, oldest first, with who did them.
    pub async fn trace(&self) -> Vec<AuditEntry> {
        let rows =
            sqlx::query_scalar!("select payload from identity.outbox order by id").fetch_all(self.platform.database.pool()).await.unwrap();
        rows.iter().map(|payload| AuditEntry::decode(payload.as_slice()).unwrap()).collect()
    }
}
