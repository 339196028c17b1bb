//! FCM's answers in our words (Firebase, "ErrorCode"; Google Cloud, "Error model").

use chrono::{DateTime, Utc};
use domain::refusal::Scope;
use http::{HeaderValue, StatusCode};
use serde::Deserialize;

use crate::answer::{MessageId, ProviderAnswer, Trouble, retry_after};
use crate::sender::Answer;

/// A token of a project that is none of ours. It is good, somewhere: so nobody is gone.
pub(super) const OTHER_PROJECT: &str = "SENDER_ID_MISMATCH";

/// An answer, before it is known whether another project or a fresh access token would help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// As it stands.
    Final(ProviderAnswer),
    /// The access token is not (any longer) valid.
    Unauthenticated,
    /// The token belongs to another project.
    OtherProject,
}

#[derive(Deserialize)]
struct Accepted<'a> {
    name: &'a str,
}

#[derive(Deserialize)]
struct Refused {
    error: Refusal,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Refusal {
    message: String,
    status: String,
    details: Vec<Detail>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    error_code: String,
    field_violations: Vec<Violation>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Violation {
    field: String,
}

impl Refusal {
    /// FCM's own code where it gives one, else Google's canonical one.
    fn code(&self) -> &str {
        self.details.iter().map(|detail| detail.error_code.as_str()).find(|code| !code.is_empty()).unwrap_or(&self.status)
    }

    /// Whether an `INVALID_ARGUMENT` is about the token; FCM says so in words only, or in a field violation.
    fn blames_token(&self) -> bool {
        let is_token = |violation: &Violation| ["message.token", "message.fid"].contains(&violation.field.as_str());
        self.message.contains("registration token") || self.details.iter().flat_map(|detail| &detail.field_violations).any(is_token)
    }
}

/// Reads an answer.
pub(super) fn read(answer: &Answer, now: DateTime<Utc>) -> Reading {
    if answer.status == StatusCode::OK {
        return Reading::Final(accepted(answer));
    }
    let Ok(Refused { error }) = serde_json::from_slice::<Refused>(&answer.body) else {
        return Reading::Final(unknown(answer, now));
    };
    let status = answer.status.as_u16();
    Reading::Final(match (status, error.code()) {
        (400, "INVALID_ARGUMENT") if error.blames_token() => ProviderAnswer::NoSuchEndpoint { reason: "INVALID_ARGUMENT" },
        (400, "INVALID_ARGUMENT") => ProviderAnswer::Permanent { reason: "INVALID_ARGUMENT" },
        (401, "UNAUTHENTICATED") => return Reading::Unauthenticated,
        // An iPhone's or a browser's token, of a project that has no key for those.
        (401, "THIRD_PARTY_AUTH_ERROR") => ProviderAnswer::Permanent { reason: "THIRD_PARTY_AUTH_ERROR" },
        (403, OTHER_PROJECT) => return Reading::OtherProject,
        (403, "PERMISSION_DENIED") => ProviderAnswer::CredentialsRefused { reason: "PERMISSION_DENIED" },
        (404, "UNREGISTERED") => ProviderAnswer::EndpointGone { since: None },
        // Without FCM's own code it is the project that is not found: ours to mend.
        (404, "NOT_FOUND") => ProviderAnswer::CredentialsRefused { reason: "NOT_FOUND" },
        (429, "QUOTA_EXCEEDED" | "RESOURCE_EXHAUSTED") => throttled(answer, now),
        (500, "INTERNAL") => trouble("INTERNAL", answer, now),
        (503, "UNAVAILABLE") => trouble("UNAVAILABLE", answer, now),
        _ => unknown(answer, now),
    })
}

fn accepted(answer: &Answer) -> ProviderAnswer {
    match serde_json::from_slice::<Accepted<'_>>(&answer.body) {
        Ok(Accepted { name }) => {
            let id = HeaderValue::from_maybe_shared(answer.body.slice_ref(name.as_bytes())).ok();
            ProviderAnswer::Accepted { id: MessageId(id) }
        }
        // A gateway's page with status 200 is no acceptance. If it was one, the repeat replaces it under the same collapse key.
        Err(_) => ProviderAnswer::Temporary { why: Trouble::Nonsense(answer.status) },
    }
}

fn throttled(answer: &Answer, now: DateTime<Utc>) -> ProviderAnswer {
    ProviderAnswer::Throttled { scope: Scope::Account, retry_after: retry_after(&answer.headers, now) }
}

fn trouble(word: &'static str, answer: &Answer, now: DateTime<Utc>) -> ProviderAnswer {
    match retry_after(&answer.headers, now) {
        wait @ Some(_) => ProviderAnswer::Throttled { scope: Scope::Account, retry_after: wait },
        None => ProviderAnswer::trouble(word),
    }
}

/// A code from the future, or no JSON at all: the status alone speaks, where it is beyond doubt.
fn unknown(answer: &Answer, now: DateTime<Utc>) -> ProviderAnswer {
    match answer.status {
        StatusCode::UNAUTHORIZED => ProviderAnswer::CredentialsRefused { reason: "unknown reason with status 401" },
        StatusCode::FORBIDDEN => ProviderAnswer::CredentialsRefused { reason: "unknown reason with status 403" },
        StatusCode::TOO_MANY_REQUESTS => throttled(answer, now),
        StatusCode::SERVICE_UNAVAILABLE => trouble("503", answer, now),
        status => ProviderAnswer::Temporary { why: Trouble::Nonsense(status) },
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chrono::TimeDelta;
    use domain::outcome::Outcome;
    use http::HeaderMap;
    use http::header::RETRY_AFTER;
    use proptest::prelude::*;
    use rstest::rstest;
    use stages::noon;

    use super::*;

    fn answer(status: u16, body: String) -> Answer {
        Answer { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body: Bytes::from(body) }
    }

    fn refusal(status: u16, canonical: &str, fcm: &str) -> Answer {
        let detail = r#"{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"CODE"}"#.replace("CODE", fcm);
        let details = if fcm.is_empty() { String::new() } else { detail };
        answer(status, format!(r#"{{"error":{{"code":{status},"message":"in words","status":"{canonical}","details":[{details}]}}}}"#))
    }

    #[rstest]
    #[case(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", Outcome::Permanent)]
    #[case(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR", Outcome::Permanent)]
    #[case(403, "PERMISSION_DENIED", "", Outcome::CredentialsRefused)]
    #[case(404, "NOT_FOUND", "UNREGISTERED", Outcome::EndpointGone)]
    #[case(404, "NOT_FOUND", "", Outcome::CredentialsRefused)]
    #[case(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", Outcome::Throttled)]
    #[case(429, "RESOURCE_EXHAUSTED", "", Outcome::Throttled)]
    #[case(500, "INTERNAL", "INTERNAL", Outcome::Temporary)]
    #[case(503, "UNAVAILABLE", "UNAVAILABLE", Outcome::Temporary)]
    #[case(400, "FAILED_PRECONDITION", "UNSPECIFIED_ERROR", Outcome::Temporary)]
    #[case::a_code_with_a_status_it_does_not_belong_to(500, "NOT_FOUND", "UNREGISTERED", Outcome::Temporary)]
    fn every_refusal_has_an_outcome(#[case] status: u16, #[case] canonical: &str, #[case] fcm: &str, #[case] outcome: Outcome) {
        let Reading::Final(read) = read(&refusal(status, canonical, fcm), noon()) else { panic!("not final") };
        assert_eq!(read.outcome(), outcome);
    }

    #[rstest]
    #[case(401, "UNAUTHENTICATED", "", Reading::Unauthenticated)]
    #[case(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH", Reading::OtherProject)]
    fn what_a_fresh_token_or_another_project_may_mend_is_told_apart(
        #[case] status: u16,
        #[case] canonical: &str,
        #[case] fcm: &str,
        #[case] reading: Reading,
    ) {
        assert_eq!(read(&refusal(status, canonical, fcm), noon()), reading);
    }

    #[rstest]
    #[case::in_words(r#"{"error":{"status":"INVALID_ARGUMENT","message":"The registration token is not a valid FCM registration token"}}"#)]
    #[case::by_field(r#"{"error":{"status":"INVALID_ARGUMENT","details":[{"fieldViolations":[{"field":"message.token"}]}]}}"#)]
    fn an_argument_that_is_the_token_is_an_endpoint_that_never_was(#[case] body: &str) {
        assert_eq!(
            read(&answer(400, body.to_owned()), noon()),
            Reading::Final(ProviderAnswer::NoSuchEndpoint { reason: "INVALID_ARGUMENT" })
        );
    }

    #[rstest]
    #[case::a_page(200, "<html>", Outcome::Temporary)]
    #[case::nothing(200, "", Outcome::Temporary)]
    #[case::no_specification_knows_it(418, "\u{0}", Outcome::Temporary)]
    #[case::an_array(400, "[]", Outcome::Temporary)]
    #[case::a_gateway(502, "Bad Gateway", Outcome::Temporary)]
    #[case::a_gateway_that_refuses_us(403, "Forbidden", Outcome::CredentialsRefused)]
    #[case::busy(429, "slow down", Outcome::Throttled)]
    fn nonsense_is_never_taken_for_success_nor_for_a_gone_endpoint(#[case] status: u16, #[case] body: &str, #[case] outcome: Outcome) {
        let Reading::Final(read) = read(&answer(status, body.to_owned()), noon()) else { panic!("not final") };
        assert_eq!(read.outcome(), outcome);
    }

    #[test]
    fn an_accepted_message_has_the_name_that_fcm_gave_it() {
        let Reading::Final(ProviderAnswer::Accepted { id }) =
            read(&answer(200, r#"{ "name": "projects/p/messages/0:1" }"#.to_owned()), noon())
        else {
            panic!("not accepted")
        };
        assert_eq!(id.as_str(), Some("projects/p/messages/0:1"));
    }

    #[rstest]
    #[case(429, "RESOURCE_EXHAUSTED", None, None)]
    #[case(429, "RESOURCE_EXHAUSTED", Some("7"), Some(7))]
    #[case(503, "UNAVAILABLE", Some("9"), Some(9))]
    fn the_wait_that_google_asks_for_is_passed_on(
        #[case] status: u16,
        #[case] code: &str,
        #[case] header: Option<&'static str>,
        #[case] seconds: Option<i64>,
    ) {
        let mut answer = refusal(status, code, "");
        if let Some(header) = header {
            answer.headers.insert(RETRY_AFTER, HeaderValue::from_static(header));
        }
        let throttled = ProviderAnswer::Throttled { scope: Scope::Account, retry_after: seconds.map(TimeDelta::seconds) };
        assert_eq!(read(&answer, noon()), Reading::Final(throttled));
    }

    proptest! {
        #[test]
        fn no_answer_makes_the_reader_panic_or_take_a_refusal_for_success(
            status in 100..1000_u16, canonical in "[A-Z_]{0,20}|\\PC{0,20}", fcm in "[A-Z_]{0,20}", body in "\\PC{0,200}", whole: bool
        ) {
            let answer = if whole { refusal(status, &canonical, &fcm) } else { answer(status, body) };
            if let Reading::Final(said) = read(&answer, noon()) {
                prop_assert!(said.outcome() != Outcome::Accepted || status == 200);
                prop_assert!(said.outcome() != Outcome::EndpointGone || matches!(status, 400 | 404));
            }
        }
    }
}
