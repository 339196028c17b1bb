//! Number and PIN: given once, never twice, and not to be guessed.

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::{Value, json};
use stages::{HOUR, MINUTE, NOBODY, Store};

use crate::city::{City, question};

#[tokio::test]
async fn killed_between_storing_and_answering_the_same_request_is_told_the_same_number_and_pin() {
    let city = City::open(Store::Embedded).await;
    let (_, first) = city.named(NOBODY, "/api/v1/cases", "a-request-of-mine", question()).await;
    // another process takes the repeat: it has nothing of what the first one knew
    let second = City::beside(&city).await;
    let (status, again) = second.named(NOBODY, "/api/v1/cases", "a-request-of-mine", question()).await;
    assert_eq!((status, &again), (StatusCode::CREATED, &first));
    assert_eq!(city.count("select count(*) from casework.matter").await, 1);
    let mut other = question();
    other["text"] = json!("另一件事");
    let (status, problem) = city.named(NOBODY, "/api/v1/cases", "a-request-of-mine", other).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("idempotency_key_reused")));
    let (status, problem) = city.post(NOBODY, "/api/v1/cases", question()).await;
    assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("idempotency_key_missing")));
    city.close().await;
}

#[tokio::test]
async fn of_requests_of_one_name_that_come_at_once_one_becomes_a_case() {
    let city = City::open(Store::Embedded).await;
    let ask = || city.named(NOBODY, "/api/v1/cases", "pressed-twice", question());
    let ((_, one), (_, two), (_, three)) = tokio::join!(ask(), ask(), ask());
    assert_eq!((&one, &one), (&two, &three));
    assert_eq!(city.count("select count(*) from casework.matter").await, 1);
    city.close().await;
}

#[tokio::test]
async fn two_processes_give_no_number_twice_and_none_that_follows_another() {
    let city = City::open(Store::Embedded).await;
    let second = City::beside(&city).await;
    let mut numbers = BTreeSet::new();
    for _ in 0..20 {
        numbers.insert(city.brings(question()).await.number);
        numbers.insert(second.brings(question()).await.number);
        city.platform.clock.forward(MINUTE);
    }
    assert_eq!(numbers.len(), 40);
    assert!(numbers.iter().all(|number| number.starts_with("260310-")), "{numbers:?}");
    assert_eq!(city.count("select next_block::bigint from casework.number_block").await, 2, "each took a block of its own");
    city.close().await;
}

#[tokio::test]
async fn a_number_is_found_as_it_is_dictated_and_a_wrong_digit_is_told_at_once() {
    let city = City::open(Store::Embedded).await;
    let case = city.brings(question()).await;
    let spoken = case.number.replace('-', "%20");
    let (status, shown) = city.post(NOBODY, &format!("/api/v1/cases/{spoken}/state"), json!({ "pin": case.pin })).await;
    assert_eq!((status, &shown["number"]), (StatusCode::OK, &json!(case.number)));
    let last = case.number.chars().last().unwrap().to_digit(10).unwrap();
    let misheard = format!("{}{}", &case.number[..case.number.len() - 1], (last + 1) % 10);
    let (status, problem) = city.post(NOBODY, &format!("/api/v1/cases/{misheard}/state"), json!({ "pin": case.pin })).await;
    assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("case_number_wrong")));
    city.close().await;
}

#[tokio::test]
async fn five_wrong_pins_close_a_case_for_an_hour_and_no_other() {
    let city = City::open(Store::Embedded).await;
    let (case, other) = (city.brings(question()).await, city.brings(question()).await);
    let wrong = if case.pin == "123456" { "654321" } else { "123456" };
    let tries = async |pin: &str| city.post(NOBODY, &format!("/api/v1/cases/{}/state", case.number), json!({ "pin": pin })).await;
    for _ in 0..5 {
        assert_eq!(tries(wrong).await.1["code"], "number_or_pin_wrong");
    }
    let (status, problem) = tries(&case.pin).await;
    assert_eq!((status, &problem["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("too_many_tries")));
    assert_eq!(city.looks(&other).await["state"], "received");
    city.platform.clock.forward(HOUR + MINUTE);
    assert_eq!(tries(&case.pin).await.0, StatusCode::OK);
    city.close().await;
}

#[tokio::test]
async fn a_flood_from_one_network_is_stopped_and_told_the_hotline() {
    let settings = casework::Settings { cases_per_minute_from_a_network: 2.try_into().unwrap(), ..casework::Settings::default() };
    let city = City::open_with(Store::Embedded, stages::noon(), settings).await;
    let mut last = (StatusCode::OK, Value::Null);
    for number in 0..3 {
        last = city.named(NOBODY, "/api/v1/cases", &format!("of-a-flood-{number}"), question()).await;
    }
    assert_eq!((last.0, &last.1["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("too_many_cases")));
    assert!(last.1["detail"].as_str().unwrap().contains("12320"));
    city.close().await;
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_named_by_field() {
    let city = City::open(Store::Embedded).await;
    let complaint = json!({ "kind": "complaint", "text": " ", "phone": "12345", "district": "999999", "place": "字".repeat(201) });
    let (status, problem) = city.named(NOBODY, "/api/v1/cases", "with-faults", complaint).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let fields: BTreeSet<_> = problem["errors"].as_array().unwrap().iter().map(|fault| fault["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["against", "district", "phone", "place", "text"].into());
    city.close().await;
}
