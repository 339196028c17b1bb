//! Somebody comes into the area of an alert that stands: from the profile that they change to the inbox and the ledger.

use chrono::{DateTime, Utc};
use domain::checklist::all_well;
use domain::staff::Role;
use http::{Method, StatusCode};
use resident::generate::{self, People};
use serde_json::{Value, json};
use stages::until;
use tests::{Who, Whole};
use uuid::Uuid;

/// Ten in the morning in Chongqing.
fn morning() -> DateTime<Utc> {
    "2026-03-02T02:00:00Z".parse().unwrap()
}

/// An alert to everybody in 渝中 is written and approved; its id.
async fn approved(whole: &Whole) -> Uuid {
    let who = |role, scope: &str, number| Who::Staff(role, scope.parse().unwrap(), number);
    let author = who(Role::SubmittingUnit, "district:500103", 10);
    let text = json!({ "headline": "请勿饮用自来水", "body": "主供水管受污染。", "instruction": "请饮用瓶装水。", "sms": "自来水受污染，请饮用瓶装水" });
    let content = json!({
        "status": "actual", "msg_type": "alert", "category": "health", "urgency": "immediate", "severity": "severe", "certainty": "observed",
        "purpose": "防止饮用受污染的水", "texts": { "zh-CN": text }, "contact": "12320", "expires_at": "2026-03-02T12:00:00Z", "ack_window_s": 3600,
    });
    let audience = json!({ "query": { "include": [{ "areas": ["500103"] }] } });
    let draft = json!({ "district": "500103", "content": content, "audience": audience });
    let (status, written) = whole.ask(Some(author), &Method::POST, "/api/v1/alerts", &draft).await;
    assert_eq!(status, StatusCode::CREATED, "{written}");
    let path = format!("/api/v1/alerts/{}", written["alert_id"].as_str().unwrap());
    for (who, action) in [
        (author, "submit"),
        (who(Role::DistrictReviewer, "district:500103", 11), "pass_district"),
        (who(Role::CityCommandOfficer, "city", 12), "approve"),
    ] {
        let (_, seen) = whole.ask(Some(who), &Method::GET, &path, &Value::Null).await;
        let body = json!({ "version": seen["version"], "action": action, "answers": all_well(&seen, action) });
        let (status, answer) = whole.ask(Some(who), &Method::POST, &format!("{path}/decisions"), &body).await;
        assert_eq!(status, StatusCode::OK, "{action}: {answer}");
    }
    written["alert_id"].as_str().unwrap().parse().unwrap()
}

async fn inbox(whole: &Whole, who: Who) -> usize {
    let (status, items) = whole.ask(Some(who), &Method::GET, "/api/v1/me/inbox", &Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{items}");
    items.as_array().unwrap().len()
}

#[tokio::test]
async fn who_moves_into_the_area_of_an_alert_that_stands_finds_it_in_the_inbox_and_is_told_once() {
    let whole = Whole::start(morning()).await;
    let platform = &whole.platform;
    let people = People::new(3_800, 7);
    generate::write(&people, &platform.database, &platform.keyring, morning(), |_| ()).await.unwrap();
    let there = people.of_district("500103".parse().unwrap());
    let home = people.person(there.start).unwrap().community;
    let elsewhere = people.of_district("500112".parse().unwrap()).start;
    let away = people.person(elsewhere).unwrap().community;
    let (neighbour, mover) = (Who::Resident(there.start), Who::Resident(elsewhere));
    let alert_id = approved(&whole).await;
    until("the alert is in inboxes", async || inbox(&whole, neighbour).await == 1).await;
    assert_eq!(inbox(&whole, mover).await, 0);
    let acknowledgement = format!("/api/v1/me/alerts/{alert_id}/acknowledgement");
    assert_eq!(whole.verdict_on(Some(mover), &Method::POST, &acknowledgement, &Value::Null).await.0, StatusCode::NOT_FOUND);

    for community in [home, away, home] {
        let moves = json!({ "community": community.to_string() });
        let (status, problem) = whole.ask(Some(mover), &Method::PATCH, "/api/v1/me", &moves).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{problem}");
    }
    until("it is in the inbox of who moves there", async || inbox(&whole, mover).await == 1).await;
    until("they are in a batch", async || {
        let told: i64 = sqlx::query_scalar("select recipients + no_channel from dispatch.wave where alert_id = $1 and wave = 1")
            .bind(alert_id)
            .fetch_one(platform.database.pool())
            .await
            .unwrap();
        told == there.len() as i64 + 1
    })
    .await;
    assert_eq!(whole.verdict_on(Some(mover), &Method::POST, &acknowledgement, &Value::Null).await.0, StatusCode::OK);
    whole.end().await;
}
