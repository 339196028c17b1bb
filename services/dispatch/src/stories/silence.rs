//! Acknowledgement, reminder and follow-up (CQ11).

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::alert::AckWindow;
use domain::alert::DeliveryClass::{Routine, Urgent};
use domain::outcome::{Channel, Outcome};
use rstest::rstest;

use super::city::{named, noon};
use super::{City, Store, alert};

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn only_the_silent_are_reminded_and_followed_up_once(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=12, true, true, false).await;
    city.residents([13], true, false, false).await;
    city.phones.answers.lock().unwrap().insert(3, vec![Outcome::EndpointGone, Outcome::EndpointGone]);
    let alert_id = city.approve(Urgent, alert(), named(1..=13)).await;
    city.settle().await;
    city.phones.sent.lock().unwrap().clear();
    assert_eq!(city.follow_ups(alert_id).await, [(3, "unreachable".to_owned())]);
    city.acknowledge(alert_id, 4..=10).await;

    city.forward(59);
    city.settle().await;
    assert!(city.phones.sent.lock().unwrap().is_empty(), "their hour is not over");
    city.forward(1);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::Sms), [1, 2, 11, 12], "on the other channel where there is one");
    assert_eq!(city.phones.take(Channel::App), [13]);

    city.acknowledge(alert_id, [1, 13]).await;
    city.forward(60);
    city.settle().await;
    city.forward(600);
    city.settle().await;
    assert!(city.phones.sent.lock().unwrap().is_empty(), "one reminder, no more");
    let followed_up = city.follow_ups(alert_id).await;
    assert_eq!(followed_up.iter().filter(|(_, reason)| reason == "silent").map(|(no, _)| *no).collect::<Vec<_>>(), [2, 11, 12]);
    assert_eq!(followed_up.len(), 4);
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn a_routine_reminder_waits_for_the_morning_and_spares_who_acknowledged_at_night(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=3, true, false, false).await;
    city.clock().set(noon() + TimeDelta::minutes(9 * 60 + 30));
    let alert_id = city.approve(Routine, alert(), named(1..=3)).await;
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [1, 2, 3]);
    city.forward(60);
    city.settle().await;
    assert!(city.phones.take(Channel::App).is_empty(), "22:30");
    city.acknowledge(alert_id, [2]).await;
    city.clock().set(noon() + TimeDelta::hours(19));
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [1, 3], "07:00");
}

#[tokio::test]
async fn who_acknowledges_between_the_planning_of_a_reminder_and_its_turn_is_spared() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=3, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=3)).await;
    city.settle().await;
    city.phones.take(Channel::App);
    city.forward(60);
    crate::reminders::turn(city.database(), city.clock(), &city.settings).await.unwrap();
    city.plan().await;
    assert_eq!(city.in_batches(alert_id, 2).await, (1..=3).collect());
    city.acknowledge(alert_id, 1..=2).await;
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [3]);
    assert_eq!(city.number("select sum(withdrawn)::bigint from dispatch.batch where alert_id = $1", alert_id).await, 2);
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn who_wrote_back_in_words_is_neither_reminded_nor_visited_as_silent(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=5, true, true, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=5)).await;
    city.settle().await;
    city.phones.take(Channel::App);
    city.write_back(alert_id, [1], false).await;
    city.forward(60);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::Sms), [2, 3, 4, 5]);

    city.write_back(alert_id, [2], false).await;
    city.acknowledge(alert_id, [3]).await;
    city.forward(60);
    city.settle().await;
    let visited = [(4, "silent".to_owned()), (5, "silent".to_owned())];
    assert_eq!(city.follow_ups(alert_id).await, visited);
    city.forward(3 * 24 * 60);
    city.settle().await;
    assert_eq!((city.state(alert_id).await, city.follow_ups(alert_id).await), ("closed".to_owned(), visited.to_vec()), "nor at its end");
}

#[tokio::test]
async fn who_writes_back_between_the_planning_of_a_reminder_and_its_turn_is_spared() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=3, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=3)).await;
    city.settle().await;
    city.phones.take(Channel::App);
    city.forward(60);
    crate::reminders::turn(city.database(), city.clock(), &city.settings).await.unwrap();
    city.plan().await;
    city.write_back(alert_id, [2], false).await;
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [1, 3]);
}

#[tokio::test]
async fn an_alert_that_asks_for_no_acknowledgement_reminds_nobody() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=3, true, true, false).await;
    let mut notice = alert();
    notice.ack_window_s = AckWindow::NONE;
    let alert_id = city.approve(Urgent, notice, named(1..=3)).await;
    city.settle().await;
    city.phones.take(Channel::App);
    city.forward(24 * 60);
    city.settle().await;
    assert!(city.phones.sent.lock().unwrap().is_empty() && city.follow_ups(alert_id).await.is_empty());
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn somebody_who_is_held_keeps_nobody_else_from_the_reminder_and_the_visit(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents((1..=20).filter(|number| *number != 2), true, true, false).await;
    // by no other way
    city.residents([2], true, false, false).await;
    city.phones.answers.lock().unwrap().insert(2, vec![Outcome::CredentialsRefused; 10_000]);
    let alert_id = city.approve(Urgent, alert(), named(1..=20)).await;
    city.settle().await;
    city.phones.sent.lock().unwrap().clear();
    assert_eq!(city.state(alert_id).await, "dispatching", "one is not told");

    city.forward(60);
    city.settle().await;
    let reminded: BTreeSet<u32> = city.phones.take(Channel::Sms).into_iter().collect();
    assert!(reminded.is_superset(&(6..=20).collect()), "{reminded:?}");
    assert!(!reminded.contains(&2), "who was not told is not reminded");

    city.acknowledge(alert_id, 6..=18).await;
    city.forward(60);
    city.settle().await;
    let visited: Vec<_> = city.follow_ups(alert_id).await.into_iter().filter(|(number, _)| *number > 5).collect();
    assert_eq!(visited, [(19, "silent".to_owned()), (20, "silent".to_owned())]);
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn the_time_to_acknowledge_begins_with_ones_own_hand_over_and_not_with_the_last(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=15, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=15)).await;
    city.plan().await;
    assert_eq!(city.send_window().await, 2);
    assert_eq!(city.phones.take(Channel::App), (1..=10).collect::<Vec<_>>());
    city.forward(20);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), (11..=15).collect::<Vec<_>>());

    city.forward(39);
    city.settle().await;
    assert!(city.phones.take(Channel::App).is_empty(), "nobody's hour is over");
    city.forward(1);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), (1..=10).collect::<Vec<_>>(), "an hour after the first were told");
    city.forward(20);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), (11..=15).collect::<Vec<_>>(), "an hour after the last were told");
    city.forward(40);
    city.settle().await;
    let visited = async || city.follow_ups(alert_id).await.into_iter().map(|(number, _)| number).collect::<Vec<_>>();
    assert_eq!(visited().await, (1..=10).collect::<Vec<_>>());
    city.forward(20);
    city.settle().await;
    assert_eq!(visited().await, (1..=15).collect::<Vec<_>>());

    city.forward(600);
    city.settle().await;
    assert!(city.phones.take(Channel::App).is_empty(), "once each");
    let settled = "select count(*) from dispatch.wave where alert_id = $1 and state = 'settled' and recipients = 15";
    assert_eq!(city.number(settled, alert_id).await, 2);
}

#[tokio::test]
async fn who_had_to_be_reminded_twice_over_is_visited_a_window_after_their_own_reminder() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=3, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=3)).await;
    city.settle().await;
    city.phones.answers.lock().unwrap().insert(2, vec![Outcome::Temporary]);
    city.forward(60);
    city.settle().await;
    city.forward(1);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [1, 2, 3, 1, 2, 3, 2], "the reminder of 2 failed at first");
    city.forward(59);
    city.settle().await;
    let visited = async || city.follow_ups(alert_id).await.into_iter().map(|(number, _)| number).collect::<Vec<_>>();
    assert_eq!(visited().await, [1, 3]);
    city.forward(1);
    city.settle().await;
    assert_eq!(visited().await, [1, 2, 3]);
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn a_batch_that_is_held_lets_go_of_whom_it_has_reached(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents((1..=5).filter(|number| *number != 2), true, true, false).await;
    // by no other way
    city.residents([2], true, false, false).await;
    city.phones.answers.lock().unwrap().insert(2, vec![Outcome::CredentialsRefused; 90]);
    let alert_id = city.approve(Urgent, alert(), named(1..=5)).await;
    city.settle().await;
    for _ in 0..10 {
        city.forward(1);
        city.settle().await;
    }
    let told = city.phones.take(Channel::App);
    assert_eq!(
        (&told[..5], told.iter().filter(|number| **number != 2).count()),
        (&[1, 2, 3, 4, 5][..], 4),
        "nobody who was reached is sent to again"
    );
    city.forward(60);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::Sms), [1, 3, 4, 5]);
    assert_eq!(city.state(alert_id).await, "dispatching", "one is not told yet");

    // mended
    city.phones.answers.lock().unwrap().clear();
    city.phones.take(Channel::App);
    city.forward(1);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [2]);
    assert_eq!(city.state(alert_id).await, "active");
    city.forward(60);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [2], "their own hour");
    let people = "select sum(accepted + unreachable + withdrawn)::bigint from dispatch.batch where alert_id = $1 and wave = 1";
    assert_eq!(city.number(people, alert_id).await, 5);
}
