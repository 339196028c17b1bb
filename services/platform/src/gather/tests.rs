//! What is promised of gathering, on batches that the test holds up and lets go.

use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};

use super::*;

const HOUR: Duration = Duration::from_secs(3600);
const POISON: u32 = 666;
const BOMB: u32 = 667;
const OUTAGE: u32 = 668;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Refused {
    #[error("{POISON} is not taken")]
    Poison,
    #[error("nobody answers")]
    Outage,
}

/// Tells the test of every batch and doubles its items once it may.
struct Held {
    begun: mpsc::UnboundedSender<Vec<u32>>,
    gate: Arc<Semaphore>,
}

impl Batch for Held {
    type Item = u32;
    type Answer = u32;
    type Error = Refused;

    async fn run(&self, items: &[u32]) -> Result<Vec<u32>, Refused> {
        // a test that has ended listens no more
        let _ = self.begun.send(items.to_vec());
        self.gate.acquire().await.expect("the gate is never closed").forget();
        assert!(!items.contains(&BOMB), "on purpose");
        match items {
            items if items.contains(&OUTAGE) => Err(Refused::Outage),
            items if items.contains(&POISON) => Err(Refused::Poison),
            items => Ok(items.iter().map(|item| item * 2).collect()),
        }
    }

    fn may_blame_an_item(error: &Refused) -> bool {
        *error == Refused::Poison
    }
}

struct Scene {
    gather: Gather<Held>,
    tasks: Tasks,
    gate: Arc<Semaphore>,
    begun: mpsc::UnboundedReceiver<Vec<u32>>,
}

type Answer = tokio::task::JoinHandle<Result<u32, Failure<Refused>>>;

impl Scene {
    fn new(batches: usize, items: usize) -> Self {
        let (told, begun) = mpsc::unbounded_channel();
        let (gate, tasks) = (Arc::new(Semaphore::new(0)), Tasks::new());
        let gather = Gather::new(&tasks, "held", Limits { batches, items }, Held { begun: told, gate: Arc::clone(&gate) });
        Self { gather, tasks, gate, begun }
    }

    /// Callers that have handed their items in when this returns.
    async fn ask(&self, items: impl IntoIterator<Item = u32>) -> Vec<Answer> {
        let asked = items.into_iter().map(|item| {
            let gather = self.gather.clone();
            tokio::spawn(async move { gather.ask(item).await })
        });
        let answers = asked.collect();
        // the one thread of the test turns to them in the order in which they were started
        tokio::task::yield_now().await;
        answers
    }

    async fn next_batch(&mut self) -> Vec<u32> {
        tokio::time::timeout(HOUR, self.begun.recv()).await.expect("in time").expect("a batch begins")
    }

    fn let_go(&self, batches: usize) {
        self.gate.add_permits(batches);
    }

    /// A first batch that is under way, so that others gather.
    async fn busy(&mut self) -> Answer {
        let mut first = self.ask([0]).await;
        assert_eq!(self.next_batch().await, [0]);
        first.remove(0)
    }
}

async fn answers(asked: Vec<Answer>) -> Vec<Result<u32, Failure<Refused>>> {
    let mut answers = Vec::new();
    for answer in asked {
        answers.push(answer.await.expect("the caller lives"));
    }
    answers
}

async fn told(asked: Vec<Answer>) -> Vec<Result<u32, String>> {
    answers(asked).await.into_iter().map(|answer| answer.map_err(|failure| failure.to_string())).collect()
}

#[tokio::test]
async fn while_a_batch_is_under_way_the_next_one_gathers_and_each_caller_gets_their_own_answer() {
    let mut scene = Scene::new(1, 100);
    let first = scene.busy().await;
    let others = scene.ask(1..=5).await;
    scene.let_go(1);
    assert_eq!(scene.next_batch().await, [1, 2, 3, 4, 5]);
    scene.let_go(1);
    assert_eq!(told(others).await, [2, 4, 6, 8, 10].map(Ok));
    assert_eq!(first.await.unwrap().unwrap(), 0);
}

#[tokio::test]
async fn no_more_batches_are_under_way_and_no_batch_is_larger_than_the_limits_say() {
    let mut scene = Scene::new(2, 3);
    let first = scene.busy().await;
    let second = scene.ask([1]).await;
    assert_eq!(scene.next_batch().await, [1]);
    let others = scene.ask(2..=6).await;
    assert!(scene.begun.try_recv().is_err(), "two are under way");
    scene.let_go(1);
    assert_eq!(scene.next_batch().await, [2, 3, 4], "in the order of asking");
    scene.let_go(3);
    assert_eq!(scene.next_batch().await, [5, 6]);
    assert_eq!(told(others).await, [4, 6, 8, 10, 12].map(Ok));
    drop((first, second));
}

#[tokio::test]
async fn who_asks_while_a_batch_is_under_way_is_answered_by_a_later_one() {
    let mut scene = Scene::new(1, 100);
    let first = scene.busy().await;
    let late = scene.ask([0]).await;
    scene.let_go(1);
    first.await.unwrap().unwrap();
    assert_eq!(scene.next_batch().await, [0], "the same question is asked again");
    assert!(!late[0].is_finished());
    scene.let_go(1);
    assert_eq!(told(late).await, [Ok(0)]);
}

#[tokio::test]
async fn an_item_that_spoils_its_batch_fails_alone() {
    let mut scene = Scene::new(1, 100);
    let first = scene.busy().await;
    let asked = scene.ask([1, 2, POISON, 4, 5, 6, 7, POISON]).await;
    scene.let_go(100);
    let refused = || Err(Refused::Poison.to_string());
    assert_eq!(told(asked).await, [Ok(2), Ok(4), refused(), Ok(8), Ok(10), Ok(12), Ok(14), refused()]);
    assert_eq!(scene.next_batch().await.len(), 8);
    drop(first);
}

#[tokio::test]
async fn a_failure_that_is_no_items_fault_is_told_to_all_and_not_tried_again() {
    let mut scene = Scene::new(1, 100);
    let first = scene.busy().await;
    let asked = scene.ask([1, OUTAGE, 3]).await;
    scene.let_go(100);
    for answer in answers(asked).await {
        assert!(matches!(answer, Err(Failure::Batch(error)) if *error == Refused::Outage));
    }
    assert_eq!(scene.next_batch().await, [1, OUTAGE, 3]);
    assert!(scene.begun.try_recv().is_err());
    drop(first);
}

#[tokio::test]
async fn a_batch_that_panics_fails_its_own_callers_and_the_next_one_runs() {
    let mut scene = Scene::new(1, 2);
    let first = scene.busy().await;
    let asked = scene.ask([1, BOMB, 3]).await;
    scene.let_go(100);
    let broken_off = || Err(Failure::<Refused>::BrokenOff.to_string());
    assert_eq!(told(asked).await, [broken_off(), broken_off(), Ok(6)]);
    drop(first);
}

#[tokio::test]
async fn what_was_handed_in_is_done_although_its_caller_has_gone() {
    let mut scene = Scene::new(1, 100);
    let first = scene.busy().await;
    let mut asked = scene.ask([1, 2]).await;
    asked.remove(0).abort();
    first.abort();
    scene.let_go(2);
    assert_eq!(scene.next_batch().await, [1, 2]);
    assert_eq!(told(asked).await, [Ok(4)]);
}

#[tokio::test]
async fn a_stop_waits_for_what_was_handed_in() {
    let mut scene = Scene::new(1, 100);
    let first = scene.busy().await;
    let asked = scene.ask([1, 2]).await;
    let (tasks, gate) = (scene.tasks.clone(), Arc::clone(&scene.gate));
    let stopped = tokio::spawn(async move { tasks.shutdown(HOUR).await });
    tokio::task::yield_now().await;
    assert!(!stopped.is_finished());
    gate.add_permits(2);
    assert!(stopped.await.unwrap());
    assert_eq!(told(asked).await, [Ok(2), Ok(4)]);
    drop(first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_a_flood_every_item_is_in_one_batch_and_every_caller_gets_their_own_answer() {
    let mut scene = Scene::new(2, 64);
    scene.let_go(100_000);
    let flood = (0..500u32).map(|number| {
        let gather = scene.gather.clone();
        tokio::spawn(async move {
            for round in 0..10 {
                let item = 1_000 + number * 10 + round;
                assert_eq!(gather.ask(item).await.expect("an answer"), item * 2);
            }
        })
    });
    for caller in flood.collect::<Vec<_>>() {
        caller.await.expect("every answer was right");
    }
    assert!(scene.tasks.shutdown(HOUR).await);
    let sizes: Vec<usize> = std::iter::from_fn(|| scene.begun.try_recv().ok()).map(|batch| batch.len()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 5_000, "each item once");
    assert!(sizes.iter().all(|size| (1..=64).contains(size)), "{sizes:?}");
    assert_eq!(scene.gather.0.queue().runners, 0);
}
