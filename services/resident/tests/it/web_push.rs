//! Stories of browsers that want to be told by Web Push.

use crate::city::{City, Person, fields, text};
use http::StatusCode;
use proto::EndpointsGone;
use proto::endpoints_gone::Entry;
use resident::WebPushOffer;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};
use stages::{Desk, NOBODY};

const KEY: &str = "/api/v1/web-push/key";
const SUBSCRIBE: &str = "/api/v1/me/web-push";

/// A browser's key and secret; those of RFC 8291, appendix A.
const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
const ENDPOINT: &str = "https://fcm.googleapis.com/fcm/send/cHh3:APA91b-x_Y";

/// What the city offers to browsers.
pub fn offer() -> WebPushOffer {
    WebPushOffer { public_key: "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIg".to_owned(), services: Default::default() }
}

fn subscription(endpoint: &str) -> Value {
    json!({ "endpoint": endpoint, "keys": { "p256dh": P256DH, "auth": AUTH } })
}

async fn subscribe(city: &City, person: &Person, endpoint: &str) -> i64 {
    let (status, answer) = city.post(&person.token, SUBSCRIBE, subscription(endpoint)).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    answer["endpoint_id"].as_i64().unwrap()
}

#[rstest]
#[tokio::test]
async fn whoever_has_a_browser_alone_has_the_app_until_they_remove_it(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let (status, key) = city.get(NOBODY, KEY).await;
    assert_eq!((status, text(&key["public_key"])), (StatusCode::OK, offer().public_key), "everybody may ask");

    let person = city.register("13812345678").await;
    assert_eq!(city.reach(&person).await, Some((false, true)));
    let id = subscribe(&city, &person, ENDPOINT).await;
    assert_eq!(city.reach(&person).await, Some((true, true)));
    assert_eq!(city.endpoints(&person).await, ["phone", "web_push"]);
    assert_eq!(city.count("select count(*) from resident.reach where web and app and not apns and not fcm").await, 1);
    assert_eq!(city.count("select sum(people) from resident.headcount where web").await, 1, "an audience counts them");
    assert_eq!(subscribe(&city, &person, ENDPOINT).await, id, "the same browser is one device");

    assert_eq!(city.delete(&person.token, &format!("/api/v1/me/devices/{id}")).await, StatusCode::NO_CONTENT);
    assert_eq!(city.delete(&person.token, "/api/v1/me/session").await, StatusCode::NO_CONTENT);
    assert_eq!(city.reach(&person).await, Some((false, true)), "after signing out alerts come by SMS");
    assert_eq!(city.count("select sum(people) from resident.headcount where web").await, 0);
    city.close().await;
}

#[tokio::test]
async fn nothing_of_a_subscription_is_stored_in_the_clear() {
    let city = City::open(Embedded).await;
    let person = city.register("13812345678").await;
    subscribe(&city, &person, ENDPOINT).await;
    for part in [ENDPOINT, "APA91b-x_Y", P256DH, AUTH] {
        assert_eq!(city.tables_with(part).await, Vec::<String>::new());
    }
    city.close().await;
}

/// What residents send is not where the platform calls: only push services of browsers are.
#[tokio::test]
async fn an_address_that_is_no_push_service_is_refused() {
    let city = City::open(Embedded).await;
    let person = city.register("13812345678").await;
    for endpoint in [
        "http://fcm.googleapis.com/fcm/send/x",
        "https://127.0.0.1/x",
        "https://localhost:8080/api/v1/alerts",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/x",
        "https://fcm.googleapis.com@example.com/x",
        "https://fcm.googleapis.com.example.com/x",
        "https://example.com#.push.apple.com/x",
        "https://web.push.apple.com:22/x",
        "file:///etc/passwd",
        "",
    ] {
        let (status, problem) = city.post(&person.token, SUBSCRIBE, subscription(endpoint)).await;
        assert_eq!((status, fields(&problem)), (StatusCode::UNPROCESSABLE_ENTITY, vec!["endpoint".to_owned()]), "{endpoint}");
        assert!(endpoint.is_empty() || !problem.to_string().contains(endpoint), "it is not repeated: {problem}");
    }
    assert_eq!(city.reach(&person).await, Some((false, true)));
    city.close().await;
}

#[rstest]
#[case::a_point_off_the_curve("keys.p256dh", &format!("{}8", &P256DH[..86]), AUTH)]
#[case::half_a_point("keys.p256dh", &P256DH[..43], AUTH)]
#[case::a_short_secret("keys.auth", P256DH, &AUTH[..20])]
#[tokio::test]
async fn keys_that_nobody_could_write_to_are_refused(#[case] field: &str, #[case] p256dh: &str, #[case] auth: &str) {
    let city = City::open(Embedded).await;
    let person = city.register("13812345678").await;
    let body = json!({ "endpoint": ENDPOINT, "keys": { "p256dh": p256dh, "auth": auth } });
    let (status, problem) = city.post(&person.token, SUBSCRIBE, body).await;
    assert_eq!((status, fields(&problem)), (StatusCode::UNPROCESSABLE_ENTITY, vec![field.to_owned()]));
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_browser_belongs_to_who_signed_in_last_and_leaves_when_its_push_service_says_so(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let (first, second) = (city.register("13812345678").await, city.register("13900001111").await);
    let before = subscribe(&city, &first, ENDPOINT).await;
    assert_eq!(subscribe(&city, &second, ENDPOINT).await, before);
    assert_eq!((city.reach(&first).await, city.reach(&second).await), (Some((false, true)), Some((true, true))));

    let entry = Entry { resident_no: second.no, endpoint_id: before, registered_at_ms: None };
    city.tell(&EndpointsGone { entries: vec![entry], ..EndpointsGone::default() }).await;
    assert_eq!(city.reach(&second).await, Some((false, true)));
    assert_eq!(city.endpoints(&second).await, ["phone"]);
    city.close().await;
}

#[tokio::test]
async fn who_has_everything_deleted_leaves_no_browser_behind() {
    let city = City::open(Embedded).await;
    let person = city.register("13812345678").await;
    subscribe(&city, &person, ENDPOINT).await;
    assert_eq!(city.delete(&person.token, "/api/v1/me").await, StatusCode::NO_CONTENT);
    assert_eq!(city.count("select count(*) from resident.device").await, 0);
    assert_eq!(city.count("select count(*) from resident.resident where has_web").await, 0);
    city.close().await;
}

#[tokio::test]
async fn a_city_without_web_push_says_so() {
    let platform = Embedded.open().await;
    platform.database.migrate(resident::SCHEMA, &resident::MIGRATOR).await.unwrap();
    let routes = resident::start(&platform, resident::Settings::default()).await.unwrap();
    let (status, problem) = Desk::of(routes, platform::http::Authenticators::new()).get(NOBODY, KEY).await;
    assert_eq!((status, text(&problem["code"])), (StatusCode::NOT_FOUND, "web_push_not_offered".to_owned()));
    stages::close(&platform).await;
}
