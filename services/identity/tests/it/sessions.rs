//! Signing in, staying signed in, signing out.

use axum::body::Body;
use domain::staff::{Role, Scope};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use sha2::Digest as _;
use stages::{DAY, MINUTE, NOBODY, SECOND, until};

use crate::city::City;

#[tokio::test]
async fn an_officer_signs_in_is_known_and_signs_out() {
    let city = City::founded().await;
    let password = city.has("wang", Role::CityCommandOfficer, Scope::City).await;
    let token = city.session("Wang", &password).await;
    let me = city.look(&token, "/api/v1/session").await;
    assert_eq!((me.text("/role"), me.text("/scope")), ("city_command_officer".to_owned(), "city".to_owned()));

    assert_eq!(city.ask(Method::DELETE, &token, "/api/v1/session", Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(city.look(&token, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
    let actions: Vec<_> = city.trace().await.into_iter().map(|entry| entry.action).collect();
    assert_eq!(actions, ["staff.create", "session.begin", "session.prove", "session.end"]);
}

#[tokio::test]
async fn nobody_learns_from_a_refusal_whether_the_name_exists() {
    let city = City::founded().await;
    city.has("wang", Role::CityCommandOfficer, Scope::City).await;
    let wrong_password = city.signs_in("wang", "not the password").await;
    let wrong_name = city.signs_in("nobody", "not the password").await;
    assert_eq!(wrong_password.status, StatusCode::UNAUTHORIZED);
    for field in ["/code", "/detail", "/status"] {
        assert_eq!(wrong_password.body.pointer(field), wrong_name.body.pointer(field));
    }
    let trace = city.trace().await;
    let refusals: Vec<_> = trace.iter().filter(|entry| entry.action == "session.refuse").collect();
    assert_eq!((refusals.len(), refusals[1].object.as_str()), (2, "unknown"), "both cost the same write, and what was typed is not kept");
}

#[tokio::test]
async fn guessing_at_one_account_is_slowed_down_and_the_owner_gets_in_soon_after() {
    let city = City::founded().await;
    let password = city.has("wang", Role::CityCommandOfficer, Scope::City).await;
    for _ in 0..10 {
        assert_eq!(city.signs_in("wang", "guess").await.status, StatusCode::UNAUTHORIZED);
    }
    let throttled = city.signs_in("wang", &password).await;
    assert_eq!(throttled.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(throttled.headers["retry-after"], "30");
    city.has("chen", Role::CityCommandOfficer, Scope::City).await;
    assert_eq!(city.signs_in("chen", "guess").await.status, StatusCode::UNAUTHORIZED, "another account is not slowed down");
    city.passes(30 * SECOND);
    assert_eq!(city.signs_in("wang", &password).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_and_after_its_longest_time() {
    let city = City::founded().await;
    let password = city.has("wang", Role::CityCommandOfficer, Scope::City).await;

    let forgotten = city.session("wang", &password).await;
    city.passes(29 * MINUTE);
    assert_eq!(city.look(&forgotten, "/api/v1/session").await.status, StatusCode::OK);
    city.passes(31 * MINUTE);
    assert_eq!(city.look(&forgotten, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED);

    let busy = city.session("wang", &password).await;
    for _ in 0..35 {
        city.passes(20 * MINUTE);
        assert_eq!(city.look(&busy, "/api/v1/session").await.status, StatusCode::OK);
    }
    city.passes(20 * MINUTE);
    assert_eq!(city.look(&busy, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED, "twelve hours are over");
}

#[tokio::test]
async fn whoever_can_write_to_the_cache_becomes_nobody() {
    let city = City::founded().await;
    let password = city.has("wang", Role::CityCommandOfficer, Scope::City).await;
    let token = city.session("wang", &password).await;
    let place = |token: &str| format!("identity:staff-session:{}", hex::encode(sha2::Sha256::digest(token.as_bytes())));
    let own = city.platform.cache.get(&place(&token)).await.unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&own).contains("staff"), "nothing of it is read there");

    let chosen = "fhs_chosen";
    let staff = city.look(&token, "/api/v1/session").await.text("/id");
    let plain = json!({ "staff": staff, "revision": 1, "ends_at": "2099-01-01T00:00:00Z", "seen_at": "2026-01-01T00:00:00Z", "idle_seconds": 999_999 });
    for written in [plain.to_string().into_bytes(), json!({ "token": chosen, "session": plain }).to_string().into_bytes(), own.to_vec()] {
        city.platform.cache.set(&place(chosen), &written, DAY).await.unwrap();
        assert_eq!(city.look(chosen, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED, "a record made up, or another's copied");
    }
    assert_eq!(city.look(&token, "/api/v1/session").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_browser_keeps_the_session_in_a_cookie_that_scripts_cannot_read() {
    let city = City::founded().await;
    let password = city.has("wang", Role::CityCommandOfficer, Scope::City).await;
    let request = json!({ "login": "wang", "password": password, "cookie": true });
    let answer = city.ask(Method::POST, NOBODY, "/api/v1/session", request).await;
    assert!(answer.body.get("token").is_none());
    let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    for property in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/", "Max-Age=43200"] {
        assert!(cookie.contains(property), "{cookie}");
    }
    let pair = cookie.split(';').next().unwrap();
    let request = Request::get("/api/v1/session").header("cookie", pair).body(Body::empty()).unwrap();
    assert_eq!(city.respond(request).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions_and_keeps_this_one() {
    let city = City::founded().await;
    let password = city.has("wang", Role::CityCommandOfficer, Scope::City).await;
    let (here, elsewhere) = (city.session("wang", &password).await, city.session("wang", &password).await);
    let change = |current: &str, new: &str| json!({ "current": current, "new": new });

    let wrong = city.ask(Method::POST, &here, "/api/v1/session/password", change("wrong", "beacon tower at dusk")).await;
    assert_eq!(wrong.text("/errors/0/field"), "current");
    assert_eq!(city.trace().await.last().unwrap().action, "session.refuse", "whoever tries passwords in a session leaves a trace");
    let weak = city.ask(Method::POST, &here, "/api/v1/session/password", change(&password, "short")).await;
    assert_eq!(weak.text("/errors/0/field"), "new");
    let changed = city.ask(Method::POST, &here, "/api/v1/session/password", change(&password, "beacon tower at dusk")).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT);

    assert_eq!(city.look(&here, "/api/v1/session").await.status, StatusCode::OK);
    assert_eq!(city.look(&elsewhere, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(city.signs_in("wang", &password).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(city.signs_in("wang", "beacon tower at dusk").await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn somebody_ends_their_other_sessions() {
    let city = City::founded().await;
    let password = city.has("wang", Role::CityCommandOfficer, Scope::City).await;
    let (here, elsewhere) = (city.session("wang", &password).await, city.session("wang", &password).await);
    assert_eq!(city.ask(Method::DELETE, &here, "/api/v1/session/others", Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(city.look(&here, "/api/v1/session").await.status, StatusCode::OK);
    assert_eq!(city.look(&elsewhere, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn somebody_sees_their_own_sessions_and_ends_one_of_them() {
    let city = City::founded().await;
    let (wang, chen) = (city.has("wang", Role::CityCommandOfficer, Scope::City).await, city.has("chen", Role::Auditor, Scope::City).await);
    let (elsewhere, others) = (city.session("wang", &wang).await, city.session("chen", &chen).await);
    city.passes(MINUTE);
    let here = city.session("wang", &wang).await;
    let own = city.look(&here, "/api/v1/session/own").await.body;
    let seen: Vec<_> = own.as_array().unwrap().iter().map(|session| (session["began_at"].clone(), session["this"].clone())).collect();
    assert_eq!(seen, [(json!("2026-11-02T01:01:00Z"), json!(true)), (json!("2026-11-02T01:00:00Z"), json!(false))]);
    let path = format!("/api/v1/session/own/{}", own[1]["id"].as_str().unwrap());
    assert_eq!(city.ask(Method::DELETE, &others, &path, Value::Null).await.text("/code"), "session_not_found", "it is another person's");
    assert_eq!(city.ask(Method::DELETE, &here, &path, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(city.look(&elsewhere, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(city.look(&here, "/api/v1/session").await.status, StatusCode::OK);
    city.passes(31 * MINUTE);
    let again = city.session("wang", &wang).await;
    assert_eq!(city.look(&again, "/api/v1/session/own").await.body.as_array().unwrap().len(), 1, "what was not used has ended");
}

#[tokio::test]
async fn a_password_that_everybody_tries_first_is_refused() {
    let city = City::founded().await;
    let password = city.has("wang", Role::CityCommandOfficer, Scope::City).await;
    let here = city.session("wang", &password).await;
    for common in ["123456789012", "password1234", "qwertyuiop123", "aaaaaaaaaaaa", "iloveyou2026"] {
        let change = json!({ "current": password, "new": common });
        let refused = city.ask(Method::POST, &here, "/api/v1/session/password", change).await;
        assert_eq!(refused.text("/errors/0/field"), "new", "{common}");
        city.passes(30 * SECOND);
    }
}

#[tokio::test]
async fn a_session_that_ends_while_it_asks_keeps_nothing() {
    let city = City::founded().await;
    let password = city.has("wang", Role::CityCommandOfficer, Scope::City).await;
    let change = json!({ "current": password, "new": "beacon tower at dusk" });
    for (method, path, body) in
        [(Method::DELETE, "/api/v1/session/others", Value::Null), (Method::POST, "/api/v1/session/password", change)]
    {
        let stolen = city.session("wang", &password).await;
        // an administrator ends all sessions, and their transaction is not over yet
        let mut ending = city.platform.database.begin().await.unwrap();
        let end = "update identity.staff set credential_revision = credential_revision + 1 where login = 'wang'";
        sqlx::query(end).execute(&mut *ending).await.unwrap();
        let asks = city.ask(method, &stolen, path, body);
        let ended = async {
            until("it waits for the administrator", async || {
                city.count("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()").await
                    > 0
            })
            .await;
            ending.commit().await.unwrap();
        };
        let (answer, ()) = tokio::join!(asks, ended);
        assert_eq!((answer.status, answer.text("/code")), (StatusCode::UNAUTHORIZED, "session_over".to_owned()), "{path}");
        assert_eq!(city.look(&stolen, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(city.signs_in("wang", &password).await.status, StatusCode::CREATED, "the password stays");
    }
}
