//! Where versions of rules are kept, and which of them is in force. Every change leaves its trace in the same transaction.

use chrono::{DateTime, Utc};
use domain::ids::{RuleId, StaffId};
use domain::rule::RuleVersion;
use domain::shipped::SHIPPED;
use platform::Platform;
use platform::database::{Tx, readable};
use platform::http::StaffCaller;
use proto::AuditEntry;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Error, SCHEMA};

/// A version as it was saved.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeptVersion {
    /// What it says.
    pub(crate) rule: RuleVersion,
    /// The member of staff who saved it.
    pub(crate) written_by: StaffId,
    /// When.
    pub(crate) written_at: DateTime<Utc>,
    /// Who put it in force and answers for its alerts; none if it is not in force.
    pub(crate) activated_by: Option<StaffId>,
    /// When.
    pub(crate) activated_at: Option<DateTime<Utc>>,
    /// The rule's latest version.
    pub(crate) latest_version: u32,
}

struct Row {
    definition: serde_json::Value,
    written_by: Uuid,
    written_at: DateTime<Utc>,
    activated_by: Option<Uuid>,
    activated_at: Option<DateTime<Utc>>,
    latest: i32,
}

impl TryFrom<Row> for KeptVersion {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            rule: serde_json::from_value(row.definition).map_err(Error::stored("rule"))?,
            written_by: StaffId::from_uuid(row.written_by),
            written_at: row.written_at,
            activated_by: row.activated_by.map(StaffId::from_uuid),
            activated_at: row.activated_at,
            latest_version: row.latest.cast_unsigned(),
        })
    }
}

/// Every rule once: its version in force, or its latest if none is.
pub(crate) async fn rules(platform: &Platform) -> Result<Vec<KeptVersion>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select definition as "definition!", written_by as "written_by!", written_at as "written_at!",
                  activated_by as "activated_by?", activated_at as "activated_at?", latest as "latest!"
             from (select rule_id, max(version) as latest from rules.rule_version group by rule_id) as rule
             left join rules.active using (rule_id)
             join rules.rule_version as kept on kept.rule_id = rule.rule_id and kept.version = coalesce(active.version, latest)
            order by kept.name, kept.rule_id"#
    )
    .fetch_all(platform.database.pool())
    .await
    .map_err(Error::database("listing rules"))?;
    Ok(readable("rules", rows.into_iter().map(KeptVersion::try_from)))
}

/// All versions of a rule, the latest first.
pub(crate) async fn versions(platform: &Platform, rule: RuleId) -> Result<Vec<KeptVersion>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select definition, written_by, written_at, activated_by as "activated_by?",
                  activated_at as "activated_at?", max(version) over () as "latest!"
             from rules.rule_version left join rules.active using (rule_id, version) where rule_id = $1 order by version desc"#,
        rule.uuid()
    )
    .fetch_all(platform.database.pool())
    .await
    .map_err(Error::database("listing a rule's versions"))?;
    if rows.is_empty() {
        return Err(Error::NoSuchRule(rule));
    }
    Ok(readable("versions of a rule", rows.into_iter().map(KeptVersion::try_from)))
}

/// The number of a rule's next version.
pub(crate) async fn next_version(platform: &Platform, rule: RuleId) -> Result<u32, Error> {
    let latest = sqlx::query_scalar!("select max(version) from rules.rule_version where rule_id = $1", rule.uuid())
        .fetch_one(platform.database.pool())
        .await
        .map_err(Error::database("looking for a rule's latest version"))?;
    latest.map(|latest| latest.cast_unsigned() + 1).ok_or(Error::NoSuchRule(rule))
}

/// Saves a version that has no fault. It is not in force before somebody activates it.
pub(crate) async fn save(platform: &Platform, rule: &RuleVersion, caller: &StaffCaller) -> Result<(), Error> {
    rule.validate().map_err(Error::Faulty)?;
    let now = platform.clock.now();
    let mut tx = platform.database.begin().await?;
    let saved = sqlx::query!(
        "insert into rules.rule_version (rule_id, version, name, definition, written_by, written_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (rule_id, version) do nothing",
        rule.rule_id.uuid(),
        rule.version.cast_signed(),
        rule.name,
        serde_json::to_value(rule).map_err(Error::stored("rule"))?,
        caller.id.uuid(),
        now
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("saving a rule"))?
    .rows_affected();
    if saved == 0 {
        return Err(Error::VersionTaken { rule: rule.rule_id, version: rule.version });
    }
    tx.publish(SCHEMA, &trace(caller, "rule.save", rule.rule_id, rule.version, now)).await?;
    tx.commit().await?;
    tracing::info!(rule = %rule.rule_id, version = rule.version, "rule saved");
    Ok(())
}

/// Puts a version in force, in place of the one that was. From now on the caller answers for its alerts.
pub(crate) async fn activate(platform: &Platform, rule: RuleId, version: u32, caller: &StaffCaller) -> Result<(), Error> {
    let now = platform.clock.now();
    let mut tx = platform.database.begin().await?;
    let no_such = Error::NoSuchVersion { rule, version };
    let Ok(number) = i32::try_from(version) else { return Err(no_such) };
    let definition =
        sqlx::query_scalar!("select definition from rules.rule_version where rule_id = $1 and version = $2", rule.uuid(), number)
            .fetch_optional(&mut *tx)
            .await
            .map_err(Error::database("reading a version"))?
            .ok_or(no_such)?;
    // Saved by an older program, it may no longer be what a rule has to be.
    let definition: RuleVersion = serde_json::from_value(definition).map_err(Error::stored("rule"))?;
    definition.validate().map_err(Error::Faulty)?;
    sqlx::query!(
        "insert into rules.active (rule_id, version, activated_by, activated_at) values ($1, $2, $3, $4)
         on conflict (rule_id) do update
         set version = excluded.version, activated_by = excluded.activated_by, activated_at = excluded.activated_at",
        rule.uuid(),
        number,
        caller.id.uuid(),
        now
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("activating a rule"))?;
    tx.publish(SCHEMA, &trace(caller, "rule.activate", rule, version, now)).await?;
    tx.commit().await?;
    tracing::info!(%rule, version, "rule activated");
    Ok(())
}

/// Takes a rule out of force. Drafts that it has opened are still closed and reviewed.
pub(crate) async fn deactivate(platform: &Platform, rule: RuleId, caller: &StaffCaller) -> Result<(), Error> {
    let mut tx = platform.database.begin().await?;
    let version = sqlx::query_scalar!("delete from rules.active where rule_id = $1 returning version", rule.uuid())
        .fetch_optional(&mut *tx)
        .await
        .map_err(Error::database("deactivating a rule"))?
        .ok_or(Error::NotActive(rule))?;
    let entry = trace(caller, "rule.deactivate", rule, version.cast_unsigned(), platform.clock.now());
    tx.publish(SCHEMA, &entry).await?;
    tx.commit().await?;
    tracing::info!(%rule, version, "rule deactivated");
    Ok(())
}

fn trace(caller: &StaffCaller, action: &str, rule: RuleId, version: u32, now: DateTime<Utc>) -> AuditEntry {
    AuditEntry { detail_json: serde_json::json!({ "version": version }).to_string(), ..caller.did(action, "rule", rule, now) }
}

/// Installs and activates those of the shipped rules that this installation has never had; how many they were.
///
/// A rule that staff have changed or deactivated since stays as they left it.
///
/// # Errors
/// When the database fails.
pub async fn install_shipped(platform: &Platform, activated_by: StaffId) -> Result<usize, Error> {
    let now = platform.clock.now();
    let mut tx = platform.database.begin().await?;
    let installed = insert_shipped(&mut tx, activated_by, now).await?;
    sqlx::query!(
        "insert into rules.active (rule_id, version, activated_by, activated_at)
         select rule_id, 1, $2, $3 from unnest($1::uuid[]) as installed (rule_id) on conflict (rule_id) do nothing",
        &installed,
        activated_by.uuid(),
        now
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("activating the shipped rules"))?;
    let traces: Vec<_> = installed
        .iter()
        .map(|rule| AuditEntry {
            entry_id: Uuid::now_v7().to_string(),
            actor_kind: "staff".to_owned(),
            actor: activated_by.to_string(),
            action: "rule.install".to_owned(),
            object_kind: "rule".to_owned(),
            object: rule.to_string(),
            at_ms: now.timestamp_millis(),
            detail_json: serde_json::json!({ "version": 1 }).to_string(),
            ..AuditEntry::default()
        })
        .collect();
    tx.publish_all(SCHEMA, &traces).await?;
    tx.commit().await?;
    tracing::info!(rules = installed.len(), "shipped rules installed");
    Ok(installed.len())
}

/// Writes the shipped rules of which there is no version yet; which they were.
async fn insert_shipped(tx: &mut Tx, by: StaffId, now: DateTime<Utc>) -> Result<Vec<Uuid>, Error> {
    let ids: Vec<Uuid> = SHIPPED.iter().map(|rule| rule.rule_id.uuid()).collect();
    let names: Vec<String> = SHIPPED.iter().map(|rule| rule.name.clone()).collect();
    let definitions = SHIPPED.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>().map_err(Error::stored("shipped rule"))?;
    sqlx::query_scalar!(
        "insert into rules.rule_version (rule_id, version, name, definition, written_by, written_at)
         select rule_id, 1, name, definition, $4, $5 from unnest($1::uuid[], $2::text[], $3::jsonb[]) as shipped (rule_id, name, definition)
         on conflict (rule_id, version) do nothing returning rule_id",
        &ids,
        &names,
        &definitions,
        by.uuid(),
        now
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("installing the shipped rules"))
}
