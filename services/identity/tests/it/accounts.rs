//! Administrators look after accounts.

use domain::staff::{Role, Scope};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use stages::NOBODY;

use crate::city::City;

fn reviewer(login: &str) -> Value {
    json!({ "login": login, "name": "渝中区审核员", "role": "district_reviewer", "scope": "district:500103" })
}

#[tokio::test]
async fn an_administrator_makes_an_account_whose_password_is_shown_once() {
    let city = City::founded().await;
    let root = city.administrator().await;
    let made = city.ask(Method::POST, &root, "/api/v1/staff", reviewer("zhao")).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let zhao = city.session("zhao", &made.text("/password")).await;
    assert_eq!(city.look(&zhao, "/whole-city").await.text("/scope"), "district:500103");

    let listed = city.look(&root, "/api/v1/staff").await;
    assert_eq!(listed.body.as_array().unwrap().len(), 2);
    assert!(!listed.body.to_string().contains("password"));
    let entry = city.trace().await.into_iter().rfind(|entry| entry.action == "staff.create").unwrap();
    assert_eq!((entry.role.as_str(), entry.object), ("administrator", made.text("/staff/id")));
}

#[tokio::test]
async fn an_account_that_makes_no_sense_is_refused_with_the_field() {
    let city = City::founded().await;
    let root = city.administrator().await;
    for (change, field) in [
        (json!({ "login": "Zhao Wei" }), "login"),
        (json!({ "name": " " }), "name"),
        (json!({ "scope": "city" }), "scope"),
        (json!({ "role": "emperor" }), "role"),
        (json!({ "scope": "district:1" }), "scope"),
    ] {
        let mut new = reviewer("zhao");
        new.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refused = city.ask(Method::POST, &root, "/api/v1/staff", new).await;
        assert_eq!((refused.status, refused.text("/errors/0/field")), (StatusCode::UNPROCESSABLE_ENTITY, field.to_owned()), "{change}");
    }
    city.ask(Method::POST, &root, "/api/v1/staff", reviewer("zhao")).await;
    assert_eq!(city.ask(Method::POST, &root, "/api/v1/staff", reviewer("zhao")).await.text("/code"), "login_taken");
}

#[tokio::test]
async fn a_disabled_account_stops_at_once_and_its_sessions_never_come_back() {
    let city = City::founded().await;
    let root = city.administrator().await;
    let made = city.ask(Method::POST, &root, "/api/v1/staff", reviewer("zhao")).await;
    let (password, path) = (made.text("/password"), format!("/api/v1/staff/{}", made.text("/staff/id")));
    let zhao = city.session("zhao", &password).await;

    assert_eq!(city.ask(Method::POST, &root, &format!("{path}/disable"), Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(city.look(&zhao, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(city.signs_in("zhao", &password).await.status, StatusCode::UNAUTHORIZED);

    assert_eq!(city.ask(Method::POST, &root, &format!("{path}/enable"), Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(city.look(&zhao, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(city.signs_in("zhao", &password).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_changed_scope_holds_from_the_next_request_on() {
    let city = City::founded().await;
    let root = city.administrator().await;
    let made = city.ask(Method::POST, &root, "/api/v1/staff", reviewer("zhao")).await;
    let path = format!("/api/v1/staff/{}", made.text("/staff/id"));
    let zhao = city.session("zhao", &made.text("/password")).await;

    let changed = city.ask(Method::PATCH, &root, &path, json!({ "scope": "district:500101" })).await;
    assert_eq!(changed.text("/scope"), "district:500101");
    assert_eq!(city.look(&zhao, "/whole-city").await.text("/scope"), "district:500101");
    let impossible = city.ask(Method::PATCH, &root, &path, json!({ "role": "auditor" })).await;
    assert_eq!(impossible.text("/errors/0/field"), "scope");
    let entry = city.trace().await.into_iter().rfind(|entry| entry.action == "staff.change").unwrap();
    assert!(entry.detail_json.contains("district:500103") && entry.detail_json.contains("district:500101"));
}

#[tokio::test]
async fn a_reset_password_ends_the_sessions_of_the_account() {
    let city = City::founded().await;
    let root = city.administrator().await;
    let made = city.ask(Method::POST, &root, "/api/v1/staff", reviewer("zhao")).await;
    let zhao = city.session("zhao", &made.text("/password")).await;
    let reset = city.ask(Method::POST, &root, &format!("/api/v1/staff/{}/password", made.text("/staff/id")), Value::Null).await;
    assert_eq!(city.look(&zhao, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
    city.session("zhao", &reset.text("/password")).await;
}

#[tokio::test]
async fn administrators_cannot_shut_themselves_out() {
    let city = City::founded().await;
    let root = city.administrator().await;
    let me = city.look(&root, "/api/v1/session").await.text("/id");
    for (method, path) in [(Method::POST, format!("/api/v1/staff/{me}/disable")), (Method::PATCH, format!("/api/v1/staff/{me}"))] {
        assert_eq!(city.ask(method, &root, &path, json!({})).await.text("/code"), "own_account");
    }
}

#[tokio::test]
async fn an_account_that_does_not_exist_is_not_found() {
    let city = City::founded().await;
    let root = city.administrator().await;
    for end in ["disable", "enable", "password"] {
        let path = format!("/api/v1/staff/{}/{end}", domain::ids::StaffId::new());
        assert_eq!(city.ask(Method::POST, &root, &path, Value::Null).await.text("/code"), "staff_not_found");
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
        (Method::POST, format!("/api/v1/staff/{id}/password")),
        (Method::GET, "/api/v1/api-keys".to_owned()),
        (Method::POST, "/api/v1/api-keys".to_owned()),
        (Method::DELETE, format!("/api/v1/api-keys/{id}")),
    ] {
        assert_eq!(city.ask(method.clone(), &wang, &path, Value::Null).await.text("/code"), "role_not_allowed", "{method} {path}");
        assert_eq!(city.ask(method.clone(), NOBODY, &path, Value::Null).await.status, StatusCode::UNAUTHORIZED, "{method} {path}");
    }
}

#[tokio::test]
async fn the_command_line_makes_the_first_administrator_and_helps_one_who_forgot() {
    let city = City::founded().await;
    let first = identity::create_administrator(&city.platform, "root").await.unwrap();
    let second = identity::create_administrator(&city.platform, "root").await.unwrap();
    assert_eq!(city.signs_in("root", &first).await.status, StatusCode::UNAUTHORIZED);
    city.session("root", &second).await;

    city.has("wang", Role::CityCommandOfficer, Scope::City).await;
    assert!(matches!(identity::create_administrator(&city.platform, "wang").await, Err(identity::Error::LoginTaken { .. })));
}

#[tokio::test]
async fn ensuring_staff_twice_keeps_the_first() {
    let city = City::founded().await;
    let new = |name: &str| identity::NewStaff {
        login: "wang".to_owned(),
        name: name.to_owned(),
        role: Role::CityCommandOfficer,
        scope: Scope::City,
    };
    let password = identity::ensure_staff(&city.platform, new("王主任")).await.unwrap().unwrap();
    assert_eq!(identity::ensure_staff(&city.platform, new("另一位")).await.unwrap(), None);
    let token = city.session("wang", &password).await;
    assert_eq!(city.look(&token, "/api/v1/session").await.text("/name"), "王主任");
}

#[tokio::test]
async fn the_routes_are_fully_described() {
    let city = City::founded().await;
    let routes = identity::routes(&city.platform, &identity::Settings::default()).await.unwrap();
    assert_eq!(platform::http::openapi_faults(&routes), Vec::<String>::new());
}
