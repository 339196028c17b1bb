//! Several holders, leases that end, and workers that are told to stop.

use std::sync::Arc;

use domain::alert::DeliveryClass::{Routine, Urgent};
use domain::outcome::{Channel, Outcome};
use futures::future::join_all;
use platform::BoxError;
use rstest::rstest;

use super::city::named;
use super::{City, Store, alert};
use crate::Error;
use crate::ledger::{Claimed, Report};
use crate::worker::{BatchChannel, Noted, Sent, Worker, WorkerSettings};

fn report(claimed: &Claimed, answers: &[Outcome]) -> Report {
    let mut outcomes = claimed.outcomes.clone();
    for (position, answer) in answers.iter().enumerate() {
        outcomes.set(position, *answer);
    }
    Report { outcomes, gone: vec![], first_hand_over_at: None, retry_after: None }
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
    let mut dead = city.ledger.claim(batch, "dies").await.unwrap().expect("released");
    let so_far = report(&dead, &[Outcome::Accepted, Outcome::Accepted]);
    city.ledger.checkpoint(&mut dead, &so_far).await.unwrap();

    assert!(city.pump().await.is_empty(), "the lease holds");
    city.forward(1);
    assert_eq!(city.pump().await, [batch], "and ends");
    let next = city.ledger.claim(batch, "goes on").await.unwrap().expect("released again");
    assert_eq!(next.pending().map(|(_, no)| no.get()).collect::<Vec<_>>(), [3, 4, 5]);

    // The first holder was only slow.
    assert!(matches!(city.ledger.checkpoint(&mut dead, &so_far).await, Err(Error::LeaseLost(lost)) if lost == batch.batch_id));
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
