//! The push services' answers in our words (RFC 8030 §5, §7.3, §8; RFC 8292 §4.2).

use chrono::{DateTime, Utc};
use domain::refusal::Scope;
use http::{StatusCode, header};

use crate::answer::{MessageId, ProviderAnswer, Trouble, retry_after};
use crate::sender::Answer;

/// How push services say that a subscription was made with another key than ours: Google, Mozilla, Apple. One such subscription nobody can
/// ever write to; it may well come from somebody who wants to hold everybody's batches. Of all of them it is said when our key is another.
const OTHER_KEYS: [&str; 3] =
    ["do not correspond to the credentials used to create the subscription", "VAPID public key mismatch", "VapidPkHashMismatch"];

/// Reads an answer.
pub(super) fn read(answer: &Answer, now: DateTime<Utc>) -> ProviderAnswer {
    let wait = retry_after(&answer.headers, now);
    match answer.status {
        StatusCode::OK | StatusCode::CREATED | StatusCode::ACCEPTED => {
            ProviderAnswer::Accepted { id: MessageId(answer.headers.get(header::LOCATION).cloned()) }
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => ProviderAnswer::EndpointGone { since: None },
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if is_of_another_key(&answer.body) => {
            ProviderAnswer::NoSuchEndpoint { reason: "made with another key" }
        }
        // In words that nobody has written down: of one subscription as well as of our key.
        StatusCode::UNAUTHORIZED => ProviderAnswer::Permanent { reason: "Unauthorized" },
        StatusCode::FORBIDDEN => ProviderAnswer::Permanent { reason: "Forbidden" },
        StatusCode::PAYLOAD_TOO_LARGE => ProviderAnswer::Permanent { reason: "PayloadTooLarge" },
        StatusCode::TOO_MANY_REQUESTS => ProviderAnswer::Throttled { scope: Scope::Account, retry_after: wait },
        // "Come back in a minute" is said to us all, whatever the status.
        status if status.is_server_error() && wait.is_some() => ProviderAnswer::Throttled { scope: Scope::Account, retry_after: wait },
        StatusCode::INTERNAL_SERVER_ERROR => ProviderAnswer::trouble("InternalServerError"),
        StatusCode::BAD_GATEWAY => ProviderAnswer::trouble("BadGateway"),
        StatusCode::SERVICE_UNAVAILABLE => ProviderAnswer::trouble("ServiceUnavailable"),
        StatusCode::GATEWAY_TIMEOUT => ProviderAnswer::trouble("GatewayTimeout"),
        status => ProviderAnswer::Temporary { why: Trouble::Nonsense(status) },
    }
}

fn is_of_another_key(body: &[u8]) -> bool {
    let said = String::from_utf8_lossy(body);
    OTHER_KEYS.iter().any(|words| said.contains(words))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chrono::TimeDelta;
    use domain::outcome::Outcome;
    use http::{HeaderMap, HeaderValue};
    use proptest::prelude::*;
    use rstest::rstest;
    use stages::noon;

    use super::*;

    fn answer(status: u16, body: &'static str) -> Answer {
        Answer { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body: Bytes::from_static(body.as_bytes()) }
    }

    #[rstest]
    #[case(201, "", Outcome::Accepted)]
    #[case(202, "", Outcome::Accepted)]
    #[case::edge(200, "", Outcome::Accepted)]
    #[case(404, r#"{"code":404,"errno":102,"error":"Not Found"}"#, Outcome::EndpointGone)]
    #[case(410, "push subscription has unsubscribed or expired.", Outcome::EndpointGone)]
    #[case(413, "", Outcome::Permanent)]
    #[case(429, "", Outcome::Throttled)]
    #[case(401, r#"{"code":401,"errno":109,"message":"Request did not validate"}"#, Outcome::Permanent)]
    #[case(403, r#"{"reason":"BadJwtToken"}"#, Outcome::Permanent)]
    #[case(403, "", Outcome::Permanent)]
    #[case::google_another_key(
        403,
        "the VAPID credentials in the authorization header do not correspond to the credentials used to create the subscriptions.\n",
        Outcome::EndpointGone
    )]
    #[case::mozilla_another_key(401, r#"{"code":401,"errno":109,"message":"VAPID public key mismatch"}"#, Outcome::EndpointGone)]
    #[case::apple_another_key(400, r#"{"reason":"VapidPkHashMismatch"}"#, Outcome::EndpointGone)]
    #[case(400, "", Outcome::Temporary)]
    #[case(500, "", Outcome::Temporary)]
    #[case(502, "", Outcome::Temporary)]
    #[case(503, "", Outcome::Temporary)]
    #[case::a_redirect_is_not_followed(307, "", Outcome::Temporary)]
    #[case::nonsense(418, "<html>", Outcome::Temporary)]
    fn every_answer_has_an_outcome(#[case] status: u16, #[case] body: &'static str, #[case] outcome: Outcome) {
        assert_eq!(read(&answer(status, body), noon()).outcome(), outcome);
    }

    #[rstest]
    #[case(429)]
    #[case(503)]
    fn retry_after_is_passed_on(#[case] status: u16) {
        let mut throttled = answer(status, "");
        throttled.headers.insert(header::RETRY_AFTER, HeaderValue::from_static("7"));
        assert_eq!(read(&throttled, noon()), ProviderAnswer::Throttled { scope: Scope::Account, retry_after: Some(TimeDelta::seconds(7)) });
    }

    #[test]
    fn an_accepted_message_is_known_by_its_location() {
        let mut accepted = answer(201, "");
        accepted.headers.insert(header::LOCATION, HeaderValue::from_static("https://push.example.com/m/1"));
        let ProviderAnswer::Accepted { id } = read(&accepted, noon()) else { panic!("not accepted") };
        assert_eq!(id.as_str(), Some("https://push.example.com/m/1"));
    }

    proptest! {
        #[test]
        fn no_answer_makes_the_reader_panic_or_take_a_refusal_for_success(
            status in 100..1000_u16, header in prop::collection::vec(32..255_u8, 0..40), body in prop::collection::vec(any::<u8>(), 0..200)
        ) {
            let mut answer = Answer { body: Bytes::from(body), ..answer(status, "") };
            for name in [http::header::LOCATION, http::header::RETRY_AFTER] {
                answer.headers.extend(HeaderValue::from_bytes(&header).map(|value| (name, value)));
            }
            let outcome = read(&answer, noon()).outcome();
            prop_assert!(outcome != Outcome::Accepted || (200..300).contains(&status));
            prop_assert!(outcome != Outcome::EndpointGone || (400..500).contains(&status));
        }
    }
}
