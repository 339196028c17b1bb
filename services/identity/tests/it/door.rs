//! Whoever floods the door in an officer's name keeps nobody out who has been here before.

use domain::staff::{Role, Scope};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use stages::NOBODY;

use crate::authenticator::Authenticator;
use crate::city::{ADDRESS, City};

const SESSION: &str = "/api/v1/session";

impl City {
    /// An attempt from an address, with the cookies of a browser.
    async fn tries_from(&self, address: &str, cookies: &str, login: &str, password: &str) -> StatusCode {
        let body = json!({ "login": login, "password": password, "cookie": true });
        let request = Request::post(SESSION)
            .header("content-type", "application/json")
            .header("x-forwarded-for", address)
            .header("cookie", cookies)
            .body(body.to_string().into())
            .unwrap();
        self.respond(request).await.status()
    }

    /// The cookie of a session that begins with a password.
    async fn begins_from(&self, address: &str, cookies: &str, login: &str, password: &str) -> String {
        let body = json!({ "login": login, "password": password, "cookie": true });
        let request = Request::post(SESSION)
            .header("content-type", "application/json")
            .header("x-forwarded-for", address)
            .header("cookie", cookies)
            .body(body.to_string().into())
            .unwrap();
        let begun = self.respond(request).await;
        assert_eq!(begun.status(), StatusCode::CREATED);
        let cookies = begun.headers().get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
        let session = cookies.into_iter().find(|cookie| cookie.starts_with("fenghuo_session=")).unwrap();
        session.split(';').next().unwrap().to_owned()
    }

    async fn shows_code(&self, address: &str, cookies: &str, code: &str) -> http::Response<axum::body::Body> {
        let proof = Request::post("/api/v1/session/proof")
            .header("content-type", "application/json")
            .header("x-fenghuo-request", "1")
            .header("x-forwarded-for", address)
            .header("cookie", cookies)
            .body(json!({ "code": code }).to_string().into())
            .unwrap();
        self.respond(proof).await
    }

    async fn codes_from(&self, address: &str, cookies: &str, code: &str) -> StatusCode {
        self.shows_code(address, cookies, code).await.status()
    }

    /// Somebody signs in with both factors in this browser; the cookie by which it is known.
    async fn proves_in(&self, login: &str, password: &str, device: &str) -> String {
        let session = self.begins_from("198.51.100.9", device, login, password).await;
        let proved = self.shows_code("198.51.100.9", &format!("{session}; {device}"), identity::demo::CODE).await;
        assert_eq!(proved.status(), StatusCode::OK);
        device_cookie(proved.headers()).unwrap()
    }

    /// An officer who has signed in with both factors in a browser: the password, and the cookie by which the browser is known.
    async fn officer_known(&self, login: &str) -> (String, String) {
        let password = self.has(login, Role::CityCommandOfficer, Scope::City).await;
        let request = json!({ "login": login, "password": password, "cookie": true });
        let begun = self.ask(Method::POST, NOBODY, SESSION, request).await;
        assert_eq!(begun.headers.get_all("set-cookie").iter().count(), 1, "a password alone makes no known device");
        let session = begun.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let proof = Request::post("/api/v1/session/proof")
            .header("content-type", "application/json")
            .header("x-fenghuo-request", "1")
            .header("cookie", session)
            .body(json!({ "code": identity::demo::CODE }).to_string().into())
            .unwrap();
        let proved = self.respond(proof).await;
        assert_eq!(proved.status(), StatusCode::OK);
        let cookie = device_cookie(proved.headers()).expect("this browser is known from now on");
        assert!(proved.headers().get_all("set-cookie").iter().any(|cookie| cookie.to_str().unwrap().starts_with("fenghuo_session=fhs_")));
        for property in ["fenghuo_device=fhv_", "HttpOnly", "SameSite=Strict", "Secure", "Path=/api/v1/session;"] {
            assert!(cookie.contains(property), "{cookie}");
        }
        (password, cookie.split(';').next().unwrap().to_owned())
    }
}

#[tokio::test]
async fn a_flood_from_outside_leaves_the_officers_own_device_able_to_sign_in_at_once() {
    let city = City::founded().await;
    let (password, known) = city.officer_known("wang").await;
    for attempt in 0..200 {
        let from = format!("203.0.{}.{}", attempt / 2, attempt % 250);
        assert_eq!(city.tries_from(&from, "", "wang", "guess").await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(city.trace().await.iter().filter(|entry| entry.action == "session.flood").count(), 1, "it rings, once in a while");
    assert_eq!(city.tries_from("198.51.100.7", "", "wang", &password).await, StatusCode::CREATED, "nobody is kept out elsewhere");
    assert_eq!(city.tries_from("198.51.100.7", &known, "wang", &password).await, StatusCode::CREATED);
    assert_eq!(city.tries_from("203.0.0.1", &known, "wang", &password).await, StatusCode::CREATED, "even from where the flood comes");
}

/// The cookie by which a browser is known, with its properties.
fn device_cookie(headers: &http::HeaderMap) -> Option<String> {
    let cookies = headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    cookies.into_iter().find(|cookie| cookie.starts_with("fenghuo_device=")).map(str::to_owned)
}

#[tokio::test]
async fn one_line_of_ipv6_holds_no_officer_out() {
    let city = City::founded().await;
    let password = city.has("wang", Role::CityCommandOfficer, Scope::City).await;
    for network in 0..150 {
        city.tries_from(&format!("2001:db8:1:{network:x}::1"), "", "wang", "guess").await;
    }
    assert_eq!(city.tries_from("198.51.100.7", "", "wang", &password).await, StatusCode::CREATED);
}

#[tokio::test]
async fn a_neighbour_who_guesses_in_the_same_network_keeps_nobody_out_who_has_signed_in_from_there() {
    let city = City::founded().await;
    let (password, _) = city.officer_known("wang").await;
    let stranger = city.has("chen", Role::CityCommandOfficer, Scope::City).await;
    for guess in 0..70 {
        city.tries_from("0.0.0.0", "", &format!("nobody{guess}"), "guess").await;
    }
    assert_eq!(city.tries_from("0.0.0.0", "", "chen", &stranger).await, StatusCode::TOO_MANY_REQUESTS, "the network is slowed down");
    assert_eq!(city.tries_from("0.0.0.0", "", "wang", &password).await, StatusCode::CREATED, "on a browser that nobody knows");
}

#[tokio::test]
async fn right_passwords_count_against_no_network() {
    let city = City::founded().await;
    for officer in 0..8 {
        let (login, from) = (format!("officer{officer}"), "203.0.113.7");
        let password = city.has(&login, Role::CityCommandOfficer, Scope::City).await;
        for _ in 0..9 {
            assert_eq!(city.tries_from(from, "", &login, &password).await, StatusCode::CREATED);
        }
    }
}

#[tokio::test]
async fn a_console_of_a_duty_room_is_known_for_each_of_its_officers() {
    let city = City::founded().await;
    let (wangs_password, console) = city.officer_known("wang").await;
    let chens_password = city.has("chen", Role::CityCommandOfficer, Scope::City).await;
    let renewed = city.proves_in("chen", &chens_password, &console).await;
    assert_eq!(renewed.split(';').next().unwrap(), console, "one browser has one token");
    assert!(renewed.contains("Max-Age=7776000"), "which its browser keeps from now on: {renewed}");
    for (login, password) in [("wang", &wangs_password), ("chen", &chens_password)] {
        for _ in 0..10 {
            city.tries_from("203.0.113.7", "", login, "guess").await;
        }
        assert_eq!(city.tries_from("203.0.113.7", &console, login, password).await, StatusCode::CREATED, "{login}");
    }
    let chosen = city.proves_in("wang", &wangs_password, "fenghuo_device=fhv_chosen").await;
    assert!(!chosen.contains("fhv_chosen"), "nobody else chooses a browser's token");
}

#[tokio::test]
async fn who_knows_the_password_spends_their_own_tries_of_a_code() {
    let city = City::founded().await;
    let (password, known) = city.officer_known("wang").await;
    let session = city.session("wang", &password).await;
    let tries = |from: &'static str, cookies: String| {
        let (city, password) = (&city, &password);
        async move {
            let begun = city.begins_from(from, &cookies, "wang", password).await;
            city.codes_from(from, &format!("{begun}; {cookies}"), "000000").await
        }
    };
    for _ in 0..9 {
        assert_eq!(tries("203.0.113.7", String::new()).await, StatusCode::FORBIDDEN);
    }
    city.passes(std::time::Duration::from_secs(300));
    assert_eq!(tries("203.0.113.7", String::new()).await, StatusCode::FORBIDDEN);
    assert_eq!(tries("203.0.113.7", String::new()).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(tries("198.51.100.7", String::new()).await, StatusCode::FORBIDDEN, "elsewhere it is compared");
    assert_eq!(tries("203.0.113.7", known).await, StatusCode::FORBIDDEN, "and on a device that is known");
    assert_eq!(
        city.shows(&session, json!({ "code": identity::demo::CODE })).await.status,
        StatusCode::OK,
        "and in a session that was proved"
    );
}

#[tokio::test]
async fn a_flood_leaves_a_passkey_able_to_sign_in_at_once() {
    let city = City::founded().await;
    let password = city.has("wang", Role::CityCommandOfficer, Scope::City).await;
    let token = city.session("wang", &password).await;
    let mut phone = Authenticator::at(ADDRESS);
    let offer = city.ask(Method::POST, &token, "/api/v1/session/factors/passkey/offer", Value::Null).await;
    let passkey = json!({ "state": offer.body["state"], "credential": phone.makes(&offer.body["public_key"]) });
    let enrolled = city.ask(Method::POST, &token, "/api/v1/session/factors", json!({ "name": "手机", "passkey": passkey })).await;
    assert_eq!(enrolled.status, StatusCode::CREATED, "{}", enrolled.body);
    for _ in 0..80 {
        city.tries_from("0.0.0.0", "", "wang", "guess").await;
    }
    assert_eq!(city.signs_in("wang", &password).await.status, StatusCode::TOO_MANY_REQUESTS);
    for _ in 0..30 {
        let nonsense = json!({ "state": "AAAA", "credential": {} });
        assert_eq!(city.ask(Method::POST, NOBODY, "/api/v1/session/passkey", nonsense).await.text("/code"), "passkey_refused");
    }
    let asked = city.ask(Method::POST, NOBODY, "/api/v1/session/passkey/challenge", Value::Null).await;
    let shown = json!({ "state": asked.body["state"], "credential": phone.shows(&asked.body["public_key"]) });
    assert_eq!(city.ask(Method::POST, NOBODY, "/api/v1/session/passkey", shown).await.status, StatusCode::CREATED);
    let refusals = city.trace().await.into_iter().filter(|entry| entry.action == "session.refuse" && entry.object == "unknown").count();
    assert!(refusals <= 10, "what costs a caller nothing fills no trace: {refusals}");
}

#[tokio::test]
async fn guessing_from_one_network_is_slowed_down_there_and_nowhere_else() {
    let city = City::founded().await;
    let password = city.has("wang", Role::CityCommandOfficer, Scope::City).await;
    for host in 0..10 {
        assert_eq!(city.tries_from(&format!("203.0.113.{host}"), "", "wang", "guess").await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(city.tries_from("203.0.113.99", "", "wang", "guess").await, StatusCode::TOO_MANY_REQUESTS, "one network is one customer's");
    assert_eq!(city.tries_from("198.51.100.7", "", "wang", &password).await, StatusCode::CREATED);
    for host in 0..10 {
        assert_eq!(city.tries_from(&format!("2001:db8:1:{host}::1"), "", "wang", "guess").await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(
        city.tries_from("2001:db8:1:2:ffff::1", "", "wang", "guess").await,
        StatusCode::TOO_MANY_REQUESTS,
        "and so is a /48, with all its networks"
    );
    assert_eq!(city.tries_from("2001:db8:2:3::1", "", "wang", &password).await, StatusCode::CREATED);
}

#[tokio::test]
async fn a_known_device_is_known_to_its_own_account_alone_and_guesses_no_faster() {
    let city = City::founded().await;
    let (_, wangs) = city.officer_known("wang").await;
    let (password, chens) = city.officer_known("chen").await;
    for _ in 0..10 {
        assert_eq!(city.tries_from("203.0.113.7", &wangs, "chen", "guess").await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(
        city.tries_from("203.0.113.7", &wangs, "chen", "guess").await,
        StatusCode::TOO_MANY_REQUESTS,
        "another's device is a stranger's"
    );
    assert_eq!(city.tries_from("203.0.113.7", &chens, "chen", &password).await, StatusCode::CREATED);
    for _ in 0..9 {
        assert_eq!(city.tries_from("198.51.100.7", &chens, "chen", "guess").await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(
        city.tries_from("198.51.100.8", &chens, "chen", "guess").await,
        StatusCode::TOO_MANY_REQUESTS,
        "a stolen cookie is no licence"
    );
}

#[tokio::test]
async fn a_change_of_password_takes_from_nobodys_bucket_at_the_door() {
    let city = City::founded().await;
    let password = city.has("wang", Role::CityCommandOfficer, Scope::City).await;
    let token = city.session("wang", &password).await;
    for _ in 0..40 {
        city.tries_from("203.0.113.7", "", "wang", "guess").await;
    }
    let change = json!({ "current": password, "new": "beacon tower at dusk" });
    assert_eq!(city.ask(Method::POST, &token, "/api/v1/session/password", change).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn devices_are_forgotten_when_their_owner_says_so() {
    let city = City::founded().await;
    let (password, known) = city.officer_known("wang").await;
    let token = city.session("wang", &password).await;
    assert_eq!(city.look(&token, "/api/v1/session/factors").await.body["known_devices"], 1);
    assert_eq!(city.ask(Method::DELETE, &token, "/api/v1/session/devices", Value::Null).await.status, StatusCode::NO_CONTENT);
    for _ in 0..10 {
        city.tries_from("203.0.113.7", "", "wang", "guess").await;
    }
    assert_eq!(city.tries_from("203.0.113.7", &known, "wang", &password).await, StatusCode::TOO_MANY_REQUESTS);
}
