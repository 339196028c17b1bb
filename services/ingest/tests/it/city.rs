//! A small city to which records are delivered over HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::ids::ApiKeyId;
use domain::risk_record::{Origin, RecordKind};
use domain::staff::Role;
use http::Method;
use ingest::{LoadReport, Settings};
use platform::Platform;
use platform::crypto::Purpose;
use platform::http::{Authenticator, Authenticators, Caller, Problem, Server, Shell, SourceCaller};
use proto::topology::{AUDIT_ENTRIES, RESIDENT_PAIRED, RULES_ENDED, RULES_RECORDS};
use proto::{AuditEntry, IdentitiesPaired, RecordsEnded, RecordsStored, ResidentRegistered};
use reqwest::RequestBuilder;
use stages::{Heard, Staff, Store, Tables, soon};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

pub const CDC: &str = "fhk_cdc";
pub const LABORATORY: &str = "fhk_laboratory";
pub const REVIEWER: &str = "fhs_reviewer";
pub const COMMAND: &str = "fhs_command";
pub const AUDITOR: &str = "fhs_auditor";
pub const OPERATOR: &str = "fhs_operator";
pub const SUBMITTER: &str = "fhs_submitter";

const STAFF: Staff = Staff(&[
    (REVIEWER, Role::DistrictReviewer, "district:500101"),
    (COMMAND, Role::CityCommandOfficer, "city"),
    (AUDITOR, Role::Auditor, "city"),
    (OPERATOR, Role::TechnicalOperator, "city"),
    (SUBMITTER, Role::SubmittingUnit, "district:500101"),
]);

/// The units that report, by their keys, until these are revoked.
#[derive(Clone, Default)]
struct Sources {
    revoked: Arc<AtomicBool>,
}

#[async_trait]
impl Authenticator for Sources {
    fn prefixes(&self) -> &'static [&'static str] {
        &["fhk_"]
    }

    async fn authenticate(&self, token: &str) -> Result<Option<Caller>, Problem> {
        let (unit, area, key) = match token {
            _ if self.revoked.load(Ordering::Relaxed) => return Ok(None),
            CDC => ("市疾控中心", "city", 1),
            LABORATORY => ("区检验所", "500103", 2),
            _ => return Ok(None),
        };
        Ok(Some(Caller::Source(SourceCaller {
            key_id: ApiKeyId::from_uuid(uuid::Uuid::from_u128(key)),
            unit: unit.to_owned(),
            origin: Origin::Surveillance,
            area: area.parse().expect("an area"),
            kinds: vec![RecordKind::Case, RecordKind::CloseContact],
            asks: Vec::new(),
            networks: Vec::new(),
        })))
    }
}

pub struct City {
    pub platform: Platform,
    pub address: SocketAddr,
    /// What rules is told.
    pub told: UnboundedReceiver<RecordsStored>,
    /// What staff did.
    pub traced: Heard<AuditEntry>,
    /// Which phones and documents resident is told belong together.
    pub paired: Heard<IdentitiesPaired>,
    client: reqwest::Client,
    stop: CancellationToken,
    sources: Sources,
}

impl City {
    pub async fn new(store: Store) -> Self {
        Self::taking(store, 100_000).await
    }

    /// One that takes uploads of so many bytes.
    pub async fn taking(store: Store, upload_bytes: usize) -> Self {
        // small chunks, so that a few rows are several
        Self::with(store, Settings { chunk_rows: 3, upload_bytes, ..Settings::default() }).await
    }

    /// One that stores so many rows at once.
    pub async fn in_chunks_of(store: Store, chunk_rows: usize) -> Self {
        Self::with(store, Settings { chunk_rows, ..Settings::default() }).await
    }

    /// One in which these units are trusted with saying whose a document is.
    pub async fn trusting(store: Store, units: &[&str]) -> Self {
        let document_sources = units.iter().map(|unit| (*unit).to_owned()).collect();
        Self::with(store, Settings { document_sources, ..Settings::default() }).await
    }

    async fn with(store: Store, settings: Settings) -> Self {
        const TABLES: Tables = Tables {
            stand_ins: &[],
            schemas: &[(resident::SCHEMA, &resident::MIGRATOR), (rules::SCHEMA, &rules::MIGRATOR), (ingest::SCHEMA, &ingest::MIGRATOR)],
        };
        let platform = store.open_at_with("2026-11-02T04:00:00Z".parse().expect("a time"), TABLES).await;
        let (tell, told) = unbounded_channel();
        platform
            .bus
            .subscribe(&RULES_RECORDS, 1, move |event: RecordsStored| {
                tell.send(event).ok();
                async { Ok(()) }
            })
            .expect("subscribed");
        stages::unheard::<RecordsEnded>(&platform, &[&RULES_ENDED]);
        let (traced, paired) = (Heard::on(&platform, &AUDIT_ENTRIES), Heard::on(&platform, &RESIDENT_PAIRED));
        let routes = ingest::start(&platform, settings).await.expect("started");
        let sources = Sources::default();
        let authenticators = Authenticators::new().with(STAFF).with(sources.clone());
        let router = Shell::new(routes, authenticators).clock(platform.clock.clone()).router();
        let server = Server::bind(([127, 0, 0, 1], 0).into()).await.expect("a port");
        let (address, stop) = (server.address(), CancellationToken::new());
        tokio::spawn(server.serve(router, stop.clone(), Duration::from_secs(5)));
        Self { platform, address, told, traced, paired, client: stages::client(), stop, sources }
    }

    pub fn post(&self, token: &str, path: &str, media_type: &str) -> RequestBuilder {
        self.client.post(format!("http://{}{path}", self.address)).bearer_auth(token).header("content-type", media_type)
    }

    pub async fn ndjson(&self, token: &str, rows: impl Into<reqwest::Body>) -> LoadReport {
        report(self.post(token, "/api/v1/records/stream", "application/x-ndjson").body(rows)).await
    }

    pub async fn csv(&self, token: &str, file: impl Into<reqwest::Body>) -> LoadReport {
        report(self.post(token, "/api/v1/records/upload", "text/csv").body(file)).await
    }

    pub fn ask(&self, method: Method, token: &str, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address)).bearer_auth(token)
    }

    pub async fn get(&self, token: &str, path: &str) -> reqwest::Response {
        self.ask(Method::GET, token, path).send().await.expect("an answer")
    }

    pub async fn put(&self, token: &str, path: &str, body: &serde_json::Value) -> reqwest::Response {
        let request = self.client.put(format!("http://{}{path}", self.address)).bearer_auth(token);
        request.header("content-type", "application/json").body(body.to_string()).send().await.expect("an answer")
    }

    pub async fn refused(&self, token: &str, report: &LoadReport) -> String {
        let answer = self.get(token, &format!("/api/v1/loads/{}/refused", report.load_id)).await;
        assert_eq!(answer.status(), 200);
        // `text` would take the byte order mark away
        String::from_utf8(answer.bytes().await.expect("a body").to_vec()).expect("UTF-8")
    }

    /// The administrators revoke all keys.
    pub fn revoke_keys(&self) {
        self.sources.revoked.store(true, Ordering::Relaxed);
    }

    /// Somebody with this phone registers.
    pub async fn register(&self, phone: &str, resident_no: i32) {
        let hash = self.platform.keyring.hash(Purpose::ResidentPhone, phone.as_bytes());
        let mut tx = self.platform.database.begin().await.expect("a transaction");
        sqlx::query(
            "insert into resident.resident (resident_no, phone_hash, district, township, community, notices, registered_at)
             values ($1, $2, 500101, 500101001, 500101001001, true, now())",
        )
        .bind(resident_no)
        .bind(hash.to_vec())
        .execute(&mut *tx)
        .await
        .expect("registered");
        let event = ResidentRegistered { resident_no: resident_no.unsigned_abs(), phone_hash: hash.to_vec(), identity_hash: None };
        tx.publish(ingest::SCHEMA, &event).await.expect("published");
        tx.publish(ingest::SCHEMA, &event).await.expect("published a second time");
        tx.commit().await.expect("committed");
    }

    /// Somebody has proved a document with this in its hash.
    pub async fn identify(&self, hashed: &str, resident_no: i32) {
        self.identified_by(hashed, resident_no, Some("in_person")).await;
    }

    /// The same by this proof; without one they registered with it before proof was asked for.
    pub async fn identified_by(&self, hashed: &str, resident_no: i32, proof: Option<&str>) {
        let hash = self.platform.keyring.hash(Purpose::IdentityNumber, hashed.as_bytes());
        sqlx::query(
            "insert into resident.resident (resident_no, identity_hash, identity_proof, district, township, community, notices, registered_at)
             values ($1, $2, $3, 500103, 500103001, 500103001001, true, now())",
        )
        .bind(resident_no)
        .bind(hash.to_vec())
        .bind(proof)
        .execute(self.platform.database.pool())
        .await
        .expect("registered");
    }

    /// Word comes late that this person registered with a document, which is not theirs any more.
    pub async fn late_word_of(&self, hashed: &str, resident_no: i32) {
        let identity_hash = Some(self.platform.keyring.hash(Purpose::IdentityNumber, hashed.as_bytes()).to_vec());
        let mut tx = self.platform.database.begin().await.expect("a transaction");
        let event = ResidentRegistered { resident_no: resident_no.unsigned_abs(), phone_hash: vec![7; 32], identity_hash };
        tx.publish(ingest::SCHEMA, &event).await.expect("published");
        tx.commit().await.expect("committed");
    }

    /// What rules would read of an event: source's id, resident and community of each record.
    pub async fn feed(&self, event: &RecordsStored) -> Vec<(String, Option<i32>, Option<i64>)> {
        let load: uuid::Uuid = event.load_id.parse().expect("an id");
        let rows = sqlx::query_as("select source_id, subject_resident, community from ingest.record_feed where load_id = $1 order by 1")
            .bind(load)
            .fetch_all(self.platform.database.pool())
            .await
            .expect("the view is read");
        assert_eq!(rows.len(), event.records as usize);
        rows
    }

    /// Moves the clock, and waits until the jobs that are due by then have run.
    pub async fn forward(&self, step: Duration) {
        let at_rest = async || self.platform.jobs.settled().await.expect("the table of jobs is read");
        stages::until("the jobs are at rest", at_rest).await;
        self.platform.clock.forward(step);
        stages::until("the jobs come to rest", at_rest).await;
        self.settle().await;
    }

    /// Waits until nothing is in flight.
    pub async fn settle(&self) {
        stages::settle(&self.platform).await;
    }

    /// The next load that rules is told of.
    pub async fn next_told(&mut self) -> RecordsStored {
        soon("rules is told", self.told.recv()).await.expect("an event")
    }

    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(self.platform.database.pool()).await.expect("a count")
    }

    pub async fn end(self) {
        self.stop.cancel();
        stages::close(&self.platform).await;
    }
}

pub async fn report(request: RequestBuilder) -> LoadReport {
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let text = answer.text().await.expect("a text");
    assert_eq!(status, 200, "{text}");
    // reqwest's own JSON would hide what came instead
    serde_json::from_str(&text).expect("a report")
}

/// A close contact with this phone, as a line of NDJSON.
pub fn contact(source_id: &str, phone: &str) -> String {
    format!(
        r#"{{"source_id":"{source_id}","kind":"close_contact","occurred_at":"2026-11-02T11:00:00+08:00","subject":{{"phone":"{phone}"}},"level":"high","district":"500101","attributes":{{"isolation_site":"渝州宾馆"}}}}"#
    ) + "\n"
}

/// Accepted, repeated, refused.
pub fn counts(report: &LoadReport) -> (u64, u64, u64) {
    (report.accepted, report.repeated, report.refused)
}
