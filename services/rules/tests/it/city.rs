//! A city that reports records. Ingest is stood in for by a table, review and audit by lists of what they were told, staff by fixed tokens.

use std::ops::Deref;
use std::time::Duration;

use domain::alert::{AlertContent, AlertText};
use domain::audience::Audience;
use domain::ids::LoadId;
use domain::language::Language;
use domain::staff::Role;
use platform::http::Authenticators;
use proto::topology::{AUDIT_ENTRIES, RESIDENT_LIFTING, RESIDENT_RECORDS_ENDED, REVIEW_DRAFTS, REVIEW_RECORDS_ENDED};
use proto::{AuditEntry, DraftGathered, DraftSettled, LiftingRecordsChanged, RecordsBehindAlertEnded, RecordsEnded, RecordsStored};
use serde_json::{Value, json};
use stages::{HOUR, Heard, Staff, Stage, Store, Tables, id, unheard, until};

const FEED: &str = "
    create schema ingest;
    create table ingest.record_feed (
        load_id uuid, record_id bigint, source text, source_id text, kind text, origin text, level text, district int, township int,
        community bigint, occurred_at timestamptz, received_at timestamptz, subject_resident int, subject_kind text, attributes jsonb);
    create table ingest.ended_feed (load_id uuid, record_id bigint, source text, source_id text, how text, reason text, ended_at timestamptz,
        replaced_by bigint, replaced_in uuid);";

/// The officer answers for the rules.
pub const OFFICER: &str = "fhs_officer";
pub const NEW_OFFICER: &str = "fhs_new_officer";
pub const STALE_OFFICER: &str = "fhs_stale_officer";
pub const REVIEWER: &str = "fhs_reviewer_of_500103";
pub const OPERATOR: &str = "fhs_operator";

const STAFF: Staff = Staff(&[
    (OFFICER, Role::CityCommandOfficer, "city"),
    (NEW_OFFICER, Role::CityCommandOfficer, "city"),
    (STALE_OFFICER, Role::CityCommandOfficer, "city"),
    (REVIEWER, Role::DistrictReviewer, "district:500103"),
    (OPERATOR, Role::TechnicalOperator, "city"),
]);

/// Longer than any rule gathers.
const WINDOW: Duration = HOUR.saturating_mul(2);

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

    pub fn chinese(&self) -> &AlertText {
        &self.content.texts[&Language::ZhCn]
    }
}

pub struct City {
    stage: Stage,
    drafts: Heard<DraftGathered>,
    trail: Heard<AuditEntry>,
    behind_alerts: Heard<RecordsBehindAlertEnded>,
    lifting: Heard<LiftingRecordsChanged>,
}

impl Deref for City {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.stage
    }
}

impl City {
    /// A city with the shipped rules and nothing said about its districts.
    pub async fn open(store: Store) -> Self {
        const TABLES: Tables = Tables { stand_ins: &[FEED], schemas: &[(rules::SCHEMA, &rules::MIGRATOR)] };
        let platform = store.open_with(TABLES).await;
        let routes = rules::start(&platform, rules::Settings::default()).await.unwrap();
        let stage = Stage::new(platform, rules::SCHEMA, routes, Authenticators::new().with(STAFF));
        let (drafts, trail) = (stage.hears(&REVIEW_DRAFTS), stage.hears(&AUDIT_ENTRIES));
        let (behind_alerts, lifting) = (stage.hears(&REVIEW_RECORDS_ENDED), stage.hears(&RESIDENT_LIFTING));
        unheard::<RecordsBehindAlertEnded>(&stage.platform, &[&RESIDENT_RECORDS_ENDED]);
        assert_eq!(rules::install_shipped(&stage.platform, id(OFFICER)).await.unwrap(), 8);
        Self { stage, drafts, trail, behind_alerts, lifting }
    }

    /// A load of records is stored and evaluated.
    pub async fn report(&self, records: &[Record]) -> LoadId {
        let load = self.store(records).await;
        self.tell_of(&[load]).await;
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
                .execute(self.pool())
                .await
                .unwrap();
        }
        load
    }

    /// The source takes these records back.
    pub async fn take_back(&self, records: &[i64]) {
        let ended: Vec<_> = records.iter().map(|record| (*record, None)).collect();
        self.tell_of_ends(&ended).await;
    }

    /// The source corrects a record: this one takes its place. Rules are told of its end first.
    pub async fn correct(&self, record: i64, by: Record) -> LoadId {
        let load = self.store(std::slice::from_ref(&by)).await;
        sqlx::query("delete from ingest.record_feed where record_id = $1").bind(record).execute(self.pool()).await.unwrap();
        self.tell_of_ends(&[(record, Some((by.id, load)))]).await;
        self.tell_of(&[load]).await;
        load
    }

    async fn tell_of_ends(&self, ended: &[(i64, Option<(i64, LoadId)>)]) {
        let (load, now) = (LoadId::new(), self.platform.clock.now());
        for (record, by) in ended {
            sqlx::query("insert into ingest.ended_feed values ($1, $2, '市疾控中心', $2::text, $3, '同名误报', $4, $5, $6)")
                .bind(load.uuid())
                .bind(record)
                .bind(if by.is_some() { "replace" } else { "retract" })
                .bind(now)
                .bind(by.map(|(id, _)| id))
                .bind(by.map(|(_, load)| load.uuid()))
                .execute(self.pool())
                .await
                .unwrap();
        }
        let event = || RecordsEnded { load_id: load.to_string(), records: 1 };
        // events may come twice
        self.publish_all(&[event(), event()]).await;
        self.settle().await;
    }

    /// Of which records behind alerts review was told, since it was last asked: alert, record, and who is meant.
    pub async fn ended_behind_alerts(&self) -> Vec<(String, proto::events::records_behind_alert_ended::Entry)> {
        self.settle().await;
        let events = self.behind_alerts.take();
        events.into_iter().flat_map(|event| event.entries.into_iter().map(move |entry| (event.alert_id.clone(), entry))).collect()
    }

    /// Of whom resident was told that records about them lift something, or lift it no more, since it was last asked.
    pub async fn lifted(&self) -> Vec<Vec<u32>> {
        self.settle().await;
        self.lifting.take().into_iter().map(|event| event.residents).collect()
    }

    /// The rules are told of loads, all at once.
    pub async fn tell_of(&self, loads: &[LoadId]) {
        let events: Vec<_> = loads.iter().map(|load| RecordsStored { load_id: load.to_string(), records: 1 }).collect();
        self.publish_all(&events).await;
        self.settle().await;
    }

    /// The windows of all open drafts end; the drafts that review has got since it was last asked, by district.
    pub async fn end_of_window(&self) -> Vec<Draft> {
        self.platform.clock.forward(WINDOW);
        until("all drafts are closed", async || self.count("select count(*) from rules.draft where closed_at is null").await == 0).await;
        self.settle().await;
        let mut events = self.drafts.take();
        events.sort_by_key(|event| (event.district, event.rule_version));
        let read = |event: DraftGathered| Draft {
            content: serde_json::from_str(&event.content_json).unwrap(),
            audience: Audience::from_bytes(&event.audience).unwrap(),
            event,
        };
        events.into_iter().map(read).collect()
    }

    /// Review has approved a draft, or it came to nothing there.
    pub async fn settles(&self, draft: &Draft, approved: bool) {
        self.publish_all(&[DraftSettled { draft_id: draft.event.draft_id.clone(), approved }]).await;
        self.settle().await;
    }

    /// What was written into the audit trail since it was last asked.
    pub async fn trail(&self) -> Vec<AuditEntry> {
        self.settle().await;
        self.trail.take()
    }

    /// A district says what it has to offer.
    pub async fn says(&self, district: &str, facts: &[(&str, &str)]) {
        rules::set_district_facts(&self.platform, district.parse().unwrap(), facts, id(OFFICER)).await.unwrap();
    }
}
