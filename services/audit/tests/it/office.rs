//! An office in which the trace is kept and read.

use std::ops::Deref;

use audit::{MIGRATOR, SCHEMA, Settings, trace};
use domain::staff::Role;
use http::StatusCode;
use platform::http::{Authenticators, openapi_faults};
use proto::AuditEntry;
use serde_json::Value;
use stages::{Staff, Stage, Store};

pub const AUDITOR: &str = "fhs_auditor";
pub const ADMINISTRATOR: &str = "fhs_administrator";
pub const OPERATOR: &str = "fhs_operator";
pub const OFFICER: &str = "fhs_officer";

const STAFF: Staff = Staff(&[
    (AUDITOR, Role::Auditor, "city"),
    (ADMINISTRATOR, Role::Administrator, "city"),
    (OPERATOR, Role::TechnicalOperator, "city"),
    (OFFICER, Role::CityCommandOfficer, "city"),
]);

pub struct Office(Stage);

impl Deref for Office {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.0
    }
}

impl Office {
    pub async fn opened() -> Self {
        let platform = Store::Embedded.open().await;
        platform.database.migrate(SCHEMA, &MIGRATOR).await.unwrap();
        let routes = audit::start(&platform, Settings::default()).await.unwrap();
        assert_eq!(openapi_faults(&routes), Vec::<String>::new());
        Self(Stage::new(platform, SCHEMA, routes, Authenticators::new().with(STAFF)))
    }

    pub async fn append(&self, entries: impl IntoIterator<Item = AuditEntry>) {
        for entry in entries {
            trace::append(&self.platform.database, entry).await.unwrap();
        }
    }

    /// Numbers of the entries that a query finds, and the next page.
    pub async fn finds(&self, query: &str) -> (Vec<i64>, Value) {
        let (status, page) = self.get(AUDITOR, &format!("/api/v1/audit/entries?{query}")).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let numbers = page["entries"].as_array().unwrap().iter().map(|entry| entry["sequence"].as_i64().unwrap()).collect();
        (numbers, page["next"].clone())
    }

    pub async fn proof(&self, after: i64) -> Vec<String> {
        let (status, text) = self.read(AUDITOR, &format!("/api/v1/audit/proof?after={after}")).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        text.lines().map(str::to_owned).collect()
    }
}
