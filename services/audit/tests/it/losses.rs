//! An entry that is taken away before it reaches the trace leaves a gap.

use audit::{Finding, SCHEMA};
use http::StatusCode;
use serde_json::Value;

use crate::office::{AUDITOR, Office};
use crate::trace::approved;

const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// Publishes an entry, which somebody takes out of the outbox at once.
async fn publishes_and_loses(office: &Office) {
    let mut tx = office.platform.database.begin().await.unwrap();
    tx.publish(SCHEMA, &approved("lost", 1)).await.unwrap();
    sqlx::query("delete from audit.outbox").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

/// The publisher tells how many there were, and more time passes than anything takes on its way.
async fn counts(office: &Office) {
    office.platform.database.tell_count(SCHEMA).await.unwrap();
    office.settle().await;
    sqlx::query("update audit.missing set noticed_at_ms = 0").execute(office.pool()).await.unwrap();
    let in_the_far_future = approved("later", i64::MAX / 2);
    office.append([in_the_far_future]).await;
}

async fn lost(office: &Office) -> Vec<Value> {
    let (status, answer) = office.get(AUDITOR, "/api/v1/audit/losses").await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer["losses"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_entry_that_was_deleted_from_an_outbox_leaves_a_gap() {
    let office = Office::opened().await;
    office.tell(&approved("a", 1)).await;
    publishes_and_loses(&office).await;
    office.tell(&approved("a", DAY_MS)).await;
    assert_eq!(lost(&office).await, [Value::Null; 0], "it may be on its way");
    counts(&office).await;
    let found = lost(&office).await;
    assert_eq!((&found[0]["first"], &found[0]["last"]), (&2.into(), &2.into()), "{found:?}");
    let offline = office.found_offline().await;
    assert!(matches!(offline.as_slice(), [Finding::Lost { first: 2, last: 2, .. }]), "{offline:?}");
}

#[tokio::test]
async fn the_last_entry_that_was_published_leaves_a_gap_too() {
    let office = Office::opened().await;
    office.tell(&approved("a", 1)).await;
    publishes_and_loses(&office).await;
    counts(&office).await;
    assert_eq!(lost(&office).await[0]["first"], 2);
}

#[tokio::test]
async fn an_act_that_was_undone_leaves_none() {
    let office = Office::opened().await;
    office.tell(&approved("a", 1)).await;
    let mut tx = office.platform.database.begin().await.unwrap();
    tx.publish(SCHEMA, &approved("undone", 1)).await.unwrap();
    tx.rollback().await.unwrap();
    office.tell(&approved("a", 2)).await;
    counts(&office).await;
    assert_eq!(lost(&office).await, [Value::Null; 0]);
    assert_eq!(office.found_offline().await, []);
}

#[tokio::test]
async fn counts_are_in_the_trace_and_do_not_stand_in_an_auditors_way() {
    let office = Office::opened().await;
    office.tell(&approved("a", 1)).await;
    office.platform.database.tell_count(SCHEMA).await.unwrap();
    office.settle().await;
    assert_eq!(office.finds("").await.0, [1]);
    assert_eq!(office.finds("action=audit.count").await.0, [2]);
}
