//! From approval to hand-over: planning, retries, fallbacks, quiet hours, exercises.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::alert::DeliveryClass::{Routine, Urgent};
use domain::area::Area;
use domain::audience::{Audience, AudienceQuery};
use domain::cap::Status;
use domain::outcome::{Channel, Outcome};
use proto::{AlertHandedOver, AlertReleased, EndpointsGone};
use roaring::RoaringBitmap;
use rstest::rstest;

use super::city::{named, noon};
use super::{City, Store, alert};

const BATCHES: &str = "select count(*) from dispatch.batch where alert_id = $1";

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn everybody_named_is_handed_over_once_by_the_channel_they_have(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=12, true, true, false).await;
    city.residents(13..=20, false, true, false).await;
    city.residents([21], false, false, false).await;
    // 99 is not registered (any more).
    let alert_id = city.approve(Routine, alert(), named((1..=21).chain([99]))).await;
    city.hear_of_approval(alert_id).await;
    city.settle().await;

    assert_eq!(city.phones.take(Channel::App), (1..=12).collect::<Vec<_>>());
    assert_eq!(city.phones.take(Channel::Sms), (13..=20).collect::<Vec<_>>());
    assert_eq!(city.state(alert_id).await, "active");
    assert_eq!(
        city.told::<AlertReleased>().await.len(),
        2,
        "the inbox shows it from the release on, and hears when the silent are reminded"
    );
    let handed_over = city.told::<AlertHandedOver>().await;
    assert_eq!((handed_over[0].recipients, handed_over[0].unreachable), (22, 2));
    assert_eq!(
        city.follow_ups(alert_id).await,
        [(21, "unreachable".to_owned())],
        "a named person is not lost because nothing reaches them"
    );
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn planning_again_after_a_crash_makes_the_same_batches(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=33, true, true, false).await;
    let alert_id = city.approve(Routine, alert(), named(1..=33)).await;
    assert!(city.plan_chunk().await && city.plan_chunk().await, "two of four chunks");
    city.plan().await;
    let planned = city.number(BATCHES, alert_id).await;

    // As if the cursor had been lost.
    sqlx::query("update dispatch.wave set state = 'planning', planned_to = -1, chunks = 0, next_number = 0")
        .execute(city.database().pool())
        .await
        .unwrap();
    city.plan().await;

    assert_eq!(city.number(BATCHES, alert_id).await, planned);
    assert_eq!(city.in_batches(alert_id, 1).await, (1..=33).collect());
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), (1..=33).collect::<Vec<_>>(), "each once");
}

#[tokio::test]
async fn the_first_batches_are_ready_after_the_first_small_chunk() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=40, true, false, false).await;
    city.approve(Urgent, alert(), Audience::Query(AudienceQuery::everybody_in(Area::City))).await;
    city.plan_chunk().await;
    assert_eq!(city.send_window().await, 1);
    assert_eq!(city.phones.take(Channel::App), [1, 2, 3, 4, 5], "before the rest is planned");
}

#[tokio::test]
async fn an_area_alert_reaches_who_lives_there_and_its_inbox_grows_with_the_planning() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=30, true, false, false).await;
    city.residents([31], false, false, false).await;
    sqlx::query("update resident.reach set district = 500105, township = 500105001, community = 500105001001 where resident_no % 3 = 0")
        .execute(city.database().pool())
        .await
        .unwrap();
    let there = Audience::Query(AudienceQuery::everybody_in("500103".parse().unwrap()));
    let alert_id = city.approve(Routine, alert(), there).await;
    city.settle().await;

    let expected: BTreeSet<u32> = (1..=30).filter(|number| number % 3 != 0).collect();
    assert_eq!(city.in_batches(alert_id, 1).await, expected);
    assert!(city.told::<AlertReleased>().await.len() > 1);
    let bitmap: Vec<u8> =
        sqlx::query_scalar("select audience_bitmap from dispatch.released_alert").fetch_one(city.database().pool()).await.unwrap();
    assert_eq!(RoaringBitmap::deserialize_from(&bitmap[..]).unwrap().iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(city.told::<AlertHandedOver>().await[0].unreachable, 1);
    assert!(city.follow_ups(alert_id).await.is_empty(), "an area is not visited person by person");
}

#[tokio::test]
async fn an_exercise_reaches_and_shows_itself_to_enrolled_residents_only() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=5, true, true, true).await;
    city.residents(6..=10, true, true, false).await;
    let mut exercise = alert();
    exercise.status = Status::Exercise;
    // The app of 1 is gone: the fallback also asks for enrolment.
    city.phones.answers.lock().unwrap().insert(1, vec![Outcome::EndpointGone]);
    let alert_id = city.approve(Routine, exercise, named(1..=10)).await;
    city.settle().await;
    assert_eq!(city.in_batches(alert_id, 1).await, (1..=5).collect());
    assert_eq!(city.phones.take(Channel::Sms), [1]);
    let bitmap: Vec<u8> =
        sqlx::query_scalar("select audience_bitmap from dispatch.released_alert").fetch_one(city.database().pool()).await.unwrap();
    assert_eq!(RoaringBitmap::deserialize_from(&bitmap[..]).unwrap(), (1..=5).collect());
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn temporary_failures_go_on_in_one_retry_batch_and_gone_endpoints_by_sms(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=4, true, true, false).await;
    city.residents([5], true, false, false).await;
    city.phones.answers.lock().unwrap().extend([
        (2, vec![Outcome::Temporary]),
        (3, vec![Outcome::Throttled, Outcome::Temporary]),
        (4, vec![Outcome::EndpointGone]),
        (5, vec![Outcome::EndpointGone]),
    ]);
    let alert_id = city.approve(Routine, alert(), named(1..=5)).await;
    city.settle().await;

    assert_eq!(city.phones.take(Channel::App), [1, 2, 3, 4, 5], "no retry before its time");
    assert_eq!(city.phones.take(Channel::Sms), [4], "who has a phone is told by SMS");
    let gone: Vec<(u32, i64)> =
        city.told::<EndpointsGone>().await.iter().flat_map(|event| &event.entries).map(|e| (e.resident_no, e.endpoint_id)).collect();
    assert_eq!(gone, [(4, 40), (5, 50)]);
    assert_eq!(
        city.number("select count(*) from dispatch.batch where alert_id = $1 and state = 'ready'", alert_id).await,
        1,
        "one retry batch for both"
    );
    assert_eq!(city.follow_ups(alert_id).await, [(5, "unreachable".to_owned())]);
    assert_eq!(city.state(alert_id).await, "dispatching", "not everybody is done with");

    city.forward(1);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [2, 3]);
    city.forward(1);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [3]);
    assert_eq!(city.state(alert_id).await, "active");
    let handed_over = city.told::<AlertHandedOver>().await;
    assert_eq!((handed_over.len(), handed_over[0].recipients, handed_over[0].unreachable), (1, 5, 1));
}

#[tokio::test]
async fn refused_credentials_lose_nobody() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=2, true, false, false).await;
    city.phones.answers.lock().unwrap().insert(2, vec![Outcome::CredentialsRefused; 20]);
    let alert_id = city.approve(Urgent, alert(), named(1..=2)).await;
    city.settle().await;
    for _ in 0..19 {
        city.forward(1);
        city.settle().await;
    }
    assert_eq!(city.state(alert_id).await, "dispatching");
    city.forward(1);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App)[..2], [1, 2]);
    assert!(city.phones.take(Channel::App).is_empty());
    assert_eq!(city.state(alert_id).await, "active", "after the operator mended them");
    assert_eq!(city.number("select sum(accepted)::bigint from dispatch.batch where alert_id = $1", alert_id).await, 2);
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn an_urgent_alert_overtakes_a_routine_one_that_is_half_released(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=60, true, false, false).await;
    city.approve(Routine, alert(), named(1..=50)).await;
    city.plan().await;
    let stalled = city.pump().await;
    assert_eq!(stalled.len(), 2, "the window is full");
    assert!(city.pump().await.is_empty(), "and stays full until one is closed");

    city.approve(Urgent, alert(), named(51..=60)).await;
    city.plan().await;
    assert_eq!(city.send_window().await, 2, "urgent batches do not wait for the routine window");
    assert_eq!(city.phones.take(Channel::App), (51..=60).collect::<Vec<_>>());
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn quiet_hours_stop_a_routine_alert_in_the_middle_and_it_goes_on_at_seven(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=40, true, false, false).await;
    city.clock().set(noon() + TimeDelta::minutes(9 * 60 + 59));
    let alert_id = city.approve(Routine, alert(), named(1..=20)).await;
    city.plan().await;
    assert_eq!(city.send_window().await, 2);
    let waiting = city.pump().await;
    assert_eq!(waiting.len(), 2, "released at 21:59 and not claimed yet");

    city.forward(1);
    for batch in waiting {
        assert!(city.ledger.claim(batch, "late").await.unwrap().is_none(), "22:00: claimed too late");
    }
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), (1..=10).collect::<Vec<_>>(), "the other half sleeps");
    city.acknowledge(alert_id, 1..=10).await;
    let urgent = city.approve(Urgent, alert(), named(21..=25)).await;
    city.settle().await;
    assert_eq!(city.state(urgent).await, "active", "urgent alerts know no night");
    assert_eq!(city.phones.take(Channel::App), (21..=25).collect::<Vec<_>>());
    city.acknowledge(urgent, 21..=25).await;

    city.clock().set(noon() + TimeDelta::minutes(18 * 60 + 59));
    city.settle().await;
    assert!(city.phones.take(Channel::App).is_empty(), "06:59");
    city.forward(1);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), (11..=20).collect::<Vec<_>>(), "07:00");
    assert_eq!(city.state(alert_id).await, "active");
}

#[tokio::test]
async fn an_alert_approved_at_night_is_released_in_the_morning() {
    let city = City::new(Store::Postgres).await;
    city.residents([1], true, false, false).await;
    city.clock().set(noon() + TimeDelta::hours(11));
    let alert_id = city.approve(Routine, alert(), named([1])).await;
    city.settle().await;
    assert_eq!(city.state(alert_id).await, "waiting");
    assert!(city.told::<AlertReleased>().await.is_empty(), "not in the inbox either");
    city.clock().set(noon() + TimeDelta::hours(19));
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [1]);
}
