//! Many callers, one statement: what concurrent callers ask is gathered and done together.
//!
//! A statement costs the database much the same for one row as for a hundred, and a commit waits for the disk either way. A
//! caller of [`Gather::ask`] hands one item in and waits for its own answer. While a batch is at the database the next one
//! gathers; it runs as soon as one of the few runners is free. So a lone caller waits for nobody, and the busier it gets the
//! larger the batches grow.
//!
//! ```
//! use platform::gather::{Batch, Gather, Limits};
//! use platform::tasks::Tasks;
//!
//! struct Doubling;
//!
//! impl Batch for Doubling {
//!     type Item = u32;
//!     type Answer = u32;
//!     type Error = std::convert::Infallible;
//!
//!     async fn run(&self, items: &[u32]) -> Result<Vec<u32>, Self::Error> {
//!         Ok(items.iter().map(|item| item * 2).collect())
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let doubled = Gather::new(&Tasks::new(), "doubling", Limits { batches: 1, items: 100 }, Doubling);
//! assert_eq!(doubled.ask(21).await.unwrap(), 42);
//! # });
//! ```
//!
//! What is promised:
//! - every item is in exactly one batch, and that batch begins after the item was handed in: an answer never tells of a
//!   state older than the question;
//! - an answer is given after [`Batch::run`] has returned, so what the batch committed is durable before anybody hears of it;
//! - an item that was handed in is done, also when its caller has gone away meanwhile; a stop of the process waits for it
//!   ([`Tasks::shutdown`]);
//! - when a batch fails and [`Batch::may_blame_an_item`] says that one of its items may be why, it is halved until that item is
//!   alone: the others are answered;
//! - a batch that panics fails its own callers only.

use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use tokio::sync::oneshot;

use crate::tasks::{Tasks, panic_text};

/// What is done with the items that were gathered.
pub trait Batch: Send + Sync + 'static {
    /// What a caller hands in.
    type Item: Send + Sync + 'static;
    /// What a caller gets back.
    type Answer: Send + 'static;
    /// Why a batch failed.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Does them all and returns one answer each, in their order. There is at least one. Equal items may be among them.
    fn run(&self, items: &[Self::Item]) -> impl Future<Output = Result<Vec<Self::Answer>, Self::Error>> + Send;

    /// Whether the failure may be one item's fault. If so nothing of the batch may have been done, and it is run again in
    /// halves; if not, trying again would only add to the trouble.
    fn may_blame_an_item(_error: &Self::Error) -> bool {
        false
    }
}

/// How much is done at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Batches under way at once; at least one.
    pub batches: usize,
    /// Most items of a batch; at least one.
    pub items: usize,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure<E> {
    /// The batch failed; everybody who was in it is told the same.
    #[error(transparent)]
    Batch(Arc<E>),
    /// The batch ended without an answer: it panicked, or the process is stopping. Whether it was done is not known.
    #[error("the batch was broken off")]
    BrokenOff,
}

/// Gathers items for one kind of batch. Clones share it.
pub struct Gather<B: Batch>(Arc<Shared<B>>);

struct Shared<B: Batch> {
    batch: B,
    name: &'static str,
    limits: Limits,
    tasks: Tasks,
    queue: Mutex<Queue<B>>,
    batches: metrics::Counter,
    items: metrics::Counter,
}

struct Queue<B: Batch> {
    waiting: Vec<Waiting<B>>,
    runners: usize,
}

type Told<B> = oneshot::Sender<Result<<B as Batch>::Answer, Failure<<B as Batch>::Error>>>;

struct Waiting<B: Batch> {
    item: B::Item,
    told: Told<B>,
}

impl<B: Batch> Clone for Gather<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B: Batch> Gather<B> {
    /// Gathers for `batch`, whose runs are tasks of `tasks`. The metrics `gathered_batches_total` and `gathered_items_total`
    /// count under `name`.
    pub fn new(tasks: &Tasks, name: &'static str, limits: Limits, batch: B) -> Self {
        Self(Arc::new(Shared {
            batch,
            name,
            limits: Limits { batches: limits.batches.max(1), items: limits.items.max(1) },
            tasks: tasks.clone(),
            queue: Mutex::new(Queue { waiting: Vec::new(), runners: 0 }),
            batches: metrics::counter!("gathered_batches_total", "name" => name),
            items: metrics::counter!("gathered_items_total", "name" => name),
        }))
    }

    /// Hands an item in and waits for its answer.
    ///
    /// # Errors
    /// When the batch that it was in failed.
    pub async fn ask(&self, item: B::Item) -> Result<B::Answer, Failure<B::Error>> {
        let (told, answer) = oneshot::channel();
        let begin = {
            let mut queue = self.0.queue();
            queue.waiting.push(Waiting { item, told });
            let free = queue.runners < self.0.limits.batches;
            queue.runners += usize::from(free);
            free
        };
        if begin {
            self.0.tasks.spawn(self.0.name, run(Arc::clone(&self.0)));
        }
        answer.await.unwrap_or(Err(Failure::BrokenOff))
    }
}

impl<B: Batch> Shared<B> {
    fn queue(&self) -> MutexGuard<'_, Queue<B>> {
        // the queue is whole between any two statements, so a panicked holder has spoilt nothing
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has gathered; none, and a runner less, when nothing has.
    fn take(&self) -> Option<Vec<Waiting<B>>> {
        let mut queue = self.queue();
        if queue.waiting.is_empty() {
            queue.runners -= 1;
            return None;
        }
        let most = self.limits.items.min(queue.waiting.len());
        let later = queue.waiting.split_off(most);
        Some(std::mem::replace(&mut queue.waiting, later))
    }
}

/// A runner: batch after batch until nothing waits.
async fn run<B: Batch>(shared: Arc<Shared<B>>) {
    loop {
        // whoever is about to ask may still come along
        tokio::task::yield_now().await;
        let Some(gathered) = shared.take() else { return };
        shared.batches.increment(1);
        shared.items.increment(gathered.len() as u64);
        let (items, told): (Vec<_>, Vec<_>) = gathered.into_iter().map(|waiting| (waiting.item, Some(waiting.told))).unzip();
        if let Err(panic) = AssertUnwindSafe(answer(&shared.batch, &items, told)).catch_unwind().await {
            tracing::error!(name = shared.name, panic = panic_text(panic.as_ref()), "a batch panicked");
        }
    }
}

/// Runs the batch, in halves where an item may be to blame, and tells everybody.
async fn answer<B: Batch>(batch: &B, items: &[B::Item], mut told: Vec<Option<Told<B>>>) {
    let mut tell = |at: usize, answer| {
        if let Some(told) = told.get_mut(at).and_then(Option::take) {
            // who has gone away needs no answer
            let _ = told.send(answer);
        }
    };
    let mut parts: Vec<Range<usize>> = std::iter::once(0..items.len()).collect();
    while let Some(part) = parts.pop() {
        match batch.run(&items[part.clone()]).await {
            Ok(answers) => {
                for (at, answer) in part.zip(answers) {
                    tell(at, Ok(answer));
                }
            }
            Err(error) if part.len() > 1 && B::may_blame_an_item(&error) => {
                let middle = part.start + part.len() / 2;
                parts.extend([middle..part.end, part.start..middle]);
            }
            Err(error) => {
                let error = Arc::new(error);
                for at in part {
                    tell(at, Err(Failure::Batch(Arc::clone(&error))));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
