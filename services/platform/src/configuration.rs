//! That the configuration changed, in the trace (CQ13): which settings are others than at the last start, never what they say.
//!
//! Of every setting that is given, the keyed hash of its value is kept. A start with other settings publishes one entry that names them.

use std::collections::BTreeMap;

use proto::AuditEntry;
use serde_json::json;
use uuid::Uuid;

use crate::bus::SCHEMA;
use crate::crypto::Purpose;
use crate::error::Error;
use crate::{Platform, compiled_once};

/// Compares the settings that a process is started with, as `section.key` and value, with those of the last start of a process that serves the
/// same, and publishes which have changed. The names of those.
#[compiled_once]
pub async fn note(platform: &Platform, process: &str, given: &BTreeMap<String, String>) -> Result<Vec<String>, Error> {
    let hashed: BTreeMap<&str, Vec<u8>> = given
        .iter()
        .map(|(key, value)| {
            (key.as_str(), platform.keyring.hash(Purpose::ConfigurationValue, format!("{key}={value}").as_bytes()).to_vec())
        })
        .collect();
    let mut tx = platform.database.begin().await?;
    // two processes that start together, one after the other
    sqlx::query!("select pg_advisory_xact_lock(hashtext('bus.configuration'), hashtext($1))", process).execute(&mut *tx).await?;
    let before = sqlx::query!("select key, value from bus.configuration where process = $1", process).fetch_all(&mut *tx).await?;
    let before: BTreeMap<String, Vec<u8>> = before.into_iter().map(|row| (row.key, row.value)).collect();
    let set = hashed.iter().filter(|(key, value)| before.get(**key) != Some(value)).map(|(key, _)| (*key).to_owned());
    let removed = before.keys().filter(|key| !hashed.contains_key(key.as_str())).cloned();
    let mut changed: Vec<String> = set.chain(removed).collect();
    changed.sort();
    if changed.is_empty() {
        tx.rollback().await?;
        return Ok(changed);
    }
    let (keys, values): (Vec<String>, Vec<Vec<u8>>) = hashed.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).unzip();
    sqlx::query!("delete from bus.configuration where process = $1 and key = any($2)", process, &changed).execute(&mut *tx).await?;
    sqlx::query!(
        "insert into bus.configuration (process, key, value) select $1, * from unnest($2::text[], $3::bytea[]) on conflict do nothing",
        process,
        &keys,
        &values,
    )
    .execute(&mut *tx)
    .await?;
    let whole: Vec<u8> = hashed.values().flatten().copied().collect();
    let whole = platform.keyring.hash(Purpose::ConfigurationValue, &whole);
    let entry = AuditEntry {
        entry_id: Uuid::now_v7().to_string(),
        actor_kind: "system".to_owned(),
        actor: "serve".to_owned(),
        action: "configuration.change".to_owned(),
        object_kind: "process".to_owned(),
        object: process.to_owned(),
        at_ms: platform.clock.now().timestamp_millis(),
        detail_json: json!({ "changed": changed, "of_all": hex::encode(&whole.bytes()[..8]) }).to_string(),
        ..AuditEntry::default()
    };
    tx.publish(SCHEMA, &entry).await?;
    tx.commit().await?;
    Ok(changed)
}
