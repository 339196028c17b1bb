//! Whose account somebody in the directory has is decided by two administrators, and by nothing that the directory says.

use domain::staff::{Role, Scope};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use stages::NOBODY;

use super::{SUBJECT, Town};
use crate::city::City;

#[tokio::test]
async fn no_account_comes_of_the_word_of_a_directory_and_a_name_only_proposes() {
    let mut town = Town::founded().await;
    town.city.has("li.si", Role::Auditor, Scope::City).await;
    let before = town.city.look(&town.administrators.one, "/api/v1/staff").await.body.as_array().unwrap().len();
    let address = town.sets_out("/console").await;
    let back = town.provider.lets_in("0042", "Li.Si@city.example.cn", &address);
    let at = town.browser.is_led(&town.city, &super::browser::coming_back(&back)).await;
    assert_eq!(at, "/console?directory=not_bound", "the name is that of an account, and opens nothing");
    assert!(!town.browser.cookies.contains_key("fenghuo_session"));
    let after = town.city.look(&town.administrators.one, "/api/v1/staff").await.body.as_array().unwrap().len();
    assert_eq!(after, before);

    let listed = town.city.look(&town.administrators.one, "/api/v1/staff-directory").await.body;
    let li = town.city.id_of("li.si").await;
    assert_eq!(listed["arrivals"][0]["subject"], "0042");
    assert_eq!(listed["arrivals"][0]["proposes"], json!(li));
    assert_eq!(listed["bound"][0]["staff_id"], json!(town.officer));

    town.binds(li, "0042").await;
    assert_eq!(town.comes_back("0042").await, "/console/alerts");
    let listed = town.city.look(&town.administrators.one, "/api/v1/staff-directory").await.body;
    assert_eq!(listed["arrivals"], json!([]));
}

#[tokio::test]
async fn a_binding_takes_two_administrators_and_an_officer_waits_after_it() {
    let mut town = Town::founded().await;
    town.city.has("wang.wu", Role::CityCommandOfficer, Scope::City).await;
    let id = town.city.id_of("wang.wu").await;
    let path = format!("/api/v1/staff/{id}/directory");
    let proposed = town.city.ask(Method::PUT, &town.administrators.one, &path, json!({ "subject": "subject-of-wang-wu" })).await;
    assert_eq!(proposed.status, StatusCode::ACCEPTED);
    assert_eq!(town.comes_back("subject-of-wang-wu").await, "/console?directory=not_bound", "one of them binds nobody");
    let proposal = format!("/api/v1/proposals/{}", proposed.text("/proposal/id"));
    let alone = town.city.ask(Method::POST, &town.administrators.one, &format!("{proposal}/confirmation"), Value::Null).await;
    assert_eq!(alone.text("/code"), "same_person");
    let emergency =
        town.city.ask(Method::POST, &town.administrators.one, &format!("{proposal}/emergency"), json!({ "reason": "急" })).await;
    assert_eq!(emergency.text("/code"), "no_emergency");
    town.binds(id, "subject-of-wang-wu").await;
    assert_eq!(town.comes_back("subject-of-wang-wu").await, "/console/alerts");
    town.shows_their_factor().await;
    let me = town.browser.opens(&town.city, "/api/v1/session").await.body;
    assert!(me["acts_from"].is_string(), "whoever was given a way in uses its power only after a while");
    let bound = town.city.traced("staff.bind_directory").await;
    assert!(bound.detail_json.contains("wang.wu") && !bound.detail_json.contains("subject-of-wang-wu"), "{}", bound.detail_json);
}

#[tokio::test]
async fn nobody_binds_their_own_account_or_somebody_who_is_bound_to_another() {
    let town = Town::founded().await;
    let own = town.city.id_of("root.one").await;
    let bind = async |id, subject: &str| {
        town.city.ask(Method::PUT, &town.administrators.one, &format!("/api/v1/staff/{id}/directory"), json!({ "subject": subject })).await
    };
    assert_eq!(bind(own, "0044").await.text("/code"), "own_account");
    town.city.has("li.si", Role::Auditor, Scope::City).await;
    assert_eq!(bind(town.city.id_of("li.si").await, SUBJECT).await.text("/code"), "subject_taken");
    assert_eq!(bind(town.officer, SUBJECT).await.text("/code"), "nothing_to_change");
    assert_eq!(bind(town.officer, " ").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    // two proposals for one person: the second comes to nothing
    let li = town.city.id_of("li.si").await;
    town.city.has("zhao.liu", Role::Auditor, Scope::City).await;
    let zhao = town.city.id_of("zhao.liu").await;
    let (one, two) = (bind(li, "0045").await, bind(zhao, "0045").await);
    let confirm = async |proposed: &stages::Answer| {
        stages::second_factor::prove(&town.city, &town.administrators.two).await;
        let path = format!("/api/v1/proposals/{}/confirmation", proposed.text("/proposal/id"));
        town.city.ask(Method::POST, &town.administrators.two, &path, Value::Null).await
    };
    assert_eq!(confirm(&one).await.status, StatusCode::OK);
    assert_eq!(confirm(&two).await.text("/code"), "subject_taken");
}

#[tokio::test]
async fn a_disabled_reset_or_unfinished_account_is_not_entered_by_the_directory() {
    let mut town = Town::founded().await;
    town.comes_back(SUBJECT).await;
    town.shows_their_factor().await;
    assert!(town.is_in().await);
    let disable = format!("staff/{}/disable", town.officer);
    // too few officers would be left: it takes two
    town.administrators.agree(&town.city, Method::POST, &disable, Value::Null).await;
    assert!(!town.is_in().await, "the session has ended");
    assert_eq!(town.comes_back(SUBJECT).await, "/console?directory=not_bound");

    // enabled again, it comes back with nothing of what it had: neither password nor a way in by the directory
    town.administrators.agree(&town.city, Method::POST, &format!("staff/{}/enable", town.officer), Value::Null).await;
    assert_eq!(town.comes_back(SUBJECT).await, "/console?directory=not_bound");
    // bound before its owner has set a password, it is theirs to begin, and not the directory's
    town.binds(town.officer, SUBJECT).await;
    assert_eq!(town.comes_back(SUBJECT).await, "/console?directory=not_bound");
    assert_eq!(town.city.traced("session.refuse").await.object, town.officer.to_string());
}

#[tokio::test]
async fn who_is_unbound_is_out_at_once_and_signs_in_with_their_password() {
    let mut town = Town::founded().await;
    town.comes_back(SUBJECT).await;
    town.shows_their_factor().await;
    let path = format!("staff/{}/directory", town.officer);
    stages::second_factor::prove(&town.city, &town.administrators.one).await;
    let unbound = town.city.ask(Method::DELETE, &town.administrators.one, &format!("/api/v1/{path}"), Value::Null).await;
    assert_eq!(unbound.status, StatusCode::NO_CONTENT, "{}", unbound.body);
    assert!(!town.is_in().await);
    assert_eq!(town.comes_back(SUBJECT).await, "/console?directory=not_bound");
    let again = town.city.ask(Method::DELETE, &town.administrators.one, &format!("/api/v1/{path}"), Value::Null).await;
    assert_eq!(again.text("/code"), "not_bound");
    assert_eq!(town.city.traced("staff.unbind_directory").await.object, town.officer.to_string());
    assert_eq!(
        town.city.ask(Method::PUT, NOBODY, &format!("/api/v1/{path}"), json!({ "subject": "a" })).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn who_is_bound_to_a_directory_that_was_switched_off_is_seen_and_unbound() {
    let town = Town::founded().await;
    let off = City::set(town.city.platform.clone(), &identity::Settings::default()).await;
    let listed = off.look(&town.administrators.one, "/api/v1/staff-directory").await.body;
    assert_eq!((&listed["issuer"], &listed["arrivals"]), (&Value::Null, &json!([])));
    assert_eq!(listed["bound"].as_array().map(Vec::len), Some(1));
    assert_eq!((&listed["bound"][0]["staff_id"], &listed["bound"][0]["issuer"]), (&json!(town.officer), &json!(town.provider.issuer())));
    off.proves(&town.administrators.one).await;
    let unbound =
        off.ask(Method::DELETE, &town.administrators.one, &format!("/api/v1/staff/{}/directory", town.officer), Value::Null).await;
    assert_eq!(unbound.status, StatusCode::NO_CONTENT, "{}", unbound.body);
    assert_eq!(off.look(&town.administrators.one, "/api/v1/staff-directory").await.body["bound"], json!([]));
}

#[tokio::test]
async fn somebody_else_in_the_place_of_who_was_bound_has_the_account_to_themselves() {
    let mut town = Town::founded().await;
    town.comes_back(SUBJECT).await;
    town.shows_their_factor().await;
    town.binds(town.officer, "0046").await;
    assert!(!town.is_in().await, "whoever was bound is signed out");
    assert_eq!(town.comes_back(SUBJECT).await, "/console?directory=not_bound");
    assert_eq!(town.comes_back("0046").await, "/console/alerts");
}
