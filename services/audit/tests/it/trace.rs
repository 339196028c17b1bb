//! Entries arrive over the bus, auditors read them and take the proof away.

use std::sync::Arc;

use audit::{Broken, Head, trace, verify};
use http::StatusCode;
use proto::topology::SMS_IN_DANGER;
use proto::{AlertInDanger, AlertOutOfDanger, AuditEntry, OutOfDanger};
use serde_json::Value;
use stages::unheard;
use uuid::Uuid;

use crate::office::{ADMINISTRATOR, AUDITOR, OFFICER, OPERATOR, Office};

pub fn approved(alert: &str, at_ms: i64) -> AuditEntry {
    AuditEntry {
        entry_id: Uuid::now_v7().to_string(),
        actor_kind: "staff".to_owned(),
        actor: "wang".to_owned(),
        role: "city_command_officer".to_owned(),
        action: "alert.approve".to_owned(),
        object_kind: "alert".to_owned(),
        object: alert.to_owned(),
        district: Some(500_103),
        at_ms,
        detail_json: "{\"reason\":\"符合规定\"}".to_owned(),
        ..AuditEntry::default()
    }
}

#[tokio::test]
async fn what_a_service_publishes_is_appended_once_however_often_it_arrives() {
    let office = Office::opened().await;
    let entry = approved("a", 1);
    for _ in 0..3 {
        office.publish(&entry).await;
    }
    office.settle().await;
    assert_eq!(office.finds("").await.0, [1]);
}

#[tokio::test]
async fn an_alarm_about_a_deadline_and_its_end_are_in_the_trace() {
    let office = Office::opened().await;
    unheard::<AlertInDanger>(&office.platform, &[&SMS_IN_DANGER]);
    let danger = AlertInDanger {
        alarm_id: Uuid::now_v7().to_string(),
        alert_id: "a".to_owned(),
        wave: 1,
        district: Some(500_103),
        at_ms: 1_000,
        spare_s: -60,
        because: "rate_fcm".to_owned(),
        ..AlertInDanger::default()
    };
    let over = AlertOutOfDanger {
        alarm_id: Uuid::now_v7().to_string(),
        alert_id: "a".to_owned(),
        wave: 1,
        at_ms: 2_000,
        how: OutOfDanger::DoneLate.into(),
        ..AlertOutOfDanger::default()
    };
    office.publish_all(&[danger.clone(), danger]).await;
    office.settle().await;
    office.tell(&over).await;
    assert_eq!(office.finds("object_kind=alert&object=a").await.0, [2, 1], "each once");
    assert_eq!(office.finds("action=alert.in_danger&actor=dispatch&district=500103").await.0, [1]);
    let proof = office.proof(0).await.concat();
    assert!(proof.contains("rate_fcm") && proof.contains("done_late"), "{proof}");
}

#[tokio::test]
async fn writers_at_the_same_time_make_one_chain_without_gaps() {
    let office = Arc::new(Office::opened().await);
    let writers = (0..20).map(|number| {
        let office = Arc::clone(&office);
        tokio::spawn(async move { office.append([approved("a", number)]).await })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(verify(Head::GENESIS, office.proof(0).await).unwrap().sequence, 20);
}

#[tokio::test]
async fn auditors_find_what_they_look_for_page_by_page() {
    let office = Office::opened().await;
    let other = AuditEntry { actor: "li".to_owned(), action: "alert.refuse".to_owned(), district: None, ..approved("b", 2000) };
    office.append([approved("a", 1000), other, approved("a", 3000)]).await;
    for (query, found) in [
        ("", vec![3, 2, 1]),
        ("actor=li", vec![2]),
        ("action=alert.approve", vec![3, 1]),
        ("object_kind=alert&object=b", vec![2]),
        ("district=500103", vec![3, 1]),
        ("from=1970-01-01T00:00:02Z", vec![3, 2]),
        ("until=1970-01-01T00:00:02Z", vec![1]),
        ("limit=2&before=3", vec![2, 1]),
    ] {
        assert_eq!(office.finds(query).await.0, found, "{query}");
    }
    let (first, next) = office.finds("limit=2").await;
    assert_eq!((first, next.clone()), (vec![3, 2], Value::from(2)));
    assert_eq!(office.finds(&format!("limit=2&before={next}")).await, (vec![1], Value::Null));
    let (status, problem) = office.get(AUDITOR, "/api/v1/audit/entries?limit=0").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["errors"][0]["field"], "limit", "{problem}");
}

#[tokio::test]
async fn nobody_but_auditors_reads_the_trace() {
    let office = Office::opened().await;
    for token in [ADMINISTRATOR, OPERATOR, OFFICER] {
        for path in ["/api/v1/audit/entries", "/api/v1/audit/proof"] {
            assert_eq!(office.get(token, path).await.0, StatusCode::FORBIDDEN, "{token} {path}");
        }
    }
}

#[tokio::test]
async fn the_proof_holds_goes_on_from_a_kept_head_and_is_itself_traced() {
    let office = Office::opened().await;
    office.append((0..3).map(|number| approved("a", number))).await;
    let kept = verify(Head::GENESIS, office.proof(0).await).unwrap();
    assert_eq!(kept.sequence, 3);
    office.settle().await;
    assert_eq!(office.finds("action=audit.export").await.0, [4]);
    assert_eq!(verify(kept, office.proof(kept.sequence).await).unwrap().sequence, 4);
}

#[tokio::test]
async fn the_database_refuses_to_change_or_delete_an_entry() {
    let office = Office::opened().await;
    office.append([approved("a", 1)]).await;
    for statement in ["update audit.entry set hash = hash", "delete from audit.entry", "truncate audit.entry", "delete from audit.head"] {
        let refused = sqlx::query(statement).execute(office.pool()).await.unwrap_err();
        assert!(refused.to_string().contains("only ever appended"), "{statement}: {refused}");
    }
}

#[tokio::test]
async fn a_change_by_somebody_who_switches_the_trigger_off_shows_in_the_proof() {
    let office = Office::opened().await;
    office.append((0..3).map(|number| approved("a", number))).await;
    let pool = office.pool();
    for statement in [
        "alter table audit.entry disable trigger all",
        "update audit.entry set body = replace(body, 'approve', 'refuse') where sequence = 2",
    ] {
        sqlx::query(statement).execute(pool).await.unwrap();
    }
    let broken = verify(Head::GENESIS, office.proof(0).await);
    assert_eq!(broken, Err(Broken::Altered { line: 2, sequence: 2 }));
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_refused_and_leaves_the_chain_as_it_was() {
    let office = Office::opened().await;
    for broken in
        [AuditEntry { entry_id: "7".to_owned(), ..approved("a", 1) }, AuditEntry { detail_json: "{".to_owned(), ..approved("a", 1) }]
    {
        assert!(matches!(trace::append(&office.platform.database, broken).await, Err(audit::Error::NotAnEntry { .. })));
    }
    assert_eq!(verify(Head::GENESIS, office.proof(0).await), Ok(Head::GENESIS));
}

#[tokio::test]
async fn everybody_on_the_staff_reads_what_they_did_and_nothing_of_others() {
    let office = Office::opened().await;
    let own = |number: i64| AuditEntry { actor: stages::id(OFFICER).to_string(), ..approved("a", number) };
    office.append([own(1_000), approved("b", 2_000), own(3_000)]).await;
    let acts = async |token: &str, query: &str| {
        let (status, page) = office.get(token, &format!("/api/v1/session/acts{query}")).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let numbers: Vec<i64> = page["acts"].as_array().unwrap().iter().map(|act| act["sequence"].as_i64().unwrap()).collect();
        (numbers, page)
    };
    let (numbers, page) = acts(OFFICER, "").await;
    assert_eq!(numbers, [3, 1], "newest first");
    assert_eq!((page["acts"][1]["action"].as_str(), page["acts"][1]["object"].as_str()), (Some("alert.approve"), Some("a")));
    assert_eq!(page["acts"][1]["at"], "1970-01-01T00:00:01Z");
    assert_eq!(acts(OFFICER, "?limit=1").await.0, [3]);
    assert_eq!(acts(OFFICER, "?before=3").await.0, [1]);
    assert_eq!(acts(AUDITOR, "").await.0, [0_i64; 0]);
    assert_eq!(office.get(OFFICER, "/api/v1/session/acts?limit=0").await.0, StatusCode::UNPROCESSABLE_ENTITY);
}
