//! What somebody who has stolen a password, a code or a session does not get to do.

use chrono::{DateTime, TimeDelta, Utc};
use domain::staff::{Role, Scope};
use http::{Method, StatusCode};
use platform::crypto::Purpose;
use serde_json::{Value, json};
use stages::second_factor::{code_at, goes_on};
use stages::{Agreed, Answer, DAY, HOUR, MINUTE, NOBODY, PASSWORD, SECOND, activate};

use crate::city::City;

const FACTORS: &str = "/api/v1/session/factors";
const CODES: &str = "/api/v1/session/recovery-codes";

/// A phone with an authenticator app.
struct Phone {
    secret: String,
}

impl Phone {
    fn shows(&self, at: DateTime<Utc>) -> Value {
        json!({ "code": code_at(&self.secret, at) })
    }
}

impl City {
    fn now(&self) -> DateTime<Utc> {
        self.platform.clock.now()
    }

    /// Somebody enrols an app; the phone, and how it was answered.
    async fn enrols_app(&self, token: &str) -> (Phone, Answer) {
        let offer = self.ask(Method::POST, token, "/api/v1/session/factors/totp/offer", Value::Null).await;
        assert_eq!(offer.status, StatusCode::OK, "{}", offer.body);
        let phone = Phone { secret: offer.text("/secret") };
        let shown = json!({ "state": offer.body["state"], "code": code_at(&phone.secret, self.now()) });
        (phone, self.ask(Method::POST, token, FACTORS, json!({ "name": "手机", "totp": shown })).await)
    }

    /// An officer of a city in which people live, with a phone and recovery codes, as two administrators make them.
    async fn officer(&self) -> (String, Phone, Vec<String>) {
        let administrators = self.administrators().await;
        let officer = json!({ "login": "wang", "name": "王", "role": "city_command_officer", "scope": "city" });
        let Agreed { halves: [first, second], .. } = administrators.agree(self, Method::POST, "staff", officer).await;
        let body = json!({ "login": "wang", "first_half": first, "second_half": second, "password": PASSWORD });
        let begun = self.ask(Method::POST, NOBODY, "/api/v1/session/activation", body).await;
        let token = begun.text("/token");
        let (phone, enrolled) = self.enrols_app(&token).await;
        assert_eq!(enrolled.status, StatusCode::CREATED, "{}", enrolled.body);
        let token = goes_on(&token, &enrolled.body);
        let codes = enrolled.body["recovery_codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect();
        self.passes(MINUTE);
        (token, phone, codes)
    }

    /// A session that has shown the password alone.
    async fn half_signed_in(&self, login: &str) -> String {
        let begun = self.signs_in(login, PASSWORD).await;
        assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.body);
        begun.text("/token")
    }
}

#[tokio::test]
async fn a_new_account_enrols_before_it_does_anything_and_is_given_recovery_codes_once() {
    let city = City::real().await;
    let administrators = city.administrators().await;
    let officer = json!({ "login": "wang", "name": "王", "role": "city_command_officer", "scope": "city" });
    let Agreed { halves: [first, second], .. } = administrators.agree(&city, Method::POST, "staff", officer).await;
    let body = json!({ "login": "wang", "first_half": first, "second_half": second, "password": PASSWORD });
    let begun = city.ask(Method::POST, NOBODY, "/api/v1/session/activation", body).await;
    assert_eq!(begun.body["staff"]["second_factor"]["needs"], "enrolment");
    let token = begun.text("/token");
    for path in ["/whole-city", "/api/v1/colleagues", "/api/v1/session/own", FACTORS] {
        let refused = city.look(&token, path).await;
        assert_eq!((refused.status, refused.text("/code")), (StatusCode::FORBIDDEN, "second_factor_needed".into()), "{path}");
    }
    let (_, enrolled) = city.enrols_app(&token).await;
    assert_eq!(enrolled.body["recovery_codes"].as_array().map(Vec::len), Some(10));
    assert_eq!(enrolled.body["second_factor"]["needs"], Value::Null);
    let token = goes_on(&token, &enrolled.body);
    assert_eq!(city.look(&token, "/whole-city").await.status, StatusCode::OK);
    assert_eq!(city.traced("factor.enrol").await.detail_json, r#"{"kind":"totp"}"#);
    let (_, another) = city.enrols_app(&token).await;
    assert_eq!((another.status, another.body.get("recovery_codes")), (StatusCode::CREATED, None), "they are shown once");
    let listed = city.look(&administrators.one, "/api/v1/staff").await;
    let wang = listed.body.as_array().unwrap().iter().find(|staff| staff["login"] == "wang").unwrap();
    assert_eq!(wang["factors"], json!(["totp"]), "administrators see what there is");
    assert!(wang["factor_enrolled_at"].is_string());
}

#[tokio::test]
async fn a_stolen_password_alone_does_nothing_but_ask_for_the_phone() {
    let city = City::real().await;
    let (owner, phone, _) = city.officer().await;
    let thief = city.half_signed_in("wang").await;
    let me = city.look(&thief, "/api/v1/session").await;
    assert_eq!(me.body["second_factor"]["needs"], "proof");
    assert_eq!(me.body["second_factor"]["kinds"], json!(["totp", "recovery_code"]));
    for (method, path) in [
        (Method::GET, "/whole-city"),
        (Method::GET, "/api/v1/session/own"),
        (Method::DELETE, "/api/v1/session/others"),
        (Method::POST, CODES),
        (Method::POST, "/api/v1/session/factors/totp/offer"),
        (Method::POST, "/api/v1/session/factors/passkey/offer"),
    ] {
        assert_eq!(city.ask(method, &thief, path, Value::Null).await.text("/code"), "second_factor_needed", "{path}");
    }
    let change = json!({ "current": PASSWORD, "new": "another tower at dawn" });
    assert_eq!(city.ask(Method::POST, &thief, "/api/v1/session/password", change).await.text("/code"), "second_factor_needed");
    assert_eq!(city.look(&owner, "/whole-city").await.status, StatusCode::OK, "the owner notices nothing");
    let proved = city.proved(&thief, phone.shows(city.now())).await;
    assert_eq!(city.look(&proved, "/whole-city").await.status, StatusCode::OK);
    assert_eq!(city.traced("session.prove").await.detail_json, r#"{"kind":"totp"}"#);
}

#[tokio::test]
async fn a_code_is_good_once_and_none_before_it() {
    let city = City::real().await;
    let (_, phone, _) = city.officer().await;
    let at = city.now();
    let first = city.half_signed_in("wang").await;
    let first = city.proved(&first, phone.shows(at)).await;
    let second = city.half_signed_in("wang").await;
    assert_eq!(city.shows(&second, phone.shows(at)).await.text("/code"), "code_already_used", "looked at over a shoulder");
    let earlier = phone.shows(at - TimeDelta::seconds(30));
    assert_eq!(city.shows(&second, earlier).await.text("/code"), "code_already_used", "one that was not used is void too");
    city.passes(10 * SECOND);
    let next = phone.shows(at + TimeDelta::seconds(30));
    city.proved(&second, next.clone()).await; // a phone's clock may be ahead
    city.passes(30 * SECOND);
    assert_eq!(city.shows(&first, next).await.text("/code"), "code_already_used", "not again when its time has come");
}

#[tokio::test]
async fn codes_are_guessed_a_few_times_and_the_owner_has_other_ways() {
    let city = City::real().await;
    let (_, phone, codes) = city.officer().await;
    let thief = city.half_signed_in("wang").await;
    for guess in 0..10 {
        let refused = city.shows(&thief, json!({ "code": format!("{guess:06}") })).await;
        assert_eq!(refused.text("/code"), "proof_refused");
    }
    let throttled = city.shows(&thief, phone.shows(city.now())).await;
    assert_eq!(throttled.status, StatusCode::TOO_MANY_REQUESTS, "even the right one has to wait");
    assert_eq!(city.trace().await.iter().filter(|entry| entry.action == "session.refuse_proof").count(), 10, "each leaves a trace");
    let owner = city.half_signed_in("wang").await;
    assert_eq!(city.shows(&owner, json!({ "recovery_code": codes[0] })).await.status, StatusCode::OK);
    city.passes(HOUR);
    let later = city.half_signed_in("wang").await;
    assert_eq!(city.shows(&later, phone.shows(city.now())).await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_does_not_know_the_password_spends_none_of_the_owners_tries() {
    let city = City::real().await;
    let (_, phone, _) = city.officer().await;
    for _ in 0..9 {
        assert_eq!(city.signs_in("wang", "guess").await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(city.shows("fhs_nobody", json!({ "code": "123456" })).await.status, StatusCode::UNAUTHORIZED);
    let owner = city.half_signed_in("wang").await;
    assert_eq!(city.shows(&owner, phone.shows(city.now())).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_session_in_which_too_much_was_tried_ends() {
    let city = City::real().await;
    city.officer().await;
    let thief = city.half_signed_in("wang").await;
    for _ in 0..20 {
        assert_eq!(city.shows(&thief, json!({ "recovery_code": "aaaaa-bbbbb-ccccc" })).await.text("/code"), "proof_refused");
    }
    assert_eq!(city.look(&thief, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_recovery_code_is_good_once_however_it_is_typed_and_void_when_there_are_new_ones() {
    let city = City::real().await;
    let (owner, phone, codes) = city.officer().await;
    let token = city.half_signed_in("wang").await;
    let typed = codes[0].to_uppercase().replace('-', " ");
    let proved = city.shows(&token, json!({ "recovery_code": typed })).await;
    assert_eq!((proved.status, &proved.body["recovery_codes_left"]), (StatusCode::OK, &json!(9)));
    let again = city.half_signed_in("wang").await;
    assert_eq!(city.shows(&again, json!({ "recovery_code": codes[0] })).await.text("/code"), "proof_refused");

    city.passes(5 * MINUTE);
    assert_eq!(city.ask(Method::POST, &owner, CODES, Value::Null).await.text("/code"), "fresh_proof_needed");
    assert_eq!(city.shows(&owner, phone.shows(city.now())).await.status, StatusCode::OK);
    let fresh = city.ask(Method::POST, &owner, CODES, Value::Null).await;
    assert_eq!(fresh.status, StatusCode::CREATED);
    let third = city.half_signed_in("wang").await;
    assert_eq!(city.shows(&third, json!({ "recovery_code": codes[1] })).await.text("/code"), "proof_refused", "the old ones are void");
    let code = fresh.text("/recovery_codes/0");
    assert_eq!(city.shows(&third, json!({ "recovery_code": code })).await.status, StatusCode::OK);
    let stored = city.count("select count(*) from identity.recovery_code where octet_length(code_hash) <> 32").await;
    assert_eq!(stored, 0, "the codes themselves are kept nowhere");
}

#[tokio::test]
async fn of_two_with_the_password_of_an_account_from_before_one_enrols_and_everybody_sees_it() {
    let city = City::real().await;
    city.officer().await;
    city.is_from_before("wang").await;
    let (one, two) = (city.half_signed_in("wang").await, city.half_signed_in("wang").await);
    let offer = city.ask(Method::POST, &two, "/api/v1/session/factors/totp/offer", Value::Null).await;
    assert_eq!(city.enrols_app(&one).await.1.status, StatusCode::CREATED);
    let other = city.look(&two, "/api/v1/session").await;
    assert_eq!(other.body["second_factor"]["needs"], "proof", "the other has to show what it does not have");
    assert!(other.body["second_factor"]["enrolled_at"].is_string(), "and sees that something was enrolled");
    assert_eq!(city.ask(Method::POST, &two, "/api/v1/session/factors/totp/offer", Value::Null).await.text("/code"), "second_factor_needed");
    let late = json!({ "state": offer.body["state"], "code": code_at(&offer.text("/secret"), city.now()) });
    let refused = city.ask(Method::POST, &two, FACTORS, json!({ "name": "手机", "totp": late })).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "nor does what it was offered before");
    assert_eq!(city.traced("factor.enrol").await.detail_json, r#"{"kind":"totp","on":"password"}"#, "administrators see on what");
}

#[tokio::test]
async fn administrators_are_told_who_enrolled_on_a_password_alone_and_of_nobody_else() {
    let city = City::real().await;
    let administrators = city.administrators().await;
    administrators.new_staff(&city, "wang", "administrator", "city").await;
    administrators.new_staff(&city, "zhao", "administrator", "city").await;
    city.is_from_before("wang").await;
    let told = async || {
        let listed = city.look(&administrators.one, "/api/v1/staff").await.body;
        let told = listed.as_array().unwrap().iter().filter(|one| one["factor_on_password_at"].is_string());
        told.map(|one| one["login"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let session = city.half_signed_in("wang").await;
    let (_, enrolled) = city.enrols_app(&session).await;
    assert_eq!(enrolled.status, StatusCode::CREATED);
    assert_eq!(told().await, ["wang"]);

    // whoever it was cannot have it forgotten, neither by administrators nor by the owner: they enrol another and remove the first
    let session = goes_on(&session, &enrolled.body);
    let first = format!("{FACTORS}/{}", city.look(&session, FACTORS).await.text("/factors/0/id"));
    assert_eq!(city.enrols_app(&session).await.1.status, StatusCode::CREATED);
    assert_eq!(city.ask(Method::DELETE, &session, &first, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(told().await, ["wang"]);
    let owner = city.half_signed_in("wang").await;
    let me = city.look(&owner, "/api/v1/session").await.body;
    assert!(me["second_factor"]["on_password_at"].is_string(), "{me}");

    // with what its owner begins anew it is over
    let id = city.look(&owner, "/api/v1/session").await.text("/id");
    administrators.agree(&city, Method::POST, &format!("staff/{id}/reset"), Value::Null).await;
    assert!(told().await.is_empty());
}

#[tokio::test]
async fn accounts_from_before_work_as_they_did_for_a_while_and_are_reminded() {
    let city = City::real().await;
    let administrators = city.administrators().await;
    let (_, session) = administrators.new_staff(&city, "wang", "administrator", "city").await;
    let id = city.look(&session, "/api/v1/session").await.text("/id");
    city.is_from_before("wang").await;
    city.passes(DAY);
    let begun = city.signs_in("wang", PASSWORD).await;
    let standing = &begun.body["staff"]["second_factor"];
    assert_eq!((&standing["needs"], standing["enrol_by"].is_string()), (&Value::Null, true), "{}", begun.body);
    let token = begun.text("/token");
    assert_eq!(city.look(&token, "/whole-city").await.status, StatusCode::OK);
    let sessions = format!("/api/v1/staff/{}/sessions", one_of(&city, &token, "root.one").await);
    let silenced = city.ask(Method::DELETE, &token, &sessions, Value::Null).await;
    assert_eq!(silenced.status, StatusCode::NO_CONTENT, "no fresh proof is asked of whoever cannot give one");

    city.passes(13 * DAY);
    let after = city.signs_in("wang", PASSWORD).await;
    assert_eq!(after.body["staff"]["second_factor"]["needs"], "reset", "a password enrols nothing any more");
    let token = after.text("/token");
    for path in ["/api/v1/session/factors/totp/offer", "/api/v1/session/factors/passkey/offer"] {
        assert_eq!(city.ask(Method::POST, &token, path, Value::Null).await.text("/code"), "second_factor_needed", "{path}");
    }
    assert_eq!(city.look(&token, "/whole-city").await.text("/code"), "second_factor_needed");
    let administrators = city.administrators_again().await;
    let Agreed { halves: [first, second], .. } = administrators.agree(&city, Method::POST, &format!("staff/{id}/reset"), Value::Null).await;
    let anew = activate(&city, ["wang", &first, &second]).await;
    assert_eq!(city.look(&anew, "/whole-city").await.status, StatusCode::OK, "two administrators bring its owner back");
}

#[tokio::test]
async fn a_session_from_before_the_upgrade_goes_on_and_older_processes_know_none_that_begins_now() {
    let city = City::real().await;
    let (owner, _, _) = city.officer().await;
    city.is_from_before("wang").await;
    let [old, new] = [OLD_PLACE, PLACE].map(|place| format!("{place}{}", hash_of(&owner)));
    let record = city.platform.cache.take(&new).await.unwrap().expect("what begins now stands elsewhere");
    assert_eq!(city.look(&owner, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
    let opened = city.platform.keyring.open(Purpose::SessionToken, &platform::crypto::Sealed::from_bytes(record).unwrap()).unwrap();
    let mut kept: Value = serde_json::from_slice(&opened).unwrap();
    for later in ["shown_at", "fresh_seconds", "by_code"] {
        kept["session"].as_object_mut().unwrap().remove(later).unwrap();
    }
    let sealed = city.platform.keyring.seal(Purpose::SessionToken, &serde_json::to_vec(&kept).unwrap()).into_bytes();
    city.platform.cache.set(&old, &sealed, HOUR).await.unwrap();
    assert_eq!(city.look(&owner, "/whole-city").await.status, StatusCode::OK);
    sqlx::query("update identity.second_factor_grace set began_at = began_at - interval '15 days'").execute(city.pool()).await.unwrap();
    assert_eq!(city.look(&owner, "/whole-city").await.text("/code"), "second_factor_needed", "whole only as long as the grace lasts");
}

#[tokio::test]
async fn a_token_that_somebody_else_may_know_is_never_proved() {
    let city = City::real().await;
    let (_, phone, _) = city.officer().await;
    // whoever has the password begins a session and plants its token in the officer's browser
    let planted = city.half_signed_in("wang").await;
    let owner = city.proved(&planted, phone.shows(city.now())).await;
    assert_ne!(owner, planted);
    assert_eq!(city.look(&owner, "/whole-city").await.status, StatusCode::OK);
    assert_eq!(city.look(&planted, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED, "the thief's copy has ended");
    city.passes(MINUTE);
    assert_eq!(city.proved(&owner, phone.shows(city.now())).await, owner, "what was proved once goes on under its token");
    assert_eq!(city.look(&owner, "/api/v1/session/own").await.body.as_array().unwrap().len(), 2, "nothing is listed twice");
}

#[tokio::test]
async fn a_code_that_was_used_leaves_a_trace_when_it_comes_again() {
    let city = City::real().await;
    let (_, phone, _) = city.officer().await;
    let at = city.now();
    let owner = city.half_signed_in("wang").await;
    city.proved(&owner, phone.shows(at)).await;
    let thief = city.half_signed_in("wang").await;
    assert_eq!(city.shows(&thief, phone.shows(at)).await.text("/code"), "code_already_used");
    assert_eq!(city.traced("session.refuse_proof").await.detail_json, r#"{"why":"used"}"#);
}

#[tokio::test]
async fn keeping_colleagues_from_acting_takes_a_fresh_proof() {
    let city = City::real().await;
    let administrators = city.administrators().await;
    let (id, _) = administrators.new_staff(&city, "wang", "city_command_officer", "city").await;
    city.passes(6 * MINUTE);
    for (method, end) in [(Method::POST, "disable"), (Method::DELETE, "sessions")] {
        let refused = city.ask(method, &administrators.one, &format!("/api/v1/staff/{id}/{end}"), Value::Null).await;
        assert_eq!((refused.status, refused.text("/code")), (StatusCode::FORBIDDEN, "fresh_proof_needed".into()), "{end}");
    }
}

#[tokio::test]
async fn an_account_that_was_disabled_comes_back_with_nothing_of_what_it_had() {
    let city = City::real().await;
    let (session, phone, codes) = city.officer().await;
    let id = city.look(&session, "/api/v1/session").await.text("/id");
    let administrators = city.administrators_again().await;
    for login in ["chen", "liu"] {
        administrators.staff(&city, login, "city_command_officer", "city").await;
    }
    city.proves(&administrators.one).await;
    let disabled = city.ask(Method::POST, &administrators.one, &format!("/api/v1/staff/{id}/disable"), Value::Null).await;
    assert_eq!(disabled.status, StatusCode::NO_CONTENT, "{}", disabled.body);
    let Agreed { halves: [first, second], .. } =
        administrators.agree(&city, Method::POST, &format!("staff/{id}/enable"), Value::Null).await;
    assert_eq!(city.signs_in("wang", PASSWORD).await.status, StatusCode::UNAUTHORIZED, "the password that a thief knows is gone");
    let body = json!({ "login": "wang", "first_half": first, "second_half": second, "password": PASSWORD });
    let begun = city.ask(Method::POST, NOBODY, "/api/v1/session/activation", body).await;
    assert_eq!(begun.body["staff"]["second_factor"]["needs"], "enrolment", "{}", begun.body);
    let token = begun.text("/token");
    assert_eq!(city.shows(&token, phone.shows(city.now())).await.text("/code"), "proof_refused");
    assert_eq!(city.shows(&token, json!({ "recovery_code": codes[0] })).await.text("/code"), "proof_refused");
}

async fn one_of(city: &City, token: &str, login: &str) -> String {
    let all = city.look(token, "/api/v1/staff").await;
    all.body.as_array().unwrap().iter().find(|staff| staff["login"] == login).unwrap()["id"].as_str().unwrap().to_owned()
}

/// Where sessions stand in the cache, and where they stood before there were second factors.
const PLACE: &str = "identity:staff-session:";
const OLD_PLACE: &str = "identity:session:";

fn hash_of(token: &str) -> String {
    hex::encode(<sha2::Sha256 as sha2::Digest>::digest(token.as_bytes()))
}

#[tokio::test]
async fn a_reset_takes_factors_codes_devices_and_sessions_away() {
    let city = City::real().await;
    let (session, phone, codes) = city.officer().await;
    let administrators = city.administrators_again().await;
    let id = city.look(&session, "/api/v1/session").await.text("/id");
    let known = json!({ "code": code_at(&phone.secret, city.now()), "remember_device": true });
    let proved = city.shows(&session, known).await;
    assert!(proved.text("/device").starts_with("fhv_"), "{}", proved.body);
    let Agreed { halves: [first, second], .. } = administrators.agree(&city, Method::POST, &format!("staff/{id}/reset"), Value::Null).await;
    assert_eq!(city.look(&session, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED, "the old session");
    for table in ["factor", "recovery_code", "known_device"] {
        let left = format!("select count(*) from identity.{table} where staff_id = '{id}'");
        assert_eq!(city.count(sqlx::AssertSqlSafe(left)).await, 0, "{table}");
    }
    let body = json!({ "login": "wang", "first_half": first, "second_half": second, "password": PASSWORD });
    let begun = city.ask(Method::POST, NOBODY, "/api/v1/session/activation", body).await;
    assert_eq!(begun.body["staff"]["second_factor"]["needs"], "enrolment");
    let token = begun.text("/token");
    assert_eq!(city.shows(&token, phone.shows(city.now())).await.text("/code"), "proof_refused", "the old phone");
    assert_eq!(city.shows(&token, json!({ "recovery_code": codes[3] })).await.text("/code"), "proof_refused", "the old codes");
}

#[tokio::test]
async fn an_administrator_who_is_recovered_on_the_command_line_enrols_anew() {
    let city = City::real().await;
    city.administrators().await;
    let code = identity::recover_administrator(&city.platform, &identity::Settings::default(), "root.two").await.unwrap();
    let body = json!({ "login": "root.two", "first_half": code.first, "second_half": code.second, "password": PASSWORD });
    let begun = city.ask(Method::POST, NOBODY, "/api/v1/session/activation", body).await;
    assert_eq!(begun.body["staff"]["second_factor"]["needs"], "enrolment");
}

#[tokio::test]
async fn what_gives_power_asks_for_the_factor_once_more() {
    let city = City::real().await;
    let administrators = city.administrators().await;
    let officer = json!({ "login": "duty", "name": "值班", "role": "city_command_officer", "scope": "city" });
    let proposed = city.ask(Method::POST, &administrators.one, "/api/v1/staff", officer).await;
    city.passes(6 * MINUTE);
    let path = format!("/api/v1/proposals/{}/confirmation", proposed.text("/proposal/id"));
    let refused = city.ask(Method::POST, &administrators.two, &path, Value::Null).await;
    assert_eq!((refused.status, refused.text("/code")), (StatusCode::FORBIDDEN, "fresh_proof_needed".into()));
    let key = json!({ "unit": "市疾控中心", "origin": "surveillance", "area": "500103", "kinds": ["case"], "expires_at": "2026-12-01T00:00:00Z" });
    assert_eq!(city.ask(Method::POST, &administrators.one, "/api/v1/api-keys", key).await.text("/code"), "fresh_proof_needed");
    city.proves(&administrators.two).await;
    assert_eq!(city.ask(Method::POST, &administrators.two, &path, Value::Null).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_last_factor_that_is_needed_stays_and_removing_one_ends_the_other_sessions() {
    let city = City::real().await;
    let (owner, phone, _) = city.officer().await;
    let own = city.look(&owner, FACTORS).await;
    assert_eq!((&own.body["needed"], &own.body["recovery_codes_left"]), (&json!(true), &json!(10)));
    let first = format!("{FACTORS}/{}", own.text("/factors/0/id"));
    assert_eq!(city.ask(Method::DELETE, &owner, &first, Value::Null).await.text("/code"), "last_factor");
    let renamed = city.ask(Method::PATCH, &owner, &first, json!({ "name": "旧手机" })).await;
    assert_eq!(renamed.status, StatusCode::NO_CONTENT);
    assert_eq!(city.look(&owner, FACTORS).await.text("/factors/0/name"), "旧手机");
    let elsewhere = city.half_signed_in("wang").await;
    let elsewhere = city.proved(&elsewhere, phone.shows(city.now())).await;
    assert_eq!(city.enrols_app(&owner).await.1.status, StatusCode::CREATED);
    assert_eq!(city.ask(Method::DELETE, &owner, &first, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(city.look(&owner, "/whole-city").await.status, StatusCode::OK);
    assert_eq!(city.look(&elsewhere, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(city.shows(&owner, phone.shows(city.now() + TimeDelta::seconds(30))).await.text("/code"), "proof_refused");
    assert_eq!(city.traced("factor.remove").await.detail_json, r#"{"kind":"totp"}"#);
}

#[tokio::test]
async fn who_needs_no_factor_may_have_one_and_then_shows_it() {
    let city = City::real().await;
    let administrators = city.administrators().await;
    let (_, auditor) = administrators.new_staff(&city, "zhao", "auditor", "city").await;
    assert_eq!(city.look(&auditor, "/whole-city").await.status, StatusCode::OK);
    let ((_, enrolled), before) = (city.enrols_app(&auditor).await, city.half_signed_in("zhao").await);
    let auditor = goes_on(&auditor, &enrolled.body);
    assert_eq!(city.look(&before, "/whole-city").await.text("/code"), "second_factor_needed");
    let factor = city.look(&auditor, FACTORS).await.text("/factors/0/id");
    assert_eq!(city.ask(Method::DELETE, &auditor, &format!("{FACTORS}/{factor}"), Value::Null).await.status, StatusCode::NO_CONTENT);
    let after = city.half_signed_in("zhao").await;
    assert_eq!(city.look(&after, "/whole-city").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_code_of_a_demo_proves_nothing_in_a_city_in_which_people_live() {
    let demo = City::founded().await;
    let password = demo.has("wang", Role::CityCommandOfficer, Scope::City).await;
    let in_the_demo = demo.session("wang", &password).await;
    assert_eq!(demo.look(&in_the_demo, "/whole-city").await.status, StatusCode::OK);

    // the same tables, with the row and its password, served as a city
    let city = City::real_on(demo.platform.clone()).await;
    let token = city.signs_in("wang", &password).await.text("/token");
    let me = city.look(&token, "/api/v1/session").await;
    assert_eq!(me.body["second_factor"]["needs"], "proof");
    assert_eq!(me.body["second_factor"]["kinds"], json!([]), "there is nothing with which it could be proved");
    assert_eq!(city.shows(&token, json!({ "code": identity::demo::CODE })).await.text("/code"), "proof_refused");
    let offer = city.ask(Method::POST, &token, "/api/v1/session/factors/totp/offer", Value::Null).await;
    assert_eq!(offer.text("/code"), "second_factor_needed", "nor is something better enrolled on a password that anybody can read");
    assert_eq!(city.look(&token, "/whole-city").await.text("/code"), "second_factor_needed");
}

#[tokio::test]
async fn a_factor_copied_into_anothers_row_opens_nothing() {
    let city = City::real().await;
    let (_, phone, _) = city.officer().await;
    let copy = "update identity.factor set sealed = (select sealed from identity.factor f join identity.staff s on s.id = f.staff_id where s.login = 'wang')
                 where staff_id = (select id from identity.staff where login = 'root.one')";
    sqlx::query(copy).execute(city.pool()).await.unwrap();
    let token = city.half_signed_in("root.one").await;
    assert_ne!(city.shows(&token, phone.shows(city.now())).await.status, StatusCode::OK);
    assert_eq!(city.look(&token, "/whole-city").await.text("/code"), "second_factor_needed");
}

#[tokio::test]
async fn what_is_kept_of_a_factor_is_sealed_and_no_trace_holds_a_secret() {
    let city = City::real().await;
    let (_, phone, codes) = city.officer().await;
    let sealed: Vec<u8> =
        sqlx::query_scalar("select sealed from identity.factor order by created_at desc limit 1").fetch_one(city.pool()).await.unwrap();
    assert!(city.platform.keyring.open(Purpose::SecretHalf, &platform::crypto::Sealed::from_bytes(sealed).unwrap()).is_err());
    let trace: String = city.trace().await.into_iter().map(|entry| entry.detail_json + &entry.object).collect();
    assert!(!trace.contains(&phone.secret) && codes.iter().all(|code| !trace.contains(code)));
}

#[tokio::test]
async fn a_session_that_was_just_ended_is_not_written_back() {
    let city = City::real().await;
    let administrators = city.administrators().await;
    let code = identity::recover_administrator(&city.platform, &identity::Settings::default(), "root.three").await.unwrap();
    let third = activate(&city, [&code.login, &code.first, &code.second]).await;
    // its use is noted anew after a minute: the request that does so was under way when the session ended
    city.passes(2 * MINUTE);
    let place = |token: &str| format!("{PLACE}{}", hash_of(token));
    let was = city.platform.cache.get(&place(&third)).await.unwrap().unwrap();
    assert_eq!(city.ask(Method::DELETE, &third, "/api/v1/session", Value::Null).await.status, StatusCode::NO_CONTENT);
    assert!(!city.platform.cache.replace(&place(&third), &was, &was, MINUTE).await.unwrap());
    assert!(city.platform.cache.get(&place(&third)).await.unwrap().is_none());
    assert_eq!(city.look(&third, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(city.look(&administrators.one, "/whole-city").await.status, StatusCode::OK);
}
