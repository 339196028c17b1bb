//! What APNs accepts, and why it refuses.

use jsonwebtoken::get_current_timestamp;
use reqwest::RequestBuilder;
use rstest::rstest;
use serde_json::json;
use simulators::{Counting, Options, Provider};

use crate::story::{City, answer, device};

#[tokio::test]
async fn a_valid_push_arrives_with_everything_it_carried() {
    let city = City::new().await;
    let response = city.push(&device(1)).header("apns-id", "123E4567-E89B-42D3-A456-426614174000").send().await.unwrap();
    assert_eq!(response.headers()["apns-id"], "123E4567-E89B-42D3-A456-426614174000");
    assert_eq!((response.status().as_u16(), response.bytes().await.unwrap().len()), (200, 0));

    let pushes = city.simulators.pushes_to(&device(1));
    assert_eq!(pushes.len(), 1);
    assert_eq!(pushes[0].provider, Provider::Apns);
    assert_eq!(pushes[0].collapse_id.as_deref(), Some("alert-1"));
    assert_eq!(pushes[0].priority.as_deref(), Some("10"));
    assert_eq!(pushes[0].expiration.as_deref(), Some("1800000000"));
    assert_eq!(pushes[0].topic.as_deref(), Some("city.example.alerts"));
    assert_eq!(pushes[0].payload["aps"]["alert"]["title"], "请居家");
}

#[tokio::test]
async fn an_answer_to_a_push_without_id_carries_a_new_one() {
    let city = City::new().await;
    let response = city.push(&device(1)).send().await.unwrap();
    assert!(uuid::Uuid::try_parse(response.headers()["apns-id"].to_str().unwrap()).is_ok());
}

type Change = fn(RequestBuilder) -> RequestBuilder;

#[rstest]
#[case::no_topic(400, "MissingTopic", |push| without(push, "apns-topic"))]
#[case::topic_of_somebody_else(400, "TopicDisallowed", |push| with(push, "apns-topic", "com.example.other"))]
#[case::id_is_no_uuid(400, "BadMessageId", |push| with(push, "apns-id", "42"))]
#[case::collapse_id_of_65_octets(400, "BadCollapseId", |push| with(push, "apns-collapse-id", &"x".repeat(65)))]
#[case::priority_7(400, "BadPriority", |push| with(push, "apns-priority", "7"))]
#[case::expiration_is_a_date(400, "BadExpirationDate", |push| with(push, "apns-expiration", "2026-11-22"))]
#[case::unknown_push_type(400, "InvalidPushType", |push| with(push, "apns-push-type", "shout"))]
#[case::two_topics(400, "DuplicateHeaders", |push: RequestBuilder| push.header("apns-topic", "city.example.alerts"))]
#[case::no_payload(400, "PayloadEmpty", |push: RequestBuilder| push.body(""))]
#[case::payload_is_not_json(400, "PayloadEmpty", |push: RequestBuilder| push.body("{"))]
#[case::payload_without_aps(400, "PayloadEmpty", |push: RequestBuilder| push.body("{}"))]
#[case::payload_of_4097_octets(413, "PayloadTooLarge", |push: RequestBuilder| push.body(payload(4097)))]
#[case::payload_of_a_megabyte(413, "PayloadTooLarge", |push: RequestBuilder| push.body(payload(1 << 20)))]
#[case::no_authorization(403, "MissingProviderToken", |push| without(push, "authorization"))]
#[case::other_scheme(403, "MissingProviderToken", |push| with(push, "authorization", "Basic YTpi"))]
#[case::token_is_no_jwt(403, "InvalidProviderToken", |push| with(push, "authorization", "bearer abc"))]
#[tokio::test]
async fn a_push_with_one_thing_wrong_is_refused_with_apples_word(#[case] status: u16, #[case] reason: &str, #[case] change: Change) {
    let city = City::with(Options { apns_topics: vec!["city.example.alerts".to_owned()], ..Options::default() }).await;
    let response = change(city.push(&device(1))).send().await.unwrap();
    assert!(response.headers().contains_key("apns-id"));
    assert_eq!(answer(response).await, (status, json!({ "reason": reason })));

    assert_eq!(city.simulators.times(Provider::Apns, &device(1)), 0, "what is refused did not arrive");
    assert_eq!(city.simulators.statistics().apns.refused, [(reason.to_owned(), 1)].into());
    assert_eq!(city.push(&device(1)).send().await.unwrap().status(), 200, "the connection goes on");
}

#[rstest]
#[case::empty("", 400, "MissingDeviceToken")]
#[case::short("abcd", 400, "BadDeviceToken")]
#[case::not_hexadecimal("zz000001000000000000000000000000000000000000000000000000000000ff", 400, "BadDeviceToken")]
#[tokio::test]
async fn a_token_that_cannot_be_one_is_refused(#[case] token: &str, #[case] status: u16, #[case] reason: &str) {
    let city = City::new().await;
    assert_eq!(answer(city.push(token).send().await.unwrap()).await, (status, json!({ "reason": reason })));
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let city = City::new().await;
    let base = city.simulators.addresses().apns_url();
    let post = city.http.post(format!("{base}/2/device/{}", device(1))).send().await.unwrap();
    assert_eq!(answer(post).await, (404, json!({ "reason": "BadPath" })));
    let get = city.http.get(format!("{base}/3/device/{}", device(1))).send().await.unwrap();
    assert_eq!(answer(get).await, (405, json!({ "reason": "MethodNotAllowed" })));
}

#[tokio::test]
async fn a_payload_of_4096_octets_is_accepted() {
    let city = City::new().await;
    assert_eq!(city.push(&device(1)).body(payload(4096)).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn provider_tokens_must_be_fresh_and_ours() {
    let city = City::new().await;
    let other = City::new().await;
    let credentials = city.simulators.credentials();
    let (team, key, p8) = (&credentials.apns_team_id, &credentials.apns_key_id, &credentials.apns_key_p8);
    let now = get_current_timestamp();
    let cases = [
        ("an hour and more old", city.provider_token_of(team, key, now - 3_700, p8), "ExpiredProviderToken"),
        ("from the future", city.provider_token_of(team, key, now + 3_600, p8), "InvalidProviderToken"),
        ("of another team", city.provider_token_of("OTHERTEAM1", key, now, p8), "InvalidProviderToken"),
        ("of an unknown key", city.provider_token_of(team, "OTHERKEY01", now, p8), "InvalidProviderToken"),
        (
            "signed with another key",
            city.provider_token_of(team, key, now, &other.simulators.credentials().apns_key_p8),
            "InvalidProviderToken",
        ),
    ];
    for (what, token, reason) in cases {
        let response = with(city.push(&device(1)), "authorization", &format!("bearer {token}")).send().await.unwrap();
        assert_eq!(answer(response).await, (403, json!({ "reason": reason })), "a token {what}");
    }
    let almost_old = city.provider_token_of(team, key, now - 3_500, p8);
    let response = with(city.push(&device(1)), "authorization", &format!("bearer {almost_old}")).send().await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn with_a_moved_clock_the_age_of_tokens_is_not_looked_at() {
    let city = City::with(Options { token_age_checked: false, ..Options::default() }).await;
    let credentials = city.simulators.credentials();
    let token = city.provider_token_of(&credentials.apns_team_id, &credentials.apns_key_id, 1_431_900_000, &credentials.apns_key_p8);
    let response = with(city.push(&device(1)), "authorization", &format!("bearer {token}")).send().await.unwrap();
    assert_eq!(response.status(), 200);
}

#[rstest]
#[case::named(Options::default())]
#[case::dense(Options { counting: Counting::Dense, strict: false, keep_payloads: false, ..Options::default() })]
#[tokio::test]
async fn duplicates_are_counted_apart_from_further_alerts(#[case] options: Options) {
    let city = City::with(options).await;
    for (resident, collapse_id) in [(1, "alert-1"), (2, "alert-1"), (2, "alert-1"), (3, "alert-1"), (3, "reminder-1")] {
        with(city.push(&device(resident)), "apns-collapse-id", collapse_id).send().await.unwrap();
    }
    let seen = city.simulators.statistics().apns;
    assert_eq!((seen.requests, seen.accepted, seen.recipients, seen.duplicates, seen.repeats), (5, 5, 3, 1, 1));
    assert_eq!([1, 2, 3].map(|resident| city.simulators.times(Provider::Apns, &device(resident))), [1, 2, 2]);
}

fn with(push: RequestBuilder, name: &'static str, value: &str) -> RequestBuilder {
    let value = value.to_owned();
    let (client, request) = push.build_split();
    let mut request = request.unwrap();
    request.headers_mut().insert(name, value.parse().unwrap());
    RequestBuilder::from_parts(client, request)
}

fn without(push: RequestBuilder, name: &'static str) -> RequestBuilder {
    let (client, request) = push.build_split();
    let mut request = request.unwrap();
    request.headers_mut().remove(name);
    RequestBuilder::from_parts(client, request)
}

fn payload(octets: usize) -> String {
    let empty = r#"{"aps":{},"x":""}"#;
    empty.replace(r#""""#, &format!(r#""{}""#, "x".repeat(octets - empty.len())))
}
