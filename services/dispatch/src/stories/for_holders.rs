//! A correction that two people have made goes to exactly those who have what it corrects.

use chrono::TimeDelta;
use domain::alert::DeliveryClass::{Routine, Urgent};
use domain::area::Area;
use domain::audience::{Audience, AudienceQuery};
use domain::ids::AlertId;
use domain::outcome::Channel::{App, Sms};
use domain::outcome::Outcome;
use rstest::rstest;

use super::city::{named, noon, told, with_headline};
use super::{City, Store, alert};

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn it_reaches_whoever_has_the_old_one_on_the_channel_that_carried_it_and_nobody_new(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=10, true, true, false).await;
    city.residents(11..=20, false, true, false).await;
    let here: Area = "500103".parse().unwrap();
    let everybody = Audience::Query(AudienceQuery::everybody_in(here));
    city.phones.answers.lock().unwrap().insert(3, vec![Outcome::EndpointGone]);
    let old = city.approve(Urgent, with_headline("请隔离十四天"), everybody.clone()).await;
    city.settle().await;
    assert_eq!(told(&city), ((1..=10).collect(), [vec![3], (11..=20).collect()].concat()));
    // by now one has moved away, and another has come
    sqlx::query("update resident.reach set district = 500104, township = 500104001, community = 500104001001 where resident_no = 5")
        .execute(city.database().pool())
        .await
        .unwrap();
    city.residents([21], true, true, false).await;
    city.clock().set(noon() + TimeDelta::hours(15));
    let new = city.correct(old, Urgent, with_headline("【更正】请隔离七天"), everybody, true).await;
    city.settle().await;

    let by_app: Vec<u32> = (1..=10).filter(|number| *number != 3).collect();
    assert_eq!(told(&city), (by_app, [vec![3], (11..=20).collect()].concat()), "at three in the morning");
    assert_eq!((city.in_batches(new, 1).await, city.in_batches(old, 9).await), ((1..=20).collect(), [].into()), "nobody hears twice");
    let shown = city.phones.shown.lock().unwrap();
    assert!(
        (1..=20).all(|number| [App, Sms].iter().any(|by| shown.get(&(number, *by, old)).is_some_and(|line| line == "【更正】请隔离七天")))
    );
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn while_the_old_one_is_still_being_sent_only_those_who_had_it_are_told_and_the_inbox_knows_them(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=40, true, false, false).await;
    let old = city.approve(Urgent, with_headline("请隔离十四天"), named(1..=40)).await;
    city.plan().await;
    assert_eq!(city.send_window().await, 2);
    let (had_it, _) = told(&city);
    assert_eq!(had_it.len(), 10);
    let new = city.correct(old, Urgent, with_headline("【更正】请隔离七天"), named(1..=40), true).await;
    city.settle().await;
    assert_eq!(told(&city).0, had_it);
    let bitmap: Vec<u8> = sqlx::query_scalar("select audience_bitmap from dispatch.alert where alert_id = $1")
        .bind(new.uuid())
        .fetch_one(city.database().pool())
        .await
        .unwrap();
    let inbox: Vec<u32> = roaring::RoaringBitmap::deserialize_from(&bitmap[..]).unwrap().iter().collect();
    assert_eq!(inbox, (1..=40).collect::<Vec<_>>(), "whoever reads in the inbox that the old one was corrected finds there what is right");
    assert_eq!(city.in_batches(old, 9).await, [].into());
    assert_eq!(city.state(new).await, "active");
}

#[tokio::test]
async fn a_chain_of_corrections_reaches_whoever_holds_any_word_of_it_and_can_be_ended() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=40, true, false, false).await;
    let old = city.approve(Urgent, with_headline("请隔离十四天"), named(1..=40)).await;
    city.settle().await;
    told(&city);
    let first = city.correct(old, Urgent, with_headline("【更正】请隔离七天"), named(1..=40), true).await;
    city.withdraw().await;
    city.plan().await;
    assert_eq!(city.send_window().await, 2);
    assert_eq!(told(&city).0.len(), 10, "the others hold the first word");
    let second = city.correct(first, Urgent, with_headline("【更正】请隔离七天"), named(1..=40), true).await;
    city.settle().await;
    assert_eq!(told(&city).0, (1..=40).collect::<Vec<_>>());
    city.cancel(second).await;
    city.settle().await;
    assert_eq!(told(&city).0, (1..=40).collect::<Vec<_>>());
    assert_eq!(city.in_batches(second, 9).await, (1..=40).collect());
}

#[tokio::test]
async fn a_routine_one_waits_for_the_morning_as_its_alert_would_have() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=5, true, false, false).await;
    let old = city.approve(Routine, alert(), named(1..=5)).await;
    city.settle().await;
    told(&city);
    city.clock().set(noon() + TimeDelta::minutes(630));
    city.correct(old, Routine, with_headline("【更正】请隔离七天"), named(1..=5), true).await;
    city.settle().await;
    assert_eq!(told(&city).0, [0; 0]);
    city.clock().set(noon() + TimeDelta::hours(19));
    city.settle().await;
    assert_eq!(told(&city).0, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn nobody_has_it_so_its_correction_is_for_nobody() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=5, true, false, false).await;
    let old = AlertId::new();
    city.shown_by_review(old, Urgent, &alert(), &named(1..=5)).await;
    let new = city.correct(old, Urgent, with_headline("【更正】请隔离七天"), named(1..=5), true).await;
    city.hear_of_approval(old).await;
    city.settle().await;
    assert_eq!((told(&city), city.state(new).await.as_str()), ((vec![], vec![]), "active"));
}

#[tokio::test]
async fn whoever_was_to_be_visited_about_the_old_one_is_visited_about_its_correction() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=3, true, false, false).await;
    city.residents([4], false, false, false).await;
    let old = city.approve(Urgent, alert(), named(1..=4)).await;
    city.settle().await;
    assert_eq!(city.follow_ups(old).await, [(4, "unreachable".to_owned())]);
    let new = city.correct(old, Urgent, with_headline("【更正】请隔离七天"), named(1..=4), true).await;
    city.settle().await;
    assert_eq!(city.follow_ups(new).await, [(4, "unreachable".to_owned())]);
}
