//! Faults on demand, as the platform sees them.

use std::time::Duration;

use jsonwebtoken::get_current_timestamp;
use rstest::rstest;
use rusmpp::CommandStatus;
use serde_json::json;
use simulators::{Fault, FaultKind, FaultPlan, Provider};

use crate::story::{City, answer, client, device, soon};

#[rstest]
#[case(Fault::new(FaultKind::BadRecipient), 400, "BadDeviceToken", None)]
#[case(Fault::new(FaultKind::Foreign), 400, "DeviceTokenNotForTopic", None)]
#[case(Fault::new(FaultKind::BadMessage), 400, "InvalidPushType", None)]
#[case(Fault::throttled(7), 429, "TooManyRequests", Some("7"))]
#[case(Fault::new(FaultKind::InternalError), 500, "InternalServerError", None)]
#[case(Fault::new(FaultKind::Unavailable), 503, "ServiceUnavailable", None)]
#[case(Fault::new(FaultKind::CredentialsRefused), 403, "InvalidProviderToken", None)]
#[case(Fault::new(FaultKind::CredentialsExpired), 403, "ExpiredProviderToken", None)]
#[tokio::test]
async fn apns_says_what_is_wrong_and_recovers(
    #[case] fault: Fault,
    #[case] status: u16,
    #[case] reason: &str,
    #[case] retry_after: Option<&str>,
) {
    let city = City::new().await;
    city.simulators.fault(Provider::Apns, fault.times(1));
    let response = city.push(&device(1)).send().await.unwrap();
    assert_eq!(response.headers().get("retry-after").map(|value| value.to_str().unwrap()), retry_after);
    assert_eq!(answer(response).await, (status, json!({ "reason": reason })));
    assert_eq!(city.simulators.times(Provider::Apns, &device(1)), 0);
    assert_eq!(city.push(&device(1)).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_removed_app_answers_410_with_the_time_until_healed() {
    let city = City::new().await;
    let before = get_current_timestamp();
    city.simulators.fault(Provider::Apns, Fault::new(FaultKind::Gone).only(device(1)));
    let (status, body) = answer(city.push(&device(1)).send().await.unwrap()).await;
    assert_eq!((status, &body["reason"]), (410, &json!("Unregistered")));
    assert!((before..=get_current_timestamp()).contains(&(body["timestamp"].as_u64().unwrap() / 1_000)));
    assert_eq!(city.push(&device(2)).send().await.unwrap().status(), 200);
    city.simulators.heal(Provider::Apns);
    assert_eq!(city.push(&device(1)).send().await.unwrap().status(), 200);
}

#[rstest]
#[case(Fault::new(FaultKind::Gone), 404, "NOT_FOUND", Some("UNREGISTERED"), None)]
#[case(Fault::new(FaultKind::BadRecipient), 400, "INVALID_ARGUMENT", Some("INVALID_ARGUMENT"), None)]
#[case(Fault::new(FaultKind::Foreign), 403, "PERMISSION_DENIED", Some("SENDER_ID_MISMATCH"), None)]
#[case(Fault::new(FaultKind::BadMessage), 400, "INVALID_ARGUMENT", Some("INVALID_ARGUMENT"), None)]
#[case(Fault::throttled(60), 429, "RESOURCE_EXHAUSTED", Some("QUOTA_EXCEEDED"), Some("60"))]
#[case(Fault::new(FaultKind::InternalError), 500, "INTERNAL", Some("INTERNAL"), None)]
#[case(Fault::new(FaultKind::Unavailable), 503, "UNAVAILABLE", Some("UNAVAILABLE"), None)]
#[case(Fault::new(FaultKind::CredentialsRefused), 401, "UNAUTHENTICATED", None, None)]
#[case(Fault::new(FaultKind::ThirdPartyAuthError), 401, "UNAUTHENTICATED", Some("THIRD_PARTY_AUTH_ERROR"), None)]
#[tokio::test]
async fn fcm_says_what_is_wrong_and_recovers(
    #[case] fault: Fault,
    #[case] status: u16,
    #[case] canonical: &str,
    #[case] error_code: Option<&str>,
    #[case] retry_after: Option<&str>,
) {
    let city = City::new().await;
    let access_token = city.access_token().await.unwrap();
    city.simulators.fault(Provider::Fcm, fault.times(1));
    let response = city.send(&access_token, &City::message("token-1")).await;
    assert_eq!(response.headers().get("retry-after").map(|value| value.to_str().unwrap()), retry_after);
    let (code, body) = answer(response).await;
    assert_eq!((code, &body["error"]["code"], &body["error"]["status"]), (status, &json!(status), &json!(canonical)));
    assert_eq!(body["error"]["details"][0]["errorCode"].as_str(), error_code);
    assert_eq!(city.simulators.times(Provider::Fcm, "token-1"), 0);
    assert_eq!(city.send(&access_token, &City::message("token-1")).await.status(), 200);
}

#[tokio::test]
async fn an_expired_access_token_stays_expired_and_a_new_one_works() {
    let city = City::new().await;
    let old = city.access_token().await.unwrap();
    city.simulators.fault(Provider::Fcm, Fault::new(FaultKind::CredentialsExpired).times(1));
    for _ in 0..2 {
        assert_eq!(city.send(&old, &City::message("token-1")).await.status(), 401);
    }
    let new = city.access_token().await.unwrap();
    assert_eq!(city.send(&new, &City::message("token-1")).await.status(), 200);
}

#[tokio::test]
async fn a_refused_service_account_gets_no_access_token() {
    let city = City::new().await;
    city.simulators.fault(Provider::Fcm, Fault::new(FaultKind::CredentialsRefused));
    assert!(city.access_token().await.is_err());
}

#[rstest]
#[case(Fault::new(FaultKind::Gone), CommandStatus::EsmeRinvdstadr)]
#[case(Fault::throttled(0), CommandStatus::EsmeRthrottled)]
#[case(Fault::new(FaultKind::InternalError), CommandStatus::EsmeRsyserr)]
#[case(Fault::new(FaultKind::Unavailable), CommandStatus::EsmeRmsgqful)]
#[tokio::test]
async fn the_sms_centre_says_what_is_wrong_and_recovers(#[case] fault: Fault, #[case] status: CommandStatus) {
    let city = City::new().await;
    let esme = city.bound().await;
    city.simulators.fault(Provider::Sms, fault.times(1));
    assert_eq!(esme.submit("13800138000", "text").await, Err(status));
    assert!(esme.submit("13800138000", "text").await.is_ok());
    assert_eq!(city.simulators.times(Provider::Sms, "13800138000"), 1);
}

#[tokio::test]
async fn a_refused_account_loses_its_session_and_cannot_bind() {
    let city = City::new().await;
    let esme = city.bound().await;
    city.simulators.fault(Provider::Sms, Fault::new(FaultKind::CredentialsRefused));
    assert!(esme.client.submit_sm(crate::story::sms("13800138000", "text")).await.is_err());
    esme.ended().await;
    let account = city.simulators.credentials();
    assert_eq!(city.bind(&account.smpp_system_id, &account.smpp_password).await.err(), Some(CommandStatus::EsmeRinvpaswd));
    city.simulators.heal(Provider::Sms);
    city.bound().await;
}

#[tokio::test]
async fn a_hung_request_is_never_answered_and_the_others_are() {
    let city = City::new().await;
    assert_eq!(city.push(&device(2)).send().await.unwrap().status(), 200);
    city.simulators.fault(Provider::Apns, Fault::new(FaultKind::Hang).only(device(1)));
    let hung = tokio::spawn(city.push(&device(1)).send());
    soon(city.simulators.until(|city| city.statistics().apns.refused.get("hung") == Some(&1))).await;
    assert_eq!(city.push(&device(2)).send().await.unwrap().status(), 200);
    assert!(!hung.is_finished());
    assert_eq!(city.simulators.times(Provider::Apns, &device(1)), 0);
    hung.abort();
}

#[tokio::test]
async fn a_broken_connection_delivers_nothing_and_a_lost_answer_does() {
    let city = City::new().await;
    let access_token = city.access_token().await.unwrap();
    for (kind, arrived) in [(FaultKind::CloseConnection, 0), (FaultKind::AnswerLost, 1)] {
        city.simulators.reset();
        city.simulators.fault(Provider::Apns, Fault::new(kind.clone()).times(1));
        city.simulators.fault(Provider::Fcm, Fault::new(kind.clone()).times(1));
        let http = client(&city.simulators);
        assert!(http.execute(city.push(&device(1)).build().unwrap()).await.is_err(), "{kind:?}");
        assert_eq!(city.simulators.times(Provider::Apns, &device(1)), arrived, "{kind:?}");

        let url = format!("{}/v1/projects/simulated-city/messages:send", city.simulators.addresses().fcm_url());
        assert!(http.post(url).bearer_auth(&access_token).json(&City::message("token-1")).send().await.is_err());
        assert_eq!(city.simulators.times(Provider::Fcm, "token-1"), arrived, "{kind:?}");
    }
    assert_eq!(city.push(&device(1)).send().await.unwrap().status(), 200);
    assert_eq!(city.simulators.statistics().apns.duplicates, 1, "sent again after the lost answer");
}

#[tokio::test]
async fn nonsense_is_an_answer_that_nobody_can_read() {
    let city = City::new().await;
    city.simulators.fault(Provider::Apns, Fault::new(FaultKind::Nonsense));
    let response = city.push(&device(1)).send().await.unwrap();
    assert_eq!(response.status(), 418);
    assert!(String::from_utf8(response.bytes().await.unwrap().to_vec()).is_err());
}

#[tokio::test]
async fn goaway_comes_after_the_given_number_and_no_push_is_lost() {
    let city = City::new().await;
    city.simulators.set_faults(Provider::Apns, FaultPlan { goaway_after: Some(10), ..FaultPlan::default() });
    for resident in 0..45 {
        assert_eq!(soon(city.push(&device(resident)).send()).await.unwrap().status(), 200);
    }
    let seen = city.simulators.statistics().apns;
    assert_eq!((seen.accepted, seen.recipients, seen.duplicates), (45, 45, 0));
    assert!(seen.connections >= 4, "{} connections", seen.connections);
}

#[tokio::test]
async fn latency_holds_every_answer_back() {
    let city = City::new().await;
    city.push(&device(1)).send().await.unwrap();
    city.simulators.set_faults(Provider::Apns, FaultPlan { latency_ms: 60, ..FaultPlan::default() });
    let begin = std::time::Instant::now();
    let answers = futures::future::join_all((0..20).map(|resident| city.push(&device(resident)).send())).await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().status() == 200));
    assert!(begin.elapsed() >= Duration::from_millis(60));
}
