//! One alert, wave, batch or row for which something fails, and all the others that go on.

use std::sync::Arc;

use domain::alert::DeliveryClass::{Routine, Urgent};
use domain::audience::{Audience, AudienceQuery, Selection};
use domain::outcome::Channel;
use rstest::rstest;

use super::city::named;
use super::{City, Store, alert};
use crate::planning::{Line, Planner};
use crate::progress;

const RINGING: &str = "select count(*) from dispatch.set_aside where alert_id = $1 and failures >= 3";

/// Everybody in two communities of one township.
fn two_communities() -> Audience {
    let areas = ["500103001001", "500103001002"].map(|area| area.parse().unwrap()).to_vec();
    Audience::Query(AudienceQuery { include: vec![Selection { areas, ..Selection::default() }], exclude: vec![] })
}

async fn lives_in(city: &City, community: i64, numbers: std::ops::RangeInclusive<i32>) {
    sqlx::query("update resident.reach set community = $1 where resident_no between $2 and $3")
        .bind(community)
        .bind(numbers.start())
        .bind(numbers.end())
        .execute(city.database().pool())
        .await
        .unwrap();
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn an_alert_that_cannot_be_released_keeps_no_other_from_its_release(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=6, true, false, false).await;
    let damaged = city.approve(Urgent, alert(), named(1..=3)).await;
    city.damage("update dispatch.alert set audience = '\\x00' where alert_id = $1", damaged).await;
    let routine = city.approve(Routine, alert(), named(4..=6)).await;
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [4, 5, 6]);
    assert_eq!((city.state(damaged).await, city.state(routine).await), ("waiting".to_owned(), "active".to_owned()));
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn a_wave_that_cannot_be_planned_is_set_aside_with_an_alarm_and_goes_on_when_it_is_mended(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=40, true, false, false).await;
    let poisoned = city.approve(Urgent, alert(), named(1..=30)).await;
    assert!(city.plan_chunk().await, "five are planned");
    city.damage("update dispatch.wave set next_number = -1 where alert_id = $1", poisoned).await;
    let next = city.approve(Urgent, alert(), named(31..=40)).await;
    for _ in 0..4 {
        city.settle().await;
        city.forward(1);
    }
    assert_eq!(city.phones.take(Channel::App).into_iter().filter(|number| *number > 30).count(), 10, "the next is told");
    assert_eq!(city.state(next).await, "active");
    assert_eq!(city.number(RINGING, poisoned).await, 1);

    city.damage("update dispatch.wave set next_number = 1 where alert_id = $1", poisoned).await;
    city.settle().await;
    assert_eq!(city.in_batches(poisoned, 1).await, (1..=30).collect());
    assert_eq!(city.number(RINGING, poisoned).await, 0);
    assert_eq!(city.state(poisoned).await, "active");
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn who_moves_while_the_audience_is_planned_stands_once_in_the_wave_and_is_reminded_once(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=20, true, false, false).await;
    lives_in(&city, 500_103_001_002, 11..=20).await;
    let alert_id = city.approve(Urgent, alert(), two_communities()).await;
    assert!(city.plan_chunk().await, "the first five are planned");
    lives_in(&city, 500_103_001_002, 1..=3).await;
    city.settle().await;
    let mut told = city.phones.take(Channel::App);
    told.sort_unstable();
    assert_eq!(told, (1..=20).collect::<Vec<_>>(), "each once");

    city.forward(60);
    city.settle().await;
    let mut reminded = city.phones.take(Channel::App);
    reminded.sort_unstable();
    assert_eq!(reminded, (1..=20).collect::<Vec<_>>());
    let other = city.approve(Urgent, alert(), named([1])).await;
    city.settle().await;
    assert_eq!(city.state(other).await, "active", "nothing stands before it");
    assert_eq!(city.number(RINGING, alert_id).await, 0);
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn somebody_who_stands_in_two_batches_is_reminded_once(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=10, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=10)).await;
    city.settle().await;
    // as an older version planned it
    city.damage(
        "update dispatch.recipient_list l set recipients = o.recipients from dispatch.recipient_list o
          where l.alert_id = $1 and o.alert_id = $1 and o.batch_id < l.batch_id",
        alert_id,
    )
    .await;
    city.phones.take(Channel::App);
    city.forward(60);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [1, 2, 3, 4, 5]);
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn a_batch_that_cannot_be_read_keeps_no_other_out_of_the_window(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=30, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=30)).await;
    city.plan().await;
    // as many as the window holds
    city.damage(
        "update dispatch.recipient_list set recipients = '\\x' where alert_id = $1 and batch_id in (
             select batch_id from dispatch.batch where alert_id = $1 order by batch_id limit 2)",
        alert_id,
    )
    .await;
    while city.send_window().await > 0 {}
    assert_eq!(city.phones.take(Channel::App), (11..=30).collect::<Vec<_>>());
    assert_eq!(city.number(RINGING, alert_id).await, 1);
    assert_eq!(city.number("select count(*) from dispatch.batch where alert_id = $1 and state = 'ready'", alert_id).await, 2);
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn a_batch_that_cannot_be_read_keeps_nobody_else_from_the_reminder_and_the_inbox(#[case] store: Store) {
    let mut city = City::new(store).await;
    city.residents(1..=15, true, false, false).await;
    let audience = Audience::Query(AudienceQuery::everybody_in("500103".parse().unwrap()));
    let alert_id = city.approve(Urgent, alert(), audience).await;
    city.plan().await;
    while city.send_window().await > 0 {}
    city.damage(
        "update dispatch.recipient_list set recipients = '\\x' where alert_id = $1 and batch_id = (
             select min(batch_id) from dispatch.batch where alert_id = $1)",
        alert_id,
    )
    .await;
    // another process, which has gathered nobody of them yet
    city.planner = Arc::new(Planner::new(&city.platform, city.settings.clone(), Line::All));
    sqlx::query("update dispatch.alert set audience_revision = 0").execute(city.database().pool()).await.unwrap();
    city.settle().await;
    let known: Vec<u8> =
        sqlx::query_scalar("select audience_bitmap from dispatch.released_alert").fetch_one(city.database().pool()).await.unwrap();
    assert_eq!(roaring::RoaringBitmap::deserialize_from(&known[..]).unwrap(), (6..=15).collect());
    city.phones.take(Channel::App);
    city.forward(60);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), (6..=15).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_set_aside_keeps_no_clock_from_being_moved() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=5, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=5)).await;
    city.plan().await;
    while city.send_window().await > 0 {}
    sqlx::raw_sql(
        "create function dispatch.refuse() returns trigger language plpgsql as $$ begin raise exception 'deadlock'; end $$;
         create trigger refuse before update on dispatch.wave for each statement execute function dispatch.refuse()",
    )
    .execute(city.database().pool())
    .await
    .unwrap();
    let at_rest = async || crate::settled(&city.platform, &city.settings).await.unwrap();
    assert!(!at_rest().await, "the wave is to be closed");
    assert!(progress::close_wave(city.database(), city.clock()).await.unwrap());
    assert!(at_rest().await, "nothing is to be done before the clock moves");
    city.clock().forward(std::time::Duration::from_secs(1));
    assert!(!at_rest().await, "and then it is tried again");
    sqlx::raw_sql("drop trigger refuse on dispatch.wave").execute(city.database().pool()).await.unwrap();
    assert!(progress::close_wave(city.database(), city.clock()).await.unwrap());
    assert_eq!(city.state(alert_id).await, "active");
}
