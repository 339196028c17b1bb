//! Keys of source systems.

use http::{Method, Request, StatusCode};
use identity::{MIGRATOR, SCHEMA};
use prost::Message;
use proto::AuditEntry;
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
        (json!({ "networks": ["198.51.100.7/24"] }), "networks[0]"),
        (json!({ "networks": vec!["198.51.100.0/24"; 33] }), "networks"),
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

impl City {
    /// A source delivers from an address.
    async fn delivers_from(&self, address: &str, key: &str) -> (StatusCode, String) {
        let request = Request::post("/deliver").header("authorization", format!("Bearer {key}")).header("x-forwarded-for", address);
        let (parts, body) = self.answered(request.body(axum::body::Body::empty()).unwrap()).await;
        let body: Value = serde_json::from_slice(&body).unwrap();
        (parts.status, body["code"].as_str().unwrap_or_default().to_owned())
    }

    /// What the gate has published for the audit trace: it stands before all services, and publishes from none of theirs.
    async fn traced_at_the_gate(&self) -> Vec<AuditEntry> {
        let rows: Vec<Vec<u8>> = sqlx::query_scalar("select payload from bus.outbox order by id").fetch_all(self.pool()).await.unwrap();
        rows.iter().map(|payload| AuditEntry::decode(payload.as_slice()).unwrap()).collect()
    }
}

#[tokio::test]
async fn a_key_that_is_used_from_elsewhere_is_refused_and_that_is_traced() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let mut new = hospital();
    new["networks"] = json!(["2001:db8:7::/48", "198.51.100.0/24", "198.51.100.0/24"]);
    let key = administrators.key(&city, new).await;
    let listed = city.look(&administrators.one, "/api/v1/api-keys").await.body;
    assert_eq!(listed[0]["networks"], json!(["198.51.100.0/24", "2001:db8:7::/48"]), "each once");

    for home in ["198.51.100.9", "2001:db8:7:1::4"] {
        assert_eq!(city.delivers_from(home, &key).await.0, StatusCode::OK, "{home}");
    }
    for elsewhere in ["203.0.113.9", "203.0.113.10", "2001:db8:8::4", "198.51.101.9, 198.51.101.9"] {
        assert_eq!(city.delivers_from(elsewhere, &key).await, (StatusCode::FORBIDDEN, "key_elsewhere".to_owned()), "{elsewhere}");
    }
    let traced = city.traced_at_the_gate().await;
    let told: Vec<&str> = traced.iter().map(|entry| entry.detail_json.as_str()).collect();
    assert_eq!(told.len(), 3, "once for each network: {told:?}");
    assert!(told[0].contains("203.0.113.0") && told[0].contains("市疾控中心") && told[0].contains("POST /deliver"), "{}", told[0]);
    assert!(traced.iter().all(|entry| entry.action == "api_key.turn_away" && entry.actor_kind == "source"));
    city.passes(std::time::Duration::from_secs(3_601));
    city.delivers_from("203.0.113.9", &key).await;
    assert_eq!(city.traced_at_the_gate().await.len(), 4, "and once an hour");
}

#[tokio::test]
async fn a_key_moves_to_other_networks_when_two_say_so() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let key = administrators.key(&city, hospital()).await;
    let id = city.look(&administrators.one, "/api/v1/api-keys").await.text("/0/id");
    let path = format!("/api/v1/api-keys/{id}/networks");
    stages::second_factor::prove(&city, &administrators.one).await;
    let same = city.ask(Method::PUT, &administrators.one, &path, json!({ "networks": [] })).await;
    assert_eq!(same.text("/code"), "nothing_to_change");
    let proposed = city.ask(Method::PUT, &administrators.one, &path, json!({ "networks": ["198.51.100.0/24"] })).await;
    assert_eq!(proposed.status, StatusCode::ACCEPTED, "{}", proposed.body);
    assert_eq!(city.delivers_from("203.0.113.9", &key).await.0, StatusCode::OK, "one alone moves nothing");

    administrators.agree(&city, Method::PUT, &path["/api/v1/".len()..], json!({ "networks": ["203.0.113.0/24"] })).await;
    assert_eq!(city.delivers_from("203.0.113.9", &key).await.0, StatusCode::OK);
    assert_eq!(city.delivers_from("198.51.100.9", &key).await.1, "key_elsewhere");
    assert!(city.traced("api_key.move").await.detail_json.contains("203.0.113.0/24"));
    // what was proposed about the key as it was does not hold for the key as it is
    stages::second_factor::prove(&city, &administrators.two).await;
    let confirmation = format!("/api/v1/proposals/{}/confirmation", proposed.text("/proposal/id"));
    assert_eq!(city.ask(Method::POST, &administrators.two, &confirmation, Value::Null).await.text("/code"), "key_changed");

    city.ask(Method::DELETE, &administrators.one, &format!("/api/v1/api-keys/{id}"), Value::Null).await;
    let gone = city.ask(Method::PUT, &administrators.one, &path, json!({ "networks": [] })).await;
    assert_eq!(gone.text("/code"), "api_key_not_found");
}

#[tokio::test]
async fn staff_who_ask_for_what_they_have_no_right_to_leave_a_trace_and_do_not_fill_it() {
    let city = City::founded().await;
    let password = city.has("li.si", domain::staff::Role::Auditor, domain::staff::Scope::City).await;
    let token = city.session("li.si", &password).await;
    for _ in 0..20 {
        let refused = city.ask(Method::POST, &token, "/api/v1/staff", json!({ "login": "not.read" })).await;
        assert_eq!(refused.text("/code"), "role_not_allowed");
    }
    let traced = city.traced_at_the_gate().await;
    assert_eq!(traced.len(), 1);
    assert_eq!((traced[0].action.as_str(), traced[0].object.as_str()), ("session.turn_away", "POST /api/v1/staff"));
    assert_eq!(traced[0].actor, city.id_of("li.si").await.to_string());
    // what is only asked of them first is no attempt
    assert_eq!(city.signs_in("li.si", "wrong").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(city.traced_at_the_gate().await.len(), 1);
}
