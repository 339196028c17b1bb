//! What a district has to offer to those who are told to isolate or to test: values for the texts of rules.
//!
//! They count from the next draft on, for records that do not say it themselves.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::area::{Area, DistrictCode};
use domain::ids::StaffId;
use domain::place;
use domain::staff::Role;
use platform::Platform;
use platform::database::Tx;
use platform::http::{Access, FieldFault, Json, Path, PathId, Problem, Routes, StaffCaller, routes};
use proto::AuditEntry;
use serde::{Deserialize, Serialize};
use sqlx::PgExecutor;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::drafting::DistrictFacts;
use crate::{Error, READERS, SCHEMA, Service};

/// What can be said of a district: variables of templates.
const NAMES: [&str; 3] = ["isolation_site", "test_site", "risk_area"];
/// Characters of a value: it has to fit into an SMS.
const VALUE_LIMIT: usize = 30;

/// A district's own people, and the city for all.
const WRITERS: Access = Access::Staff(&[Role::CityCommandOfficer, Role::DistrictReviewer]);

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("rules").allow(READERS, routes!(show)).allow(WRITERS, routes!(replace))
}

/// What texts say for a district
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FactsOfDistrict {
    /// By name of the variable: `isolation_site`, `test_site`, `risk_area`.
    #[schema(example = json!({ "isolation_site": "区集中隔离点", "test_site": "区人民医院" }))]
    facts: DistrictFacts,
}

/// What texts say for a district
#[utoipa::path(get, path = "/api/v1/districts/{code}/facts", params(("code" = DistrictCode, Path, description = "The district")),
    responses((status = 200, description = "What was filled in", body = FactsOfDistrict)))]
async fn show(State(service): State<Service>, Path(code): PathId<DistrictCode>) -> Result<Json<FactsOfDistrict>, Problem> {
    known(code)?;
    Ok(Json(FactsOfDistrict { facts: of(service.platform.database.pool(), code).await? }))
}

/// Say what texts say for a district
///
/// What is not named any more is removed.
#[utoipa::path(put, path = "/api/v1/districts/{code}/facts", params(("code" = DistrictCode, Path, description = "The district")),
    request_body = FactsOfDistrict, responses((status = 200, description = "What counts from now on", body = FactsOfDistrict)))]
async fn replace(
    State(service): State<Service>,
    caller: StaffCaller,
    Path(code): PathId<DistrictCode>,
    Json(FactsOfDistrict { facts }): Json<FactsOfDistrict>,
) -> Result<Json<FactsOfDistrict>, Problem> {
    let now = service.platform.clock.now();
    caller.may_act(now)?;
    caller.must_cover(Area::District(code))?;
    known(code)?;
    let facts = checked(facts.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
    let trace = AuditEntry { district: Some(code.get()), ..caller.did("district_facts.replace", "district", code, now) };
    write(&service.platform, code, &facts, true, caller.id, trace, now).await?;
    Ok(Json(FactsOfDistrict { facts }))
}

/// Fills in a district's values for templates: `isolation_site`, `test_site`, `risk_area`. Those not named stay.
///
/// # Errors
/// When the district, a name or a value is not permitted, or the database fails.
pub async fn set_district_facts(platform: &Platform, district: DistrictCode, facts: &[(&str, &str)], by: StaffId) -> Result<(), Error> {
    known(district)?;
    let facts = checked(facts.iter().copied())?;
    let now = platform.clock.now();
    let trace = AuditEntry {
        entry_id: Uuid::now_v7().to_string(),
        actor_kind: "staff".to_owned(),
        actor: by.to_string(),
        action: "district_facts.set".to_owned(),
        object_kind: "district".to_owned(),
        object: district.to_string(),
        district: Some(district.get()),
        at_ms: now.timestamp_millis(),
        ..AuditEntry::default()
    };
    write(platform, district, &facts, false, by, trace, now).await
}

fn known(district: DistrictCode) -> Result<(), Error> {
    if place::district(district).is_some() { Ok(()) } else { Err(Error::NoSuchDistrict(district)) }
}

fn checked<'a>(facts: impl Iterator<Item = (&'a str, &'a str)>) -> Result<DistrictFacts, Error> {
    let (mut good, mut faults) = (DistrictFacts::new(), Vec::new());
    for (name, value) in facts {
        let value = value.trim();
        if !NAMES.contains(&name) {
            let names = NAMES.join("、");
            let english = format!("There is no such variable; there are {}.", NAMES.join(", "));
            faults.push(FieldFault::new(format!("facts.{name}"), format!("没有此变量，可填写的有：{names}"), english));
        } else if value.is_empty()
            || value.chars().count() > VALUE_LIMIT
            || value.contains(|sign: char| sign.is_control() || "{}".contains(sign))
        {
            faults.push(FieldFault::new(
                format!("facts.{name}"),
                format!("需为 1 至 {VALUE_LIMIT} 个字符，不含花括号和换行"),
                format!("Takes 1 to {VALUE_LIMIT} characters without braces and line breaks."),
            ));
        } else {
            good.insert(name.to_owned(), value.to_owned());
        }
    }
    if faults.is_empty() { Ok(good) } else { Err(Error::Invalid(faults)) }
}

async fn write(
    platform: &Platform,
    district: DistrictCode,
    facts: &DistrictFacts,
    only_these: bool,
    by: StaffId,
    mut trace: AuditEntry,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let (names, values): (Vec<String>, Vec<String>) = facts.clone().into_iter().unzip();
    let mut tx = platform.database.begin().await?;
    if only_these {
        remove_others(&mut tx, district, &names).await?;
    }
    sqlx::query!(
        "insert into rules.district_fact (district, name, value, changed_by, changed_at)
         select $1, name, value, $4, $5 from unnest($2::text[], $3::text[]) as fact (name, value) order by name
         on conflict (district, name) do update set value = excluded.value, changed_by = excluded.changed_by, changed_at = excluded.changed_at",
        district.get().cast_signed(),
        &names,
        &values,
        by.uuid(),
        now
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("writing what a district says"))?;
    trace.detail_json = serde_json::json!({ "facts": facts }).to_string();
    tx.publish(SCHEMA, &trace).await?;
    Ok(tx.commit().await?)
}

async fn remove_others(tx: &mut Tx, district: DistrictCode, names: &[String]) -> Result<(), Error> {
    sqlx::query!("delete from rules.district_fact where district = $1 and name <> all($2)", district.get().cast_signed(), names)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("removing what a district said"))?;
    Ok(())
}

/// What a district says.
pub(crate) async fn of(database: impl PgExecutor<'_>, district: DistrictCode) -> Result<DistrictFacts, Error> {
    Ok(of_all(database, &[district]).await?.remove(&district).unwrap_or_default())
}

/// What a district says, with who wrote it last.
pub(crate) async fn said_by(database: impl PgExecutor<'_>, district: DistrictCode) -> Result<BTreeMap<String, (String, Uuid)>, Error> {
    let code = district.get().cast_signed();
    let rows = sqlx::query!("select name, value, changed_by from rules.district_fact where district = $1", code)
        .fetch_all(database)
        .await
        .map_err(Error::database("reading what a district says, and who wrote it"))?;
    Ok(rows.into_iter().map(|row| (row.name, (row.value, row.changed_by))).collect())
}

/// What these districts say, without those that say nothing.
pub(crate) async fn of_all(
    database: impl PgExecutor<'_>,
    districts: &[DistrictCode],
) -> Result<BTreeMap<DistrictCode, DistrictFacts>, Error> {
    let codes: Vec<i32> = districts.iter().map(|district| district.get().cast_signed()).collect();
    let rows = sqlx::query!("select district, name, value from rules.district_fact where district = any($1)", &codes)
        .fetch_all(database)
        .await
        .map_err(Error::database("reading what districts say"))?;
    let mut facts: BTreeMap<DistrictCode, DistrictFacts> = BTreeMap::new();
    for row in rows {
        let district = DistrictCode::try_from(row.district).map_err(Error::stored("district of a fact"))?;
        facts.entry(district).or_default().insert(row.name, row.value);
    }
    Ok(facts)
}
