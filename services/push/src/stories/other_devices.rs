//! Who is reached on one device is reached; their other devices are not forgotten.

use domain::cap::Status;
use domain::language::Language;
use rstest::rstest;
use simulators::{Fault, FaultKind, Provider};
use stages::{MINUTE, SECOND};

use super::city::City;

#[rstest]
#[case::the_account_is_throttled(Fault::throttled(30).times(1))]
#[case::no_answer_comes(Fault::new(FaultKind::Hang).times(1))]
#[case::it_fails_twice(Fault::new(FaultKind::InternalError).times(2))]
#[tokio::test]
async fn a_device_that_failed_for_now_is_tried_again_alone_where_its_owner_was_reached_by_another(#[case] fault: Fault) {
    let city = City::that_gives_up().await;
    let apple = city.apple_users(0..3).await;
    let google = [city.device(1, 11, "fcm_token", Language::ZhCn).await];
    city.simulators.fault(Provider::Fcm, fault);
    let alert_id = city.approve(Status::Actual, 0..3).await;
    city.settle().await;
    assert_eq!((city.times(Provider::Apns, &apple), city.times(Provider::Fcm, &google)), (vec![1; 3], vec![0]));
    city.forward(SECOND * 31).await;
    assert_eq!((city.times(Provider::Apns, &apple), city.times(Provider::Fcm, &google)), (vec![1; 3], vec![1]));
    assert_eq!(city.reached(alert_id).await, (3, 0), "nobody counts twice");
}

#[tokio::test]
async fn devices_that_were_not_tried_because_their_account_is_held_are_tried_when_it_no_longer_is() {
    let city = City::new(|settings| settings.worker.batches = 1).await;
    let apple = city.apple_users(0..100).await;
    let mut google = Vec::new();
    for number in 0..100 {
        google.push(city.device(number, i64::from(number) + 1_000, "fcm_token", Language::ZhCn).await);
    }
    city.simulators.fault(Provider::Fcm, Fault::new(FaultKind::Throttled { retry_after_s: 0 }));
    let alert_id = city.approve(Status::Actual, 0..100).await;
    city.settle().await;
    assert_eq!(city.times(Provider::Fcm, &google), [0; 100]);
    city.simulators.heal(Provider::Fcm);
    for _ in 0..20 {
        city.forward(SECOND * 15).await;
    }
    assert_eq!((city.times(Provider::Apns, &apple), city.times(Provider::Fcm, &google)), (vec![1; 100], vec![1; 100]), "each once");
    assert_eq!(city.reached(alert_id).await, (100, 0), "nobody counts twice");
}

#[tokio::test]
async fn a_device_that_keeps_failing_is_given_up_and_nobody_is_visited_for_it() {
    let city = City::new(|_| ()).await;
    let apple = city.apple_users(0..1).await;
    let google = city.device(0, 10, "fcm_token", Language::ZhCn).await;
    city.simulators.fault(Provider::Fcm, Fault::new(FaultKind::InternalError).only(&google));
    let alert_id = city.approve(Status::Actual, 0..1).await;
    city.settle().await;
    for _ in 0..8 {
        city.forward(5 * MINUTE).await;
    }
    assert_eq!(city.times(Provider::Apns, &apple), [1]);
    assert_eq!(city.reached(alert_id).await, (1, 0), "no SMS");
    let left = "select count(*) from dispatch.batch b where state <> 'closed' or exists (select from dispatch.follow_up)";
    let left: i64 = sqlx::query_scalar(left).fetch_one(city.platform.database.pool()).await.unwrap();
    assert_eq!(left, 0);
}
