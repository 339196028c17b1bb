//! Several holders, leases that end, and workers that are told to stop.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::alert::DeliveryClass;
use domain::alert::DeliveryClass::{Routine, Urgent};
use domain::forecast::LaneRate;
use domain::outcome::{Channel, Outcome};
use futures::future::join_all;
use platform::BoxError;
use rstest::rstest;
use stages::until;

use super::city::{named, noon};
use super::{City, Store, alert};
use crate::Error;
use crate::forecast::Capacity;
use crate::ledger::{Claimed, Report};
use crate::pump::sized;
use crate::settings::Settings;
use crate::worker::{BatchChannel, Noted, Sent, Worker, WorkerSettings};

fn report(claimed: &Claimed, answers: &[Outcome]) -> Report {
    let mut outcomes = claimed.outcomes.clone();
    for (position, answer) in answers.iter().enumerate() {
        outcomes.set(position, *answer);
    }
    Report { outcomes, gone: vec![], again: vec![], first_hand_over_at: None, retry_after: None }
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn two_workers_never_hold_one_batch(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=10, true, false, false).await;
    city.approve(Routine, alert(), named(1..=10)).await;
    city.plan().await;
    for batch in city.pump().await {
        let claims = join_all((0..8).map(|_| city.ledger.claim(batch, "one of many"))).await;
        let held = claims.into_iter().filter_map(|claim| claim.unwrap()).count();
        assert_eq!(held, 1);
    }
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn a_lease_that_ends_hands_the_batch_on_from_its_checkpoint(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=5, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=5)).await;
    city.plan().await;
    let batch = city.pump().await[0];
    let dead = city.ledger.claim(batch, "dies").await.unwrap().expect("released");
    let so_far = report(&dead, &[Outcome::Accepted, Outcome::Accepted]);
    city.ledger.checkpoint(&dead, &so_far).await.unwrap();

    assert!(city.pump().await.is_empty(), "the lease holds");
    city.forward(1);
    assert_eq!(city.pump().await, [batch], "and ends");
    let next = city.ledger.claim(batch, "goes on").await.unwrap().expect("released again");
    assert_eq!(next.pending().map(|(_, no)| no.get()).collect::<Vec<_>>(), [3, 4, 5]);

    // The first holder was only slow.
    assert!(matches!(city.ledger.checkpoint(&dead, &so_far).await, Err(Error::LeaseLost(lost)) if lost == batch.batch_id));
    assert!(matches!(city.ledger.close(dead.clone(), so_far.clone()).await, Err(Error::LeaseLost(_))));
    assert!(matches!(city.ledger.release(dead, so_far, city.clock().now()).await, Err(Error::LeaseLost(_))));
    let all = report(&next, &[Outcome::Accepted; 5]);
    city.ledger.close(next, all).await.unwrap();
    city.settle().await;
    assert_eq!(city.state(alert_id).await, "active");
}

#[rstest]
#[case::embedded(Store::Embedded)]
#[case::postgres(Store::Postgres)]
#[tokio::test]
async fn a_batch_is_closed_once_and_makes_exactly_one_retry_batch(#[case] store: Store) {
    let city = City::new(store).await;
    city.residents(1..=5, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=5)).await;
    city.plan().await;
    let batch = city.pump().await[0];
    let claimed = city.ledger.claim(batch, "holder").await.unwrap().expect("released");
    let report = report(&claimed, &[Outcome::Accepted, Outcome::Temporary, Outcome::Accepted, Outcome::Temporary, Outcome::Accepted]);
    city.ledger.close(claimed.clone(), report.clone()).await.unwrap();
    assert!(matches!(city.ledger.close(claimed, report).await, Err(Error::LeaseLost(_))));
    assert_eq!(city.number("select count(*) from dispatch.batch where alert_id = $1", alert_id).await, 2);
    city.forward(1);
    let retry = city.ledger.claim(city.pump().await[0], "holder").await.unwrap().expect("due");
    assert_eq!((retry.attempt(), retry.recipients.as_slice()), (2, &[2, 4][..]));
}

#[tokio::test]
async fn a_released_batch_that_nobody_claims_is_released_again() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=5, true, false, false).await;
    city.approve(Routine, alert(), named(1..=5)).await;
    city.plan().await;
    let lost = city.pump().await;
    city.forward(1);
    assert_eq!(city.pump().await, lost);
}

#[tokio::test]
async fn a_lease_that_has_ended_costs_its_holder_nothing_as_long_as_nobody_else_has_the_batch() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=10, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=10)).await;
    city.plan().await;
    let batches = city.pump().await;
    let closes = city.ledger.claim(batches[0], "slow").await.unwrap().expect("released");
    let gives_back = city.ledger.claim(batches[1], "slow").await.unwrap().expect("released");
    city.forward(1);
    assert_eq!(city.pump().await, batches, "their leases have ended");

    let all = report(&closes, &[Outcome::Accepted; 5]);
    city.ledger.close(closes, all).await.unwrap();
    let some = report(&gives_back, &[Outcome::Accepted; 3]);
    city.ledger.release(gives_back.clone(), some.clone(), city.clock().now()).await.unwrap();
    // as it is tried again where the answer to the first try was lost
    city.ledger.release(gives_back, some, city.clock().now()).await.unwrap();
    assert!(city.ledger.claim(batches[0], "another").await.unwrap().is_none(), "it is closed");
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [9, 10], "who was told is not told again");
    assert_eq!(city.state(alert_id).await, "active");
}

#[tokio::test]
async fn leases_go_by_the_clock_of_the_database() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=5, true, false, false).await;
    city.approve(Urgent, alert(), named(1..=5)).await;
    city.plan().await;
    let batch = city.pump().await[0];
    city.ledger.claim(batch, "holder").await.unwrap().expect("released");
    // the clocks of holder and pump stand still
    sqlx::raw_sql(
        "create or replace function dispatch.lease_clock(ahead double precision) returns timestamptz language sql volatile
             as $$ select clock_timestamp() + make_interval(secs => ahead) + interval '1 minute' $$",
    )
    .execute(city.database().pool())
    .await
    .unwrap();
    assert_eq!(city.turn_pump().await.recovered, 1);
}

#[tokio::test]
async fn what_a_dead_process_held_goes_on_after_a_restart_although_the_clock_stands_still() {
    let settings = Settings { lease_s: 1, ..Settings::default() };
    let city = City::new(Store::Postgres).await.with(settings, Capacity::default());
    city.residents(1..=5, true, false, false).await;
    city.approve(Urgent, alert(), named(1..=5)).await;
    city.plan().await;
    let batch = city.pump().await[0];
    city.ledger.claim(batch, "dies").await.unwrap().expect("released");
    city.forward(1);

    let restarted = city.new_pump().starting();
    assert_eq!(restarted.turn().await.unwrap().recovered, 0, "its holder may live, and comes first");
    // nobody moves the clock any more
    until("its holder has not come", async || restarted.turn().await.unwrap().recovered == 1).await;
    assert!(city.ledger.claim(batch, "goes on").await.unwrap().is_some());
}

#[tokio::test]
async fn what_merely_waits_at_holders_who_are_at_work_is_not_released_again() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=10, true, false, false).await;
    city.approve(Urgent, alert(), named(1..=10)).await;
    city.plan().await;
    let batches = city.pump().await;
    let at_work = city.ledger.claim(batches[0], "holder").await.unwrap().expect("released");
    for _ in 0..4 {
        city.clock().forward(Duration::from_secs(20));
        city.ledger.checkpoint(&at_work, &report(&at_work, &[])).await.unwrap();
        let pumped = city.turn_pump().await;
        assert_eq!((pumped.recovered, pumped.released), (0, 0), "the second waits for the first");
    }
    let all = report(&at_work, &[Outcome::Accepted; 5]);
    city.ledger.close(at_work, all).await.unwrap();
    assert_eq!(city.pump().await, batches[1..], "nobody is at work, and it is not claimed: it was lost");
    let claimed = city.ledger.claim(batches[1], "holder").await.unwrap().expect("released");
    assert!(!claimed.was_held_before(), "nobody has held it");
}

#[tokio::test]
async fn a_batch_that_was_lost_on_its_way_does_not_wait_for_the_end_of_all_others() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=10, true, false, false).await;
    city.approve(Urgent, alert(), named(1..=10)).await;
    city.plan().await;
    let batches = city.pump().await;
    let at_work = city.ledger.claim(batches[0], "holder").await.unwrap().expect("released");
    for _ in 0..17 {
        city.clock().forward(Duration::from_secs(20));
        city.ledger.checkpoint(&at_work, &report(&at_work, &[])).await.unwrap();
    }
    assert_eq!(city.pump().await, batches[1..]);
}

/// An SMS centre that takes `per_second` parts, and batches of it as dispatch cuts them.
async fn with_a_slow_centre(per_second: f64) -> City {
    let capacity = Capacity { sms: LaneRate::Granted(per_second), ..Capacity::default() };
    City::new(Store::Postgres).await.with(sized(Settings::default(), &capacity), capacity)
}

#[rstest]
#[case::urgent(Urgent, 100.0)]
#[case::routine(Routine, 25.0)]
#[tokio::test]
async fn a_great_alert_that_cannot_hold_its_deadline_takes_no_small_one_along(#[case] class: DeliveryClass, #[case] per_second: f64) {
    let city = with_a_slow_centre(per_second).await;
    city.residents(1..=100_010, false, true, false).await;
    let great = city.approve(class, alert(), named(1..=100_000)).await;
    city.plan().await;
    let on_its_way = city.pump().await;
    assert!(on_its_way.iter().all(|batch| batch.alert_id == great) && on_its_way.len() >= 2);
    assert!(city.number("select sum(size)::bigint from dispatch.batch where alert_id = $1 and state = 'released'", great).await <= 1_000);

    city.clock().forward(Duration::from_secs(20));
    let small = city.approve(class, alert(), named(100_001..=100_010)).await;
    city.plan().await;
    assert!(city.pump().await.iter().any(|batch| batch.alert_id == small), "although the window is full of the great one");
}

#[tokio::test]
async fn of_two_great_alerts_the_later_has_a_share_of_what_is_sent() {
    let city = with_a_slow_centre(1_000.0).await;
    city.residents(1..=80_000, false, true, false).await;
    let first = city.approve(Routine, alert(), named(1..=40_000)).await;
    city.forward(1);
    city.approve(Routine, alert(), named(40_001..=80_000)).await;
    city.plan().await;
    let (of_first, of_second): (Vec<_>, Vec<_>) = city.pump().await.into_iter().partition(|batch| batch.alert_id == first);
    assert_eq!((of_first.len(), of_second.len()), (6, 1), "of 7,500 people who are told in half a lease");
}

#[tokio::test]
async fn who_acknowledged_before_the_turn_of_a_retry_or_a_fallback_is_left_out() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=5, true, true, false).await;
    let answers = [(1, Outcome::EndpointGone), (2, Outcome::EndpointGone), (3, Outcome::Temporary), (4, Outcome::Temporary)];
    city.phones.answers.lock().unwrap().extend(answers.map(|(number, answer)| (number, vec![answer])));
    let alert_id = city.approve(Urgent, alert(), named(1..=5)).await;
    city.plan().await;
    city.send_window().await;
    city.phones.take(Channel::App);
    // in the app's inbox, which shows it whatever became of the push
    city.acknowledge(alert_id, [1, 3]).await;
    city.forward(1);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::Sms), [2]);
    assert_eq!(city.phones.take(Channel::App), [4]);
    assert_eq!(city.state(alert_id).await, "active");
}

#[tokio::test]
async fn who_read_it_in_the_evening_is_not_told_in_the_morning() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=20, true, false, false).await;
    city.clock().set(noon() + TimeDelta::minutes(9 * 60 + 50));
    let alert_id = city.approve(Routine, alert(), named(1..=20)).await;
    city.plan().await;
    assert_eq!(city.send_window().await, 2);
    assert_eq!(city.phones.take(Channel::App), (1..=10).collect::<Vec<_>>());
    city.forward(15);
    city.acknowledge(alert_id, [12, 19]).await;
    city.clock().set(noon() + TimeDelta::hours(19));
    city.settle().await;
    // the first ten are reminded
    let told: Vec<u32> = city.phones.take(Channel::App).into_iter().filter(|number| *number > 10).collect();
    assert_eq!(told, (11..=20).filter(|number| ![12, 19].contains(number)).collect::<Vec<_>>());
}

#[tokio::test]
async fn who_acknowledged_while_a_batch_was_given_back_is_left_out_of_the_rest() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=5, true, false, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=5)).await;
    city.plan().await;
    let batch = city.pump().await[0];
    let held = city.ledger.claim(batch, "holder").await.unwrap().expect("released");
    let some = report(&held, &[Outcome::Accepted]);
    city.ledger.release(held, some, city.clock().now()).await.unwrap();
    city.acknowledge(alert_id, [3]).await;
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [2, 4, 5]);
}

#[tokio::test]
async fn an_urgent_alert_goes_on_by_sms_when_a_provider_refuses_our_credentials_for_minutes() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=3, true, true, false).await;
    city.residents([4], true, false, false).await;
    city.phones.answers.lock().unwrap().extend([2, 3, 4].map(|number| (number, vec![Outcome::CredentialsRefused; 8])));
    let alert_id = city.approve(Urgent, alert(), named(1..=4)).await;
    city.settle().await;
    for _ in 0..2 {
        city.forward(1);
        city.settle().await;
    }
    assert!(city.phones.take(Channel::Sms).is_empty(), "an operator may mend them");
    city.forward(1);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::Sms), [2, 3]);
    assert_eq!(city.state(alert_id).await, "dispatching", "who has no phone goes on waiting");
    city.phones.answers.lock().unwrap().clear();
    city.phones.take(Channel::App);
    city.forward(2);
    city.settle().await;
    assert_eq!(city.phones.take(Channel::App), [4], "and is told when they are mended");
    assert_eq!(city.state(alert_id).await, "active");
}

#[tokio::test]
async fn a_routine_alert_waits_for_mended_credentials_until_it_is_due_soon() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=3, true, true, false).await;
    city.phones.answers.lock().unwrap().insert(2, vec![Outcome::CredentialsRefused; 200]);
    let alert_id = city.approve(Routine, alert(), named(1..=3)).await;
    city.settle().await;
    city.acknowledge(alert_id, [1, 3]).await;
    for _ in 0..89 {
        city.forward(1);
        city.settle().await;
    }
    assert!(city.phones.take(Channel::Sms).is_empty());
    for _ in 0..3 {
        city.forward(1);
        city.settle().await;
    }
    // the SMS centre refuses as well, until it is mended
    let mut told = city.phones.take(Channel::Sms);
    told.dedup();
    assert_eq!(told, [2]);
    city.phones.answers.lock().unwrap().clear();
    city.forward(1);
    city.settle().await;
    assert_eq!(city.state(alert_id).await, "active");
}

/// Sends to one, then waits to be told to stop.
struct Patient;

impl BatchChannel for Patient {
    const CHANNEL: Channel = Channel::App;

    async fn send(&self, batch: &Claimed, noted: &Noted) -> Result<Sent, BoxError> {
        if let Some((position, _)) = batch.pending().next() {
            noted.outcome(position, Outcome::Accepted);
        }
        noted.stopping().await;
        Ok(Sent::Done)
    }
}

fn patient(city: &City) -> Worker<Patient> {
    Worker {
        ledger: city.ledger.clone(),
        platform: city.platform.clone(),
        settings: WorkerSettings { checkpoint_every: 1, ..WorkerSettings::default() },
        holder: "patient".to_owned(),
        asks_every: Duration::ZERO,
        channel: Arc::new(Patient),
    }
}

#[tokio::test]
async fn a_worker_stops_in_the_middle_of_a_batch_whose_alert_is_cancelled() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=5, true, true, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=5)).await;
    city.plan().await;
    let batch = city.pump().await[0];
    // Cancelled between claim and checkpoint: the first checkpoint is after one recipient.
    let worker = patient(&city);
    let claimed = city.ledger.claim(batch, "patient").await.unwrap().expect("released");
    city.cancel(alert_id).await;
    worker.send(claimed).await.unwrap();
    let counts: (i16, i16) =
        sqlx::query_as("select accepted, withdrawn from dispatch.batch").fetch_one(city.database().pool()).await.unwrap();
    assert_eq!(counts, (1, 4));
}

#[tokio::test]
async fn a_worker_that_is_told_to_stop_gives_the_rest_of_its_batch_back() {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=5, true, true, false).await;
    city.approve(Urgent, alert(), named(1..=5)).await;
    city.plan().await;
    let batch = city.pump().await[0];
    city.platform.tasks.token().cancel();
    patient(&city).work(batch).await.unwrap();
    assert_eq!(city.pump().await, [batch], "at once, not after the lease");
    let rest = city.ledger.claim(batch, "another").await.unwrap().expect("released again");
    assert_eq!(rest.pending().map(|(_, no)| no.get()).collect::<Vec<_>>(), [2, 3, 4, 5]);
}
