//! Stories of who has an alert open.

use domain::staff::Role;
use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};
use stages::{SECOND, id};

use crate::city::{City, OTHER_REVIEWER, REVIEWER, SUBMITTER, WORKER, path};

async fn stay(city: &City, token: &str, alert: &Value, editing: bool) -> Value {
    let (status, answer) = city.put(token, &format!("{}/presence", path(alert)), json!({ "editing": editing })).await;
    assert_eq!((status, &answer["known"]), (StatusCode::OK, &json!(true)), "{answer}");
    answer["others"].clone()
}

async fn two_at_work(store: Store) -> (City, Value) {
    let city = City::open(store).await;
    city.on_duty(SUBMITTER, Role::SubmittingUnit, "district:500103", true).await;
    city.on_duty(REVIEWER, Role::DistrictReviewer, "district:500103", true).await;
    let alert = city.write(SUBMITTER).await;
    (city, alert)
}

#[rstest]
#[tokio::test]
async fn two_who_have_a_draft_open_see_each_other_before_either_saves(#[values(Embedded, Services)] store: Store) {
    let (city, alert) = two_at_work(store).await;
    let mut line = city.listen_as(SUBMITTER).await;
    line.next().await;
    assert_eq!(stay(&city, SUBMITTER, &alert, true).await, json!([]));
    let others = stay(&city, REVIEWER, &alert, false).await;
    assert_eq!(others, json!([{ "staff": id(SUBMITTER), "editing": true, "since": "2026-03-10T04:00:00Z" }]));
    let mut told = String::new();
    while !told.starts_with("event: work") {
        told = line.next().await;
    }
    assert!(told.contains("\"what\":\"presence\""), "{told}");

    city.platform.clock.forward(SECOND * 30);
    stay(&city, SUBMITTER, &alert, true).await;
    city.platform.clock.forward(SECOND * 20);
    assert_eq!(stay(&city, SUBMITTER, &alert, true).await, json!([]), "whose page says nothing any more has gone");
    assert_eq!(city.delete(SUBMITTER, &format!("{}/presence", path(&alert))).await, StatusCode::NO_CONTENT);
    assert_eq!(stay(&city, REVIEWER, &alert, true).await, json!([]));
    drop(line);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn who_signed_out_has_it_open_no_longer(#[values(Embedded, Services)] store: Store) {
    let (city, alert) = two_at_work(store).await;
    stay(&city, REVIEWER, &alert, true).await;
    assert_eq!(stay(&city, SUBMITTER, &alert, false).await[0]["staff"], json!(id(REVIEWER)));
    sqlx::query("update identity.officer set session_until = null where name = $1").bind(REVIEWER).execute(city.pool()).await.unwrap();
    assert_eq!(stay(&city, SUBMITTER, &alert, false).await, json!([]));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn what_the_cache_lost_or_cannot_say_keeps_nobody_from_their_work() {
    let (city, alert) = two_at_work(Embedded).await;
    stay(&city, REVIEWER, &alert, true).await;
    let key = format!("review:presence:{}", alert["alert_id"].as_str().unwrap());
    city.platform.cache.set(&key, b"nonsense", SECOND * 30).await.unwrap();
    assert_eq!(stay(&city, SUBMITTER, &alert, false).await, json!([]));
    let there = city.put(OTHER_REVIEWER, &format!("{}/presence", path(&alert)), json!({ "editing": false })).await;
    assert_eq!(there.0, StatusCode::NOT_FOUND);
    assert_eq!(city.put(WORKER, &format!("{}/presence", path(&alert)), json!({ "editing": false })).await.0, StatusCode::FORBIDDEN);
    city.close().await;
}
