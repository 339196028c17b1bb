//! The numbers of a delivery.

use chrono::TimeDelta;
use domain::alert::DeliveryClass::Urgent;

use super::*;
use crate::stories::city::{City, Store, alert, named, noon};

#[tokio::test]
async fn what_keeps_failing_for_an_alert_is_said_on_its_page_until_it_succeeds() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=3, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=3)).await;
    city.damage("update dispatch.alert set audience = '\\x00' where alert_id = $1", alert_id).await;
    let shared = Shared::of(&city.platform, &city.settings);
    let said = async || load(&shared, alert_id).await.unwrap().0.set_aside;
    for failures in 1..=aside::RINGS {
        assert_eq!(said().await, [], "after fewer than {failures} failures");
        city.plan().await;
        city.forward(1);
    }
    let said_then = said().await;
    assert_eq!((said_then.len(), said_then[0].step, said_then[0].wave), (1, Step::Release, 0));
    assert!(said_then[0].why.starts_with("audience of "), "{said_then:?}");

    city.mend_audience(alert_id, &named(1..=3)).await;
    city.settle().await;
    assert_eq!(said().await, []);
    assert_eq!(city.phones.take(Channel::App), [1, 2, 3]);
}

#[tokio::test]
async fn the_numbers_of_a_delivery_add_up() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=6, true, true, false).await;
    city.residents([7], false, false, false).await;
    city.phones.answers.lock().unwrap().extend([(1, vec![Outcome::EndpointGone]), (2, vec![Outcome::Temporary])]);
    let alert_id = city.approve(Urgent, alert(), named(1..=7)).await;
    city.settle().await;
    let shared = Shared::of(&city.platform, &city.settings);

    let (delivery, district) = load(&shared, alert_id).await.unwrap();
    let wave = &delivery.waves[0];
    let numbers: Vec<_> = wave.channels.iter().map(|c| (c.channel, c.accepted, c.open, c.retried, c.fell_back)).collect();
    assert_eq!(numbers, [(Channel::App, 4, 1, 1, 1), (Channel::Sms, 1, 0, 0, 0)]);
    assert_eq!((wave.recipients, wave.no_channel), (6, 1));
    assert_eq!((wave.accepted, wave.open, wave.unreachable, wave.withdrawn, wave.late), (5, 1, 0, 0, 0));
    assert_eq!(delivery.first_hand_over_at, Some(city.clock().now()));
    assert!(delivery.on_time && delivery.handed_over_at.is_none());
    assert_eq!(district.map(DistrictCode::get), Some(500_103));

    city.forward(31);
    city.settle().await;
    let (delivery, _) = load(&shared, alert_id).await.unwrap();
    assert!(!delivery.on_time, "the retry came after the deadline");
    let wave = &delivery.waves[0];
    assert_eq!((wave.accepted, wave.open, wave.late), (6, 0, 1), "for one of six");
    assert!(matches!(load(&shared, AlertId::new()).await, Err(Error::NoSuchAlert)));
}

#[tokio::test]
async fn an_alert_approved_a_moment_ago_is_being_planned_and_one_that_was_not_is_unknown() {
    let city = City::new(Store::Embedded).await;
    let shared = Shared::of(&city.platform, &city.settings);
    let alert_id = AlertId::new();
    city.shown_by_review(alert_id, Urgent, &alert(), &named(1..=7)).await;

    let (delivery, district) = load(&shared, alert_id).await.unwrap();
    assert_eq!((delivery.state.as_str(), delivery.class, delivery.on_time), ("planning", Urgent, true));
    assert_eq!((delivery.approved_at, delivery.due_at), (noon(), noon() + TimeDelta::minutes(30)));
    assert_eq!(district.map(DistrictCode::get), Some(500_103));
    assert_eq!(district_of(&shared, alert_id).await.unwrap(), district);

    city.hear_of_approval(alert_id).await;
    let (taken_over, _) = load(&shared, alert_id).await.unwrap();
    assert_eq!((taken_over.state.as_str(), taken_over.due_at), ("waiting", delivery.due_at), "what was said before holds");
}

#[rstest::rstest]
#[case::in_time(10, true)]
#[case::after_the_deadline(31, false)]
#[tokio::test]
async fn an_alert_that_was_cancelled_under_way_does_not_become_late_afterwards(#[case] cancelled_after: u32, #[case] on_time: bool) {
    let city = City::new(Store::Embedded).await;
    city.residents(1..=2, true, true, false).await;
    city.phones.answers.lock().unwrap().extend([(1, vec![Outcome::Temporary; 9])]);
    let alert_id = city.approve(Urgent, alert(), named(1..=2)).await;
    city.settle().await;
    city.forward(cancelled_after);
    city.cancel(alert_id).await;
    city.forward(600);
    let (delivery, _) = load(&Shared::of(&city.platform, &city.settings), alert_id).await.unwrap();
    assert_eq!((delivery.state.as_str(), delivery.on_time), ("cancelled", on_time));
}

#[tokio::test]
async fn an_alert_that_ran_out_before_everybody_was_told_has_not_held_its_deadline() {
    let city = City::new(Store::Embedded).await;
    city.residents(1..=15, true, false, false).await;
    let mut brief = alert();
    brief.expires_at = noon() + TimeDelta::minutes(20);
    let alert_id = city.approve(Urgent, brief, named(1..=15)).await;
    city.plan().await;
    assert_eq!(city.send_window().await, 2);
    city.forward(20);
    city.settle().await;
    let (delivery, _) = load(&Shared::of(&city.platform, &city.settings), alert_id).await.unwrap();
    let wave = &delivery.waves[0];
    assert_eq!((delivery.state.as_str(), delivery.on_time), ("closed", false));
    assert_eq!((wave.recipients, wave.accepted, wave.withdrawn), (15, 10, 5), "who was not sent to is not taken for reached");
    assert_eq!(serde_json::to_value(&delivery.follow_ups).unwrap()["open"], 15, "each is visited");
}

#[tokio::test]
async fn who_is_told_of_the_end_is_counted_apart() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=2, true, true, false).await;
    city.residents([3], false, true, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=3)).await;
    city.settle().await;
    city.acknowledge(alert_id, [1]).await;
    city.cancel(alert_id).await;
    city.settle().await;
    let (delivery, _) = load(&Shared::of(&city.platform, &city.settings), alert_id).await.unwrap();
    let accepted = |wave: &WaveDelivery| wave.channels.iter().map(|by| (by.channel, by.accepted)).collect::<Vec<_>>();
    let [first] = &delivery.waves[..] else { panic!("one wave says what the alert says") };
    let withdrawal = delivery.withdrawal.as_ref().expect("it was told of");
    assert_eq!(accepted(first), [(Channel::App, 2), (Channel::Sms, 1)]);
    assert_eq!((accepted(withdrawal), withdrawal.recipients, withdrawal.state.as_str()), (accepted(first), 3, "settled"));
    assert!(delivery.failures.is_empty());
}

#[tokio::test]
async fn who_wrote_back_has_a_count_of_their_own_until_they_acknowledge() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=4, true, true, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=4)).await;
    city.settle().await;
    let counted = async || {
        // a page that has not looked before counts anew
        let shared = Shared::of(&city.platform, &city.settings);
        let delivery = serde_json::to_value(load(&shared, alert_id).await.unwrap().0).unwrap();
        (delivery["wrote_back"].clone(), delivery["acknowledged"].clone())
    };
    city.write_back(alert_id, 1..=2, false).await;
    city.write_back(alert_id, [3], true).await;
    city.acknowledge(alert_id, [4]).await;
    assert_eq!(counted().await, (serde_json::json!({ "people": 3, "waiting": 2, "urgent": 0 }), serde_json::json!(1)));
    city.acknowledge(alert_id, [1]).await;
    assert_eq!(counted().await, (serde_json::json!({ "people": 2, "waiting": 1, "urgent": 0 }), serde_json::json!(2)));
}

#[tokio::test]
async fn for_whom_it_was_withdrawn_is_counted_once_and_apart() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=4, true, true, false).await;
    city.residents([5], true, false, false).await;
    city.phones.answers.lock().unwrap().extend([(5, vec![Outcome::EndpointGone])]);
    let alert_id = city.approve(Urgent, alert(), named(1..=6)).await;
    city.settle().await;
    city.acknowledge(alert_id, [1, 2]).await;
    city.write_back(alert_id, [3], false).await;
    // who has acknowledged, who wrote back, who was not reached, and who was never to be reached
    city.withdraw_for(alert_id, [2, 3, 5, 6]).await;
    city.settle().await;
    let (delivery, _) = load(&Shared::of(&city.platform, &city.settings), alert_id).await.unwrap();
    let [first] = &delivery.waves[..] else { panic!("one wave says what the alert says") };
    assert_eq!((first.recipients, first.accepted, first.unreachable, first.no_channel), (5, 4, 1, 1));
    let withdrawn_for = serde_json::to_value(delivery.withdrawn_for).unwrap();
    assert_eq!(withdrawn_for, serde_json::json!({ "people": 4, "reached": 2, "open": 0, "failed": 0 }));
    assert_eq!(delivery.acknowledged, 1);
    assert_eq!(serde_json::to_value(delivery.wrote_back).unwrap()["people"], 0);
    let silent = first.accepted - delivery.acknowledged - 2;
    assert_eq!(silent, 1, "of four who have it one acknowledged, for two it was withdrawn, one is silent");
    assert_eq!(serde_json::to_value(&delivery.follow_ups).unwrap(), serde_json::json!({ "open": 0, "closed": 0, "dropped": 1 }));
}
