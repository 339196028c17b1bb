//! Zhengzhou: people were marked by officials who had no evidence. Here whoever names people by hand says why, and the auditor reads it.

use http::StatusCode;
use serde_json::{Value, json};
use stages::HOUR;
use stages::Store::Embedded;

use crate::city::{AUDITOR, City, OFFICER, REVIEWER, SUBMITTER, everybody_in, path, words};

const BECAUSE: &str = "流调名单尚未入库，先行通知";

async fn listed(city: &City) -> Vec<Value> {
    let (status, page) = city.get(AUDITOR, "/api/v1/alerts/named-by-hand").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    page["alerts"].as_array().unwrap().clone()
}

#[tokio::test]
async fn zhengzhou_nobody_is_named_without_a_record_unless_somebody_says_why_and_the_auditor_reads_it() {
    let city = City::open(Embedded).await;
    let named = json!({ "residents": [7, 8] });
    let write = async |token: &str, because: Value| {
        city.post(token, "/api/v1/alerts", json!({ "content": city.content(), "audience": named, "named_because": because })).await
    };
    for because in [Value::Null, json!("  "), json!("有必要")] {
        let (status, problem) = write(OFFICER, because).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        assert_eq!(words(&problem["errors"], "field"), ["named_because"]);
    }
    assert_eq!(write(SUBMITTER, json!(BECAUSE)).await.0, StatusCode::FORBIDDEN, "a district names nobody by hand, whatever it says");
    assert!(listed(&city).await.is_empty(), "nothing was written");

    let (status, alert) = write(OFFICER, json!(BECAUSE)).await;
    assert_eq!(status, StatusCode::CREATED, "{alert}");
    city.platform.clock.forward(HOUR);
    city.write(SUBMITTER).await;
    let [entry] = &listed(&city).await[..] else { panic!("one names people") };
    assert_eq!((&entry["alert_id"], &entry["people"], &entry["justification"]), (&alert["alert_id"], &json!(2), &json!(BECAUSE)));
    assert_eq!(city.get(REVIEWER, "/api/v1/alerts/named-by-hand").await.0, StatusCode::FORBIDDEN);
    assert_eq!(city.get(AUDITOR, "/api/v1/alerts/named-by-hand?after=x").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    city.close().await;
}

#[tokio::test]
async fn whom_a_rule_named_needs_no_reason_until_somebody_names_others_in_their_place() {
    let city = City::open(Embedded).await;
    city.tell(&city.draft(&city.content(), [7, 8, 9], &[])).await;
    assert!(listed(&city).await.is_empty(), "there is a record behind each");
    let (_, lines) = city.get(OFFICER, "/api/v1/alerts").await;
    let alert = lines[0].clone();
    let change = |because: Value| json!({ "version": alert["version"], "content": city.content(), "audience": { "residents": [7] }, "named_because": because });
    let (status, problem) = city.put(OFFICER, &path(&alert), change(Value::Null)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert_eq!(words(&problem["errors"], "field"), ["named_because"]);
    let (status, changed) = city.put(OFFICER, &path(&alert), change(json!(BECAUSE))).await;
    assert_eq!(status, StatusCode::OK, "{changed}");
    assert_eq!(listed(&city).await[0]["justification"], json!(BECAUSE));
    city.close().await;
}

#[tokio::test]
async fn an_exercise_that_names_people_says_why_when_it_becomes_the_real_thing() {
    let city = City::open(Embedded).await;
    let mut content = city.content();
    content.status = domain::cap::Status::Exercise;
    let (status, alert) = city.post(OFFICER, "/api/v1/alerts", json!({ "content": content, "audience": { "residents": [7] } })).await;
    assert_eq!(status, StatusCode::CREATED, "{alert}");
    assert_eq!((&listed(&city).await[0]["status"], &listed(&city).await[0]["justification"]), (&json!("exercise"), &Value::Null));
    let change = |because: Value| json!({ "version": alert["version"], "content": city.content(), "named_because": because });
    assert_eq!(city.put(OFFICER, &path(&alert), change(Value::Null)).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, changed) = city.put(OFFICER, &path(&alert), change(json!(BECAUSE))).await;
    assert_eq!(status, StatusCode::OK, "{changed}");
    // and to an area: it names nobody any more
    let everybody = json!({ "version": changed["version"], "content": city.content(), "audience": everybody_in("500103") });
    assert_eq!(city.put(OFFICER, &path(&alert), everybody).await.0, StatusCode::OK);
    assert!(listed(&city).await.is_empty());
    city.close().await;
}
