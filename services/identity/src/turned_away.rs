//! The trace of who was turned away: a key that somebody used from elsewhere, staff who asked for what they have no right to.
//!
//! Each is counted, and traced once in a while for the same caller, route and reason: whoever tries doors is seen, and nobody fills the trace by
//! knocking. It is published by whichever process turned them away.

use std::time::Duration;

use domain::network::Network;
use platform::http::{Caller, TurnedAway};
use platform::{Platform, bus};
use proto::AuditEntry;
use serde_json::json;
use uuid::Uuid;

use crate::Error;
use crate::token::TokenHash;

/// How often the same is traced.
const TRACED_EVERY: Duration = Duration::from_secs(3_600);
/// Within this time it is written, or the next time.
const PATIENCE: Duration = Duration::from_secs(2);

/// Counts it, and traces it unless it was lately. That somebody was turned away holds whether or not it can be.
pub(crate) async fn note(platform: &Platform, caller: &Caller, from: TurnedAway<'_>) {
    metrics::counter!("callers_turned_away_total", "code" => from.code.to_owned()).increment(1);
    if let Err(error) = trace(platform, caller, from).await {
        tracing::warn!(%error, code = from.code, "that a caller was turned away could not be traced");
    }
}

async fn trace(platform: &Platform, caller: &Caller, from: TurnedAway<'_>) -> Result<(), Error> {
    let TurnedAway { client, route, code } = from;
    let (now, network) = (platform.clock.now(), Network::of(client.0));
    let (entry, detail) = match caller {
        Caller::Staff(staff) => (
            AuditEntry {
                district: staff.scope.district().map(|district| district.get()),
                ..staff.did("session.turn_away", "route", route, now)
            },
            json!({ "code": code }),
        ),
        Caller::Source(source) => {
            let entry = AuditEntry {
                entry_id: Uuid::now_v7().to_string(),
                actor_kind: "source".to_owned(),
                actor: source.key_id.to_string(),
                action: "api_key.turn_away".to_owned(),
                object_kind: "api_key".to_owned(),
                object: source.key_id.to_string(),
                at_ms: now.timestamp_millis(),
                ..AuditEntry::default()
            };
            // the network and not the address: enough to find out whose it is, and no more
            (entry, json!({ "code": code, "unit": source.unit, "route": route, "network": network.to_string() }))
        }
        Caller::Unproved(_) | Caller::Resident(_) | Caller::Screen(_) => return Ok(()),
    };
    let of_network = if matches!(caller, Caller::Source(_)) { network.widest() } else { String::new() };
    let same = TokenHash::of(&format!("{}|{code}|{route}|{of_network}", entry.actor));
    let lately = format!("identity:turned-away:{}", same.hex());
    if !platform.cache.set_if_absent(&lately, b"1", TRACED_EVERY).await? {
        return Ok(());
    }
    // whoever was turned away does not wait for a database that hangs
    let written = tokio::time::timeout(PATIENCE, write(platform, AuditEntry { detail_json: detail.to_string(), ..entry })).await;
    if !matches!(written, Ok(Ok(()))) {
        // the next time it is tried again
        platform.cache.delete(&lately).await?;
    }
    written.unwrap_or_else(|_| {
        tracing::warn!(code, "that a caller was turned away could not be traced in time");
        Ok(())
    })
}

async fn write(platform: &Platform, entry: AuditEntry) -> Result<(), Error> {
    let mut tx = platform.database.begin().await?;
    tx.publish(bus::SCHEMA, &entry).await?;
    Ok(tx.commit().await?)
}
