//! People who come into an audience while it is planned, or afterwards: told once, whatever they do meanwhile.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::alert::DeliveryClass::{Routine, Urgent};
use domain::audience::{Audience, AudienceQuery, Selection};
use domain::cap::Status;
use domain::ids::AlertId;
use domain::outcome::{Channel, Outcome};
use proto::AlertHandedOver;
use roaring::RoaringBitmap;
use rstest::rstest;

use super::city::{named, noon};
use super::{City, Store, alert};
use crate::planning::{Line, Planner};

/// Where the residents of a story live unless they move, the community beside it, and one of another district.
const HOME: i64 = 500_103_001_001;
const NEXT_DOOR: i64 = 500_103_001_003;
const ELSEWHERE: i64 = 500_105_001_001;

/// Everybody counted in the first wave, and those of them whom nothing reaches.
const COUNTED: &str = "select recipients + no_channel from dispatch.wave where alert_id = $1 and wave = 1";
const NO_CHANNEL: &str = "select no_channel from dispatch.wave where alert_id = $1 and wave = 1";
/// What the batches say of everybody who is in one, each counted once.
const IN_BATCHES: &str = "select sum(size - retried - fell_back)::bigint from dispatch.batch where alert_id = $1 and wave = 1";

fn area(area: &str) -> Audience {
    Audience::Query(AudienceQuery::everybody_in(area.parse().unwrap()))
}

/// Two communities, gone through one after the other.
fn two_communities() -> Audience {
    let areas = [HOME, NEXT_DOOR].map(|community| community.to_string().parse().unwrap()).to_vec();
    Audience::Query(AudienceQuery { include: vec![Selection { areas, ..Selection::default() }], exclude: vec![] })
}

/// They have changed something that audiences ask about.
async fn arrive(city: &City, numbers: &[i32]) {
    sqlx::query("insert into resident.arrived (first_no, last_no) select n, n from unnest($1::int[]) as n")
        .bind(numbers)
        .execute(city.database().pool())
        .await
        .unwrap();
}

async fn register(city: &City, number: u32) {
    city.residents([number], true, true, false).await;
    arrive(city, &[number.cast_signed()]).await;
}

async fn lives(city: &City, numbers: &[i32], community: i64) {
    sqlx::query("update resident.reach set community = $2, township = $2 / 1000, district = $2 / 1000000 where resident_no = any($1)")
        .bind(numbers)
        .bind(community)
        .execute(city.database().pool())
        .await
        .unwrap();
}

async fn moves(city: &City, numbers: &[i32], community: i64) {
    lives(city, numbers, community).await;
    arrive(city, numbers).await;
}

async fn is_reached(city: &City, number: i32, reached: bool) {
    sqlx::query("update resident.reach set app = $2, sms = $2 where resident_no = $1")
        .bind(number)
        .bind(reached)
        .execute(city.database().pool())
        .await
        .unwrap();
    if reached {
        arrive(city, &[number]).await;
    }
}

/// Whose inbox shows the alert because they came late.
async fn late(city: &City, alert_id: AlertId) -> Vec<i32> {
    sqlx::query_scalar("select resident_no from dispatch.late_recipient where alert_id = $1 order by 1")
        .bind(alert_id.uuid())
        .fetch_all(city.database().pool())
        .await
        .unwrap()
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn who_registers_or_moves_into_the_area_is_told_once_and_who_was_told_is_not_told_again(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=8, true, true, false).await;
    lives(&city, &[6, 7, 8], ELSEWHERE).await;
    let alert_id = city.approve(Urgent, alert(), area("500103")).await;
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [1, 2, 3, 4, 5]);

    moves(&city, &[6], HOME).await;
    register(&city, 9).await;
    // out and back in, and within the district
    moves(&city, &[1], ELSEWHERE).await;
    moves(&city, &[1], HOME).await;
    moves(&city, &[2], NEXT_DOOR).await;
    // an arrival that concerns another alert, if any
    moves(&city, &[7], 500_105_001_003).await;
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [6, 9]);
    assert_eq!(late(&city, alert_id).await, [6, 9]);

    // leaving takes nothing back, and coming back tells nothing twice
    moves(&city, &[6], ELSEWHERE).await;
    moves(&city, &[6], HOME).await;
    city.settle().await;
    assert!(city.phones.take(Channel::App).is_empty());
    assert_eq!(city.number(COUNTED, alert_id).await, 7);
    assert_eq!(city.number(IN_BATCHES, alert_id).await, 7);
    let handed_over = city.told::<AlertHandedOver>().await;
    assert_eq!((handed_over.len(), handed_over[0].recipients), (1, 5));

    city.cancel(alert_id).await;
    register(&city, 10).await;
    city.settle().await;
    assert!(!city.phones.take(Channel::App).contains(&10), "what does not stand any more is told to no newcomer");
}

#[tokio::test]
async fn many_movers_are_told_together() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=40, true, true, false).await;
    lives(&city, &(11..=40).collect::<Vec<_>>(), ELSEWHERE).await;
    let alert_id = city.approve(Urgent, alert(), area("500103")).await;
    city.settle().await;
    city.phones.take(Channel::App);

    lives(&city, &(11..=40).collect::<Vec<_>>(), HOME).await;
    sqlx::query("insert into resident.arrived (first_no, last_no) values (11, 40)").execute(city.database().pool()).await.unwrap();
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), (11..=40).collect::<Vec<_>>());
    assert_eq!(
        city.number("select count(*) from dispatch.batch where alert_id = $1 and first_no > 10", alert_id).await,
        6,
        "batches of five"
    );
    assert_eq!(city.number(COUNTED, alert_id).await, 40);
}

/// The first leg is planned as far as resident 10 when they move.
#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn who_moves_while_the_planning_goes_on_is_told_exactly_once(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=30, true, true, false).await;
    lives(&city, &[1, 2, 3, 4, 5, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30], NEXT_DOOR).await;
    let alert_id = city.approve(Urgent, alert(), two_communities()).await;
    city.plan_chunk().await;
    assert_eq!(city.in_batches(alert_id, 1).await, (6..=10).collect());

    // from what is planned into what is not, the other way round, and there and back again
    moves(&city, &[7], NEXT_DOOR).await;
    moves(&city, &[2], HOME).await;
    moves(&city, &[3], HOME).await;
    moves(&city, &[3], NEXT_DOOR).await;
    // out of the audience before their turn, and into it below where the planning is
    moves(&city, &[30], ELSEWHERE).await;
    city.settle().await;

    let mut told = city.phones.take(Channel::App);
    told.sort_unstable();
    assert_eq!(told, (1..=29).collect::<Vec<_>>());
    assert_eq!((city.number(COUNTED, alert_id).await, city.number(IN_BATCHES, alert_id).await), (29, 29));
}

#[tokio::test]
async fn who_registers_while_the_planning_goes_on_is_told_exactly_once() {
    let city = City::new(Store::Postgres).await;
    city.residents(2..=20, true, true, false).await;
    let alert_id = city.approve(Urgent, alert(), area("city")).await;
    city.plan_chunk().await;
    // one whose number lies before what is planned, as when their registration was committed late, and one beyond everybody
    register(&city, 1).await;
    register(&city, 99).await;
    city.settle().await;
    let mut told = city.phones.take(Channel::App);
    told.sort_unstable();
    assert_eq!(told, (1..=20).chain([99]).collect::<Vec<_>>());
    assert_eq!(city.number(COUNTED, alert_id).await, 21);
}

#[tokio::test]
async fn who_deletes_everything_or_takes_consent_back_while_the_planning_goes_on_is_counted_as_what_they_are() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=20, true, true, false).await;
    let alert_id = city.approve(Urgent, alert(), area("city")).await;
    city.plan_chunk().await;
    is_reached(&city, 15, false).await;
    sqlx::query("delete from resident.reach where resident_no in (3, 16)").execute(city.database().pool()).await.unwrap();
    city.settle().await;
    assert_eq!(city.in_batches(alert_id, 1).await, (1..=20).filter(|number| ![15, 16].contains(number)).collect());
    assert_eq!((city.number(COUNTED, alert_id).await, city.number(NO_CHANNEL, alert_id).await), (19, 1));
    assert!(late(&city, alert_id).await.is_empty());
}

#[rstest]
#[case::of_an_area(area("city"))]
#[case::of_people_by_name(named(1..=5))]
#[tokio::test]
async fn who_gives_consent_again_is_told_and_counted_once(#[case] audience: Audience) {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=5, true, true, false).await;
    is_reached(&city, 3, false).await;
    let alert_id = city.approve(Urgent, alert(), audience).await;
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [1, 2, 4, 5]);
    assert_eq!((city.number(COUNTED, alert_id).await, city.number(NO_CHANNEL, alert_id).await), (5, 1));

    is_reached(&city, 3, true).await;
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [3]);
    assert_eq!((city.number(COUNTED, alert_id).await, city.number(NO_CHANNEL, alert_id).await), (5, 0));
}

#[tokio::test]
async fn an_exercise_comes_to_who_enrols_and_to_nobody_else() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=3, true, true, true).await;
    city.residents(4..=6, true, true, false).await;
    let exercise = domain::alert::AlertContent { status: Status::Exercise, ..alert() };
    let alert_id = city.approve(Urgent, exercise, area("city")).await;
    city.settle().await;
    sqlx::query("update resident.reach set drill = true where resident_no = 4").execute(city.database().pool()).await.unwrap();
    arrive(&city, &[4, 5]).await;
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [1, 2, 3, 4]);
    assert_eq!(late(&city, alert_id).await, [4]);
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn at_night_a_newcomer_finds_a_routine_alert_in_the_inbox_and_is_told_in_the_morning(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=5, true, true, false).await;
    city.clock().set(noon() + TimeDelta::hours(9));
    let alert_id = city.approve(Routine, alert(), area("city")).await;
    city.settle().await;
    city.clock().set(noon() + TimeDelta::hours(11));
    register(&city, 6).await;
    register(&city, 7).await;
    city.settle().await;
    assert_eq!(late(&city, alert_id).await, [6, 7]);
    assert_eq!(city.phones.take(Channel::App), [1, 2, 3, 4, 5], "23:00");
    assert_eq!(city.state(alert_id).await, "active", "the alert was handed over in time");

    city.clock().set(noon() + TimeDelta::hours(19));
    while city.send_window().await > 0 {}
    assert_eq!(city.phones.take(Channel::App), [6, 7], "07:00");
}

#[tokio::test]
async fn who_waits_for_the_morning_is_not_told_what_was_cancelled_in_the_night() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=5, true, true, false).await;
    city.clock().set(noon() + TimeDelta::hours(9));
    let alert_id = city.approve(Routine, alert(), area("city")).await;
    city.settle().await;
    city.clock().set(noon() + TimeDelta::hours(11));
    register(&city, 6).await;
    city.settle().await;
    city.cancel(alert_id).await;
    city.clock().set(noon() + TimeDelta::hours(19));
    city.settle().await;
    assert!(!city.phones.take(Channel::App).contains(&6));
    assert_eq!((city.number(COUNTED, alert_id).await, city.number(IN_BATCHES, alert_id).await), (6, 6));
    assert_eq!(city.number("select sum(accepted)::bigint from dispatch.batch where alert_id = $1 and wave = 1", alert_id).await, 5);
    assert_eq!(city.number("select sum(withdrawn)::bigint from dispatch.batch where alert_id = $1 and wave = 1", alert_id).await, 1);
}

#[tokio::test]
async fn the_hand_over_of_an_alert_waits_for_no_newcomer() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=3, true, true, false).await;
    city.phones.answers.lock().unwrap().extend([(1, vec![Outcome::Temporary]), (4, vec![Outcome::Temporary; 3])]);
    let alert_id = city.approve(Urgent, alert(), area("city")).await;
    city.settle().await;
    city.forward(1);
    register(&city, 4).await;
    city.settle().await;
    assert_eq!(city.state(alert_id).await, "active", "4 is tried again later");
    let handed_over = city.told::<AlertHandedOver>().await;
    assert_eq!((handed_over.len(), handed_over[0].unreachable), (1, 0));
    city.forward(5);
    city.settle().await;
    assert!(city.phones.take(Channel::App).contains(&4));
    assert_eq!(city.number(IN_BATCHES, alert_id).await, 4);
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn planners_of_two_processes_tell_everybody_once(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=60, true, true, false).await;
    lives(&city, &(31..=60).collect::<Vec<_>>(), NEXT_DOOR).await;
    let alert_id = city.approve(Urgent, alert(), two_communities()).await;
    let other = Arc::new(Planner::new(&city.platform, city.settings.clone(), Line::Urgent));
    for moving in 1..=20 {
        moves(&city, &[moving], if moving % 2 == 0 { NEXT_DOOR } else { HOME }).await;
        moves(&city, &[60 - moving], if moving % 3 == 0 { NEXT_DOOR } else { HOME }).await;
        register(&city, 100 + moving.unsigned_abs()).await;
        let (one, two) = tokio::join!(city.planner.turn(), other.turn());
        one.unwrap();
        two.unwrap();
    }
    city.settle().await;
    let mut told = city.phones.take(Channel::App);
    told.sort_unstable();
    assert_eq!(told, (1..=60).chain(101..=120).collect::<Vec<_>>());
    assert_eq!((city.number(COUNTED, alert_id).await, city.number(IN_BATCHES, alert_id).await), (80, 80));
}

/// As after a restore from the dump of a server that had made more transactions.
#[tokio::test]
async fn in_a_restored_database_newcomers_are_told_all_the_same() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=2, true, true, false).await;
    city.approve(Urgent, alert(), area("city")).await;
    city.settle().await;
    sqlx::query("update dispatch.arrivals_seen set tx = '900000000000', seen = 7").execute(city.database().pool()).await.unwrap();
    register(&city, 3).await;
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [1, 2, 3]);
}

/// Between two publications whoever is in a batch is found there.
#[tokio::test]
async fn an_audience_that_grows_is_published_every_few_seconds_and_is_whole_in_the_ledger_at_once() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=90, true, true, false).await;
    let alert_id = city.approve(Urgent, alert(), area("500103")).await;
    let published = async || {
        let bitmap: Vec<u8> =
            sqlx::query_scalar("select audience_bitmap from dispatch.released_alert").fetch_one(city.database().pool()).await.unwrap();
        RoaringBitmap::deserialize_from(&bitmap[..]).unwrap()
    };
    for _ in 0..5 {
        city.plan_chunk().await;
    }
    assert_eq!(published().await, (1..=35).collect(), "four chunks of five");
    let ranges = "select count(*) from dispatch.recipient_range where alert_id = $1 and 45 between first_no and last_no";
    assert_eq!(city.number(ranges, alert_id).await, 1);
    assert_eq!(city.number("select count(*) from dispatch.growing_alert where alert_id = $1", alert_id).await, 1);

    city.clock().forward(5 * stages::SECOND);
    city.plan_chunk().await;
    assert_eq!(published().await, (1..=55).collect());
    city.settle().await;
    assert_eq!(published().await, (1..=90).collect());
    assert_eq!(city.number("select count(*) from dispatch.growing_alert where alert_id = $1", alert_id).await, 0);
}
