//! Who is to blame for a refusal: one device never keeps the others waiting, and a mistake of ours costs nobody the app.

use std::num::NonZeroUsize;

use domain::cap::Status;
use domain::language::Language;
use rstest::rstest;
use simulators::{Fault, FaultKind, Provider};
use stages::{SECOND, noon};

use super::city::City;

/// Residents with one phone each of a provider; returns the tokens.
async fn with_phones(city: &City, provider: Provider, numbers: std::ops::Range<u32>) -> Vec<String> {
    if provider == Provider::Apns {
        return city.apple_users(numbers).await;
    }
    let mut tokens = Vec::new();
    for number in numbers {
        city.resident(number, Language::ZhCn, false).await;
        tokens.push(city.device(number, i64::from(number) + 1, "fcm_token", Language::ZhCn).await);
    }
    tokens
}

#[rstest]
#[case::the_wrong_topic(Provider::Apns, FaultKind::Foreign)]
#[case::the_wrong_environment(Provider::Apns, FaultKind::BadRecipient)]
#[case::a_header_of_ours(Provider::Apns, FaultKind::BadMessage)]
#[case::the_wrong_key(Provider::Apns, FaultKind::CredentialsRefused)]
#[case::the_wrong_project(Provider::Fcm, FaultKind::Foreign)]
#[case::no_such_tokens(Provider::Fcm, FaultKind::BadRecipient)]
#[case::a_project_without_their_key(Provider::Fcm, FaultKind::ThirdPartyAuthError)]
#[case::a_message_of_ours(Provider::Fcm, FaultKind::BadMessage)]
#[tokio::test]
async fn what_everybody_is_refused_waits_for_an_operator_and_costs_nobody_the_app(#[case] provider: Provider, #[case] fault: FaultKind) {
    let city = City::new(|_| ()).await;
    let tokens = with_phones(&city, provider, 0..50).await;
    city.simulators.fault(provider, Fault::new(fault));

    let alert_id = city.approve(Status::Actual, 0..50).await;
    city.settle().await;
    city.forward(SECOND * 61).await;
    assert_eq!((city.reached(alert_id).await, city.gone()), ((0, 0), vec![]));

    city.simulators.heal(provider);
    city.forward(SECOND * 61).await;
    assert_eq!((city.reached(alert_id).await, city.gone()), ((50, 0), vec![]));
    assert_eq!(city.times(provider, &tokens), [1; 50]);
}

#[rstest]
#[case::never_a_token(Provider::Apns, FaultKind::BadRecipient, true)]
#[case::of_another_app(Provider::Apns, FaultKind::Foreign, false)]
#[case::never_a_token_of_google(Provider::Fcm, FaultKind::BadRecipient, true)]
#[case::of_another_project(Provider::Fcm, FaultKind::Foreign, false)]
#[case::an_iphone_by_way_of_google(Provider::Fcm, FaultKind::ThirdPartyAuthError, false)]
#[tokio::test]
async fn one_device_that_is_refused_keeps_nobody_waiting(#[case] provider: Provider, #[case] fault: FaultKind, #[case] pruned: bool) {
    let city = City::new(|_| ()).await;
    let tokens = with_phones(&city, provider, 0..50).await;
    city.simulators.fault(provider, Fault::new(fault).only(&tokens[7]));

    let alert_id = city.approve(Status::Actual, 0..50).await;
    city.settle().await;
    assert_eq!(city.reached(alert_id).await, (49, 1), "all at once, and one by SMS");
    assert_eq!(city.gone().len(), usize::from(pruned));
}

#[rstest]
#[case::it_has_registered_since(-1, 0)]
#[case::it_is_gone_since(1, 1)]
#[tokio::test]
async fn a_device_that_apple_found_gone_before_it_registered_again_is_kept(#[case] seconds_later: i64, #[case] pruned: usize) {
    let city = City::new(|_| ()).await;
    let tokens = city.apple_users(0..10).await;
    let at_ms = noon().timestamp_millis() + seconds_later * 1_000;
    city.simulators.fault(Provider::Apns, Fault::new(FaultKind::GoneSince { at_ms }).only(&tokens[3]));
    let alert_id = city.approve(Status::Actual, 0..10).await;
    city.settle().await;
    assert_eq!((city.reached(alert_id).await, city.gone().len()), ((9, 1), pruned));
}

/// One person has been reached on a second phone; the others have an iPhone alone.
#[tokio::test]
async fn refused_credentials_count_nobodys_attempts_although_one_was_reached_otherwise() {
    let city = City::new(|settings| {
        if let Some(apns) = &mut settings.apns {
            apns.streams = NonZeroUsize::MIN;
        }
    })
    .await;
    let tokens = city.apple_users(0..10).await;
    city.device(0, 100, "fcm_token", Language::ZhCn).await;
    city.simulators.fault(Provider::Apns, Fault::new(FaultKind::CredentialsRefused));

    let alert_id = city.approve(Status::Actual, 0..10).await;
    city.settle().await;
    city.forward(SECOND * 61).await;
    assert_eq!(city.reached(alert_id).await, (1, 0));
    city.simulators.heal(Provider::Apns);
    city.forward(SECOND * 61).await;
    assert_eq!(city.reached(alert_id).await, (10, 0));
    assert_eq!(city.times(Provider::Apns, &tokens[1..]), [1; 9]);
}

#[tokio::test]
async fn the_other_phone_of_who_is_reached_already_is_tried_again() {
    let city = City::new(|_| ()).await;
    let tokens = city.apple_users(0..2).await;
    let tablet = city.device(0, 100, "fcm_token", Language::ZhCn).await;
    city.simulators.fault(Provider::Apns, Fault::new(FaultKind::Unavailable).only(&tokens[0]).times(1));
    let alert_id = city.approve(Status::Actual, 0..2).await;
    city.settle().await;
    assert_eq!((city.times(Provider::Apns, &tokens), city.simulators.times(Provider::Fcm, &tablet)), (vec![1, 1], 1));
    assert_eq!(city.reached(alert_id).await, (2, 0));
}
