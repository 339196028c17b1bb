//! Passkeys, and what somebody tries with one who is not its owner or not at this console.

use domain::staff::{Role, Scope};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use stages::{Answer, MINUTE, NOBODY};

use crate::authenticator::Authenticator;
use crate::city::{ADDRESS, City};

const CHALLENGE: &str = "/api/v1/session/passkey/challenge";
const SIGN_IN: &str = "/api/v1/session/passkey";

impl City {
    /// Somebody enrols a passkey in this session.
    async fn enrols_passkey(&self, token: &str, authenticator: &mut Authenticator) -> Answer {
        let offer = self.ask(Method::POST, token, "/api/v1/session/factors/passkey/offer", Value::Null).await;
        assert_eq!(offer.status, StatusCode::OK, "{}", offer.body);
        let passkey = json!({ "state": offer.body["state"], "credential": authenticator.makes(&offer.body["public_key"]) });
        self.ask(Method::POST, token, "/api/v1/session/factors", json!({ "name": "值班电脑", "passkey": passkey })).await
    }

    /// What a browser would bring after a challenge.
    async fn shown_by(&self, authenticator: &mut Authenticator) -> Value {
        let asked = self.ask(Method::POST, NOBODY, CHALLENGE, Value::Null).await;
        assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
        json!({ "state": asked.body["state"], "credential": authenticator.shows(&asked.body["public_key"]) })
    }

    async fn signs_in_with(&self, authenticator: &mut Authenticator) -> Answer {
        let shown = self.shown_by(authenticator).await;
        self.ask(Method::POST, NOBODY, SIGN_IN, shown).await
    }

    /// An officer, their session, and their passkey.
    async fn officer_with_passkey(&self, login: &str) -> (String, Authenticator) {
        let password = self.has(login, Role::CityCommandOfficer, Scope::City).await;
        let (token, mut authenticator) = (self.session(login, &password).await, Authenticator::at(ADDRESS));
        let enrolled = self.enrols_passkey(&token, &mut authenticator).await;
        assert_eq!(enrolled.status, StatusCode::CREATED, "{}", enrolled.body);
        (token, authenticator)
    }
}

#[tokio::test]
async fn a_passkey_alone_signs_its_owner_in_and_proves_their_session() {
    let city = City::founded().await;
    let (_, mut phone) = city.officer_with_passkey("wang").await;
    let begun = city.signs_in_with(&mut phone).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.body);
    assert_eq!((&begun.body["staff"]["second_factor"]["needs"], begun.text("/staff/role")), (&Value::Null, "city_command_officer".into()));
    let token = begun.text("/token");
    assert_eq!(city.look(&token, "/whole-city").await.status, StatusCode::OK);
    assert_eq!(city.traced("session.begin").await.detail_json, r#"{"kind":"passkey"}"#);

    city.passes(6 * MINUTE);
    let renewal = "/api/v1/session/recovery-codes";
    assert_eq!(city.ask(Method::POST, &token, renewal, Value::Null).await.text("/code"), "fresh_proof_needed");
    let shown = city.shown_by(&mut phone).await;
    assert_eq!(city.shows(&token, json!({ "passkey": shown })).await.status, StatusCode::OK);
    assert_eq!(city.ask(Method::POST, &token, renewal, Value::Null).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn what_a_browser_is_asked_is_what_browsers_take() {
    let city = City::founded().await;
    let password = city.has("wang", Role::CityCommandOfficer, Scope::City).await;
    let token = city.session("wang", &password).await;
    let creation = city.ask(Method::POST, &token, "/api/v1/session/factors/passkey/offer", Value::Null).await.body["public_key"].clone();
    assert_eq!((&creation["rp"]["id"], &creation["user"]["name"]), (&json!("alerts.example.cn"), &json!("wang")));
    assert_eq!(creation["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(creation["authenticatorSelection"]["userVerification"], "required");
    assert!(creation["challenge"].is_string() && creation["pubKeyCredParams"].is_array(), "{creation}");
    let request = city.ask(Method::POST, NOBODY, CHALLENGE, Value::Null).await.body["public_key"].clone();
    assert_eq!((&request["rpId"], &request["userVerification"]), (&json!("alerts.example.cn"), &json!("required")));
    assert_eq!(request["allowCredentials"], json!([]), "whoever asks learns of nobody's");
}

#[tokio::test]
async fn an_assertion_is_good_once() {
    let city = City::founded().await;
    let (token, mut phone) = city.officer_with_passkey("wang").await;
    let shown = city.shown_by(&mut phone).await;
    assert_eq!(city.ask(Method::POST, NOBODY, SIGN_IN, shown.clone()).await.status, StatusCode::CREATED);
    assert_eq!(city.ask(Method::POST, NOBODY, SIGN_IN, shown.clone()).await.text("/code"), "passkey_refused");
    assert_eq!(city.shows(&token, json!({ "passkey": shown })).await.text("/code"), "proof_refused", "nor for anything else");
}

#[tokio::test]
async fn an_assertion_that_comes_late_is_refused() {
    let city = City::founded().await;
    let (_, mut phone) = city.officer_with_passkey("wang").await;
    let shown = city.shown_by(&mut phone).await;
    city.passes(6 * MINUTE);
    assert_eq!(city.ask(Method::POST, NOBODY, SIGN_IN, shown).await.text("/code"), "passkey_refused");
}

#[tokio::test]
async fn what_a_page_of_another_name_was_shown_is_worth_nothing() {
    let city = City::founded().await;
    let (_, mut phone) = city.officer_with_passkey("wang").await;
    phone.origin = "https://alerts.example.cn.evil.example".to_owned();
    assert_eq!(city.signs_in_with(&mut phone).await.text("/code"), "passkey_refused", "a browser says which page asked");
    phone.origin = "http://alerts.example.cn".to_owned();
    assert_eq!(city.signs_in_with(&mut phone).await.text("/code"), "passkey_refused", "without TLS it is another");
    (phone.origin, phone.rp_id) = (ADDRESS.to_owned(), "evil.example".to_owned());
    assert_eq!(city.signs_in_with(&mut phone).await.text("/code"), "passkey_refused", "an authenticator says for whom it signs");
    phone.rp_id = "alerts.example.cn".to_owned();
    assert_eq!(city.signs_in_with(&mut phone).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_passkey_that_did_not_ask_for_the_person_is_refused() {
    let city = City::founded().await;
    let (token, mut phone) = city.officer_with_passkey("wang").await;
    phone.verifies = false;
    assert_eq!(city.signs_in_with(&mut phone).await.text("/code"), "passkey_refused");
    let mut careless = Authenticator::at(ADDRESS);
    careless.verifies = false;
    assert_eq!(city.enrols_passkey(&token, &mut careless).await.text("/code"), "proof_refused", "nor is one enrolled");
}

#[tokio::test]
async fn a_copied_key_is_noticed_by_its_counter() {
    let city = City::founded().await;
    let (_, mut phone) = city.officer_with_passkey("wang").await;
    phone.count = 40;
    assert_eq!(city.signs_in_with(&mut phone).await.status, StatusCode::CREATED);
    phone.count = 20;
    assert_eq!(city.signs_in_with(&mut phone).await.text("/code"), "passkey_refused", "the copy has signed less often");
}

#[tokio::test]
async fn anothers_passkey_proves_nothing_and_signs_nobody_else_in() {
    let city = City::founded().await;
    let (wang, wangs) = city.officer_with_passkey("wang").await;
    let (_, mut chens) = city.officer_with_passkey("chen").await;
    let shown = city.shown_by(&mut chens).await;
    assert_eq!(city.shows(&wang, json!({ "passkey": shown })).await.text("/code"), "proof_refused");
    chens.claims_to_be(&wangs);
    assert_eq!(city.signs_in_with(&mut chens).await.text("/code"), "passkey_refused");
}

#[tokio::test]
async fn an_offer_to_one_person_enrols_nothing_for_another() {
    let city = City::founded().await;
    let (wang, _) = city.officer_with_passkey("wang").await;
    let (chen, _) = city.officer_with_passkey("chen").await;
    let offer = city.ask(Method::POST, &wang, "/api/v1/session/factors/passkey/offer", Value::Null).await;
    let made = Authenticator::at(ADDRESS).makes(&offer.body["public_key"]);
    let passkey = json!({ "name": "手机", "passkey": { "state": offer.body["state"], "credential": made } });
    assert_eq!(city.ask(Method::POST, &chen, "/api/v1/session/factors", passkey.clone()).await.text("/code"), "proof_refused");
    assert_eq!(city.ask(Method::POST, &wang, "/api/v1/session/factors", passkey.clone()).await.status, StatusCode::CREATED);
    assert_eq!(city.ask(Method::POST, &wang, "/api/v1/session/factors", passkey).await.text("/code"), "proof_refused", "it is good once");
}

#[tokio::test]
async fn a_passkey_that_was_removed_or_whose_owner_is_disabled_opens_nothing() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let (token, mut phone) = city.officer_with_passkey("wang").await;
    let id = city.look(&token, "/api/v1/session").await.text("/id");
    for login in ["chen", "liu", "zhou"] {
        city.has(login, Role::CityCommandOfficer, Scope::City).await;
    }
    let disabled = city.ask(Method::POST, &administrators.one, &format!("/api/v1/staff/{id}/disable"), Value::Null).await;
    assert_eq!(disabled.status, StatusCode::NO_CONTENT);
    assert_eq!(city.signs_in_with(&mut phone).await.text("/code"), "passkey_refused");

    let (token, mut phone) = city.officer_with_passkey("chen.two").await;
    let own = city.look(&token, "/api/v1/session/factors").await;
    let passkey = own.body["factors"].as_array().unwrap().iter().find(|factor| factor["kind"] == "passkey").unwrap().clone();
    let path = format!("/api/v1/session/factors/{}", passkey["id"].as_str().unwrap());
    assert_eq!(city.ask(Method::DELETE, &token, &path, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(city.signs_in_with(&mut phone).await.text("/code"), "passkey_refused");
}

#[tokio::test]
async fn without_the_address_of_the_console_there_are_no_passkeys() {
    let city = City::founded().await;
    let routes = identity::routes(&city.platform, &identity::Settings::default()).await.unwrap();
    let desk = stages::Desk::of(routes, platform::http::Authenticators::new());
    assert_eq!(desk.post(NOBODY, CHALLENGE, Value::Null).await.1["code"], "passkeys_not_set_up");
}
