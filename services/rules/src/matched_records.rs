//! The records behind an alert that a rule made: what a reviewer checks the facts against (CQ2, CQ8).

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::area::{Area, DistrictCode};
use domain::ids::{AlertId, RuleId};
use domain::staff::Role;
use platform::http::{Access, Json, Path, Problem, Routes, StaffCaller, routes};
use platform::reading;
use proto::AuditEntry;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Error, SCHEMA, Service};

/// Who checks facts.
const CHECKING: Access = Access::Staff(&[Role::CityCommandOfficer, Role::DistrictReviewer, Role::SubmittingUnit, Role::Auditor]);
/// Records shown.
const MOST: i64 = 200;

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("rules").allow(CHECKING, routes!(read))
}

/// What a rule made an alert of.
#[derive(Debug, Serialize, ToSchema)]
struct MatchedRecords {
    rule: MatchedRule,
    /// The first 200, newest first.
    records: Vec<MatchedRecord>,
    /// How many there are.
    total: i64,
}

/// The rule and the version that matched.
#[derive(Debug, Serialize, ToSchema)]
struct MatchedRule {
    rule_id: RuleId,
    version: i32,
    name: String,
    /// Which records it asks for.
    condition: String,
}

/// One record, without whom it is about.
#[derive(Debug, Serialize, ToSchema)]
struct MatchedRecord {
    record_no: i64,
    /// The unit that reported it.
    source: String,
    occurred_at: DateTime<Utc>,
    /// Where the resident lives or the place lies, as closely as is known.
    area: String,
    /// Whether it names a resident; else it is about a place.
    about_person: bool,
    /// What templates can name of it.
    #[schema(value_type = Object)]
    attributes: serde_json::Value,
    /// `replace` or `retract`: its source has corrected it or taken it back since.
    ended_how: Option<String>,
    /// Why, as its source wrote it.
    ended_reason: Option<String>,
}

/// The records behind an alert that a rule made
#[utoipa::path(get, path = "/api/v1/alerts/{alert_id}/records", params(("alert_id" = AlertId, Path, description = "The alert")),
    responses((status = 200, description = "The records", body = MatchedRecords), (status = 404, description = "No rule made this alert, or it is not the caller's")))]
async fn read(State(service): State<Service>, caller: StaffCaller, Path(alert): Path<AlertId>) -> Result<Json<MatchedRecords>, Problem> {
    let pool = service.platform.database.pool();
    let draft = sqlx::query!(
        r#"select draft.rule_id, draft.version, name, definition ->> 'condition' as "condition!", district,
                  (select count(*) from rules.match where match.draft_id = draft.draft_id) as "total!"
             from rules.draft join rules.rule_version using (rule_id, version) where draft_id = $1"#,
        alert.uuid()
    )
    .fetch_optional(pool)
    .await
    .map_err(Error::database("reading the rule behind an alert"))?
    .ok_or(Error::NoSuchDraft(alert))?;
    let district = DistrictCode::try_from(draft.district).map_err(Error::stored("district of a draft"))?;
    if !caller.scope.covers(Area::District(district)) {
        return Err(Error::NoSuchDraft(alert).into());
    }
    let records = sqlx::query_as!(
        MatchedRecord,
        r#"select record_id as record_no, source, occurred_at, area, resident_no is not null as "about_person!", attributes,
                  ended.how as "ended_how?", ended.reason as "ended_reason?"
             from rules.match left join rules.ended_record ended using (record_id)
            where draft_id = $1 order by occurred_at desc, record_id desc limit $2"#,
        alert.uuid(),
        MOST
    )
    .fetch_all(pool)
    .await
    .map_err(Error::database("reading the records behind an alert"))?;
    let shown: Vec<i64> = records.iter().map(|record| record.record_no).collect();
    let entry = AuditEntry { district: Some(district.get()), ..caller.did("records.read", "alert", alert, service.platform.clock.now()) };
    reading::note(&service.platform, SCHEMA, &caller, entry, &shown).await.map_err(Error::from)?;
    let rule =
        MatchedRule { rule_id: RuleId::from_uuid(draft.rule_id), version: draft.version, name: draft.name, condition: draft.condition };
    Ok(Json(MatchedRecords { rule, records, total: draft.total }))
}
