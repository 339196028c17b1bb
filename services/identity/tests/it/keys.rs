//! Keys of source systems.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use stages::DAY;

use crate::city::City;

fn hospital() -> Value {
    json!({
        "unit": "市疾控中心", "origin": "surveillance", "area": "500103",
        "kinds": ["case", "close_contact"], "expires_at": "2026-12-01T00:00:00Z",
    })
}

#[tokio::test]
async fn a_source_delivers_with_its_key_until_it_is_revoked() {
    let city = City::founded().await;
    let root = city.administrator().await;
    let made = city.ask(Method::POST, &root, "/api/v1/api-keys", hospital()).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let token = made.text("/token");
    assert!(token.starts_with("fhk_"));

    let known = city.ask(Method::POST, &token, "/deliver", Value::Null).await;
    assert_eq!(known.text("/unit"), "市疾控中心");
    assert_eq!(known.body["kinds"], json!(["case", "close_contact"]));

    let path = format!("/api/v1/api-keys/{}", made.text("/key/id"));
    for _ in 0..2 {
        assert_eq!(city.ask(Method::DELETE, &root, &path, Value::Null).await.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(city.ask(Method::POST, &token, "/deliver", Value::Null).await.status, StatusCode::UNAUTHORIZED);
    let listed = city.look(&root, "/api/v1/api-keys").await;
    assert!(listed.body[0]["revoked_at"].is_string());
    assert!(!listed.body.to_string().contains(&token));
    let revocations = city.trace().await.into_iter().filter(|entry| entry.action == "api_key.revoke").count();
    assert_eq!(revocations, 1, "the second changed nothing");
}

#[tokio::test]
async fn a_key_stops_when_it_expires() {
    let city = City::founded().await;
    let root = city.administrator().await;
    let token = city.ask(Method::POST, &root, "/api/v1/api-keys", hospital()).await.text("/token");
    assert_eq!(city.ask(Method::POST, &token, "/deliver", Value::Null).await.status, StatusCode::OK);
    city.passes(29 * DAY);
    assert_eq!(city.ask(Method::POST, &token, "/deliver", Value::Null).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_key_is_no_session_and_a_session_no_key() {
    let city = City::founded().await;
    let root = city.administrator().await;
    let token = city.ask(Method::POST, &root, "/api/v1/api-keys", hospital()).await.text("/token");
    assert_eq!(city.look(&token, "/api/v1/session").await.text("/code"), "caller_not_allowed");
    assert_eq!(city.ask(Method::POST, &root, "/deliver", Value::Null).await.text("/code"), "caller_not_allowed");
}

#[tokio::test]
async fn a_key_that_makes_no_sense_is_refused_with_the_field() {
    let city = City::founded().await;
    let root = city.administrator().await;
    for (change, field) in [
        (json!({ "unit": " " }), "unit"),
        (json!({ "kinds": [] }), "kinds"),
        (json!({ "area": "500101001" }), "area"),
        (json!({ "expires_at": "2026-11-01T00:00:00Z" }), "expires_at"),
        (json!({ "origin": "rumour" }), "origin"),
    ] {
        let mut new = hospital();
        new.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refused = city.ask(Method::POST, &root, "/api/v1/api-keys", new).await;
        assert_eq!(refused.text("/errors/0/field"), field, "{change}");
    }
}
