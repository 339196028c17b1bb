//! What FCM accepts, why it refuses, and how access tokens are got.

use rstest::rstest;
use serde_json::{Value, json};
use simulators::{Options, Provider};

use crate::story::{City, answer};

#[tokio::test]
async fn a_valid_message_arrives_with_everything_it_carried() {
    let city = City::new().await;
    let access_token = city.access_token().await.unwrap();
    let (status, body) = answer(city.send(&access_token, &City::message("token-1")).await).await;
    assert_eq!(status, 200);
    assert!(body["name"].as_str().unwrap().starts_with("projects/simulated-city/messages/0:"), "{body}");

    let pushes = city.simulators.pushes_to("token-1");
    assert_eq!(pushes.len(), 1);
    assert_eq!(pushes[0].provider, Provider::Fcm);
    assert_eq!(pushes[0].collapse_id.as_deref(), Some("alert-1"));
    assert_eq!(pushes[0].priority.as_deref(), Some("HIGH"));
    assert_eq!(pushes[0].expiration.as_deref(), Some("1800s"));
    assert_eq!(pushes[0].payload["notification"]["title"], "请居家");
}

#[rstest]
#[case::checked(true)]
#[case::read_for_its_target_only(false)]
#[tokio::test]
async fn an_installation_id_is_a_target_too(#[case] strict: bool) {
    let city = City::with(Options { strict, ..Options::default() }).await;
    let mut message = City::message("");
    message["message"]["fid"] = json!("fid-1");
    let access_token = city.access_token().await.unwrap();
    assert_eq!(city.send(&access_token, &message).await.status(), 200);
    assert_eq!(city.simulators.collapse_ids(Provider::Fcm, "fid-1"), [("alert-1".to_owned(), 1)].into());
}

#[rstest]
#[case::no_target("/message/token", json!(""), "Exactly one of")]
#[case::two_targets("/message/fid", json!("fid-1"), "Exactly one of")]
#[case::data_is_not_text("/message/data", json!({ "alert": 1 }), "invalid type")]
#[case::unknown_field("/message/sound", json!("loud"), "unknown field")]
#[case::reserved_key("/message/data", json!({ "google.x": "1" }), "Invalid data payload key: google.x")]
#[case::time_to_live_without_unit("/message/android/ttl", json!("1800"), "message.android.ttl")]
#[case::time_to_live_of_five_weeks("/message/android/ttl", json!("3024000s"), "between 0 and 4 weeks")]
#[case::unknown_priority("/message/android/priority", json!("URGENT"), "message.android.priority")]
#[case::too_big("/message/data", json!({ "x": "x".repeat(4096) }), "too big")]
#[case::token_is_none("/message/token", json!("not a token"), "not a valid FCM registration token")]
#[tokio::test]
async fn a_message_with_one_thing_wrong_is_an_invalid_argument(#[case] place: &str, #[case] value: Value, #[case] why: &str) {
    let city = City::new().await;
    let mut body = City::message("token-1");
    let (parent, field) = place.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[field] = value;
    let access_token = city.access_token().await.unwrap();
    let (status, body) = answer(city.send(&access_token, &body).await).await;
    assert_eq!((status, &body["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
    assert_eq!(body["error"]["details"][0]["errorCode"], "INVALID_ARGUMENT");
    assert!(body["error"]["message"].as_str().unwrap().contains(why), "{body}");
    assert_eq!(city.simulators.statistics().fcm.accepted, 0);
}

#[tokio::test]
async fn without_a_valid_access_token_nothing_is_accepted() {
    let city = City::new().await;
    let (status, body) = answer(city.send("ya29.guessed", &City::message("token-1")).await).await;
    assert_eq!((status, &body["error"]["status"]), (401, &json!("UNAUTHENTICATED")));
    assert_eq!(city.simulators.statistics().fcm.refused, [("UNAUTHENTICATED".to_owned(), 1)].into());
}

#[tokio::test]
async fn another_project_is_not_found() {
    let city = City::new().await;
    let url = format!("{}/v1/projects/other/messages:send", city.simulators.addresses().fcm_url());
    let response = city.http.post(url).json(&City::message("token-1")).send().await.unwrap();
    assert_eq!(response.status(), 404);
}

#[tokio::test]
async fn an_assertion_signed_by_somebody_else_gets_no_access_token() {
    let (city, other) = (City::new().await, City::new().await);
    let mut account: Value = serde_json::from_str(&city.simulators.credentials().fcm_service_account).unwrap();
    let foreign: Value = serde_json::from_str(&other.simulators.credentials().fcm_service_account).unwrap();
    account["private_key"] = foreign["private_key"].clone();
    let account = gcp_auth::CustomServiceAccount::from_json(&account.to_string()).unwrap();
    let refused = gcp_auth::TokenProvider::token(&account, &["https://www.googleapis.com/auth/firebase.messaging"]).await;
    assert!(refused.is_err());
    assert!(city.simulators.statistics().fcm.refused.contains_key("invalid_grant"));
}

#[tokio::test]
async fn an_assertion_without_the_messaging_scope_gets_no_access_token() {
    let city = City::new().await;
    let account = gcp_auth::CustomServiceAccount::from_json(&city.simulators.credentials().fcm_service_account).unwrap();
    assert!(gcp_auth::TokenProvider::token(&account, &["https://www.googleapis.com/auth/drive"]).await.is_err());
}

/// Five messages to a phone that is off, each changed by its number; what the phone gets when it is back.
async fn five_while_off(change: impl Fn(&mut Value, usize)) -> Vec<String> {
    let city = City::new().await;
    let access_token = city.access_token().await.unwrap();
    city.simulators.leave("token-1");
    for number in 1..=5 {
        let mut message = City::message("token-1");
        message["message"]["data"] = json!({ "alert": number.to_string() });
        change(&mut message["message"], number);
        assert_eq!(city.send(&access_token, &message).await.status(), 200, "Google takes it");
    }
    assert_eq!(city.simulators.pushes_to("token-1"), []);
    city.simulators.come_back("token-1");
    let pushes = city.simulators.pushes_to("token-1");
    pushes.iter().map(|push| push.payload["data"]["alert"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn of_notifications_to_a_phone_that_is_off_the_last_is_kept_whatever_their_keys() {
    let got = five_while_off(|message, number| message["android"]["collapse_key"] = json!(format!("alert-{number}"))).await;
    assert_eq!(got, ["5"]);
}

#[tokio::test]
async fn of_data_messages_with_keys_those_of_four_keys_are_kept() {
    let got = five_while_off(|message, number| {
        message.as_object_mut().unwrap().remove("notification");
        message["android"]["collapse_key"] = json!(format!("alert-{number}"));
    })
    .await;
    assert_eq!(got, ["2", "3", "4", "5"]);
}

#[tokio::test]
async fn of_data_messages_without_a_key_all_are_kept() {
    let got = five_while_off(|message, _| {
        message.as_object_mut().unwrap().remove("notification");
        message["android"].as_object_mut().unwrap().remove("collapse_key");
    })
    .await;
    assert_eq!(got, ["1", "2", "3", "4", "5"]);
}
