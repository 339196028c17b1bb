//! Keys of source systems.

use http::{Method, StatusCode};
use identity::{MIGRATOR, SCHEMA};
use serde_json::{Value, json};
use stages::{DAY, Store};

use crate::city::City;

fn hospital() -> Value {
    json!({
        "unit": "市疾控中心", "origin": "surveillance", "area": "500103",
        "kinds": ["case", "close_contact"], "expires_at": "2026-12-01T00:00:00Z",
    })
}

#[tokio::test]
async fn a_source_delivers_with_a_key_that_two_made_until_one_revokes_it() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let proposed = city.ask(Method::POST, &administrators.one, "/api/v1/api-keys", hospital()).await;
    assert_eq!(proposed.status, StatusCode::ACCEPTED);
    let first = proposed.text("/first_half");
    assert!(first.starts_with("fhk_"));
    assert_eq!(city.ask(Method::POST, &first, "/deliver", Value::Null).await.status, StatusCode::UNAUTHORIZED, "half a key opens nothing");
    assert_eq!(city.look(&administrators.one, "/api/v1/api-keys").await.body, json!([]));

    let token = administrators.key(&city, hospital()).await;
    let known = city.ask(Method::POST, &token, "/deliver", Value::Null).await;
    assert_eq!(known.text("/unit"), "市疾控中心");
    assert_eq!(known.body["kinds"], json!(["case", "close_contact"]));

    let listed = city.look(&administrators.two, "/api/v1/api-keys").await;
    let path = format!("/api/v1/api-keys/{}", listed.text("/0/id"));
    for _ in 0..2 {
        assert_eq!(city.ask(Method::DELETE, &administrators.two, &path, Value::Null).await.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(city.ask(Method::POST, &token, "/deliver", Value::Null).await.status, StatusCode::UNAUTHORIZED);
    let listed = city.look(&administrators.two, "/api/v1/api-keys").await;
    assert!(listed.body[0]["revoked_at"].is_string());
    assert!(!listed.body.to_string().contains(&token));
    let revocations = city.trace().await.into_iter().filter(|entry| entry.action == "api_key.revoke").count();
    assert_eq!(revocations, 1, "the second changed nothing");
    assert!(city.traced("api_key.create").await.detail_json.contains("市疾控中心"));
}

#[tokio::test]
async fn a_key_stops_when_it_expires() {
    let city = City::founded().await;
    let token = city.administrators().await.key(&city, hospital()).await;
    assert_eq!(city.ask(Method::POST, &token, "/deliver", Value::Null).await.status, StatusCode::OK);
    city.passes(29 * DAY);
    assert_eq!(city.ask(Method::POST, &token, "/deliver", Value::Null).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_key_is_no_session_and_a_session_no_key() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let token = administrators.key(&city, hospital()).await;
    assert_eq!(city.look(&token, "/api/v1/session").await.text("/code"), "caller_not_allowed");
    assert_eq!(city.ask(Method::POST, &administrators.one, "/deliver", Value::Null).await.text("/code"), "caller_not_allowed");
}

#[tokio::test]
async fn a_key_that_makes_no_sense_is_refused_with_the_field() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    for (change, field) in [
        (json!({ "unit": " " }), "unit"),
        (json!({ "kinds": [] }), "kinds"),
        (json!({ "asks": ["Hospital visit"] }), "asks"),
        (json!({ "area": "500101001" }), "area"),
        (json!({ "unit": "staff:0190b5a0-6f2e-7c3a-9d1e-2b4c6d8e0f12" }), "unit"),
        (json!({ "expires_at": "2026-11-01T00:00:00Z" }), "expires_at"),
        (json!({ "expires_at": "2027-11-04T00:00:00Z" }), "expires_at"),
        (json!({ "origin": "rumour" }), "origin"),
    ] {
        let mut new = hospital();
        new.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refused = city.ask(Method::POST, &administrators.one, "/api/v1/api-keys", new).await;
        assert_eq!(refused.text("/errors/0/field"), field, "{change}");
    }
}

#[tokio::test]
async fn a_key_from_before_there_was_a_longest_life_can_be_revoked() {
    let platform = Store::Embedded.open_at("2026-11-02T01:00:00Z".parse().unwrap()).await;
    let first = sqlx::migrate::Migrator { migrations: MIGRATOR.iter().take(1).cloned().collect(), ..sqlx::migrate::Migrator::DEFAULT };
    platform.database.migrate(SCHEMA, &first).await.unwrap();
    let old = "with maker as (insert into identity.staff (id, login, name, role, scope, password_hash, created_at)
                   values (gen_random_uuid(), 'founder', '建市', 'auditor', 'city', '-', '2020-01-01') returning id)
               insert into identity.api_key (id, token_hash, unit, origin, area, kinds, created_by, created_at, expires_at)
               select gen_random_uuid(), sha256('old'), '市疾控中心', 'surveillance', '500103', '{case}', id, '2020-01-01', '2040-01-01' from maker";
    sqlx::query(old).execute(platform.database.pool()).await.unwrap();
    let city = City::on(platform).await;
    let administrators = city.administrators().await;
    let id = city.look(&administrators.one, "/api/v1/api-keys").await.text("/0/id");
    let revoked = city.ask(Method::DELETE, &administrators.one, &format!("/api/v1/api-keys/{id}"), Value::Null).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT, "{}", revoked.body);
}

#[tokio::test]
async fn a_key_that_only_asks_about_people_names_its_purposes_and_delivers_nothing() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let mut desk = hospital();
    desk.as_object_mut()
        .unwrap()
        .extend([("kinds".to_owned(), json!([])), ("asks".to_owned(), json!(["hospital_visit", "hospital_visit"]))]);
    let token = administrators.key(&city, desk).await;
    let known = city.ask(Method::POST, &token, "/deliver", Value::Null).await;
    assert_eq!((&known.body["kinds"], &known.body["asks"]), (&json!([]), &json!(["hospital_visit"])), "each once");
    administrators.key(&city, hospital()).await;
    let listed = city.look(&administrators.one, "/api/v1/api-keys").await;
    let asks: Vec<_> = listed.body.as_array().unwrap().iter().map(|key| key["asks"].clone()).collect();
    assert_eq!(asks, [json!([]), json!(["hospital_visit"])], "a key that names none asks nothing");
}
