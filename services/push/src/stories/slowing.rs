//! Providers that ask to slow down, and a cache that is away: an urgent alert goes on.

use std::num::NonZeroU32;

use chrono::TimeDelta;
use domain::alert::DeliveryClass;
use domain::cap::{Severity, Status};
use domain::language::Language;
use platform::cache::{Cache, CacheMode, CacheSettings};
use platform::clock::Clock;
use rstest::rstest;
use simulators::{Fault, FaultKind, Provider};
use stages::{SECOND, Store, noon};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::city::{City, TABLES};

#[rstest]
#[case::without_a_time(0)]
#[case::with_one(30)]
#[tokio::test]
async fn a_device_that_is_sent_to_too_often_delays_only_itself(#[case] retry_after_s: u32) {
    let city = City::new(|settings| settings.worker.batches = 1).await;
    let tokens = city.apple_users(0..100).await;
    city.simulators.fault(Provider::Apns, Fault::throttled(retry_after_s).only(&tokens[3]).times(1));

    let alert_id = city.approve(Status::Actual, 0..100).await;
    city.settle().await;
    assert_eq!(city.reached(alert_id).await, (99, 0), "the others are told at once");
    city.forward(SECOND * 30).await;
    assert_eq!((city.reached(alert_id).await, city.times(Provider::Apns, &tokens)), ((100, 0), vec![1; 100]));
}

async fn android_users(city: &City, numbers: std::ops::Range<u32>) {
    for number in numbers {
        city.resident(number, Language::ZhCn, false).await;
        city.device(number, i64::from(number) + 1, "fcm_token", Language::ZhCn).await;
    }
}

#[rstest]
#[case::without_a_time(0)]
#[case::with_one(60)]
#[tokio::test]
async fn one_word_of_google_stops_no_urgent_alert(#[case] retry_after_s: u32) {
    let city = City::new(|settings| settings.worker.batches = 1).await;
    android_users(&city, 0..100).await;
    city.simulators.fault(Provider::Fcm, Fault::throttled(retry_after_s).times(1));
    let alert_id = city.approve(Status::Actual, 0..100).await;
    city.settle().await;
    assert_eq!(city.reached(alert_id).await, (99, 0));
    city.forward(SECOND * 60).await;
    assert_eq!(city.reached(alert_id).await, (100, 0));
}

#[tokio::test]
async fn a_provider_that_asks_again_and_again_is_left_alone() {
    let city = City::new(|settings| settings.worker.batches = 1).await;
    android_users(&city, 0..100).await;
    city.simulators.fault(Provider::Fcm, Fault::new(FaultKind::Throttled { retry_after_s: 0 }));
    let alert_id = city.approve(Status::Actual, 0..100).await;
    city.settle().await;
    let requests = city.simulators.statistics().fcm.requests;
    assert!(requests <= 20, "the batches behind the first are not begun: {requests}");
    city.forward(SECOND * 59).await;
    assert_eq!(city.simulators.statistics().fcm.requests, requests);
    city.simulators.heal(Provider::Fcm);
    for _ in 0..10 {
        city.forward(SECOND * 10).await;
    }
    assert_eq!(city.reached(alert_id).await, (100, 0));
}

/// Takes what a client of Redis says at first, and then goes away.
async fn cache_that_goes_away(clock: &Clock) -> Cache {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}/", listener.local_addr().unwrap()).into();
    let server = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut said = [0; 4_096];
        while let Ok(length @ 1..) = client.read(&mut said).await {
            let commands = said[..length].iter().filter(|byte| **byte == b'*').count();
            client.write_all("+OK\r\n".repeat(commands).as_bytes()).await.unwrap();
        }
    });
    let settings = CacheSettings { mode: CacheMode::Redis, url, ..CacheSettings::default() };
    let cache = Cache::open(&settings, clock).await.unwrap();
    server.abort();
    cache
}

#[rstest]
#[tokio::test]
async fn pushes_go_out_although_the_cache_is_away(#[values(DeliveryClass::Urgent, DeliveryClass::Routine)] class: DeliveryClass) {
    let mut platform = Store::Postgres.open_with(TABLES).await;
    platform.cache = cache_that_goes_away(&platform.clock).await;
    let city = City::on(platform, |settings| {
        if let Some(apns) = &mut settings.apns {
            apns.rate_per_second = NonZeroU32::new(1_000);
        }
    })
    .await;
    city.apple_users(0..40).await;
    android_users(&city, 40..80).await;
    let alert_id = city.approve_as(Status::Actual, class, Severity::Severe, 0..80).await;
    city.settle().await;
    assert_eq!(city.reached(alert_id).await, (80, 0));
}

#[rstest]
#[case::urgent(DeliveryClass::Urgent, Severity::Minor, TimeDelta::days(2), true)]
#[case::routine(DeliveryClass::Routine, Severity::Severe, TimeDelta::minutes(10), true)]
#[case::only_informs(DeliveryClass::Routine, Severity::Minor, TimeDelta::minutes(10), false)]
#[tokio::test]
async fn a_phone_that_was_off_does_not_ring_at_night_for_what_can_wait(
    #[case] class: DeliveryClass,
    #[case] severity: Severity,
    #[case] shown_for: TimeDelta,
    #[case] at_once: bool,
) {
    let ten_to_ten = noon() + TimeDelta::minutes(9 * 60 + 50);
    let city = City::on(Store::Postgres.open_at_with(ten_to_ten, TABLES).await, |_| ()).await;
    let apple = city.apple_users(0..1).await;
    android_users(&city, 1..2).await;
    city.approve_as(Status::Actual, class, severity, 0..2).await;
    city.settle().await;

    let received = &city.simulators.pushes_to(&apple[0])[0];
    let until = (ten_to_ten + shown_for.min(noon() + TimeDelta::days(2) - ten_to_ten)).timestamp().to_string();
    assert_eq!(
        (received.expiration.as_deref(), received.priority.as_deref()),
        (Some(until.as_str()), Some(if at_once { "10" } else { "5" }))
    );
    let received = &city.simulators.pushes_to("fcm_token-2")[0];
    let seconds = shown_for.min(noon() + TimeDelta::days(2) - ten_to_ten).num_seconds();
    let expected = (Some(format!("{seconds}s")), Some(if at_once { "HIGH" } else { "NORMAL" }.to_owned()));
    assert_eq!((received.expiration.clone(), received.priority.clone()), expected);
}
