//! Lists: what waits for whom, page by page.

use http::StatusCode;
use serde_json::json;
use stages::{MINUTE, Store, until};

use crate::city::{CENTRE, City, HANDLER, OPERATOR, OTHER_HANDLER, SUPERVISOR, question};

#[tokio::test]
async fn a_unit_s_inbox_is_what_it_has_an_order_for_by_what_is_due() {
    let city = City::open(Store::Embedded).await;
    let complex = city.at_work("complex").await;
    let simple = city.at_work("simple").await;
    let (_, inbox) = city.get(HANDLER, "/api/v1/casework/cases?list=inbox").await;
    let numbers: Vec<_> = inbox["cases"].as_array().unwrap().iter().map(|line| line["number"].as_str().unwrap().to_owned()).collect();
    assert_eq!(numbers.len(), 2);
    assert_eq!(numbers[0], simple.number, "its progress is due first");
    assert_eq!(numbers[1], complex.number);
    assert_eq!(inbox["cases"][0]["summary"], "孩子发热，疫苗还能打吗？");
    let (_, others) = city.get(OTHER_HANDLER, "/api/v1/casework/cases?list=all").await;
    assert_eq!(others["cases"].as_array().unwrap().len(), 0);
    city.close().await;
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap_or_a_repeat() {
    let city = City::open(Store::Embedded).await;
    for _ in 0..7 {
        city.calls(question()).await;
        city.platform.clock.forward(MINUTE);
    }
    for list in ["desk", "all"] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let (status, page) = city.get(OPERATOR, &format!("/api/v1/casework/cases?list={list}&limit=3{after}")).await;
            assert_eq!(status, StatusCode::OK, "{page}");
            seen.extend(page["cases"].as_array().unwrap().iter().map(|line| line["number"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 7, "{list}");
    }
    let (status, problem) = city.get(OPERATOR, "/api/v1/casework/cases?list=desk&after=nowhere").await;
    assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("after")));
    city.close().await;
}

#[tokio::test]
async fn a_caller_s_earlier_cases_are_found_by_their_number() {
    let city = City::open(Store::Embedded).await;
    let case = city.calls(question()).await;
    let (_, found) = city.post(OPERATOR, "/api/v1/casework/callers", json!({ "phone": "190 1234 5678" })).await;
    assert_eq!(found["cases"][0]["number"], json!(case.number));
    let (_, nobody) = city.post(OPERATOR, "/api/v1/casework/callers", json!({ "phone": "19012345679" })).await;
    assert_eq!(nobody["cases"].as_array().unwrap().len(), 0);
    let traced = async || city.trail.take().iter().any(|entry| entry.action == "case_callers_read" && !entry.detail_json.contains("190"));
    until("the question is in the trail, without the number", traced).await;
    city.close().await;
}

#[tokio::test]
async fn who_reported_a_violation_is_not_found_by_their_number() {
    let city = City::open(Store::Embedded).await;
    let report = json!({ "kind": "violation_report", "text": "隐瞒行程", "against": "某人", "district": "500103", "phone": "19012345678" });
    city.calls(report).await;
    let (_, found) = city.post(OPERATOR, "/api/v1/casework/callers", json!({ "phone": "19012345678" })).await;
    assert_eq!(found["cases"].as_array().unwrap().len(), 0);
    city.close().await;
}

#[tokio::test]
async fn supervision_sees_what_is_open_where_and_with_whom() {
    let city = City::open(Store::Embedded).await;
    city.at_work("simple").await;
    city.calls(question()).await;
    let (status, overview) = city.get(SUPERVISOR, "/api/v1/casework/overview").await;
    assert_eq!(status, StatusCode::OK, "{overview}");
    assert_eq!((&overview["open"], &overview["late"], &overview["urgent_waiting_s"]), (&json!(2), &json!(0), &json!(null)));
    assert_eq!((&overview["districts"][0]["district"], &overview["districts"][0]["open"]), (&json!("500103"), &json!(2)));
    let unit = &overview["units"][0];
    assert_eq!((&unit["unit_id"], &unit["open"], &unit["load_share"]), (&json!(CENTRE), &json!(1), &json!(100)));
    city.close().await;
}
