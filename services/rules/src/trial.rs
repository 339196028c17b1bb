//! A rule is tried on records before it is saved: what it would match, and what people would read. Nothing is kept.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::alert::AlertContent;
use domain::area::DistrictCode;
use domain::audience::Audience;
use domain::condition::Condition;
use domain::ids::RuleId;
use domain::risk_record::RiskRecord;
use domain::rule::RuleVersion;
use platform::http::{FieldFault, Json, Problem, Routes, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::authoring::RuleDefinition;
use crate::matching::{self, Reason};
use crate::record::Record;
use crate::{AUTHORS, Error, Service, district_facts, drafting};

/// Records that one trial takes.
const RECORDS_LIMIT: usize = 1_000;

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("rules").allow(AUTHORS, routes!(try_out))
}

/// A rule and what to try it on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RuleTrial {
    rule: RuleDefinition,
    /// Up to 1,000 records as a source would send them.
    records: Vec<RiskRecord>,
}

/// What the rule would do.
#[derive(Debug, Serialize, ToSchema)]
struct TrialResult {
    /// In the order of the records.
    records: Vec<TriedRecord>,
    /// The drafts that would be made, one a district.
    drafts: Vec<TriedDraft>,
}

/// What the rule says to one record.
#[derive(Debug, Serialize, ToSchema)]
struct TriedRecord {
    source_id: String,
    matches: bool,
    /// Why it does not match although its condition might have, for the author.
    why_not: Option<String>,
}

/// A draft that would be made.
#[derive(Debug, Serialize, ToSchema)]
struct TriedDraft {
    district: DistrictCode,
    /// How many records it would gather.
    records: usize,
    /// Whom it would tell.
    audience: Audience,
    /// Variables that neither the records nor the district give a value.
    missing: Vec<String>,
    /// What it would say.
    content: AlertContent,
}

/// Try a rule on records
///
/// The districts' own facts are filled in as they are now. Where a resident lives is not known here: a rule that tells townships or
/// communities is tried with records about places.
#[utoipa::path(post, path = "/api/v1/rules/test", request_body = RuleTrial,
    responses((status = 200, description = "What the rule would do", body = TrialResult)))]
async fn try_out(State(service): State<Service>, Json(trial): Json<RuleTrial>) -> Result<Json<TrialResult>, Problem> {
    let now = service.platform.clock.now();
    let rule = trial.rule.into_version(RuleId::new(), 1);
    rule.validate().map_err(Error::Faulty)?;
    let condition = rule.compile_condition().map_err(Error::stored("condition"))?;
    check(&trial.records, now)?;

    let mut by_district: BTreeMap<DistrictCode, Vec<Reason>> = BTreeMap::new();
    let mut records = Vec::with_capacity(trial.records.len());
    for sample in trial.records {
        let source_id = sample.source_id.clone();
        let record = Record::sample(sample);
        let (matches, why_not) = judge(&rule, &condition, &record, now);
        if matches {
            by_district.entry(record.district).or_default().push(matching::reason(&record));
        }
        records.push(TriedRecord { source_id, matches, why_not });
    }
    let codes: Vec<DistrictCode> = by_district.keys().copied().collect();
    let facts = district_facts::of_all(service.platform.database.pool(), &codes).await?;
    let none = drafting::DistrictFacts::new();
    let mut drafts = Vec::with_capacity(by_district.len());
    for (district, reasons) in by_district {
        let facts = facts.get(&district).unwrap_or(&none);
        let draft = drafting::draft(&rule, district, facts, &reasons, service.settings.time_zone, now).map_err(Error::Faulty)?;
        drafts.push(TriedDraft {
            district,
            records: reasons.len(),
            audience: draft.audience,
            missing: draft.missing,
            content: draft.content,
        });
    }
    Ok(Json(TrialResult { records, drafts }))
}

fn judge(rule: &RuleVersion, condition: &Condition, record: &Record, now: DateTime<Utc>) -> (bool, Option<String>) {
    if !rule.kinds.contains(&record.kind) {
        return (false, Some("规则不查看这种类型的记录".to_owned()));
    }
    match matching::meets(rule, condition, record, &record.facts(now)) {
        Ok(matches) => (matches, None),
        Err(unusable) => (false, Some(unusable.to_string())),
    }
}

fn check(records: &[RiskRecord], now: DateTime<Utc>) -> Result<(), Error> {
    let mut faults = Vec::new();
    if records.is_empty() || records.len() > RECORDS_LIMIT {
        faults.push(FieldFault::new(
            "records",
            format!("需为 1 至 {RECORDS_LIMIT} 条记录"),
            format!("Takes 1 to {RECORDS_LIMIT} records."),
        ));
    }
    for (place, record) in records.iter().enumerate().take(RECORDS_LIMIT) {
        for fault in record.validate(now).err().unwrap_or_default() {
            let field = format!("records[{place}].{}", fault.field);
            faults.push(FieldFault::new(field, fault.chinese(), fault.reason));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}
