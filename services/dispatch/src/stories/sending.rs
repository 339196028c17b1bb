//! What a sender hears, and goes on doing, while it has a batch in hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::alert::DeliveryClass::Urgent;
use domain::outcome::{Channel, Outcome};
use platform::BoxError;
use stages::{soon, until, views};
use tokio::sync::{Notify, Semaphore};

use super::city::{Phones, named};
use super::{City, Store, alert};
use crate::checked;
use crate::forecast::Capacity;
use crate::ledger::{BatchKey, Claimed};
use crate::settings::Settings;
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
        asks_every: Duration::ZERO,
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
async fn who_has_a_batch_in_hand_hears_at_once_that_it_is_being_checked_and_goes_on_when_it_holds() {
    let settings = WorkerSettings { checkpoint_every: 1000, lease_s: 36_000, ..WorkerSettings::default() };
    let (city, slow, worker, first) = with_a_slow_sender(settings).await;
    let alert_id = first.alert_id;
    let working = tokio::spawn(async move { worker.work(first).await });
    slow.may_go_on.notify_one();
    soon("three are sent", slow.went_on.notified()).await;
    views::held(&city.platform, alert_id, true).await;
    checked::on_held(&city.platform, alert_id).await.unwrap();
    soon("the sender gives it back", working).await.unwrap().unwrap();
    let waits =
        "select coalesce(sum(size - accepted), 0)::bigint from dispatch.batch where alert_id = $1 and state in ('ready', 'released')";
    assert_eq!(city.number(waits, alert_id).await, 7, "all but the three, and nobody is given up");

    // it holds: the word of the check has not faded yet, and keeps nobody from sending
    views::held(&city.platform, alert_id, false).await;
    checked::on_held(&city.platform, alert_id).await.unwrap();
    assert!(city.pump().await.contains(&first));
    city.worker::<false>().work(first).await.unwrap();
    assert_eq!(city.phones.take(Channel::App).len(), 2, "the rest of it, once");
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

/// Sends to half of each batch, then goes on when it may, and in the end waits to be told to stop.
struct Steady {
    phones: Arc<Phones>,
    half_done: AtomicUsize,
    may_go_on: Semaphore,
    stopped: AtomicUsize,
}

impl BatchChannel for Steady {
    const CHANNEL: Channel = Channel::Sms;

    async fn send(&self, batch: &Claimed, noted: &Noted) -> Result<Sent, BoxError> {
        for (sent, (position, no)) in batch.pending().enumerate() {
            if sent == 500 {
                self.half_done.fetch_add(1, Ordering::Relaxed);
                self.may_go_on.acquire().await.unwrap().forget();
            }
            if sent == 800 {
                noted.stopping().await;
            }
            if noted.is_stopping() {
                self.stopped.fetch_add(1, Ordering::Relaxed);
                break;
            }
            self.phones.sent.lock().unwrap().push((no.get(), Channel::Sms));
            noted.outcome(position, Outcome::Accepted);
            // others do what they have to do meanwhile
            tokio::task::yield_now().await;
        }
        Ok(Sent::Done)
    }
}

#[tokio::test]
async fn a_database_that_fails_for_a_while_has_nobody_told_twice() {
    let settings = Settings { batch_size: 1_000, sms_batch_size: 1_000, ..Settings::default() };
    let city = City::new(Store::Postgres).await.with(settings, Capacity::default());
    city.residents(1..=4_000, false, true, false).await;
    let alert_id = city.approve(Urgent, alert(), named(1..=4_000)).await;
    city.plan().await;
    let pump = city.new_pump();
    let batches = city.pump().await;
    let steady = Arc::new(Steady {
        phones: Arc::clone(&city.phones),
        half_done: AtomicUsize::new(0),
        may_go_on: Semaphore::new(0),
        stopped: AtomicUsize::new(0),
    });
    let worker = Arc::new(Worker {
        ledger: city.ledger.clone(),
        platform: city.platform.clone(),
        settings: WorkerSettings { checkpoint_every: 300, ..WorkerSettings::default() },
        holder: "steady".to_owned(),
        asks_every: Duration::from_secs(3_600),
        channel: Arc::clone(&steady),
    });
    let working: Vec<_> = batches
        .iter()
        .map(|batch| {
            let (worker, batch) = (Arc::clone(&worker), *batch);
            tokio::spawn(async move { worker.work(batch).await })
        })
        .collect();
    until("all are in the middle", async || steady.half_done.load(Ordering::Relaxed) == 4).await;

    sqlx::raw_sql(
        "create function dispatch.refuse() returns trigger language plpgsql as $$ begin raise exception 'the disk is full'; end $$;
         create trigger refuse before update on dispatch.batch for each statement execute function dispatch.refuse()",
    )
    .execute(city.database().pool())
    .await
    .unwrap();
    steady.may_go_on.add_permits(4);
    until("nobody sends any further", async || steady.stopped.load(Ordering::Relaxed) == 4).await;
    assert!(city.phones.sent.lock().unwrap().len() < 4_000);
    // and longer than their leases
    city.forward(1);
    assert!(pump.turn().await.is_err());
    sqlx::raw_sql("drop trigger refuse on dispatch.batch").execute(city.database().pool()).await.unwrap();
    assert_eq!(pump.turn().await.unwrap().recovered, 0, "the holders come first");

    for holder in working {
        soon("the holder has written what it knows", holder).await.unwrap().unwrap();
    }
    city.settle().await;
    let mut told = city.phones.take(Channel::Sms);
    told.sort_unstable();
    assert_eq!(told, (1..=4_000).collect::<Vec<_>>(), "everybody, each once");
    assert_eq!(city.state(alert_id).await, "active");
}

/// Sends to two, and to the others only as long as they are wanted.
struct Considerate;

impl BatchChannel for Considerate {
    const CHANNEL: Channel = Channel::App;

    async fn send(&self, batch: &Claimed, noted: &Noted) -> Result<Sent, BoxError> {
        noted.outcome(0, Outcome::Accepted);
        noted.outcome(1, Outcome::Accepted);
        while noted.is_wanted(3) {
            tokio::task::yield_now().await;
        }
        for (position, _) in batch.pending().skip(2).filter(|(position, _)| noted.is_wanted(*position)) {
            noted.outcome(position, Outcome::Accepted);
        }
        Ok(Sent::Done)
    }
}

#[tokio::test]
async fn who_acknowledges_while_their_batch_is_being_sent_is_left_out_of_the_rest() {
    let settings = WorkerSettings { checkpoint_every: 2, ..WorkerSettings::default() };
    let (city, _, worker, first) = with_a_slow_sender(settings).await;
    let worker = Worker {
        ledger: city.ledger.clone(),
        platform: city.platform.clone(),
        settings: worker.settings.clone(),
        holder: "considerate".to_owned(),
        asks_every: Duration::ZERO,
        channel: Arc::new(Considerate),
    };
    let claimed = city.ledger.claim(first, "considerate").await.unwrap().expect("released");
    // the first was told already, and the fourth is not yet
    city.acknowledge(first.alert_id, [1, 4]).await;
    soon("it is sent", worker.send(claimed)).await.unwrap();
    let counts: (i16, i16) = sqlx::query_as("select accepted, withdrawn from dispatch.batch where batch_id = $1")
        .bind(first.batch_id.get())
        .fetch_one(city.database().pool())
        .await
        .unwrap();
    assert_eq!(counts, (4, 1));
}
