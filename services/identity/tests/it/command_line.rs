//! The way in from the command line, and that the demo's way in is nowhere else.

use domain::staff::{Role, Scope};
use http::{Method, StatusCode};
use identity::{Code, Error, Settings, first_administrators, recover_administrator};
use serde_json::Value;
use stages::{HOUR, PASSWORD, activate};

use crate::city::City;

#[tokio::test]
async fn the_first_two_administrators_are_made_together_and_once() {
    let city = City::founded().await;
    assert!(matches!(first_administrators(&city.platform, &Settings::default(), ["root", "root"]).await, Err(Error::LoginTaken { .. })));
    let administrators = city.administrators().await;
    administrators.staff(&city, "wang", "city_command_officer", "city").await;
    let again = first_administrators(&city.platform, &Settings::default(), ["other.one", "other.two"]).await;
    assert!(matches!(again, Err(Error::AdministratorsExist)), "{again:?}");
}

#[tokio::test]
async fn an_administrator_who_cannot_sign_in_is_helped_waits_and_everybody_is_told() {
    let city = City::founded().await;
    let administrators = city.administrators().await;
    let Code { login, first, second } = recover_administrator(&city.platform, &Settings::default(), "root.two").await.unwrap();
    assert_eq!(city.signs_in("root.two", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    let two = activate(&city, [&login, &first, &second]).await;

    let new = serde_json::json!({ "login": "duty", "name": "值班", "role": "city_command_officer", "scope": "city" });
    let proposed = city.ask(Method::POST, &administrators.one, "/api/v1/staff", new).await;
    let path = format!("/api/v1/proposals/{}/confirmation", proposed.text("/proposal/id"));
    assert_eq!(city.ask(Method::POST, &two, &path, Value::Null).await.text("/code"), "account_too_new");
    let told = city.look(&administrators.one, "/api/v1/proposals").await.body;
    let alarm = told.as_array().unwrap().iter().find(|proposal| proposal["proposed_by"].is_null()).expect("it stands among the proposals");
    assert_eq!((&alarm["state"], &alarm["staff"]["login"]), (&Value::from("effective"), &Value::from("root.two")));
    assert!(alarm["emergency"].is_object());
    city.passes(24 * HOUR);
    let two = city.session("root.two", PASSWORD).await;
    assert_eq!(city.ask(Method::POST, &two, &path, Value::Null).await.status, StatusCode::OK);

    city.has("wang", Role::CityCommandOfficer, Scope::City).await;
    assert!(matches!(recover_administrator(&city.platform, &Settings::default(), "wang").await, Err(Error::LoginTaken { .. })));
}

#[tokio::test]
async fn ensuring_staff_of_the_demo_twice_keeps_the_first() {
    let city = City::founded().await;
    let new = |name: &str| identity::NewStaff {
        login: "wang".to_owned(),
        name: name.to_owned(),
        role: Role::CityCommandOfficer,
        scope: Scope::City,
    };
    let password = identity::demo::ensure_staff(&city.platform, new("王主任")).await.unwrap().unwrap();
    assert_eq!(identity::demo::ensure_staff(&city.platform, new("另一位")).await.unwrap(), None);
    let token = city.session("wang", &password).await;
    let me = city.look(&token, "/api/v1/session").await;
    assert_eq!((me.text("/name"), &me.body["acts_from"]), ("王主任".to_owned(), &Value::Null));
}

/// Accounts with a password that was made for them, and without a waiting time, come from one module; only the demo city names it, and only
/// `up` and rehearsals make a demo city.
#[test]
fn only_the_demo_makes_accounts_that_need_neither_owner_nor_second_person() {
    let services = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let naming = |what: &str| {
        let mut found = Vec::new();
        let mut folders: Vec<_> = std::fs::read_dir(services).unwrap().map(|service| service.unwrap().path().join("src")).collect();
        while let Some(folder) = folders.pop().filter(|folder| folder.is_dir() || !folders.is_empty()) {
            for entry in std::fs::read_dir(&folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "rs") && std::fs::read_to_string(&path).unwrap().contains(what) {
                    found.push(path.strip_prefix(services).unwrap().to_string_lossy().into_owned());
                }
            }
        }
        found.sort();
        found
    };
    assert_eq!(naming("Beginning::Password("), ["identity/src/account.rs", "identity/src/demo.rs"]);
    assert_eq!(naming("Secret::Demo("), ["identity/src/demo.rs", "identity/src/factor.rs"]);
    assert_eq!(naming("identity::demo::"), ["fenghuo/src/demo.rs", "fenghuo/src/services.rs"]);
    let demos = ["fenghuo/src/rehearsal/stage.rs", "fenghuo/src/services.rs", "fenghuo/src/up.rs", "identity/src/demo.rs"];
    assert_eq!(naming("City::Demo"), demos, "a city in which a fixed code is a second factor");
    assert_eq!(naming("demo::settle"), ["fenghuo/src/rehearsal/stage.rs", "fenghuo/src/up.rs"]);
}
