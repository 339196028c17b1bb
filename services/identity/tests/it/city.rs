//! A city with its first administrator, and a way to ask it things.

use std::net::Ipv4Addr;
use std::ops::Deref;
use std::time::Duration;

use domain::ids::StaffId;
use domain::staff::{Role, Scope};
use http::{Method, StatusCode};
use identity::{Code, MIGRATOR, NewStaff, SCHEMA, Settings};
use platform::http::{Access, Authenticators, HttpSettings, Json, Routes, Shell, SourceCaller, StaffCaller, routes};
use prost::Message;
use proto::AuditEntry;
use serde_json::{Value, json};
use stages::second_factor::goes_on;
use stages::{Answer, Identity, NOBODY, PASSWORD, Stage, Store, Tables, TwoAdministrators};

/// Says what the staff member presenting a session is.
#[utoipa::path(get, path = "/whole-city", responses((status = 200, description = "Done")))]
async fn whole_city(caller: StaffCaller) -> Json<Value> {
    Json(json!({ "scope": caller.scope }))
}

/// Says which unit presents a key.
#[utoipa::path(post, path = "/deliver", responses((status = 200, description = "Done")))]
async fn deliver(source: SourceCaller) -> Json<Value> {
    Json(json!({ "unit": source.unit, "area": source.area, "origin": source.origin, "kinds": source.kinds, "asks": source.asks }))
}

/// Where its console is reached.
pub const ADDRESS: &str = "https://alerts.example.cn";

pub struct City(Stage);

impl Deref for City {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.0
    }
}

impl Identity for City {
    async fn asked(&self, method: Method, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
        self.0.asked(method, token, path, body).await
    }
}

impl City {
    pub async fn founded() -> Self {
        Self::on(Self::empty().await).await
    }

    /// Tables without a row, on a morning.
    async fn empty() -> platform::Platform {
        const TABLES: Tables = Tables { stand_ins: &[], schemas: &[(SCHEMA, &MIGRATOR)] };
        Store::Embedded.open_at_with("2026-11-02T01:00:00Z".parse().unwrap(), TABLES).await
    }

    /// The same, where there may be tables and rows already.
    pub async fn on(platform: platform::Platform) -> Self {
        Self::set(platform, &Settings { console_address: ADDRESS.to_owned(), ..Settings::default() }).await
    }

    /// The same with other settings.
    pub async fn set(platform: platform::Platform, settings: &Settings) -> Self {
        platform.database.migrate(SCHEMA, &MIGRATOR).await.unwrap();
        // The routes are what is tested; without its relay, what it publishes stays where the tests can read it.
        let routes = identity::demo::routes(&platform, settings).await.unwrap();
        Self::of(platform, routes)
    }

    /// A city in which people live, where there may be tables and rows already.
    pub async fn real_on(platform: platform::Platform) -> Self {
        platform.database.migrate(SCHEMA, &MIGRATOR).await.unwrap();
        let settings = Settings { console_address: ADDRESS.to_owned(), ..Settings::default() };
        let routes = identity::routes(&platform, &settings).await.unwrap();
        Self::of(platform, routes)
    }

    /// The same, new.
    pub async fn real() -> Self {
        Self::real_on(Self::empty().await).await
    }

    fn of(platform: platform::Platform, routes: Routes) -> Self {
        let routes =
            routes.merge(Routes::new("test").allow(Access::ANY_STAFF, routes!(whole_city)).allow(Access::Source, routes!(deliver)));
        let authenticators = Authenticators::new().with(identity::authenticator(&platform));
        // Requests of a test come from nowhere: who says for whom they speak is believed.
        let settings = HttpSettings { trusted_proxies: vec![Ipv4Addr::UNSPECIFIED.into()], ..HttpSettings::default() };
        let shell = Shell::new(routes, authenticators).settings(settings).clock(platform.clock.clone());
        Self(Stage::at(platform, SCHEMA, shell))
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
        let token = answer.text("/token");
        if answer.body["staff"]["second_factor"]["needs"] == "proof" { self.proves(&token).await } else { token }
    }

    /// Somebody shows their second factor: the code of the demo, or a recovery code out of their drawer. Their session's token from then on.
    pub async fn proves(&self, token: &str) -> String {
        let me = self.look(token, "/api/v1/session").await;
        if me.body["second_factor"]["kinds"].as_array().unwrap().contains(&json!("demo")) {
            let proved = self.shows(token, json!({ "code": identity::demo::CODE })).await;
            assert_eq!(proved.status, StatusCode::OK, "{}", proved.body);
            goes_on(token, &proved.body)
        } else {
            stages::second_factor::prove(self, token).await
        }
    }

    /// Somebody tries to prove their session with this.
    pub async fn shows(&self, token: &str, shown: Value) -> Answer {
        self.ask(Method::POST, token, "/api/v1/session/proof", shown).await
    }

    /// The token of somebody who proves their session with this.
    pub async fn proved(&self, token: &str, shown: Value) -> String {
        let proved = self.shows(token, shown).await;
        assert_eq!(proved.status, StatusCode::OK, "{}", proved.body);
        goes_on(token, &proved.body)
    }

    /// Somebody's account is one from before there were second factors: it has none, and they came just now.
    pub async fn is_from_before(&self, login: &str) {
        for statement in [
            format!("delete from identity.factor where staff_id = (select id from identity.staff where login = '{login}')"),
            format!("delete from identity.recovery_code where staff_id = (select id from identity.staff where login = '{login}')"),
            format!("update identity.staff set from_before = true where login = '{login}'"),
            format!("update identity.second_factor_grace set began_at = '{}'", self.platform.clock.now().to_rfc3339()),
        ] {
            sqlx::query(sqlx::AssertSqlSafe(statement)).execute(self.pool()).await.unwrap();
        }
    }

    /// The first two administrators, signed in.
    pub async fn administrators(&self) -> TwoAdministrators {
        let codes = identity::first_administrators(&self.platform, &Settings::default(), ["root.one", "root.two"]).await.unwrap();
        let [one, two] = codes.each_ref().map(|Code { login, first, second }| [login.as_str(), first, second]);
        TwoAdministrators::begin(self, [one, two]).await
    }

    /// The same two, who sign in again.
    pub async fn administrators_again(&self) -> TwoAdministrators {
        let (one, two) = (self.session("root.one", PASSWORD).await, self.session("root.two", PASSWORD).await);
        TwoAdministrators { one, two }
    }

    /// A member of staff with their password.
    pub async fn has(&self, login: &str, role: Role, scope: Scope) -> String {
        let new = NewStaff { login: login.to_owned(), name: "李主任".to_owned(), role, scope };
        identity::demo::ensure_staff(&self.platform, new).await.unwrap().unwrap()
    }

    /// The account with this login.
    pub async fn id_of(&self, login: &str) -> StaffId {
        let id = sqlx::query_scalar("select id from identity.staff where login = $1").bind(login).fetch_one(self.pool()).await;
        StaffId::from_uuid(id.unwrap())
    }

    pub fn passes(&self, time: Duration) {
        self.platform.clock.forward(time);
    }

    /// The last entry of the trace about this.
    pub async fn traced(&self, action: &str) -> AuditEntry {
        self.trace().await.into_iter().rfind(|entry| entry.action == action).unwrap_or_else(|| panic!("{action} is traced"))
    }

    /// Actions published for the audit trace so far, oldest first, with who did them.
    pub async fn trace(&self) -> Vec<AuditEntry> {
        let rows = sqlx::query_scalar!("select payload from identity.outbox order by id").fetch_all(self.pool()).await.unwrap();
        rows.iter().map(|payload| AuditEntry::decode(payload.as_slice()).unwrap()).collect()
    }
}
