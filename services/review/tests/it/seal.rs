//! What was approved is sealed from what the approver had before them.

use domain::approval_seal::{ApprovalSeal, for_whom};
use domain::audience::Audience;
use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};

use crate::city::{City, OFFICER, REVIEWER, SECOND_OFFICER, SUBMITTER, everybody_in, path};

async fn stored_seal(city: &City, alert: &Value) -> Option<ApprovalSeal> {
    let seal: Option<Value> = sqlx::query_scalar("select seal from review.alert where alert_id = $1::text::uuid")
        .bind(alert["alert_id"].as_str().unwrap())
        .fetch_one(city.pool())
        .await
        .unwrap();
    seal.map(|seal| serde_json::from_value(seal).unwrap())
}

#[rstest]
#[tokio::test]
async fn an_approval_seals_the_words_the_people_and_the_terms(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let alert = city.write(SUBMITTER).await;
    assert_eq!(alert["seal"], Value::Null);
    let alert = city.take(alert, &[(SUBMITTER, "submit"), (REVIEWER, "pass_district")]).await;
    assert_eq!(stored_seal(&city, &alert).await, None, "nothing is approved yet");
    let alert = city.take(alert, &[(OFFICER, "approve")]).await;
    let seal = stored_seal(&city, &alert).await.unwrap();
    let audience: Audience = serde_json::from_value(everybody_in("500103")).unwrap();
    assert_eq!(seal.audience, for_whom(&audience));
    assert_eq!(seal.people, Some(3), "as many as she was shown");
    assert_eq!(alert["seal"]["audience"], seal.audience.to_string());
    assert_eq!(alert["seal"]["texts"][0]["language"], "zh-CN");
    assert_eq!(alert["seal"]["people"], 9, "fewer than ten, as it may be told");
    let published: Value = sqlx::query_scalar("select seal from review.approved_alert").fetch_one(city.pool()).await.unwrap();
    assert_eq!(published, serde_json::to_value(&seal).unwrap(), "dispatch reads the same");
    city.close().await;
}

#[tokio::test]
async fn the_story_of_an_alert_tells_what_was_sealed() {
    let city = City::open(Embedded).await;
    let body = json!({ "content": city.content(), "audience": everybody_in("city") });
    let (status, alert) = city.post(OFFICER, "/api/v1/alerts", body).await;
    assert_eq!(status, StatusCode::CREATED, "{alert}");
    let alert = city.take(alert, &[(OFFICER, "compose_urgent"), (SECOND_OFFICER, "confirm")]).await;
    let (_, story) = city.get(OFFICER, &format!("{}/story", path(&alert))).await;
    let sealed = story["entries"].as_array().unwrap().iter().find(|entry| entry["kind"] == "sealed").unwrap();
    assert_eq!(sealed["seal"], alert["seal"]);
    city.close().await;
}
