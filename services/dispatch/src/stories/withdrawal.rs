//! The end of an alert reaches who heard it.

use chrono::TimeDelta;
use domain::alert::AlertContent;
use domain::alert::DeliveryClass::{self, Routine, Urgent};
use domain::area::Area;
use domain::audience::{Audience, AudienceQuery};
use domain::cap;
use domain::outcome::Channel::{App, Sms};
use domain::outcome::Outcome;
use proto::{AlertHandedOver, AlertReleased};
use rstest::rstest;

use super::city::{named, noon, shown, told, with_headline};
use super::{City, Store, alert};

/// A city with people of both channels: 1 to 3 have the app and a phone, 4 and 5 a phone, 6 the app alone.
async fn city(store: Store) -> City {
    let city = City::new(store).await;
    city.residents(1..=3, true, true, false).await;
    city.residents(4..=5, false, true, false).await;
    city.residents([6], true, false, false).await;
    city
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn a_cancellation_is_told_to_exactly_those_who_were_handed_the_alert_on_the_channel_that_carried_it(#[case] store: Store) {
    let city = city(store).await;
    city.phones.answers.lock().unwrap().extend([(3, vec![Outcome::EndpointGone]), (6, vec![Outcome::EndpointGone])]);
    let alert_id = city.approve(Urgent, with_headline("请立即居家隔离"), named(1..=6)).await;
    city.settle().await;
    assert_eq!(told(&city), (vec![1, 2, 3, 6], vec![3, 4, 5]));
    city.acknowledge(alert_id, [1, 4]).await;
    city.cancel(alert_id).await;
    city.settle().await;

    assert_eq!(told(&city), (vec![1, 2], vec![3, 4, 5]), "also those who have acknowledged; not who was never reached");
    for (number, by) in [(1, App), (2, App), (3, Sms), (4, Sms), (5, Sms)] {
        assert_eq!(shown(&city, alert_id, number, by).as_deref(), Some("【已撤销】《请立即居家隔离》"), "in the place of what it was");
    }
    city.forward(48 * 60);
    city.settle().await;
    assert_eq!(told(&city), (vec![], vec![]), "once, and nobody is reminded of it");
    assert_eq!(city.told::<AlertHandedOver>().await.len(), 1, "it is no second hand-over of the alert");
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn who_was_not_handed_the_alert_hears_nothing_of_it_any_more(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=40, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=40)).await;
    city.plan().await;
    assert_eq!(city.send_window().await, 2);
    let (had_it, _) = told(&city);
    assert_eq!(had_it.len(), 10);
    city.cancel(alert_id).await;
    city.settle().await;
    assert_eq!(told(&city).0, had_it);
    assert_eq!(city.in_batches(alert_id, 9).await, had_it.into_iter().collect());
}

#[tokio::test]
async fn whom_the_app_no_longer_reaches_is_told_of_the_end_by_sms() {
    let city = city(Store::Postgres).await;
    let alert_id = city.approve(Urgent, alert(), named([1, 6])).await;
    city.settle().await;
    told(&city);
    city.phones.answers.lock().unwrap().extend([(1, vec![Outcome::EndpointGone]), (6, vec![Outcome::EndpointGone])]);
    city.cancel(alert_id).await;
    city.settle().await;
    assert_eq!(told(&city), (vec![1, 6], vec![1]));
    assert_eq!(city.follow_ups(alert_id).await, [], "nobody is visited to be told that it has ended");
}

#[tokio::test]
async fn whoever_was_reminded_by_sms_is_told_on_both_channels() {
    let city = city(Store::Postgres).await;
    let alert_id = city.approve(Urgent, alert(), named([1])).await;
    city.settle().await;
    city.forward(61);
    city.settle().await;
    assert_eq!(told(&city), (vec![1], vec![1]), "the reminder goes by the other channel");
    // by now the app is gone: the SMS that is on its way anyway is enough
    city.phones.answers.lock().unwrap().insert(1, vec![Outcome::EndpointGone]);
    city.phones.sent.lock().unwrap().clear();
    city.cancel(alert_id).await;
    city.settle().await;
    let mut by = city.phones.sent.lock().unwrap().iter().map(|(_, by)| *by).collect::<Vec<_>>();
    by.sort_unstable();
    assert_eq!(by, [App, Sms]);
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn a_correction_takes_the_place_of_what_was_said_and_who_is_left_out_is_told_so(#[case] store: Store) {
    let city = city(store).await;
    let old = city.approve(Urgent, with_headline("请隔离十四天"), named([1, 2, 4, 5])).await;
    city.settle().await;
    told(&city);
    let new = city.correct(old, Urgent, with_headline("请隔离七天"), named([1, 3, 4]), false).await;
    city.settle().await;
    assert_eq!(told(&city), (vec![1, 2, 3], vec![4, 5]));
    for (number, by, headline) in [
        (1, App, "请隔离七天"),
        (2, App, "【已更正】《请隔离十四天》"),
        (3, App, "请隔离七天"),
        (4, Sms, "请隔离七天"),
        (5, Sms, "【已更正】《请隔离十四天》"),
    ] {
        assert_eq!(shown(&city, old, number, by).as_deref(), Some(headline));
    }
    assert_eq!((city.in_batches(old, 9).await, city.in_batches(new, 1).await), ([2, 5].into(), [1, 3, 4].into()));
}

#[tokio::test]
async fn whom_a_correction_for_an_area_is_for_is_known_before_the_others_are_told() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=20, true, false, false).await;
    let old = city.approve(Urgent, alert(), named(1..=20)).await;
    city.settle().await;
    told(&city);
    sqlx::query("update resident.reach set district = 500104, township = 500104001, community = 500104001001 where resident_no > 15")
        .execute(city.database().pool())
        .await
        .unwrap();
    let here: Area = "500103".parse().unwrap();
    let new = city.correct(old, Urgent, alert(), Audience::Query(AudienceQuery::everybody_in(here)), false).await;
    city.settle().await;
    assert_eq!((city.in_batches(new, 1).await, city.in_batches(old, 9).await), ((1..=15).collect(), (16..=20).collect()));
    assert_eq!(told(&city).0, (1..=20).collect::<Vec<_>>(), "everybody hears once");
}

#[tokio::test]
async fn the_end_of_a_correction_reaches_also_those_who_hold_what_it_corrected() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=40, true, false, false).await;
    let old = city.approve(Urgent, alert(), named(1..=40)).await;
    city.settle().await;
    told(&city);
    let new = city.correct(old, Urgent, alert(), named(1..=30), false).await;
    city.plan().await;
    assert_eq!(city.send_window().await, 2);
    told(&city);
    city.cancel(new).await;
    city.settle().await;
    let holds = |number| shown(&city, old, number, App).unwrap();
    for number in 1..=40 {
        assert!(holds(number).starts_with("【已"), "the last word of {number} is the true one: {}", holds(number));
    }
    assert_eq!(city.in_batches(old, 9).await.len() + city.in_batches(new, 9).await.len(), 40, "nobody is told twice");
}

#[rstest]
#[case::routine_waits_for_the_morning(Routine, false)]
#[case::urgent_is_told_at_once(Urgent, true)]
#[tokio::test]
async fn the_end_heeds_the_night_as_its_alert_did(#[case] class: DeliveryClass, #[case] at_once: bool) {
    let city = city(Store::Postgres).await;
    let alert_id = city.approve(class, alert(), named([1, 4])).await;
    city.settle().await;
    told(&city);
    city.clock().set(noon() + TimeDelta::minutes(630));
    city.cancel(alert_id).await;
    city.settle().await;
    assert_eq!(told(&city), if at_once { (vec![1], vec![4]) } else { (vec![], vec![]) }, "at half past ten in the evening");
    city.clock().set(noon() + TimeDelta::hours(19));
    city.settle().await;
    assert_eq!(told(&city), if at_once { (vec![], vec![]) } else { (vec![1], vec![4]) }, "at seven");
}

#[tokio::test]
async fn the_end_is_told_though_the_alert_would_have_expired_by_then_but_not_for_ever() {
    let city = city(Store::Postgres).await;
    let mut content = alert();
    content.expires_at = noon() + TimeDelta::hours(12);
    let alert_id = city.approve(Routine, content, named([1])).await;
    city.settle().await;
    told(&city);
    city.clock().set(noon() + TimeDelta::minutes(630));
    city.cancel(alert_id).await;
    city.settle().await;
    city.clock().set(noon() + TimeDelta::hours(19));
    city.plan().await;
    city.clock().set(noon() + TimeDelta::days(3));
    city.settle().await;
    assert_eq!(told(&city).0, [0; 0], "what nobody could be told for a day is told no more");
    let withdrawn = "select sum(withdrawn)::bigint from dispatch.batch where alert_id = $1";
    assert_eq!(city.number(withdrawn, alert_id).await, 1);
}

#[tokio::test]
async fn a_correction_approved_at_night_is_shown_at_once_and_sent_in_the_morning() {
    let city = city(Store::Postgres).await;
    let old = city.approve(Routine, with_headline("旧"), named([1, 2, 4])).await;
    city.settle().await;
    told(&city);
    city.clock().set(noon() + TimeDelta::minutes(630));
    let new = city.correct(old, Routine, with_headline("新"), named([1, 4]), false).await;
    city.settle().await;
    let released = "select count(*) from dispatch.released_alert where alert_id = $1";
    assert_eq!((city.number(released, old).await, city.number(released, new).await), (0, 1), "never neither of them");
    assert!(city.told::<AlertReleased>().await.iter().any(|told| told.alert_id == new.to_string()));
    assert_eq!(told(&city), (vec![], vec![]), "nobody is woken");
    city.clock().set(noon() + TimeDelta::hours(19));
    city.settle().await;
    assert_eq!(told(&city), (vec![1, 2], vec![4]));
    let late = "select count(*) from dispatch.alert where alert_id = $1 and handed_over_at > due_at";
    assert_eq!(city.number(late, new).await, 0);
}

#[tokio::test]
async fn an_exercise_stays_one_to_its_end() {
    let city = City::new(Store::Postgres).await;
    city.residents([1], true, true, true).await;
    let content = AlertContent { status: cap::Status::Exercise, ..alert() };
    let alert_id = city.approve(Urgent, content, named([1])).await;
    city.plan().await;
    city.send_window().await;
    city.cancel(alert_id).await;
    city.plan().await;
    let batch = city.pump().await[0];
    let claimed = city.ledger.claim(batch, "holder").await.unwrap().expect("released");
    assert!(claimed.wave.is_withdrawal() && claimed.alert.exercise);
    assert_eq!(claimed.alert.content.status, cap::Status::Exercise);
}

#[tokio::test]
async fn an_alert_that_ended_before_its_audience_was_published_is_shown_as_ended() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=20, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), Audience::Query(AudienceQuery::everybody_in(Area::City))).await;
    city.plan_chunk().await;
    city.send_window().await;
    // as if the process had died between the chunk and its publication
    city.damage("update dispatch.alert set audience_bitmap = null, audience_revision = 0 where alert_id = $1", alert_id).await;
    city.told::<AlertReleased>().await;
    city.cancel(alert_id).await;
    city.settle().await;
    let shown = "select count(*) from dispatch.shown_alert where alert_id = $1 and state = 'cancelled' and audience_bitmap is not null";
    assert_eq!(city.number(shown, alert_id).await, 1);
    assert_eq!(city.told::<AlertReleased>().await.len(), 1, "inboxes hear of it");
}
