//! Stories of who may have one-time codes sent, and of who guesses them.

use std::num::NonZeroU32;

use crate::city::{City, Code, registration};
use http::StatusCode;
use resident::Settings;
use rstest::rstest;
use serde_json::{Value, json};
use stages::Store::{self, Embedded, Services};
use stages::{DAY, MINUTE, NOBODY};

const PHONE: &str = "13812345678";
const HERE: &str = "198.51.100.7";
const ASK: &str = "/api/v1/registration/code";

async fn ask(city: &City, address: &str, phone: &str) -> (StatusCode, Value) {
    city.post_from(address, ASK, json!({ "phone": phone })).await
}

async fn tight() -> City {
    let few = |many| NonZeroU32::new(many).unwrap();
    City::open_with(Embedded, Settings { codes_per_minute_from_a_network: few(3), codes_per_minute: few(8), ..Settings::default() }).await
}

#[rstest]
#[tokio::test]
async fn one_network_cannot_write_to_the_whole_city(#[values("198.51.100", "2001:db8:1:2:3:4:5")] network: &str) {
    let city = tight().await;
    let from = |host: u32| if network.contains(':') { format!("{network}:{host:x}") } else { format!("{network}.{host}") };
    for host in 1..=3 {
        assert_eq!(ask(&city, &from(host), &format!("1390000000{host}")).await.0, StatusCode::ACCEPTED);
    }
    assert_eq!(ask(&city, &from(99), "13900000004").await.0, StatusCode::TOO_MANY_REQUESTS, "another address of the same network");
    assert_eq!(ask(&city, "203.0.113.1", "13900000004").await.0, StatusCode::ACCEPTED, "another network");
    city.platform.clock.forward(MINUTE);
    assert_eq!(ask(&city, &from(99), "13900000005").await.0, StatusCode::ACCEPTED);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn many_networks_together_do_not_exceed_what_the_city_sends() {
    let city = tight().await;
    let mut sent = 0;
    for number in 10..30 {
        sent += u32::from(ask(&city, &format!("198.51.{number}.1"), &format!("139000000{number}")).await.0 == StatusCode::ACCEPTED);
    }
    assert_eq!(sent, 6, "of eight a minute, two are left to numbers that are registered");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn who_asks_for_codes_to_made_up_numbers_does_not_lock_out_who_is_registered() {
    let city = tight().await;
    city.register(PHONE).await;
    city.platform.clock.forward(MINUTE);
    for number in 10..30 {
        ask(&city, &format!("198.51.{number}.1"), &format!("139000000{number}")).await;
    }
    assert_eq!(ask(&city, "203.0.113.1", "13900000099").await.0, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(ask(&city, "203.0.113.2", PHONE).await.0, StatusCode::ACCEPTED, "from wherever they are");
    city.platform.clock.forward(MINUTE);
    assert_eq!(ask(&city, "203.0.113.1", "13900000099").await.0, StatusCode::ACCEPTED, "nothing of their own was used up");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn one_customer_of_ipv6_is_one_however_many_networks_they_have() {
    let few = NonZeroU32::new(3).unwrap();
    let city = City::open_with(Embedded, Settings { codes_per_minute_from_a_network: few, ..Settings::default() }).await;
    let mut sent = 0;
    for number in 10..30 {
        sent += u32::from(ask(&city, &format!("2001:db8:1:{number}::1"), &format!("139000000{number}")).await.0 == StatusCode::ACCEPTED);
    }
    assert_eq!(sent, 12);
    assert_eq!(ask(&city, "2001:db8:2:1::1", "13900000099").await.0, StatusCode::ACCEPTED, "another customer");
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn an_app_that_was_signed_in_before_has_an_allowance_of_its_own_wherever_it_is() {
    let city = City::open(Embedded).await;
    let person = city.register(PHONE).await;
    let stranger = city.register("13900001111").await;
    assert_eq!(city.delete(&person.token, "/api/v1/me/session").await, StatusCode::NO_CONTENT);
    for network in 1..=20 {
        city.platform.clock.forward(MINUTE);
        ask(&city, &format!("203.0.{network}.1"), PHONE).await;
    }
    assert_eq!(ask(&city, "192.0.2.1", PHONE).await.0, StatusCode::TOO_MANY_REQUESTS);
    let with = async |token: &str| {
        let mut request = stages::request(http::Method::POST, token, ASK, &json!({ "phone": PHONE }));
        request.headers_mut().insert("x-forwarded-for", "192.0.2.2".parse().unwrap());
        city.answered(request).await.0.status
    };
    assert_eq!(with(&stranger.token).await, StatusCode::TOO_MANY_REQUESTS, "another's token is no key");
    assert_eq!(with(&person.token).await, StatusCode::ACCEPTED);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_right_code_is_no_failed_try_even_when_each_has_one() {
    let city = City::open_with(Embedded, Settings { wrong_codes_per_day: 1, ..Settings::default() }).await;
    let register = async |code: &Code, says: Value| city.post(NOBODY, "/api/v1/registration", registration(PHONE, code, says)).await.0;
    let code = city.code(PHONE).await;
    assert_eq!(register(&code.missed(), json!({})).await, StatusCode::FORBIDDEN);
    city.platform.clock.forward(MINUTE);
    let code = city.code(PHONE).await;
    for _ in 0..3 {
        assert_eq!(register(&code, json!({ "community": null })).await, StatusCode::UNPROCESSABLE_ENTITY, "asked for what is missing");
    }
    assert_eq!(register(&code, json!({})).await, StatusCode::CREATED);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn strangers_who_ask_for_codes_do_not_use_up_the_owners(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let register = async |asked: &Value| {
        let code = city.code_to(PHONE, asked).await;
        city.post_from(HERE, "/api/v1/registration", registration(PHONE, &code, json!({}))).await.0
    };
    let (_, asked) = ask(&city, HERE, PHONE).await;
    assert_eq!(register(&asked).await, StatusCode::CREATED);

    let mut refused = 0;
    for network in 1..=20 {
        refused += u32::from(ask(&city, &format!("203.0.{network}.1"), PHONE).await.0 == StatusCode::TOO_MANY_REQUESTS);
        city.platform.clock.forward(MINUTE);
    }
    assert_eq!(refused, 11, "ten codes a day to one number, the first of them its owner's");
    let (status, asked) = ask(&city, HERE, PHONE).await;
    assert_eq!(status, StatusCode::ACCEPTED, "from where they have registered before");
    assert_eq!(register(&asked).await, StatusCode::CREATED);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn wrong_guesses_of_others_leave_the_owners_code_and_their_device_alone(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let signed_in = city.register(PHONE).await;
    city.platform.clock.forward(MINUTE);
    let (_, asked) = ask(&city, HERE, PHONE).await;
    let own = city.code_to(PHONE, &asked).await;
    let guess = async |code: &Code| city.post_from("203.0.113.9", "/api/v1/registration", registration(PHONE, code, json!({}))).await.0;
    for _ in 0..20 {
        assert_eq!(guess(&Code::of_nobody()).await, StatusCode::FORBIDDEN, "without the name of a request there is nothing to guess");
    }
    let (_, asked) = ask(&city, "203.0.113.9", PHONE).await;
    let theirs = city.code_to(PHONE, &asked).await;
    for _ in 0..5 {
        guess(&theirs.missed()).await;
    }
    assert_eq!(guess(&theirs).await, StatusCode::TOO_MANY_REQUESTS, "their own code is spent");

    assert_eq!(city.get(&signed_in.token, "/api/v1/me").await.0, StatusCode::OK);
    let (status, _) = city.post_from(HERE, "/api/v1/registration", registration(PHONE, &own, json!({}))).await;
    assert_eq!(status, StatusCode::CREATED);
    city.close().await;
}

#[rstest]
#[tokio::test]
async fn a_new_code_does_not_bring_back_the_tries_of_the_day(#[values(Embedded, Services)] store: Store) {
    let city = City::open(store).await;
    let mut guesses = 0;
    for network in 1..=10 {
        let address = format!("203.0.{network}.1");
        let (status, asked) = ask(&city, &address, PHONE).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        let code = city.code_to(PHONE, &asked).await;
        for _ in 0..5 {
            let (status, _) = city.post_from(&address, "/api/v1/registration", registration(PHONE, &code.missed(), json!({}))).await;
            if status == StatusCode::TOO_MANY_REQUESTS {
                break;
            }
            guesses += 1;
        }
        city.platform.clock.forward(MINUTE);
    }
    assert_eq!(guesses, 15 + 7, "fifteen, then one of each code");
    city.platform.clock.forward(DAY);
    let code = city.code(PHONE).await;
    for _ in 0..4 {
        city.post(NOBODY, "/api/v1/registration", registration(PHONE, &code.missed(), json!({}))).await;
    }
    assert_eq!(city.post(NOBODY, "/api/v1/registration", registration(PHONE, &code, json!({}))).await.0, StatusCode::CREATED);
    city.close().await;
}
