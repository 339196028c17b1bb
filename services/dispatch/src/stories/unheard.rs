//! The end of an alert to people named one by one: nobody whom it did not reach or move is lost.

use chrono::TimeDelta;
use domain::alert::AckWindow;
use domain::alert::DeliveryClass::{Routine, Urgent};
use domain::area::Area;
use domain::audience::{Audience, AudienceQuery};
use domain::cap::Status;
use domain::outcome::Outcome;
use rstest::rstest;

use super::city::{named, noon};
use super::{City, Store, alert};

fn each(visits: &[(i64, &str)]) -> Vec<(i64, String)> {
    visits.iter().map(|(number, reason)| (*number, (*reason).to_owned())).collect()
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn at_its_end_whoever_was_not_reached_or_did_not_answer_is_visited(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=17, true, false, false).await;
    city.residents([18], false, false, false).await;
    let mut brief = alert();
    brief.expires_at = noon() + TimeDelta::minutes(40);
    // 1 is held to the end; 19 is not registered (any more)
    city.phones.answers.lock().unwrap().insert(1, vec![Outcome::CredentialsRefused; 1000]);
    let alert_id = city.approve(Urgent, brief, named(1..=19)).await;
    city.plan().await;
    // ten are tried, seven never are
    assert_eq!(city.send_window().await, 2);
    city.acknowledge(alert_id, [3, 12]).await;
    assert_eq!(city.follow_ups(alert_id).await, each(&[(18, "unreachable")]), "by neither way");

    city.forward(40);
    city.settle().await;
    let mut expected = vec![(1, "unreachable"), (2, "silent")];
    expected.extend((4..=10).map(|number| (number, "silent")));
    expected.extend([11, 13, 14, 15, 16, 17, 18].map(|number| (number, "unreachable")));
    assert_eq!(city.follow_ups(alert_id).await, each(&expected));
    city.forward(60);
    city.settle().await;
    assert_eq!(city.follow_ups(alert_id).await.len(), 16, "once each");
}

#[tokio::test]
async fn who_was_told_so_late_that_no_reminder_could_come_is_visited_after_the_end() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=3, true, false, false).await;
    let mut day = alert();
    day.expires_at = noon() + TimeDelta::days(1);
    day.ack_window_s = AckWindow::capped(24 * 3600);
    let alert_id = city.approve(Urgent, day, named(1..=3)).await;
    city.settle().await;
    city.acknowledge(alert_id, [2]).await;
    city.clock().set(noon() + TimeDelta::days(1));
    city.settle().await;
    assert_eq!(city.follow_ups(alert_id).await, each(&[(1, "silent"), (3, "silent")]));
}

#[tokio::test]
async fn people_named_by_an_alert_that_was_never_released_are_visited() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=2, true, false, false).await;
    city.clock().set(noon() + TimeDelta::hours(11));
    let mut brief = alert();
    brief.expires_at = noon() + TimeDelta::hours(19);
    let alert_id = city.approve(Routine, brief, named(1..=2)).await;
    city.settle().await;
    city.clock().set(noon() + TimeDelta::hours(19));
    city.settle().await;
    assert_eq!(city.follow_ups(alert_id).await, each(&[(1, "unreachable"), (2, "unreachable")]));
}

#[tokio::test]
async fn who_was_reached_by_an_alert_that_asks_for_no_answer_owes_none() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=15, true, false, false).await;
    let mut notice = alert();
    notice.ack_window_s = AckWindow::NONE;
    let alert_id = city.approve(Urgent, notice, named(1..=15)).await;
    city.plan().await;
    city.send_window().await;
    city.clock().set(noon() + TimeDelta::days(2));
    city.settle().await;
    let expected: Vec<_> = (11..=15).map(|number| (number, "unreachable")).collect();
    assert_eq!(city.follow_ups(alert_id).await, each(&expected));
}

#[tokio::test]
async fn in_an_exercise_only_those_who_take_part_are_visited_after_its_end() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=2, true, false, true).await;
    city.residents(3..=4, true, false, false).await;
    let mut exercise = alert();
    exercise.status = Status::Exercise;
    let alert_id = city.approve(Urgent, exercise, named(1..=4)).await;
    city.plan().await;
    city.clock().set(noon() + TimeDelta::days(2));
    city.settle().await;
    assert_eq!(city.follow_ups(alert_id).await, each(&[(1, "unreachable"), (2, "unreachable")]));
}

#[tokio::test]
async fn after_an_alert_to_an_area_and_after_a_cancelled_one_nobody_is_visited() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=15, true, false, false).await;
    let area = city.approve(Urgent, alert(), Audience::Query(AudienceQuery::everybody_in(Area::City))).await;
    let cancelled = city.approve(Urgent, alert(), named(1..=15)).await;
    city.plan().await;
    city.cancel(cancelled).await;
    city.clock().set(noon() + TimeDelta::days(2));
    city.settle().await;
    assert_eq!((city.state(area).await.as_str(), city.state(cancelled).await.as_str()), ("closed", "cancelled"));
    assert_eq!((city.follow_ups(area).await, city.follow_ups(cancelled).await), (vec![], vec![]));
}

#[tokio::test]
async fn who_moved_while_the_alert_held_is_visited_where_they_live_at_its_end() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=2, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=2)).await;
    city.settle().await;
    city.acknowledge(alert_id, [2]).await;
    // before the first reminder even
    city.damage("update dispatch.alert set expires_at = approved_at + interval '30 minutes' where alert_id = $1", alert_id).await;
    sqlx::query(
        "update resident.reach set district = 500104, township = 500104001, community = 500104001001, app = false where resident_no = 1",
    )
    .execute(city.database().pool())
    .await
    .unwrap();
    city.forward(30);
    city.settle().await;
    let there = "select count(*) from dispatch.follow_up where alert_id = $1 and community = 500104001001 and reason = 'silent'";
    assert_eq!((city.number(there, alert_id).await, city.follow_ups(alert_id).await.len()), (1, 1));
}

#[tokio::test]
async fn a_batch_that_cannot_be_settled_keeps_nobody_from_being_visited_for_long() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=6, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=6)).await;
    city.plan().await;
    city.clock().set(noon() + TimeDelta::days(2) - TimeDelta::seconds(1));
    // a sender that died with a batch in hand, which nobody can read
    let batch = city.pump().await[0];
    city.ledger.claim(batch, "dies").await.unwrap().expect("released");
    city.damage("update dispatch.recipient_list set recipients = '\\x' where alert_id = $1", alert_id).await;
    city.forward(5);
    while crate::ending::close_expired(city.database(), city.clock()).await.unwrap() {}
    city.withdraw().await;
    let looked = async || crate::unheard::turn(city.database(), city.clock()).await.unwrap();
    assert!(!looked().await, "somebody has it in hand still");
    city.forward(10);
    assert!(looked().await);
    assert_eq!(city.follow_ups(alert_id).await.len(), 6);
}
