//! An entry that is taken away before it reaches the trace leaves a gap.

use audit::{Finding, SCHEMA};
use http::StatusCode;
use proto::AuditEntry;
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

/// The publisher tells how many there were, and goes on: more time passes than anything takes on its way, and it counts again.
async fn counts(office: &Office) {
    office.platform.database.tell_count(SCHEMA).await.unwrap();
    office.settle().await;
    sqlx::query("update audit.missing set noticed_at_ms = 0").execute(office.pool()).await.unwrap();
    let later = platform::clock::Clock::real().now().timestamp_millis() + DAY_MS;
    office.append([approved("later", later), count_of_its_own(office, later).await]).await;
}

/// What the publisher would tell at this time: it lives, and counts every minute.
async fn count_of_its_own(office: &Office, at_ms: i64) -> AuditEntry {
    let publisher: String = sqlx::query_scalar("select publisher from audit.publisher").fetch_one(office.pool()).await.unwrap();
    let detail_json = r#"{"drawn":3,"void":[],"doubtful":[]}"#.to_owned();
    AuditEntry { publisher, action: "audit.count".to_owned(), detail_json, at_ms, ..approved("count", at_ms) }
}

#[tokio::test]
async fn a_gap_of_any_length_is_one_loss_and_refuses_nothing_that_comes_after_it() {
    let office = Office::opened().await;
    let numbered = |number: u64| AuditEntry { publisher: "review:p".to_owned(), number, ..approved("a", number.min(9).cast_signed()) };
    office.append([numbered(1), numbered(1_000_000), numbered(1_000_001)]).await;
    let told = AuditEntry {
        action: "audit.count".to_owned(),
        detail_json: r#"{"drawn":1000001,"void":[500],"doubtful":[]}"#.to_owned(),
        ..numbered(0)
    };
    office.append([told, numbered(600), numbered(u64::MAX), numbered(700)]).await;
    sqlx::query("update audit.missing set noticed_at_ms = 0").execute(office.pool()).await.unwrap();
    let found: Vec<_> = lost(&office).await.iter().map(|loss| (loss["first"].clone(), loss["last"].clone())).collect();
    let ranges = [(2, 499), (501, 599), (601, 699), (701, 999_999)];
    assert_eq!(found[..4], ranges.map(|(first, last): (i64, i64)| (first.into(), last.into())), "{found:?}");
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
    // or the process has just told it by itself, as it does every minute
    stages::until("the count is in the trace", async || office.finds("action=audit.count").await.0 == [2]).await;
    assert_eq!(office.finds("").await.0, [1]);
}
