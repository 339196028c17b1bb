//! What an attacker, a mistake or a broken directory brings to the door, and how far it gets.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::staff::{Role, Scope};
use http::{Method, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use super::browser::{Browser, coming_back};
use super::provider::{Answer, Signs};
use super::{SUBJECT, Town};

#[tokio::test]
async fn an_officer_signs_in_at_the_directory_and_shows_their_own_factor_here() {
    let mut town = Town::founded().await;
    let offered = town.browser.opens(&town.city, "/api/v1/session/directory").await;
    assert_eq!(offered.body, json!({ "name": "统一身份认证", "name_en": "the city's directory" }));

    assert_eq!(town.comes_back(SUBJECT).await, "/console/alerts");
    assert!(!town.is_in().await, "a word of the directory is worth a password, and no more");
    assert_eq!(town.lacks().await, "proof");
    town.shows_their_factor().await;
    assert!(town.is_in().await);
    let begun = town.city.traced("session.begin").await;
    assert_eq!((begun.object, begun.detail_json.as_str()), (town.officer.to_string(), r#"{"kind":"directory"}"#));
    assert!(!town.browser.cookies.keys().any(|name| name.contains("directory")), "what it took along is gone");
    assert!(town.browser.cookies.contains_key("fenghuo_device"), "the browser is known from now on");
    // what it is known by is taken along the next time, and nothing new is made of it
    let known = town.browser.cookies["fenghuo_device"].clone();
    town.comes_back(SUBJECT).await;
    town.shows_their_factor().await;
    assert_eq!(town.browser.cookies["fenghuo_device"], known);
}

#[rstest]
#[case::another_directorys("/iss", json!("https://login.example.com"), "wrong_issuer")]
#[case::said_to_another("/aud", json!("another-service"), "wrong_audience")]
#[case::said_to_others_as_well("/aud", json!(["fenghuo", "another-service"]), "wrong_audience")]
#[case::meant_for_another("/azp", json!("another-service"), "wrong_audience")]
#[case::the_answer_to_another_question("/nonce", json!("of yesterday"), "wrong_nonce")]
#[case::the_answer_to_no_question("/nonce", Value::Null, "wrong_nonce")]
#[case::about_nobody("/sub", json!(""), "nobody")]
#[case::about_somebody_on_two_lines("/sub", json!("f3b0c442\n98fc"), "nobody")]
#[tokio::test]
async fn a_word_that_is_not_about_this_errand_opens_nothing(#[case] claim: &'static str, #[case] said: Value, #[case] why: &str) {
    let mut town = Town::founded().await;
    town.provider.says(move |word| word[claim.trim_start_matches('/')] = said.clone());
    assert_eq!(town.comes_back(SUBJECT).await, "/console?directory=refused");
    assert!(!town.browser.cookies.contains_key("fenghuo_session"));
    let refused = town.city.traced("session.refuse").await;
    assert_eq!(refused.detail_json, format!(r#"{{"kind":"directory","why":"{why}"}}"#));
}

#[rstest]
#[case::signed_with_no_key_of_the_directory(Signs::WithAnothersKey, "unsigned")]
#[case::signed_with_what_both_know(Signs::WithTheSecret, "unproving")]
#[case::not_signed(Signs::NotAtAll, "unproving")]
#[tokio::test]
async fn a_word_that_the_directory_has_not_signed_opens_nothing(#[case] signs: Signs, #[case] why: &str) {
    let mut town = Town::founded().await;
    town.provider.signs(signs);
    assert_eq!(town.comes_back(SUBJECT).await, "/console?directory=refused");
    assert!(!town.browser.cookies.contains_key("fenghuo_session"));
    assert!(town.city.traced("session.refuse").await.detail_json.contains(&format!("\"{why}\"")));
}

#[rstest]
#[case::that_has_just_ended("exp", -59, true)]
#[case::that_has_ended("exp", -61, false)]
#[case::by_a_clock_that_is_a_little_ahead("iat", 59, true)]
#[case::of_the_future("iat", 61, false)]
#[case::of_somebody_who_signed_in_just_now("auth_time", -59, true)]
#[case::of_somebody_who_had_signed_in_before("auth_time", -61, false)]
#[tokio::test]
async fn a_word_holds_now_give_or_take_a_minute(#[case] claim: &'static str, #[case] seconds: i64, #[case] holds: bool) {
    let mut town = Town::founded().await;
    let at = town.city.platform.clock.now().timestamp() + seconds;
    town.provider.says(move |word| word[claim] = json!(at));
    assert_eq!(town.comes_back(SUBJECT).await == "/console/alerts", holds);
}

#[tokio::test]
async fn an_answer_that_another_browser_asked_for_opens_nothing() {
    let mut town = Town::founded().await;
    // an attacker signs in as themselves and has a colleague's browser come back with it
    let mut attacker = Browser::default();
    let address = attacker.is_led(&town.city, "/api/v1/session/directory/begin").await;
    let theirs = town.provider.lets_in(SUBJECT, "zhang.san", &address);
    assert_eq!(town.browser.is_led(&town.city, &coming_back(&theirs)).await, "/console?directory=refused", "it was sent nowhere");

    town.sets_out("/console").await;
    assert_eq!(
        town.browser.is_led(&town.city, &coming_back(&theirs)).await,
        "/console?directory=refused",
        "it was sent with another state"
    );
    // nor does the attacker's code fit the state of the colleague
    let own = super::provider::asked(&town.sets_out("/console").await)["state"].clone();
    let mixed = BTreeMap::from([("code".to_owned(), theirs["code"].clone()), ("state".to_owned(), own)]);
    assert_eq!(town.browser.is_led(&town.city, &coming_back(&mixed)).await, "/console?directory=refused");
    assert!(town.city.traced("session.refuse").await.detail_json.contains("code_refused"));
    assert!(!town.browser.cookies.contains_key("fenghuo_session"));
}

#[tokio::test]
async fn an_answer_is_good_once_and_for_ten_minutes() {
    let mut town = Town::founded().await;
    let address = town.sets_out("/console").await;
    let back = town.provider.lets_in(SUBJECT, "zhang.san", &address);
    let before = town.browser.clone();
    assert_eq!(town.browser.is_led(&town.city, &coming_back(&back)).await, "/console");
    let mut again = before.clone();
    assert_eq!(again.is_led(&town.city, &coming_back(&back)).await, "/console?directory=refused", "that errand is run");
    assert!(!again.cookies.contains_key("fenghuo_session"));

    // the directory takes no code twice either, whoever asks
    let address = town.sets_out("/console").await;
    let mut second = town.provider.lets_in(SUBJECT, "zhang.san", &address);
    second.insert("code".to_owned(), back["code"].clone());
    assert_eq!(town.browser.is_led(&town.city, &coming_back(&second)).await, "/console?directory=refused");
    assert!(town.city.traced("session.refuse").await.detail_json.contains("code_refused"));

    let address = town.sets_out("/console").await;
    let late = town.provider.lets_in(SUBJECT, "zhang.san", &address);
    town.city.passes(Duration::from_secs(601));
    assert_eq!(town.browser.is_led(&town.city, &coming_back(&late)).await, "/console?directory=refused");
}

#[rstest]
#[case::another_says_that_it_is_itself(false, Some("https://login.example.com"), false)]
#[case::it_says_that_it_is_itself(true, None, true)]
#[case::it_always_says_so_and_does_not_now(true, Some(""), false)]
#[case::it_never_says_so(false, Some(""), true)]
#[tokio::test]
async fn another_directorys_answer_is_not_taken_to_this_one(#[case] tells: bool, #[case] told: Option<&str>, #[case] opens: bool) {
    let mut town = Town::founded().await;
    town.provider.describes_itself(move |it| it["authorization_response_iss_parameter_supported"] = json!(tells));
    let address = town.sets_out("/console").await;
    let mut back = town.provider.lets_in(SUBJECT, "zhang.san", &address);
    match told {
        None => drop(back.insert("iss".to_owned(), town.provider.issuer())),
        Some("") => {}
        Some(other) => drop(back.insert("iss".to_owned(), other.to_owned())),
    }
    let at = town.browser.is_led(&town.city, &coming_back(&back)).await;
    assert_eq!(at == "/console", opens, "{at}");
}

#[tokio::test]
async fn a_directory_that_changed_its_keys_is_asked_for_them_once_in_a_while() {
    let mut town = Town::founded().await;
    assert_eq!(town.comes_back(SUBJECT).await, "/console/alerts");
    town.provider.changes_its_key();
    assert_eq!(town.comes_back(SUBJECT).await, "/console/alerts");
    let asked = town.provider.descriptions();
    // who signs with no key of the directory does not have it asked again and again
    town.provider.signs(Signs::WithAnothersKey);
    for _ in 0..3 {
        assert_eq!(town.comes_back(SUBJECT).await, "/console?directory=refused");
    }
    assert_eq!(town.provider.descriptions(), asked);
}

#[tokio::test]
async fn where_the_directory_is_away_staff_sign_in_with_their_passwords() {
    let mut town = Town::founded().await;
    let password = town.city.has("li.si", Role::Auditor, Scope::City).await;
    town.provider.is_away(true);
    assert_eq!(town.sets_out("/console").await, "/console?directory=away");
    assert_eq!(town.city.signs_in("li.si", &password).await.status, StatusCode::CREATED);
    let asked = town.provider.descriptions();
    assert_eq!(town.sets_out("/console").await, "/console?directory=away");
    assert_eq!(town.provider.descriptions(), asked, "one that is away is left in peace for a while");

    town.provider.is_away(false);
    town.city.passes(Duration::from_secs(31));
    let address = town.sets_out("/console").await;
    let back = town.provider.lets_in(SUBJECT, "zhang.san", &address);
    town.provider.is_away(true);
    assert_eq!(town.browser.is_led(&town.city, &coming_back(&back)).await, "/console?directory=away", "away between going and coming back");
}

#[tokio::test]
async fn a_directory_that_answers_as_another_or_in_the_clear_is_as_good_as_away() {
    let mut town = Town::founded().await;
    town.provider.describes_itself(|it| it["issuer"] = json!("https://login.example.com"));
    assert_eq!(town.sets_out("/console").await, "/console?directory=away");
    town.city.passes(Duration::from_secs(31));
    town.provider.describes_itself(|it| it["authorization_endpoint"] = json!("http://login.example.com/authorize"));
    assert_eq!(town.sets_out("/console").await, "/console?directory=away", "nobody is led to where others read along");
    town.city.passes(Duration::from_secs(31));
    town.provider.describes_itself(|it| it["jwks_uri"] = json!("http://login.example.com/keys"));
    assert_eq!(town.sets_out("/console").await, "/console?directory=away", "no key is believed that came in the clear");
}

#[rstest]
#[case::describing_itself(Answer::Description)]
#[case::showing_its_keys(Answer::Keys)]
#[case::giving_its_word(Answer::Token)]
#[tokio::test]
async fn a_directory_that_answers_at_length_is_heard_out_and_one_without_end_is_not(#[case] answer: Answer) {
    let mut town = Town::founded().await;
    town.provider.pads(answer, 200 * 1024);
    assert_eq!(town.comes_back(SUBJECT).await, "/console/alerts");

    let mut town = Town::founded().await;
    town.provider.pads(answer, 257 * 1024);
    let address = town.sets_out("/console").await;
    if answer == Answer::Token {
        let back = town.provider.lets_in(SUBJECT, "zhang.san", &address);
        assert_eq!(town.browser.is_led(&town.city, &coming_back(&back)).await, "/console?directory=away");
    } else {
        assert_eq!(address, "/console?directory=away");
    }
}

#[rstest]
#[case("https://evil.example/console")]
#[case("//evil.example/console")]
#[case("/%5Cevil.example/console")]
#[case("/consoles")]
#[case("/console/../app")]
#[case("/app")]
#[tokio::test]
async fn nobody_is_led_elsewhere_than_to_a_page_of_the_console(#[case] to: &str) {
    let mut town = Town::founded().await;
    let refused = town.browser.opens(&town.city, &format!("/api/v1/session/directory/begin?to={to}")).await;
    assert_eq!((refused.status, &refused.body["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("to")));
    assert!(town.browser.cookies.is_empty());
}

#[tokio::test]
async fn a_sign_in_that_was_broken_off_there_is_told_as_that() {
    let mut town = Town::founded().await;
    let address = town.sets_out("/console").await;
    let state = super::provider::asked(&address)["state"].clone();
    let back = [("error".to_owned(), "access_denied".to_owned()), ("state".to_owned(), state)].into();
    assert_eq!(town.browser.is_led(&town.city, &coming_back(&back)).await, "/console?directory=broken_off");
}

#[tokio::test]
async fn a_sign_in_that_the_directory_does_not_date_is_nobodys() {
    let mut town = Town::founded().await;
    town.provider.says(|word| drop(word.as_object_mut().unwrap().remove("auth_time")));
    assert_eq!(town.comes_back(SUBJECT).await, "/console?directory=refused", "it may be that of whoever sat there before");
    assert!(town.city.traced("session.refuse").await.detail_json.contains("not_asked_anew"));
    assert!(!town.browser.cookies.contains_key("fenghuo_session"));
}

#[tokio::test]
async fn a_second_factor_of_the_directory_counts_by_words_that_the_city_names_and_is_no_fresh_proof() {
    let mut town = Town::set(|directory| directory.second_factors = vec!["otp".to_owned()]).await;
    town.provider.says(|word| word["amr"] = json!(["pwd", "sms"]));
    town.comes_back(SUBJECT).await;
    assert_eq!(town.lacks().await, "proof", "a word that the city does not name");
    town.provider.says(|word| word["amr"] = json!(["pwd", "otp"]));
    assert_eq!(town.comes_back(SUBJECT).await, "/console/alerts");
    assert_eq!(town.lacks().await, Value::Null);
    assert!(town.is_in().await);
    // whoever runs the directory does nothing with it that cannot be undone, and makes the account not their own
    let offer = "/api/v1/session/factors/totp/offer";
    let refused = town.browser.sends(&town.city, offer, Value::Null).await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::FORBIDDEN, &json!("fresh_proof_needed")));
    town.shows_their_factor().await;
    assert_eq!(town.browser.sends(&town.city, offer, Value::Null).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_administrator_who_came_by_the_directory_alone_confirms_nothing() {
    let mut town = Town::set(|directory| directory.second_factors = vec!["otp".to_owned()]).await;
    town.city.has("wang.wu", Role::Administrator, Scope::City).await;
    town.binds(town.city.id_of("wang.wu").await, "0047").await;
    town.city.passes(Duration::from_secs(25 * 3600));
    town.administrators = town.city.administrators_again().await;
    let new = json!({ "login": "duty", "name": "值班", "role": "city_command_officer", "scope": "city" });
    let proposed = town.city.ask(Method::POST, &town.administrators.one, "/api/v1/staff", new).await;
    let confirmation = format!("/api/v1/proposals/{}/confirmation", proposed.text("/proposal/id"));

    town.provider.says(|word| word["amr"] = json!(["pwd", "otp"]));
    assert_eq!(town.comes_back("0047").await, "/console/alerts");
    assert_eq!(town.lacks().await, Value::Null);
    let refused = town.browser.sends(&town.city, &confirmation, Value::Null).await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::FORBIDDEN, &json!("fresh_proof_needed")));
    town.shows_their_factor().await;
    let confirmed = town.browser.sends(&town.city, &confirmation, Value::Null).await;
    assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.body);
}

#[tokio::test]
async fn returns_are_slowed_down_and_nobody_at_the_door_pays_for_it() {
    let mut town = Town::founded().await;
    let password = town.city.has("li.si", Role::Auditor, Scope::City).await;
    let mut led = Vec::new();
    for _ in 0..61 {
        led.push(town.comes_back("nobody here").await);
    }
    assert!(led[..60].iter().all(|at| at == "/console?directory=not_bound"));
    assert_eq!(led[60], "/console?directory=too_many");
    assert_eq!(town.city.signs_in("li.si", &password).await.status, StatusCode::CREATED);
    let traced = town.city.trace().await.into_iter().filter(|entry| entry.action == "session.refuse").count();
    assert!(traced <= 10, "{traced} refusals are written down");
}

#[tokio::test]
async fn the_city_says_which_claim_names_somebody() {
    let mut town = Town::set(|directory| directory.name_claim = "employee".to_owned()).await;
    town.provider.says(|word| word["employee"] = json!("E-0047\n"));
    assert_eq!(town.comes_back("0047").await, "/console?directory=not_bound");
    let listed = town.city.look(&town.administrators.one, "/api/v1/staff-directory").await.body;
    assert_eq!((&listed["arrivals"][0]["name"], &listed["arrivals"][0]["proposes"]), (&json!("E-0047"), &Value::Null));
}

#[tokio::test]
async fn a_city_without_a_directory_says_so() {
    let city = crate::city::City::founded().await;
    let mut browser = Browser::default();
    assert_eq!(browser.opens(&city, "/api/v1/session/directory").await.body, json!({ "name": null, "name_en": null }));
    for path in ["begin", "return?code=a&state=b"] {
        let refused = browser.opens(&city, &format!("/api/v1/session/directory/{path}")).await;
        assert_eq!((refused.status, &refused.body["code"]), (StatusCode::NOT_FOUND, &json!("no_directory")));
    }
}
