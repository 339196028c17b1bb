//! Administrators look after accounts: what lessens power one does at once, what gives it two.

use domain::staff::{Role, Scope};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use stages::{Agreed, DAY, HOUR, NOBODY, PASSWORD, activate};

use crate::city::City;

fn reviewer(login: &str) -> Value {
    json!({ "login": login, "name": "渝中区审核员", "role": "district_reviewer", "scope": "district:500103" })
}

#[tokio::test]
async fn an_account_is_made_by_two_and_its_password_by_its_owner() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let proposed = city.ask(Method::POST, &administrators.one, "/api/v1/staff", reviewer("zhao")).await;
    assert_eq!((proposed.status, proposed.text("/proposal/state")), (StatusCode::ACCEPTED, "waiting".to_owned()));
    assert_eq!(city.look(&administrators.one, "/api/v1/staff").await.body.as_array().unwrap().len(), 2, "there is no account yet");

    let path = format!("/api/v1/proposals/{}/confirmation", proposed.text("/proposal/id"));
    let confirmed = city.ask(Method::POST, &administrators.two, &path, Value::Null).await;
    assert_eq!((confirmed.status, confirmed.text("/proposal/state")), (StatusCode::OK, "effective".to_owned()));
    let [first, second] = [proposed.text("/first_half"), confirmed.text("/second_half")];
    let zhao = activate(&city, ["zhao", &first, &second]).await;
    assert_eq!(city.look(&zhao, "/whole-city").await.text("/scope"), "district:500103");
    city.session("zhao", PASSWORD).await;

    let listed = city.look(&administrators.one, "/api/v1/staff").await;
    assert_eq!(listed.body.as_array().unwrap().len(), 3);
    let everything = city.look(&administrators.one, "/api/v1/proposals").await.body.to_string() + &listed.body.to_string();
    assert!(!everything.contains(&first) && !everything.contains(&second));

    let entry = city.traced("staff.create").await;
    assert_eq!((entry.role.as_str(), entry.object), ("administrator", confirmed.text("/proposal/staff/id")));
    for told in ["zhao", "district_reviewer", "district:500103", "proposed_by"] {
        assert!(entry.detail_json.contains(told), "{}", entry.detail_json);
    }
}

#[tokio::test]
async fn an_account_that_makes_no_sense_is_refused_with_the_field() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    for (change, field) in [
        (json!({ "login": "Zhao Wei" }), "login"),
        (json!({ "name": " " }), "name"),
        (json!({ "scope": "city" }), "scope"),
        (json!({ "role": "emperor" }), "role"),
        (json!({ "scope": "district:1" }), "scope"),
    ] {
        let mut new = reviewer("zhao");
        new.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refused = city.ask(Method::POST, &administrators.one, "/api/v1/staff", new).await;
        assert_eq!((refused.status, refused.text("/errors/0/field")), (StatusCode::UNPROCESSABLE_ENTITY, field.to_owned()), "{change}");
    }
    administrators.new_staff(&city, "zhao", "district_reviewer", "district:500103").await;
    assert_eq!(city.ask(Method::POST, &administrators.one, "/api/v1/staff", reviewer("zhao")).await.text("/code"), "login_taken");
}

#[tokio::test]
async fn one_disables_an_account_at_once_and_two_enable_it_again() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let (id, zhao) = administrators.new_staff(&city, "zhao", "district_reviewer", "district:500103").await;

    let disable = format!("/api/v1/staff/{id}/disable");
    assert_eq!(city.ask(Method::POST, &administrators.one, &disable, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(city.look(&zhao, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(city.signs_in("zhao", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert!(city.traced("staff.disable").await.detail_json.contains("zhao"));

    city.passes(2 * DAY);
    let back = city.administrators_again().await;
    let Agreed { halves: [first, second], .. } = back.agree(&city, Method::POST, &format!("staff/{id}/enable"), Value::Null).await;
    assert_eq!(city.look(&zhao, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED, "the old session never comes back");
    assert_eq!(city.signs_in("zhao", PASSWORD).await.status, StatusCode::UNAUTHORIZED, "nor does the password that somebody may know");
    let again = activate(&city, ["zhao", &first, &second]).await;
    assert!(city.look(&again, "/api/v1/session").await.body["acts_from"].is_string(), "who was away waits anew");
}

#[tokio::test]
async fn a_smaller_area_holds_at_once_and_another_needs_two() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let (id, unit) = administrators.new_staff(&city, "unit", "submitting_unit", "city").await;
    let path = format!("/api/v1/staff/{id}");

    let narrowed = city.ask(Method::PATCH, &administrators.one, &path, json!({ "scope": "district:500103" })).await;
    assert_eq!((narrowed.status, narrowed.text("/scope")), (StatusCode::OK, "district:500103".to_owned()));
    assert_eq!(city.look(&unit, "/whole-city").await.text("/scope"), "district:500103");

    let widened = city.ask(Method::PATCH, &administrators.one, &path, json!({ "scope": "city" })).await;
    assert_eq!(widened.status, StatusCode::ACCEPTED);
    assert_eq!(city.look(&unit, "/whole-city").await.text("/scope"), "district:500103", "one administrator gives nothing");
    assert_eq!(city.ask(Method::PATCH, &administrators.one, &path, json!({})).await.text("/code"), "nothing_to_change");
    let impossible = city.ask(Method::PATCH, &administrators.one, &path, json!({ "role": "auditor" })).await;
    assert_eq!(impossible.text("/errors/0/field"), "scope");
    let promotion = json!({ "role": "city_command_officer", "scope": "city" });
    administrators.agree(&city, Method::PATCH, &format!("staff/{id}"), promotion).await;
    let me = city.look(&unit, "/api/v1/session").await;
    assert_eq!(me.text("/role"), "city_command_officer");
    assert!(me.body["acts_from"].is_string(), "who was raised waits");
    let entry = city.traced("staff.change").await;
    assert!(entry.detail_json.contains("submitting_unit") && entry.detail_json.contains("city_command_officer"), "{}", entry.detail_json);
}

#[tokio::test]
async fn a_reset_account_can_do_nothing_until_its_owner_has_set_a_password() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let (id, zhao) = administrators.new_staff(&city, "zhao", "district_reviewer", "district:500103").await;
    let Agreed { halves: [first, second], .. } = administrators.agree(&city, Method::POST, &format!("staff/{id}/reset"), Value::Null).await;
    assert_eq!(city.look(&zhao, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(city.signs_in("zhao", PASSWORD).await.status, StatusCode::UNAUTHORIZED, "the old password is gone");
    activate(&city, ["zhao", &first, &second]).await;
    assert_eq!(city.look(&administrators.one, "/api/v1/staff").await.body[2]["awaits_owner"], json!(false));
}

#[tokio::test]
async fn one_administrator_ends_the_sessions_of_an_account() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let (id, zhao) = administrators.new_staff(&city, "zhao", "district_reviewer", "district:500103").await;
    let path = format!("/api/v1/staff/{id}/sessions");
    assert_eq!(city.ask(Method::DELETE, &administrators.one, &path, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(city.look(&zhao, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
    city.session("zhao", PASSWORD).await;
}

#[tokio::test]
async fn nobody_changes_their_own_account() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let me = city.look(&administrators.one, "/api/v1/session").await.text("/id");
    for (method, end) in [(Method::POST, "/disable"), (Method::POST, "/reset"), (Method::PATCH, ""), (Method::DELETE, "/sessions")] {
        let path = format!("/api/v1/staff/{me}{end}");
        let body = if method == Method::PATCH { json!({ "name": "我" }) } else { Value::Null };
        assert_eq!(city.ask(method, &administrators.one, &path, body).await.text("/code"), "own_account", "{path}");
    }
}

#[tokio::test]
async fn an_account_that_does_not_exist_is_not_found() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    for end in ["disable", "enable", "reset", "waiting-lifted"] {
        let path = format!("/api/v1/staff/{}/{end}", domain::ids::StaffId::new());
        assert_eq!(city.ask(Method::POST, &administrators.one, &path, Value::Null).await.text("/code"), "staff_not_found");
    }
}

#[tokio::test]
async fn nobody_but_administrators_makes_accounts_or_keys() {
    let city = City::founded().await;
    let password = city.has("wang", Role::CityCommandOfficer, Scope::City).await;
    let wang = city.session("wang", &password).await;
    let id = domain::ids::StaffId::new();
    for (method, path) in [
        (Method::GET, "/api/v1/staff".to_owned()),
        (Method::POST, "/api/v1/staff".to_owned()),
        (Method::PATCH, format!("/api/v1/staff/{id}")),
        (Method::POST, format!("/api/v1/staff/{id}/disable")),
        (Method::POST, format!("/api/v1/staff/{id}/enable")),
        (Method::POST, format!("/api/v1/staff/{id}/reset")),
        (Method::POST, format!("/api/v1/staff/{id}/waiting-lifted")),
        (Method::DELETE, format!("/api/v1/staff/{id}/sessions")),
        (Method::POST, format!("/api/v1/proposals/{id}/confirmation")),
        (Method::POST, format!("/api/v1/proposals/{id}/withdrawal")),
        (Method::POST, format!("/api/v1/proposals/{id}/emergency")),
        (Method::GET, "/api/v1/api-keys".to_owned()),
        (Method::POST, "/api/v1/api-keys".to_owned()),
        (Method::DELETE, format!("/api/v1/api-keys/{id}")),
    ] {
        assert_eq!(city.ask(method.clone(), &wang, &path, Value::Null).await.text("/code"), "role_not_allowed", "{method} {path}");
        assert_eq!(city.ask(method.clone(), NOBODY, &path, Value::Null).await.status, StatusCode::UNAUTHORIZED, "{method} {path}");
    }
}

#[tokio::test]
async fn a_code_is_good_once_for_its_owner_and_not_for_ever() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let Agreed { halves: [first, second], .. } = administrators.agree(&city, Method::POST, "staff", reviewer("zhao")).await;
    let with = async |login: &str, first: &str, second: &str, password: &str| {
        let body = json!({ "login": login, "first_half": first, "second_half": second, "password": password });
        city.ask(Method::POST, NOBODY, "/api/v1/session/activation", body).await
    };
    for (login, first, second) in
        [("zhao", &first, &first), ("zhao", &second, &first), ("nobody", &first, &second), ("root.one", &first, &second)]
    {
        assert_eq!(with(login, first, second, PASSWORD).await.text("/code"), "activation_refused", "{login}");
    }
    assert_eq!(with("zhao", &first, &second, "short").await.text("/errors/0/field"), "password");
    assert_eq!(with("zhao", &first, &second, PASSWORD).await.status, StatusCode::CREATED);
    assert_eq!(with("zhao", &first, &second, PASSWORD).await.text("/code"), "activation_refused", "it was used");
    assert_eq!(city.traced("staff.activate").await.actor, city.look(&administrators.one, "/api/v1/staff").await.text("/2/id"));

    let Agreed { halves: [first, second], .. } = administrators.agree(&city, Method::POST, "staff", reviewer("qian")).await;
    city.passes(72 * HOUR);
    assert_eq!(with("qian", &first, &second, PASSWORD).await.text("/code"), "activation_refused", "it has lain about too long");
}

#[tokio::test]
async fn the_routes_are_fully_described() {
    let city = City::founded().await;
    let routes = identity::routes(&city.platform, &identity::Settings::default()).await.unwrap();
    assert_eq!(platform::http::openapi_faults(&routes), Vec::<String>::new());
}
