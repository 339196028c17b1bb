//! One message to one device: every fault a provider can have, and its name with us.

use chrono::{DateTime, TimeDelta, Utc};
use domain::cap::Status;
use domain::exercise::{Live, Sendable};
use domain::ids::ResidentNo;
use domain::language::Language;
use domain::outcome::Outcome;
use domain::refusal::Scope;
use platform::clock::Clock;
use rstest::rstest;
use simulators::{Fault, FaultKind, FaultPlan, Options, Provider, Simulators};
use stages::MINUTE;

use super::browsers::Browser;
use super::settings::{ANSWERED_WITHIN_MS, HUNG_AFTER_MS, settings, web_push_settings};
use crate::answer::{ProviderAnswer, Trouble};
use crate::apns::Apns;
use crate::endpoint::{Endpoint, Public, Token};
use crate::fcm::Fcm;
use crate::notice::Notice;
use crate::notice::tests::notice;
use crate::sender::Why;
use crate::web_push::WebPush;

/// Forty minutes before the notice expires, when a provider token has just been made.
fn start() -> DateTime<Utc> {
    notice().show_until - TimeDelta::minutes(40)
}

fn live(notice: Notice) -> Live<Notice> {
    match Sendable::of(Status::Actual, notice) {
        Ok(Sendable::Live(live)) => live,
        _ => panic!("an actual alert is live"),
    }
}

struct Phones {
    simulators: Simulators,
    _directory: tempfile::TempDir,
    apns: Apns,
    fcm: Fcm,
    web_push: WebPush,
    clock: Clock,
}

impl Phones {
    async fn new() -> Self {
        Self::with(ANSWERED_WITHIN_MS).await
    }

    /// Whoever does not answer in time is given up after `request_timeout_ms`.
    async fn with(request_timeout_ms: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = Options { directory: Some(directory.path().to_owned()), token_age_checked: false, ..Options::default() };
        let simulators = Simulators::start(options).await.unwrap();
        let clock = Clock::moved(start());
        let (mut apns, mut fcm) = settings(&simulators, directory.path());
        let mut web_push = web_push_settings(&simulators, directory.path());
        (apns.request_timeout_ms, fcm.request_timeout_ms, web_push.request_timeout_ms) =
            (request_timeout_ms, request_timeout_ms, request_timeout_ms);
        Self {
            apns: Apns::new(&apns, clock.clone()).unwrap(),
            fcm: Fcm::new(&fcm, clock.clone()).unwrap(),
            web_push: WebPush::new(&web_push, clock.clone()).unwrap(),
            simulators,
            _directory: directory,
            clock,
        }
    }

    async fn push(&self, provider: Provider) -> ProviderAnswer {
        self.push_to(provider, 7).await
    }

    async fn push_to(&self, provider: Provider, number: u32) -> ProviderAnswer {
        let endpoint = |token| Endpoint::<Public>::new(ResidentNo::new(number), i64::from(number), Language::ZhCn, token, start());
        let notice = live(notice());
        match provider {
            Provider::Apns => self.apns.send(&self.apns.letter(&notice).await.unwrap(), &endpoint(apple(number))).await,
            Provider::WebPush => self.web_push.send(&self.web_push.letter(&notice), &endpoint(browser(&self.simulators, number))).await,
            _ => self.fcm.send(&self.fcm.letter(&notice).await, &endpoint(google(number))).await,
        }
    }
}

fn browser(simulators: &Simulators, number: u32) -> Token {
    Token::WebPush(Box::new(Browser::subscribed(simulators, &format!("browser-{number}")).subscription))
}

fn apple(number: u32) -> Token {
    Token::parse("apns", format!("{number:064x}").as_bytes()).unwrap()
}

fn google(number: u32) -> Token {
    Token::parse("fcm_token", format!("fcm-{number}").as_bytes()).unwrap()
}

#[rstest]
#[tokio::test]
async fn a_push_arrives_with_its_collapse_id_and_priority(#[values(Provider::Apns, Provider::Fcm)] provider: Provider) {
    let phones = Phones::new().await;
    let ProviderAnswer::Accepted { id } = phones.push(provider).await else { panic!("not accepted") };
    assert!(id.as_str().is_some());
    let token = if provider == Provider::Apns { format!("{:064x}", 7) } else { "fcm-7".to_owned() };
    let received = phones.simulators.pushes_to(&token);
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].collapse_id, Some(notice().id.collapse_id()));
    assert_eq!(received[0].priority.as_deref(), Some(if provider == Provider::Apns { "10" } else { "HIGH" }));
}

#[rstest]
#[case(FaultKind::Hang, ProviderAnswer::Temporary { why: Trouble::NoAnswer(Why::TimedOut) })]
#[case(FaultKind::CloseConnection, ProviderAnswer::Temporary { why: Trouble::NoAnswer(Why::ConnectionLost) })]
#[case(FaultKind::AnswerLost, ProviderAnswer::Temporary { why: Trouble::NoAnswer(Why::ConnectionLost) })]
#[case(FaultKind::Nonsense, ProviderAnswer::Temporary { why: Trouble::Nonsense(http::StatusCode::IM_A_TEAPOT) })]
#[tokio::test]
async fn a_fault_has_one_name_at_all_providers_and_the_next_push_gets_through(
    #[case] fault: FaultKind,
    #[case] answer: ProviderAnswer,
    #[values(Provider::Apns, Provider::Fcm, Provider::WebPush)] provider: Provider,
) {
    let hangs = fault == FaultKind::Hang;
    let phones = Phones::with(if hangs { HUNG_AFTER_MS } else { ANSWERED_WITHIN_MS }).await;
    phones.simulators.fault(provider, Fault::new(fault).times(1));
    assert_eq!(phones.push(provider).await, answer);
    assert_eq!(phones.push(provider).await.outcome(), Outcome::Accepted);
}

#[rstest]
#[case(Provider::Apns, FaultKind::GoneSince { at_ms: 1_795_831_200_000 }, ProviderAnswer::EndpointGone { since: DateTime::from_timestamp(1_795_831_200, 0) })]
#[case(Provider::Fcm, FaultKind::Gone, ProviderAnswer::EndpointGone { since: None })]
#[case(Provider::WebPush, FaultKind::Gone, ProviderAnswer::EndpointGone { since: None })]
#[case(Provider::Apns, FaultKind::BadRecipient, ProviderAnswer::NoSuchEndpoint { reason: "BadDeviceToken" })]
#[case(Provider::Fcm, FaultKind::BadRecipient, ProviderAnswer::NoSuchEndpoint { reason: "INVALID_ARGUMENT" })]
#[case(Provider::WebPush, FaultKind::BadRecipient, ProviderAnswer::EndpointGone { since: None })]
#[case(Provider::Apns, FaultKind::Foreign, ProviderAnswer::Permanent { reason: "DeviceTokenNotForTopic" })]
#[case(Provider::Fcm, FaultKind::Foreign, ProviderAnswer::Permanent { reason: "SENDER_ID_MISMATCH" })]
#[case(Provider::WebPush, FaultKind::Foreign, ProviderAnswer::NoSuchEndpoint { reason: "made with another key" })]
#[case(Provider::Apns, FaultKind::BadMessage, ProviderAnswer::Permanent { reason: "InvalidPushType" })]
#[case(Provider::Fcm, FaultKind::BadMessage, ProviderAnswer::Permanent { reason: "INVALID_ARGUMENT" })]
#[case(Provider::WebPush, FaultKind::BadMessage, ProviderAnswer::Permanent { reason: "PayloadTooLarge" })]
#[case(Provider::Fcm, FaultKind::ThirdPartyAuthError, ProviderAnswer::Permanent { reason: "THIRD_PARTY_AUTH_ERROR" })]
#[case(Provider::WebPush, FaultKind::CredentialsRefused, ProviderAnswer::Permanent { reason: "Forbidden" })]
#[case(Provider::WebPush, FaultKind::CredentialsExpired, ProviderAnswer::Permanent { reason: "Unauthorized" })]
#[case(Provider::Apns, FaultKind::Throttled { retry_after_s: 7 }, throttled(Scope::Recipient, Some(7)))]
#[case(Provider::Apns, FaultKind::Throttled { retry_after_s: 0 }, throttled(Scope::Recipient, None))]
#[case(Provider::Fcm, FaultKind::Throttled { retry_after_s: 7 }, throttled(Scope::Account, Some(7)))]
#[case(Provider::Fcm, FaultKind::Throttled { retry_after_s: 0 }, throttled(Scope::Account, None))]
#[case(Provider::WebPush, FaultKind::Throttled { retry_after_s: 7 }, throttled(Scope::Account, Some(7)))]
#[tokio::test]
async fn a_refusal_says_whom_it_is_about_as_far_as_the_provider_knows(
    #[case] provider: Provider,
    #[case] fault: FaultKind,
    #[case] answer: ProviderAnswer,
) {
    let phones = Phones::new().await;
    phones.simulators.fault(provider, Fault::new(fault).times(1));
    assert_eq!(phones.push(provider).await, answer);
    assert_eq!(phones.push(provider).await.outcome(), Outcome::Accepted);
}

fn throttled(scope: Scope, seconds: Option<i64>) -> ProviderAnswer {
    ProviderAnswer::Throttled { scope, retry_after: seconds.map(TimeDelta::seconds) }
}

#[rstest]
#[case(Provider::Apns, FaultKind::InternalError, "InternalServerError")]
#[case(Provider::Apns, FaultKind::Unavailable, "ServiceUnavailable")]
#[case(Provider::Fcm, FaultKind::InternalError, "INTERNAL")]
#[case(Provider::Fcm, FaultKind::Unavailable, "UNAVAILABLE")]
#[case(Provider::WebPush, FaultKind::InternalError, "InternalServerError")]
#[case(Provider::WebPush, FaultKind::Unavailable, "ServiceUnavailable")]
#[tokio::test]
async fn a_providers_own_trouble_is_temporary(#[case] provider: Provider, #[case] fault: FaultKind, #[case] word: &'static str) {
    let phones = Phones::new().await;
    phones.simulators.fault(provider, Fault::new(fault).times(1));
    assert_eq!(phones.push(provider).await, ProviderAnswer::Temporary { why: Trouble::Provider(word) });
}

#[rstest]
#[case(Provider::Apns, FaultKind::CredentialsRefused, "InvalidProviderToken")]
#[case(Provider::Fcm, FaultKind::CredentialsRefused, "no access token")]
#[tokio::test]
async fn refused_credentials_are_ours_to_mend_and_work_again_when_they_are(
    #[case] provider: Provider,
    #[case] fault: FaultKind,
    #[case] reason: &'static str,
) {
    let phones = Phones::new().await;
    phones.simulators.fault(provider, Fault::new(fault));
    assert_eq!(phones.push(provider).await, ProviderAnswer::CredentialsRefused { reason });
    phones.simulators.heal(provider);
    assert_eq!(phones.push(provider).await.outcome(), Outcome::Accepted);
}

#[tokio::test]
async fn an_apns_token_that_expires_early_is_renewed_unless_it_was_made_just_now() {
    let phones = Phones::new().await;
    phones.push(Provider::Apns).await;
    phones.simulators.fault(Provider::Apns, Fault::new(FaultKind::CredentialsExpired).times(2));
    assert_eq!(phones.push(Provider::Apns).await.outcome(), Outcome::CredentialsRefused, "the clocks differ");
    phones.clock.forward(25 * MINUTE);
    assert_eq!(phones.push(Provider::Apns).await, ProviderAnswer::Temporary { why: Trouble::TokenExpired });
    assert_eq!(phones.push(Provider::Apns).await.outcome(), Outcome::Accepted);
}

#[tokio::test]
async fn an_fcm_access_token_that_was_revoked_is_asked_for_anew() {
    let phones = Phones::new().await;
    phones.push(Provider::Fcm).await;
    phones.simulators.fault(Provider::Fcm, Fault::new(FaultKind::CredentialsExpired).times(1));
    assert_ne!(phones.push(Provider::Fcm).await.outcome(), Outcome::Accepted);
    assert_eq!(phones.push(Provider::Fcm).await.outcome(), Outcome::Accepted);
}

#[rstest]
#[tokio::test]
async fn a_provider_that_says_goodbye_every_ten_pushes_costs_nobody_a_push(
    #[values(Provider::Apns, Provider::Fcm, Provider::WebPush)] provider: Provider,
) {
    let phones = Phones::new().await;
    phones.simulators.set_faults(provider, FaultPlan { goaway_after: Some(10), ..FaultPlan::default() });
    for number in 0..45 {
        assert_eq!(phones.push_to(provider, number).await.outcome(), Outcome::Accepted, "push {number}");
    }
    assert!((0..45).all(|number| {
        let token = match provider {
            Provider::Apns => format!("{number:064x}"),
            Provider::WebPush => format!("browser-{number}"),
            _ => format!("fcm-{number}"),
        };
        phones.simulators.times(provider, &token) == 1
    }));
}
