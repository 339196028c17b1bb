//! What a sender hears, and goes on doing, while it has a batch in hand.

use std::sync::Arc;

use domain::alert::DeliveryClass::Urgent;
use domain::outcome::{Channel, Outcome};
use platform::BoxError;
use stages::{soon, until};
use tokio::sync::Notify;

use super::city::named;
use super::{City, Store, alert};
use crate::ledger::{BatchKey, Claimed};
use crate::worker::{BatchChannel, Noted, Sent, Worker, WorkerSettings};

/// Notes who was accepted when it is told to, and then waits to be told that it may stop.
#[derive(Default)]
struct Slow {
    may_go_on: Notify,
    went_on: Notify,
}

impl BatchChannel for Slow {
    const CHANNEL: Channel = Channel::App;

    async fn send(&self, _batch: &Claimed, noted: &Noted) -> Result<Sent, BoxError> {
        noted.outcome(0, Outcome::Accepted);
        noted.outcome(1, Outcome::Accepted);
        self.may_go_on.notified().await;
        noted.outcome(2, Outcome::Accepted);
        self.went_on.notify_one();
        noted.stopping().await;
        Ok(Sent::Done)
    }
}

/// An alert to ten, whose first batch a slow sender is about to take.
async fn with_a_slow_sender(settings: WorkerSettings) -> (City, Arc<Slow>, Arc<Worker<Slow>>, BatchKey) {
    let city = City::new(Store::Postgres).await;
    city.residents(1..=10, true, false, false).await;
    city.approve(Urgent, alert(), named(1..=10)).await;
    city.plan().await;
    let first = city.pump().await[0];
    let slow = Arc::new(Slow::default());
    let worker = Arc::new(Worker {
        ledger: city.ledger.clone(),
        platform: city.platform.clone(),
        settings,
        holder: "slow".to_owned(),
        channel: Arc::clone(&slow),
    });
    (city, slow, worker, first)
}

#[tokio::test]
async fn who_has_a_batch_in_hand_hears_of_a_stop_at_once() {
    // so that the next checkpoint is far away
    let settings = WorkerSettings { checkpoint_every: 1000, lease_s: 36_000, ..WorkerSettings::default() };
    let (city, slow, worker, first) = with_a_slow_sender(settings).await;
    let working = tokio::spawn(async move { worker.work(first).await });
    slow.may_go_on.notify_one();
    soon("three are sent", slow.went_on.notified()).await;
    city.hear_of_stop(first.alert_id).await;
    soon("the sender stops", working).await.unwrap().unwrap();
    city.withdraw().await;
    let withdrawn = "select sum(withdrawn)::bigint from dispatch.batch where alert_id = $1";
    assert_eq!(city.number(withdrawn, first.alert_id).await, 7, "all but the three");
}

#[tokio::test]
async fn what_comes_while_a_checkpoint_waits_for_the_database_is_taken_in() {
    let settings = WorkerSettings { checkpoint_every: 2, ..WorkerSettings::default() };
    let (city, slow, worker, first) = with_a_slow_sender(settings).await;
    let working = tokio::spawn(async move { worker.work(first).await });
    let claimed = "select count(*) from dispatch.batch where alert_id = $1 and state = 'claimed'";
    until("it is claimed", async || city.number(claimed, first.alert_id).await == 1).await;

    let mut others = city.database().begin().await.unwrap();
    sqlx::query("select from dispatch.batch where batch_id = $1 for update")
        .bind(first.batch_id.get())
        .execute(&mut *others)
        .await
        .unwrap();
    // a checkpoint of its two answers is due, and the lease's renewal later on: both wait for the row
    slow.may_go_on.notify_one();
    soon("the third is sent", slow.went_on.notified()).await;
    others.rollback().await.unwrap();
    city.hear_of_stop(first.alert_id).await;
    soon("the sender stops", working).await.unwrap().unwrap();
    assert_eq!(city.number("select sum(accepted)::bigint from dispatch.batch where alert_id = $1", first.alert_id).await, 3);
}
