//! APNs's answers in our words (Apple, "Handling notification responses from APNs", tables 1 and 2).

use chrono::{DateTime, TimeDelta, Utc};
use domain::refusal::Scope;
use http::StatusCode;
use serde::Deserialize;

use crate::answer::{MessageId, ProviderAnswer, Trouble, retry_after};
use crate::sender::Answer;

/// What follows from a reason.
#[derive(Clone, Copy)]
enum Meaning {
    EndpointGone,
    /// No token of ours, or it is not Apple's that we ask about.
    NoSuchEndpoint,
    /// The device is sent to too often.
    DeviceThrottled,
    /// We are.
    AccountThrottled,
    Temporary,
    Permanent,
    CredentialsRefused,
    TokenExpired,
}

use Meaning::{AccountThrottled, CredentialsRefused, DeviceThrottled, EndpointGone, NoSuchEndpoint, Permanent, Temporary, TokenExpired};

/// Every reason that Apple documents. Only status 410 says that a device is gone: a token is "bad" as well where our topic or environment is
/// wrong, and then every token is.
const REASONS: &[(u16, &str, Meaning)] = &[
    (400, "BadCollapseId", Permanent),
    (400, "BadDeviceToken", NoSuchEndpoint),
    (400, "BadExpirationDate", Permanent),
    (400, "BadMessageId", Permanent),
    (400, "BadPriority", Permanent),
    (400, "BadTopic", CredentialsRefused),
    (400, "DeviceTokenNotForTopic", Permanent),
    (400, "DuplicateHeaders", Permanent),
    (400, "IdleTimeout", Temporary),
    (400, "InvalidPushType", Permanent),
    (400, "MissingDeviceToken", Permanent),
    (400, "MissingTopic", CredentialsRefused),
    (400, "PayloadEmpty", Permanent),
    (400, "TopicDisallowed", CredentialsRefused),
    (403, "BadCertificate", CredentialsRefused),
    (403, "BadCertificateEnvironment", CredentialsRefused),
    (403, "BadEnvironmentKeyIdInToken", CredentialsRefused),
    (403, "ExpiredProviderToken", TokenExpired),
    (403, "Forbidden", CredentialsRefused),
    (403, "InvalidProviderToken", CredentialsRefused),
    (403, "MissingProviderToken", CredentialsRefused),
    (403, "UnrelatedKeyIdInToken", CredentialsRefused),
    (404, "BadPath", Permanent),
    (405, "MethodNotAllowed", Permanent),
    (410, "ExpiredToken", EndpointGone),
    (410, "Unregistered", EndpointGone),
    (413, "PayloadTooLarge", Permanent),
    (429, "TooManyProviderTokenUpdates", AccountThrottled),
    (429, "TooManyRequests", DeviceThrottled),
    (500, "InternalServerError", Temporary),
    (503, "ServiceUnavailable", Temporary),
    (503, "Shutdown", Temporary),
];

#[derive(Deserialize)]
struct Refusal<'a> {
    reason: &'a str,
    /// With status 410: since when Apple knows, in milliseconds since 1970.
    timestamp: Option<i64>,
}

/// Reads an answer.
pub(super) fn read(answer: &Answer, now: DateTime<Utc>) -> ProviderAnswer {
    if answer.status == StatusCode::OK {
        return ProviderAnswer::Accepted { id: MessageId(answer.headers.get("apns-id").cloned()) };
    }
    let said = serde_json::from_slice::<Refusal<'_>>(&answer.body).ok();
    let (word, since) = said.map_or(("", None), |refusal| (refusal.reason, refusal.timestamp.and_then(DateTime::from_timestamp_millis)));
    let (status, wait) = (answer.status.as_u16(), retry_after(&answer.headers, now));
    let Some((_, reason, meaning)) = REASONS.iter().find(|known| (known.0, known.1) == (status, word)) else {
        return unknown(answer, since, wait);
    };
    match meaning {
        EndpointGone => ProviderAnswer::EndpointGone { since },
        NoSuchEndpoint => ProviderAnswer::NoSuchEndpoint { reason },
        DeviceThrottled => ProviderAnswer::Throttled { scope: Scope::Recipient, retry_after: wait },
        AccountThrottled => ProviderAnswer::Throttled { scope: Scope::Account, retry_after: wait },
        // "Come back in a minute" is said to us all, whatever the status.
        Temporary => match wait {
            Some(_) => ProviderAnswer::Throttled { scope: Scope::Account, retry_after: wait },
            None => ProviderAnswer::trouble(reason),
        },
        Permanent => ProviderAnswer::Permanent { reason },
        CredentialsRefused => ProviderAnswer::CredentialsRefused { reason },
        TokenExpired => ProviderAnswer::Temporary { why: Trouble::TokenExpired },
    }
}

/// A reason from the future, or no reason at all: the status alone speaks, where it is beyond doubt.
fn unknown(answer: &Answer, since: Option<DateTime<Utc>>, wait: Option<TimeDelta>) -> ProviderAnswer {
    match answer.status {
        StatusCode::FORBIDDEN => ProviderAnswer::CredentialsRefused { reason: "unknown reason with status 403" },
        StatusCode::GONE => ProviderAnswer::EndpointGone { since },
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            ProviderAnswer::Throttled { scope: Scope::Account, retry_after: wait }
        }
        status => ProviderAnswer::Temporary { why: Trouble::Nonsense(status) },
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use domain::outcome::Outcome;
    use http::header::RETRY_AFTER;
    use http::{HeaderMap, HeaderValue};
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;
    use stages::noon;

    use super::*;

    fn answer(status: u16, body: &'static str) -> Answer {
        Answer { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body: Bytes::from_static(body.as_bytes()) }
    }

    #[rstest]
    #[case(200, "", Outcome::Accepted)]
    #[case(400, r#"{"reason":"BadDeviceToken"}"#, Outcome::EndpointGone)]
    #[case(400, r#"{"reason":"DeviceTokenNotForTopic"}"#, Outcome::Permanent)]
    #[case(400, r#"{"reason":"MissingDeviceToken"}"#, Outcome::Permanent)]
    #[case(400, r#"{"reason":"BadCollapseId"}"#, Outcome::Permanent)]
    #[case(400, r#"{"reason":"BadExpirationDate"}"#, Outcome::Permanent)]
    #[case(400, r#"{"reason":"BadMessageId"}"#, Outcome::Permanent)]
    #[case(400, r#"{"reason":"BadPriority"}"#, Outcome::Permanent)]
    #[case(400, r#"{"reason":"DuplicateHeaders"}"#, Outcome::Permanent)]
    #[case(400, r#"{"reason":"InvalidPushType"}"#, Outcome::Permanent)]
    #[case(400, r#"{"reason":"PayloadEmpty"}"#, Outcome::Permanent)]
    #[case(400, r#"{"reason":"IdleTimeout"}"#, Outcome::Temporary)]
    #[case(400, r#"{"reason":"BadTopic"}"#, Outcome::CredentialsRefused)]
    #[case(400, r#"{"reason":"MissingTopic"}"#, Outcome::CredentialsRefused)]
    #[case(400, r#"{"reason":"TopicDisallowed"}"#, Outcome::CredentialsRefused)]
    #[case(403, r#"{"reason":"BadCertificate"}"#, Outcome::CredentialsRefused)]
    #[case(403, r#"{"reason":"BadCertificateEnvironment"}"#, Outcome::CredentialsRefused)]
    #[case(403, r#"{"reason":"BadEnvironmentKeyIdInToken"}"#, Outcome::CredentialsRefused)]
    #[case(403, r#"{"reason":"Forbidden"}"#, Outcome::CredentialsRefused)]
    #[case(403, r#"{"reason":"InvalidProviderToken"}"#, Outcome::CredentialsRefused)]
    #[case(403, r#"{"reason":"MissingProviderToken"}"#, Outcome::CredentialsRefused)]
    #[case(403, r#"{"reason":"UnrelatedKeyIdInToken"}"#, Outcome::CredentialsRefused)]
    #[case(403, r#"{"reason":"ExpiredProviderToken"}"#, Outcome::Temporary)]
    #[case(404, r#"{"reason":"BadPath"}"#, Outcome::Permanent)]
    #[case(405, r#"{"reason":"MethodNotAllowed"}"#, Outcome::Permanent)]
    #[case(410, r#"{"reason":"Unregistered","timestamp":1761031690000}"#, Outcome::EndpointGone)]
    #[case(410, r#"{"reason":"ExpiredToken","timestamp":1761031690000}"#, Outcome::EndpointGone)]
    #[case(413, r#"{"reason":"PayloadTooLarge"}"#, Outcome::Permanent)]
    #[case(429, r#"{"reason":"TooManyRequests"}"#, Outcome::Throttled)]
    #[case(429, r#"{"reason":"TooManyProviderTokenUpdates"}"#, Outcome::Throttled)]
    #[case(500, r#"{"reason":"InternalServerError"}"#, Outcome::Temporary)]
    #[case(503, r#"{"reason":"ServiceUnavailable"}"#, Outcome::Temporary)]
    #[case(503, r#"{"reason":"Shutdown"}"#, Outcome::Temporary)]
    #[case::a_reason_of_next_year(400, r#"{"reason":"BadMood"}"#, Outcome::Temporary)]
    #[case::a_reason_with_a_status_it_does_not_belong_to(418, r#"{"reason":"BadDeviceToken"}"#, Outcome::Temporary)]
    #[case::a_web_page(418, "<html>", Outcome::Temporary)]
    #[case::a_redirect(302, "", Outcome::Temporary)]
    #[case::cut_off(410, r#"{"reas"#, Outcome::EndpointGone)]
    #[case::a_gateway(502, "Bad Gateway", Outcome::Temporary)]
    #[case::a_gateway_that_refuses_us(403, "Forbidden", Outcome::CredentialsRefused)]
    fn every_answer_has_an_outcome(#[case] status: u16, #[case] body: &'static str, #[case] outcome: Outcome) {
        assert_eq!(read(&answer(status, body), noon()).outcome(), outcome);
    }

    #[rstest]
    #[case::one_device(429, r#"{"reason":"TooManyRequests"}"#, Scope::Recipient)]
    #[case::our_tokens(429, r#"{"reason":"TooManyProviderTokenUpdates"}"#, Scope::Account)]
    #[case::their_trouble(503, r#"{"reason":"ServiceUnavailable"}"#, Scope::Account)]
    #[case::a_gateway(429, "slow down", Scope::Account)]
    fn retry_after_is_passed_on_with_whom_it_is_about(#[case] status: u16, #[case] body: &'static str, #[case] scope: Scope) {
        let mut throttled = answer(status, body);
        throttled.headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        assert_eq!(read(&throttled, noon()), ProviderAnswer::Throttled { scope, retry_after: Some(TimeDelta::seconds(7)) });
    }

    #[rstest]
    #[case::with_its_time(r#"{"reason":"Unregistered","timestamp":1761031690000}"#, Some(1_761_031_690_000))]
    #[case::without(r#"{"reason":"ExpiredToken"}"#, None)]
    #[case::a_reason_of_next_year(r#"{"reason":"Departed","timestamp":1761031690000}"#, Some(1_761_031_690_000))]
    fn who_is_gone_is_gone_since_a_certain_time(#[case] body: &'static str, #[case] since: Option<i64>) {
        let since = since.and_then(DateTime::from_timestamp_millis);
        assert_eq!(read(&answer(410, body), noon()), ProviderAnswer::EndpointGone { since });
    }

    #[rstest]
    #[case(r#"{"reason":"BadDeviceToken"}"#)]
    #[case(r#"{"reason":"DeviceTokenNotForTopic"}"#)]
    fn what_every_token_is_told_where_a_setting_is_wrong_is_never_taken_for_gone(#[case] body: &'static str) {
        assert!(read(&answer(400, body), noon()).refusal().is_some());
    }

    proptest! {
        #[test]
        fn no_answer_makes_the_reader_panic_or_take_a_refusal_for_success(
            status in 100..1000_u16, reason in "[A-Za-z]{0,12}|\\PC{0,20}", at: i64, body in prop::collection::vec(any::<u8>(), 0..200), whole: bool
        ) {
            let said = json!({ "reason": reason, "timestamp": at }).to_string().into_bytes();
            let answer = Answer { body: Bytes::from(if whole { said } else { body }), ..answer(status, "") };
            let outcome = read(&answer, noon()).outcome();
            prop_assert!(outcome != Outcome::Accepted || status == 200);
            prop_assert!(outcome != Outcome::EndpointGone || matches!(status, 400 | 410));
        }
    }
}
