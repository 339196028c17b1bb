//! Whole-system tests: what no service can test alone.
//!
//! [`Whole`] is the platform with all its services in this process, asked without a network. Its callers are made up: the
//! token says who somebody is, so a test can be anybody. How real tokens are checked is tested where they are issued.

use async_trait::async_trait;
use axum::body::Body;
use chrono::{DateTime, Utc};
use domain::area::Area;
use domain::ids::{ApiKeyId, ResidentNo, ScreenId, StaffId};
use domain::quiet_hours::QuietHours;
use domain::risk_record::{Origin, RecordKind};
use domain::second_factor::Needs;
use domain::staff::{Role, Scope};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use platform::Platform;
use platform::http::{
    Authenticator, Authenticators, Caller, Problem, ResidentCaller, RouteRule, Routes, ScreenCaller, Shell, SourceCaller, StaffCaller,
    Unproved, openapi_faults,
};
use serde_json::Value;
use stages::{Desk, NOBODY, Store, Tables, request};
use strum::VariantArray as _;
use uuid::Uuid;

/// The tables of all services.
const TABLES: Tables = Tables {
    stand_ins: &[],
    schemas: &[
        (identity::SCHEMA, &identity::MIGRATOR),
        (audit::SCHEMA, &audit::MIGRATOR),
        (resident::SCHEMA, &resident::MIGRATOR),
        (ingest::SCHEMA, &ingest::MIGRATOR),
        (rules::SCHEMA, &rules::MIGRATOR),
        (review::SCHEMA, &review::MIGRATOR),
        (dispatch::SCHEMA, &dispatch::MIGRATOR),
        (sms::SCHEMA, &sms::MIGRATOR),
        (display::SCHEMA, &display::MIGRATOR),
        (casework::SCHEMA, &casework::MIGRATOR),
    ],
};

/// All services on one temporary platform.
pub struct Whole {
    /// For what a test prepares behind the interface.
    pub platform: Platform,
    /// Every route with its rule.
    pub table: Vec<RouteRule>,
    /// What is wrong with the description of the interface.
    pub description_faults: Vec<String>,
    desk: Desk,
}

impl Whole {
    /// Starts everything; the clock stands at `now` until it is moved.
    pub async fn start(now: DateTime<Utc>) -> Self {
        let platform = Store::Embedded.open_at_with(now, TABLES).await;
        Self::on(platform, push::Settings::default(), sms::Settings::default()).await
    }

    /// Makes the tables of all services.
    pub async fn make_tables(platform: &Platform) {
        for (schema, migrator) in TABLES.schemas {
            platform.database.migrate(schema, migrator).await.unwrap_or_else(|error| panic!("tables of {schema}: {error}"));
        }
    }

    /// Starts everything on a platform that has its tables, with these providers.
    pub async fn on(platform: Platform, push: push::Settings, sms: sms::Settings) -> Self {
        let routes = routes(&platform, push, sms).await;
        let description_faults = openapi_faults(&routes);
        let shell = Shell::new(routes, Authenticators::new().with(Taken));
        Self { table: shell.table(), description_faults, desk: Desk::at(shell), platform }
    }

    /// Ends everything.
    pub async fn end(self) {
        stages::close(&self.platform).await;
    }

    /// Sends a request and returns the status with the JSON of the answer, null where it is none.
    pub async fn ask(&self, who: Option<Who>, method: &Method, path: &str, body: &Value) -> (StatusCode, Value) {
        self.desk.send(method.clone(), &token(who), path, body.clone()).await
    }

    /// Sends a request and returns the status with the JSON of a failure; what went well is not read, since it may be a stream.
    pub async fn begin(&self, who: Option<Who>, method: &Method, path: &str, body: &Value) -> (StatusCode, Value) {
        let response = self.desk.respond(request(method.clone(), &token(who), path, body)).await;
        if response.status().is_success() { (response.status(), Value::Null) } else { read(response).await }
    }

    /// Sends a request that was made by hand and returns the status with the JSON of the answer.
    pub async fn respond(&self, request: Request<Body>) -> (StatusCode, Value) {
        read(self.desk.respond(request).await).await
    }

    /// Sends a request and returns the status and the problem's code, if it is a problem; a stream is not read.
    pub async fn verdict(&self, who: Option<Who>, method: &Method, path: &str) -> (StatusCode, String) {
        self.verdict_on(who, method, path, &Value::Null).await
    }

    /// The same for a request with a body.
    pub async fn verdict_on(&self, who: Option<Who>, method: &Method, path: &str, body: &Value) -> (StatusCode, String) {
        let response = self.desk.respond(request(method.clone(), &token(who), path, body)).await;
        let status = response.status();
        if status.is_success() {
            return (status, String::new());
        }
        let bytes = response.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let problem: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        (status, problem["code"].as_str().unwrap_or_default().to_owned())
    }
}

async fn read(response: Response<Body>) -> (StatusCode, Value) {
    let status = response.status();
    let bytes = response.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

fn token(who: Option<Who>) -> String {
    who.map_or_else(|| NOBODY.to_owned(), Who::token)
}

/// What every process of the platform together answers. A service that is added to the binary is added here.
async fn routes(platform: &Platform, push: push::Settings, sms: sms::Settings) -> Routes {
    let push = push::start(platform, push).await.expect("push starts");
    let sms = sms::start(platform, sms).await.expect("sms starts");
    identity::start(platform, identity::Settings::default())
        .await
        .expect("identity starts")
        .merge(audit::start(platform, audit::Settings::default()).await.expect("audit starts"))
        .merge(resident::start(platform, resident::Settings::default()).await.expect("resident starts"))
        .merge(ingest::start(platform, ingest::Settings::default()).await.expect("ingest starts"))
        .merge(rules::start(platform, rules::Settings::default()).await.expect("rules starts"))
        .merge(review::start(platform, review::Settings::default(), QuietHours::default()).await.expect("review starts"))
        .merge(dispatch::start(platform, dispatch::Settings::default(), dispatch::Capacity::default()).await.expect("dispatch starts"))
        .merge(display::start(platform, display::Settings::default()).await.expect("display starts"))
        .merge(casework::start(platform, casework::Settings::default()).await.expect("casework starts"))
        .merge(push)
        .merge(sms)
        .merge(platform::jobs::routes(platform))
        .merge(platform::bus::routes(platform))
}

/// Somebody who calls.
#[derive(Clone, Copy, Debug)]
pub enum Who {
    /// A member of staff: the same role, scope and number are the same person.
    Staff(Role, Scope, u128),
    /// A member of staff who has yet to show a second factor, or to enrol one.
    Unproved(Role, Needs),
    /// A resident.
    Resident(u32),
    /// A source system that may deliver everything for the city.
    Source,
    /// A public display.
    Screen,
}

impl Who {
    /// Everybody there can be, staff with a scope that fits their role.
    pub fn everybody(district: &str, community: &str) -> Vec<Self> {
        let scopes = ["city", &format!("district:{district}"), &format!("community:{community}"), "industry:education", "unit:1"]
            .map(|scope| scope.parse::<Scope>().expect("a scope"));
        let unproved = Self::Unproved(Role::CityCommandOfficer, Needs::Enrolment);
        let mut everybody = vec![Self::Resident(1), Self::Source, Self::Screen, unproved];
        for &role in Role::VARIANTS {
            everybody.extend(scopes.iter().filter(|scope| role.accepts(scope)).map(|scope| Self::Staff(role, *scope, 1)));
        }
        everybody
    }

    /// As the platform will see them.
    pub fn caller(self) -> Caller {
        match self {
            Self::Staff(role, scope, number) => Caller::Staff(StaffCaller {
                id: StaffId::from_uuid(Uuid::from_u128(number)),
                name: "测试".to_owned(),
                role,
                scope,
                acts_from: None,
                session: "session".to_owned(),
                proof: stages::FRESH,
            }),
            Self::Unproved(role, needs) => Caller::Unproved(Unproved {
                id: StaffId::from_uuid(Uuid::from_u128(1)),
                name: "测试".to_owned(),
                role,
                scope: Scope::City,
                acts_from: None,
                session: "session".to_owned(),
                needs,
            }),
            Self::Resident(no) => Caller::Resident(ResidentCaller { no: ResidentNo::new(no) }),
            Self::Source => Caller::Source(SourceCaller {
                key_id: ApiKeyId::from_uuid(Uuid::from_u128(1)),
                unit: "市疾控中心".to_owned(),
                origin: Origin::Surveillance,
                area: Area::City,
                kinds: RecordKind::VARIANTS.to_vec(),
                asks: Vec::new(),
                networks: Vec::new(),
            }),
            Self::Screen => Caller::Screen(ScreenCaller { id: ScreenId::from_uuid(Uuid::from_u128(1)) }),
        }
    }

    fn token(self) -> String {
        match self {
            Self::Staff(role, scope, number) => format!("fhs_{role}/{scope}/{number}"),
            Self::Unproved(role, needs) => format!("fhs_unproved/{role}/{needs}"),
            Self::Resident(no) => format!("fhr_{no}"),
            Self::Source => "fhk_".to_owned(),
            Self::Screen => "fhd_".to_owned(),
        }
    }

    fn of(token: &str) -> Option<Self> {
        let (kind, rest) = token.split_at_checked(4)?;
        Some(match kind {
            "fhs_" => {
                let mut parts = rest.split('/');
                let mut next = || parts.next().unwrap_or_default();
                if rest.starts_with("unproved/") {
                    next();
                    return Some(Self::Unproved(next().parse().ok()?, next().parse().ok()?));
                }
                Self::Staff(next().parse().ok()?, next().parse().ok()?, next().parse().ok()?)
            }
            "fhr_" => Self::Resident(rest.parse().ok()?),
            "fhk_" => Self::Source,
            "fhd_" => Self::Screen,
            _ => return None,
        })
    }
}

/// Takes everybody at their word.
struct Taken;

#[async_trait]
impl Authenticator for Taken {
    fn prefixes(&self) -> &'static [&'static str] {
        &["fhs_", "fhr_", "fhk_", "fhd_"]
    }

    async fn authenticate(&self, token: &str) -> Result<Option<Caller>, Problem> {
        Ok(Who::of(token).map(Who::caller))
    }
}
