//! An office in which the trace is kept and read.

use std::ops::Deref;
use std::time::Duration;

use audit::check::Kept;
use audit::{Finding, MIGRATOR, SCHEMA, Settings, check_database, check_proof, trace};
use domain::staff::Role;
use http::StatusCode;
use platform::bus::Bus;
use platform::http::{Authenticators, openapi_faults};
use platform::jobs::Jobs;
use platform::tasks::Tasks;
use platform::{Platform, StoreSettings};
use proto::AuditEntry;
use serde_json::Value;
use stages::{MINUTE, Staff, Stage, Store, Tables};
use tempfile::TempDir;

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

pub struct Office {
    stage: Stage,
    /// Where signed heads are kept, by another party.
    pub vault: TempDir,
}

impl Deref for Office {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.stage
    }
}

impl Office {
    pub async fn opened() -> Self {
        Self::opened_on(Store::Embedded).await
    }

    pub async fn opened_on(store: Store) -> Self {
        const TABLES: Tables = Tables { stand_ins: &[], schemas: &[(SCHEMA, &MIGRATOR)] };
        let platform = store.open_with(TABLES).await;
        let vault = tempfile::tempdir().unwrap();
        let routes = audit::start(&platform, Settings { publish_heads_to: Some(vault.path().to_owned()) }).await.unwrap();
        assert_eq!(openapi_faults(&routes), Vec::<String>::new());
        Self { stage: Stage::new(platform, SCHEMA, routes, Authenticators::new().with(STAFF)), vault }
    }

    /// The service starts again on the same database and the same vault.
    pub async fn reopened(self) -> Self {
        let Self { stage, vault } = self;
        let old = stage.platform.clone();
        drop(stage);
        old.tasks.shutdown(Duration::from_secs(60)).await;
        let (settings, tasks) = (StoreSettings::default(), Tasks::new());
        let bus = Bus::open(&settings.bus, &old.database, &old.keyring, &tasks).await.unwrap();
        let jobs = Jobs::new(&settings.jobs, &old.database, &old.clock, &tasks).unwrap();
        let platform = Platform { bus, jobs, tasks, ..old };
        let routes = audit::start(&platform, Settings { publish_heads_to: Some(vault.path().to_owned()) }).await.unwrap();
        Self { stage: Stage::new(platform, SCHEMA, routes, Authenticators::new().with(STAFF)), vault }
    }

    /// What `/readyz` says of the trace.
    pub async fn trouble(&self) -> String {
        let settings = Settings { publish_heads_to: Some(self.vault.path().to_owned()) };
        audit::trouble(&self.platform, &settings).await.unwrap().unwrap_or_default()
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

    /// A minute later the head is signed, and stands in the vault.
    pub async fn a_minute_later(&self) {
        self.forward_with_jobs(MINUTE).await;
    }

    /// What an auditor has who kept the heads.
    pub fn kept(&self) -> Kept {
        Kept::read(&[self.vault.path().to_owned()], None).unwrap()
    }

    /// What the check of the running database says, with the heads that were kept.
    pub async fn found(&self) -> Vec<Finding> {
        check_database(&self.platform.database, self.kept()).await.unwrap().findings
    }

    /// What the check of the exported proof says, with the heads that were kept and nothing else.
    pub async fn found_offline(&self) -> Vec<Finding> {
        let proof = self.proof(0).await;
        // that it was taken away is itself an entry
        self.settle().await;
        check_proof(self.kept(), proof).findings
    }
}
