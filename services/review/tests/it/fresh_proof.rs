//! What an officer's session that was left open does not do without the officer: what cannot be taken back takes the second factor once more.

use http::StatusCode;
use review::Settings;
use serde_json::{Value, json};
use stages::Store::Embedded;

use crate::city::{City, OFFICER, REVIEWER, SECOND_OFFICER, STALE_OFFICER, SUBMITTER};

/// Asked and refused, with nothing changed.
async fn needs_fresh_proof(city: &City, alert: &Value, action: &str) {
    let (status, problem) = city.decide(STALE_OFFICER, alert, action, "主供水管已修复").await;
    assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("fresh_proof_needed")), "{action}: {problem}");
    let after = city.look(alert).await;
    assert_eq!((&after["state"], &after["version"]), (&alert["state"], &alert["version"]), "nothing happened");
}

#[tokio::test]
async fn an_urgent_alert_is_not_confirmed_in_a_session_that_was_left_open() {
    let city = City::open(Embedded).await;
    let alert = city.take(city.write(OFFICER).await, &[(OFFICER, "compose_urgent")]).await;
    needs_fresh_proof(&city, &alert, "confirm").await;
    city.take(alert, &[(SECOND_OFFICER, "confirm")]).await;
    city.close().await;
}

#[tokio::test]
async fn an_alert_that_people_have_is_not_cancelled_in_a_session_that_was_left_open() {
    let city = City::open(Embedded).await;
    let alert = city.approved_alert().await;
    needs_fresh_proof(&city, &alert, "cancel").await;
    assert!(city.stopped().await.is_empty());
    assert_eq!(city.decide(OFFICER, &alert, "cancel", "主供水管已修复").await.0, StatusCode::OK);
    city.close().await;
}

#[tokio::test]
async fn an_alert_to_very_many_is_not_approved_in_a_session_that_was_left_open() {
    // three people live in the district
    for (most, asked) in [(2, true), (3, false)] {
        let city = City::open_with(Embedded, Settings { fresh_proof_over_people: most, ..Settings::default() }).await;
        let alert = city.write(SUBMITTER).await;
        let alert = city.take(alert, &[(SUBMITTER, "submit"), (REVIEWER, "pass_district")]).await;
        if asked {
            needs_fresh_proof(&city, &alert, "approve").await;
            city.take(alert, &[(OFFICER, "approve")]).await;
        } else {
            city.take(alert, &[(STALE_OFFICER, "approve")]).await;
        }
        city.close().await;
    }
}

#[tokio::test]
async fn a_correction_takes_an_alert_back_from_nobody_in_a_session_that_was_left_open() {
    let city = City::open(Embedded).await;
    let old = city.approved_alert().await;
    let path = format!("/api/v1/alerts/{}/correction", old["alert_id"].as_str().unwrap());
    let (status, correction) = city.post(SUBMITTER, &path, json!({ "reason": "地点有误" })).await;
    assert_eq!(status, StatusCode::CREATED, "{correction}");
    let correction = city.take(correction, &[(SUBMITTER, "submit"), (REVIEWER, "pass_district")]).await;
    needs_fresh_proof(&city, &correction, "approve").await;
    assert!(city.stopped().await.is_empty(), "the old alert still holds, however few the new one is for");
    city.take(correction, &[(SECOND_OFFICER, "approve")]).await;
    city.close().await;
}

#[tokio::test]
async fn what_can_be_taken_back_asks_for_nothing() {
    let city = City::open(Embedded).await;
    let alert = city.take(city.write(SUBMITTER).await, &[(SUBMITTER, "submit"), (REVIEWER, "pass_district")]).await;
    assert_eq!(city.decide(STALE_OFFICER, &alert, "return_city", "请补充地点").await.0, StatusCode::OK);
    city.close().await;
}
