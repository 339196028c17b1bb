//! A hotline with its desk, units and supervision; residents and staff are stood in for by fixed tokens, the SMS centre and the audit trail by lists of
//! what they were told.

use std::ops::Deref;

use async_trait::async_trait;
use axum::body::Body;
use chrono::{DateTime, Utc};
use domain::ids::ResidentNo;
use domain::staff::Role;
use http::{Method, StatusCode};
use platform::Platform;
use platform::http::{Authenticator, Authenticators, Caller, Problem, ResidentCaller};
use platform::jobs::{JobSettings, Jobs};
use proto::topology::{AUDIT_ENTRIES, SMS_CODES};
use proto::{AuditEntry, CodeRequested};
use serde_json::{Value, json};
use stages::{Heard, NOBODY, Staff, Stage, Store, request};

pub const OPERATOR: &str = "fhs_operator";
pub const SECOND_OPERATOR: &str = "fhs_second_operator";
pub const OPERATOR_ELSEWHERE: &str = "fhs_operator_of_500101";
pub const SUPERVISOR: &str = "fhs_supervisor";
pub const HANDLER: &str = "fhs_handler_of_centre";
pub const LEAD: &str = "fhs_lead_of_centre";
pub const SECOND_LEAD: &str = "fhs_second_lead_of_centre";
pub const OTHER_HANDLER: &str = "fhs_handler_of_clinic";
pub const OTHER_LEAD: &str = "fhs_lead_of_clinic";
pub const UPPER_HANDLER: &str = "fhs_handler_of_commission";
pub const UPPER_LEAD: &str = "fhs_lead_of_commission";
pub const ADMINISTRATOR: &str = "fhs_administrator";
pub const WORKER: &str = "fhs_community_worker";
pub const RESIDENT: &str = "fhr_7";

const STAFF: Staff = Staff(&[
    (OPERATOR, Role::HotlineOperator, "city"),
    (SECOND_OPERATOR, Role::HotlineOperator, "city"),
    (OPERATOR_ELSEWHERE, Role::HotlineOperator, "district:500101"),
    (SUPERVISOR, Role::Supervisor, "city"),
    (HANDLER, Role::UnitHandler, "unit:2"),
    (LEAD, Role::UnitLead, "unit:2"),
    (SECOND_LEAD, Role::UnitLead, "unit:2"),
    (OTHER_HANDLER, Role::UnitHandler, "unit:3"),
    (OTHER_LEAD, Role::UnitLead, "unit:3"),
    (UPPER_HANDLER, Role::UnitHandler, "unit:1"),
    (UPPER_LEAD, Role::UnitLead, "unit:1"),
    (ADMINISTRATOR, Role::Administrator, "city"),
    (WORKER, Role::CommunityWorker, "community:500103001001"),
]);

/// The commission of the city, above the centre.
pub const COMMISSION: u32 = 1;
/// The district's centre for disease control.
pub const CENTRE: u32 = 2;
/// A clinic, with nothing above it.
pub const CLINIC: u32 = 3;

/// Residents by number.
struct Residents;

#[async_trait]
impl Authenticator for Residents {
    fn prefixes(&self) -> &'static [&'static str] {
        &["fhr_"]
    }

    async fn authenticate(&self, token: &str) -> Result<Option<Caller>, Problem> {
        let no = token.strip_prefix("fhr_").and_then(|no| no.parse().ok());
        Ok(no.map(|no| Caller::Resident(ResidentCaller { no: ResidentNo::new(no) })))
    }
}

pub struct City {
    stage: Stage,
    pub trail: Heard<AuditEntry>,
    pub messages: Heard<CodeRequested>,
}

impl Deref for City {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.stage
    }
}

/// A case that a story follows: its number, and the PIN that was told with it.
#[derive(Clone, Debug)]
pub struct Told {
    pub number: String,
    pub pin: String,
}

impl City {
    pub async fn open(store: Store) -> Self {
        Self::open_at(store, stages::noon()).await
    }

    /// With the clock at this moment, and three units.
    pub async fn open_at(store: Store, now: DateTime<Utc>) -> Self {
        Self::open_with(store, now, casework::Settings::default()).await
    }

    pub async fn open_with(store: Store, now: DateTime<Utc>, settings: casework::Settings) -> Self {
        let platform = store.open_at(now).await;
        platform.database.migrate(casework::SCHEMA, &casework::MIGRATOR).await.unwrap();
        let city = Self::serving(platform, settings).await;
        assert_eq!(city.unit("市卫生健康委", "city", None).await, COMMISSION);
        assert_eq!(city.unit("渝中区疾控中心", "district", Some(COMMISSION)).await, CENTRE);
        assert_eq!(city.unit("社区卫生服务中心", "community", None).await, CLINIC);
        city
    }

    /// Another process of the same city: it has the same stores, and nothing else of the first one.
    pub async fn beside(first: &Self) -> Self {
        Self::beside_with(first, casework::Settings::default()).await
    }

    /// The same with other settings.
    pub async fn beside_with(first: &Self, settings: casework::Settings) -> Self {
        let stores = first.platform.clone();
        let jobs = Jobs::new(&JobSettings::default(), &stores.database, &stores.clock, &stores.tasks).unwrap();
        Self::serving(Platform { jobs, ..stores }, settings).await
    }

    async fn serving(platform: Platform, settings: casework::Settings) -> Self {
        let routes = casework::start(&platform, settings).await.unwrap();
        let stage = Stage::new(platform, casework::SCHEMA, routes, Authenticators::new().with(STAFF).with(Residents));
        let (trail, messages) = (stage.hears(&AUDIT_ENTRIES), stage.hears(&SMS_CODES));
        Self { stage, trail, messages }
    }

    async fn unit(&self, name: &str, level: &str, parent: Option<u32>) -> u32 {
        let unit = json!({ "name": name, "level": level, "parent": parent, "liaison": "值班联络员" });
        let (status, made) = self.post(ADMINISTRATOR, "/api/v1/casework/units", unit).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        u32::try_from(made["unit_id"].as_u64().unwrap()).unwrap()
    }

    /// A request that names itself.
    pub async fn named(&self, token: &str, path: &str, name: &str, body: Value) -> (StatusCode, Value) {
        let mut request = request(Method::POST, token, path, &body);
        request.headers_mut().insert("idempotency-key", name.parse().unwrap());
        self.answer(request).await
    }

    async fn answer(&self, request: http::Request<Body>) -> (StatusCode, Value) {
        let (parts, octets) = self.answered(request).await;
        (parts.status, serde_json::from_slice(&octets).unwrap_or(Value::Null))
    }

    /// Somebody brings something on the page.
    pub async fn brings(&self, body: Value) -> Told {
        let name = uuid::Uuid::now_v7().to_string();
        let (status, taken) = self.named(NOBODY, "/api/v1/cases", &name, body).await;
        assert_eq!(status, StatusCode::CREATED, "{taken}");
        Told::of(&taken)
    }

    /// Somebody calls, and the operator writes it down.
    pub async fn calls(&self, mut body: Value) -> Told {
        body["channel"] = json!("call");
        let name = uuid::Uuid::now_v7().to_string();
        let (status, taken) = self.named(OPERATOR, "/api/v1/casework/cases", &name, body).await;
        assert_eq!(status, StatusCode::CREATED, "{taken}");
        Told::of(&taken)
    }

    /// The file, as this member of staff sees it.
    pub async fn file(&self, token: &str, case: &Told) -> Value {
        let (status, file) = self.get(token, &format!("/api/v1/casework/cases/{}", case.number)).await;
        assert_eq!(status, StatusCode::OK, "{file}");
        file
    }

    /// Tries a step on the version that stands.
    pub async fn tries(&self, token: &str, case: &Told, event: &str, mut fields: Value) -> (StatusCode, Value) {
        let version: i32 = sqlx::query_scalar("select version from casework.matter where number = $1")
            .bind(case.number.replace('-', "").parse::<i64>().unwrap())
            .fetch_one(self.pool())
            .await
            .unwrap();
        (fields["version"], fields["event"]) = (json!(version), json!(event));
        self.post(token, &format!("/api/v1/casework/cases/{}/steps", case.number), fields).await
    }

    /// Takes a step that is permitted; the file afterwards.
    pub async fn does(&self, token: &str, case: &Told, event: &str, fields: Value) -> Value {
        let (status, file) = self.tries(token, case, event, fields).await;
        assert_eq!(status, StatusCode::OK, "{event}: {file}");
        file
    }

    /// Tries a step; the code with which it is refused.
    pub async fn refuses(&self, token: &str, case: &Told, event: &str, fields: Value) -> String {
        let (status, problem) = self.tries(token, case, event, fields).await;
        assert!(status.is_client_error(), "{event} went through: {problem}");
        problem["code"].as_str().unwrap_or_default().to_owned()
    }

    /// How whoever brought it sees it.
    pub async fn looks(&self, case: &Told) -> Value {
        let (status, shown) = self.post(NOBODY, &format!("/api/v1/cases/{}/state", case.number), json!({ "pin": case.pin })).await;
        assert_eq!(status, StatusCode::OK, "{shown}");
        shown
    }

    /// What whoever brought it does.
    pub async fn says(&self, case: &Told, event: &str, text: Option<&str>) -> (StatusCode, Value) {
        let step = json!({ "pin": case.pin, "event": event, "text": text });
        self.post(NOBODY, &format!("/api/v1/cases/{}/steps", case.number), step).await
    }

    /// A question that came by call, and that the centre works on.
    pub async fn at_work(&self, grade: &str) -> Told {
        let case = self.calls(question()).await;
        self.does(OPERATOR, &case, "register", json!({})).await;
        self.accepted(&case, grade).await;
        self.routed(&case, CENTRE, &[]).await;
        self.does(HANDLER, &case, "sign_for", json!({})).await;
        case
    }

    pub async fn accepted(&self, case: &Told, grade: &str) {
        let class = json!({ "nature": "consultation", "urgency": "ordinary", "grade": grade });
        self.does(OPERATOR, case, "accept", class).await;
    }

    pub async fn routed(&self, case: &Told, lead: u32, assists: &[u32]) {
        self.does(OPERATOR, case, "route", json!({ "lead": lead, "assists": assists, "task": "请核实并答复来电人" })).await;
    }

    /// The unit's result is written, decided and told.
    pub async fn answered_by(&self, case: &Told, handler: &str, lead: &str) {
        self.does(handler, case, "submit_result", json!({ "text": "已核实接种安排", "answer": "周六上午九点可接种" })).await;
        self.does(lead, case, "decide", json!({})).await;
        self.does(handler, case, "tell", json!({ "by": "app" })).await;
    }
}

impl Told {
    pub fn of(taken: &Value) -> Self {
        let text = |field: &str| taken[field].as_str().unwrap().to_owned();
        Self { number: text("number"), pin: text("pin") }
    }
}

/// What a mother asks.
pub fn question() -> Value {
    json!({
        "kind": "consultation", "text": "孩子发热，疫苗还能打吗？", "request": "请告知接种时间", "district": "500103", "phone": "19012345678",
        "name": "王女士",
    })
}
