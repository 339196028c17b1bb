//! A city with its first administrator, and a way to ask it things.

use std::ops::Deref;
use std::time::Duration;

use domain::staff::{Role, Scope};
use http::{Method, StatusCode};
use identity::{MIGRATOR, NewStaff, SCHEMA, Settings};
use platform::http::{Access, Authenticators, Json, Routes, SourceCaller, StaffCaller, routes};
use prost::Message;
use proto::AuditEntry;
use serde_json::{Value, json};
use stages::{Answer, NOBODY, Stage, Store};

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

pub struct City(Stage);

impl Deref for City {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.0
    }
}

impl City {
    pub async fn founded() -> Self {
        let platform = Store::Embedded.open_at("2026-11-02T01:00:00Z".parse().unwrap()).await;
        platform.database.migrate(SCHEMA, &MIGRATOR).await.unwrap();
        // The routes are what is tested; without its relay, what it publishes stays where the tests can read it.
        let settings = Settings { session_idle_seconds: 1800, session_longest_seconds: 12 * 3600, cookie_secure: true };
        let routes = identity::routes(&platform, &settings)
            .await
            .unwrap()
            .merge(Routes::new("test").allow(Access::ANY_STAFF, routes!(whole_city)).allow(Access::Source, routes!(deliver)));
        let authenticators = Authenticators::new().with(identity::authenticator(&platform));
        Self(Stage::new(platform, SCHEMA, routes, authenticators))
    }

    /// Reads something.
    pub async fn look(&self, token: &str, path: &str) -> Answer {
        self.ask(Method::GET, token, path, Value::Null).await
    }

    pub async fn signs_in(&self, login: &str, password: &str) -> Answer {
        self.ask(Method::POST, NOBODY, "/api/v1/session", json!({ "login": login, "password": password })).await
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
        self.platform.clock.forward(time);
    }

    /// Actions published for the audit trace so far, oldest first, with who did them.
    pub async fn trace(&self) -> Vec<AuditEntry> {
        let rows = sqlx::query_scalar!("select payload from identity.outbox order by id").fetch_all(self.pool()).await.unwrap();
        rows.iter().map(|payload| AuditEntry::decode(payload.as_slice()).unwrap()).collect()
    }
}
