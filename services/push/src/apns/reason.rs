//! APNs's answers in our words (Apple, "Handling notification responses from APNs", tables 1 and 2).

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;

use crate::answer::{MessageId, ProviderAnswer, Trouble, retry_after};
use crate::sender::Answer;

/// What follows from a reason.
#[derive(Clone, Copy)]
enum Meaning {
    EndpointGone,
    Throttled,
    Temporary,
    Permanent,
    CredentialsRefused,
    TokenExpired,
}

use Meaning::{CredentialsRefused, EndpointGone, Permanent, Temporary, Throttled, TokenExpired};

/// Every reason that Apple documents. A topic that is wrong is wrong for everybody: that is ours to mend, not the recipient's.
const REASONS: &[(u16, &str, Meaning)] = &[
    (400, "BadCollapseId", Permanent),
    (400, "BadDeviceToken", EndpointGone),
    (400, "BadExpirationDate", Permanent),
    (400, "BadMessageId", Permanent),
    (400, "BadPriority", Permanent),
    (400, "BadTopic", CredentialsRefused),
    (400, "DeviceTokenNotForTopic", EndpointGone),
    (400, "DuplicateHeaders", Permanent),
    (400, "IdleTimeout", Temporary),
    (400, "InvalidPushType", Permanent),
    (400, "MissingDeviceToken", EndpointGone),
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
    (429, "TooManyProviderTokenUpdates", Throttled),
    (429, "TooManyRequests", Throttled),
    (500, "InternalServerError", Temporary),
    (503, "ServiceUnavailable", Temporary),
    (503, "Shutdown", Temporary),
];

#[derive(Deserialize)]
struct Refusal<'a> {
    reason: &'a str,
}

/// Reads an answer.
pub(super) fn read(answer: &Answer, now: DateTime<Utc>) -> ProviderAnswer {
    if answer.status == StatusCode::OK {
        return ProviderAnswer::Accepted { id: MessageId(answer.headers.get("apns-id").cloned()) };
    }
    let said = serde_json::from_slice::<Refusal<'_>>(&answer.body).map_or("", |refusal| refusal.reason);
    let status = answer.status.as_u16();
    let Some((_, reason, meaning)) = REASONS.iter().find(|known| (known.0, known.1) == (status, said)) else {
        return unknown(answer, now);
    };
    match meaning {
        EndpointGone => ProviderAnswer::EndpointGone,
        Throttled => ProviderAnswer::Throttled { retry_after: retry_after(&answer.headers, now) },
        // "Come back in a minute" holds us all, whatever the status.
        Temporary => match retry_after(&answer.headers, now) {
            wait @ Some(_) => ProviderAnswer::Throttled { retry_after: wait },
            None => ProviderAnswer::trouble(reason),
        },
        Permanent => ProviderAnswer::Permanent { reason },
        CredentialsRefused => ProviderAnswer::CredentialsRefused { reason },
        TokenExpired => ProviderAnswer::Temporary { why: Trouble::TokenExpired },
    }
}

/// A reason from the future, or no reason at all: the status alone speaks, where it is beyond doubt.
fn unknown(answer: &Answer, now: DateTime<Utc>) -> ProviderAnswer {
    match answer.status {
        StatusCode::FORBIDDEN => ProviderAnswer::CredentialsRefused { reason: "unknown reason with status 403" },
        StatusCode::GONE => ProviderAnswer::EndpointGone,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            ProviderAnswer::Throttled { retry_after: retry_after(&answer.headers, now) }
        }
        status => ProviderAnswer::Temporary { why: Trouble::Nonsense(status) },
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chrono::TimeDelta;
    use domain::outcome::Outcome;
    use http::header::RETRY_AFTER;
    use http::{HeaderMap, HeaderValue};
    use rstest::rstest;
    use stages::noon;

    use super::*;

    fn answer(status: u16, body: &'static str) -> Answer {
        Answer { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body: Bytes::from_static(body.as_bytes()) }
    }

    #[rstest]
    #[case(200, "", Outcome::Accepted)]
    #[case(400, r#"{"reason":"BadDeviceToken"}"#, Outcome::EndpointGone)]
    #[case(400, r#"{"reason":"DeviceTokenNotForTopic"}"#, Outcome::EndpointGone)]
    #[case(400, r#"{"reason":"MissingDeviceToken"}"#, Outcome::EndpointGone)]
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
    #[case(429, r#"{"reason":"TooManyRequests"}"#)]
    #[case(503, r#"{"reason":"ServiceUnavailable"}"#)]
    #[case(429, "slow down")]
    fn retry_after_is_passed_on(#[case] status: u16, #[case] body: &'static str) {
        let mut throttled = answer(status, body);
        throttled.headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        assert_eq!(read(&throttled, noon()), ProviderAnswer::Throttled { retry_after: Some(TimeDelta::seconds(7)) });
    }
}
