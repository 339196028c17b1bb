//! Reads one queue of `bus.message` and runs its handlers.
//!
//! One task owns the queue's state, so there are no locks: it fetches some messages ahead, keeps up to `concurrency`
//! handlers running, and writes down their endings together. It holds no connection while a handler runs.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use proto::Queue;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Line, LocalBus};
use crate::bus::handler::{Fault, Handler, Verdict, count};
use crate::error::Error;
use crate::tasks::{Tasks, chain};
use crate::worker::Listener;

/// A safety net only: new messages are signalled, failed ones have their time.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// Pause after a failed statement.
const DATABASE_RETRY: Duration = Duration::from_secs(1);

/// Starts reading `queue`.
pub(in crate::bus) fn start(bus: &Arc<LocalBus>, tasks: &Tasks, queue: &'static Queue, concurrency: usize, handler: Handler) {
    let (bus, stop) = (Arc::clone(bus), tasks.token().clone());
    let in_hand = InHand::default();
    tasks.keep(queue.name, move || {
        let line = bus.line(queue.name);
        let consumer = Consumer {
            signal: line.signal.listen(),
            line,
            bus: Arc::clone(&bus),
            queue,
            concurrency,
            handler: Arc::clone(&handler),
            in_hand: in_hand.clone(),
            waiting: VecDeque::new(),
            running: JoinSet::new(),
            done: Vec::new(),
            failed: Vec::new(),
            retries_at: Vec::new(),
        };
        consumer.run(stop.clone())
    });
}

/// What a reader has fetched and not written down: it outlives a reader that broke off.
#[derive(Clone, Default)]
struct InHand(Arc<Mutex<HashSet<i64>>>);

impl InHand {
    fn ids(&self) -> MutexGuard<'_, HashSet<i64>> {
        // whole between any two statements
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Message {
    id: i64,
    failures: u16,
    payload: Vec<u8>,
}

/// A handler's ending, with how often the message had failed before.
type Ending = (i64, u16, Result<(), Fault>);

struct Failed {
    id: i64,
    verdict: Verdict,
    reason: String,
}

struct Consumer {
    bus: Arc<LocalBus>,
    queue: &'static Queue,
    concurrency: usize,
    handler: Handler,
    line: Arc<Line>,
    signal: Listener,
    in_hand: InHand,
    /// Fetched, not begun.
    waiting: VecDeque<Message>,
    running: JoinSet<Ending>,
    done: Vec<i64>,
    failed: Vec<Failed>,
    /// When messages that failed may be fetched again.
    retries_at: Vec<Instant>,
}

impl Consumer {
    async fn run(mut self, stop: CancellationToken) {
        self.let_go_of_former().await;
        // what a former process left is there without a signal
        let mut look = true;
        while !stop.is_cancelled() {
            let mut pause = LOOK_INTERVAL;
            let written = self.write_endings().await;
            let fetched = if look && self.waiting.is_empty() { self.fetch().await.map(Some) } else { Ok(None) };
            match written.and(fetched) {
                Ok(Some(more)) => look = more,
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(queue = self.queue.name, error = chain(&error), "the queue could not be read");
                    (look, pause) = (false, DATABASE_RETRY);
                }
            }
            self.begin();
            let next_look = self.next_look(pause);
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                Some(ending) = self.running.join_next() => self.note_all(ending),
                () = self.signal.woken(), if !look => look = true,
                () = tokio::time::sleep_until(next_look), if !look => {
                    self.retries_at.retain(|at| *at > next_look);
                    look = true;
                }
            }
        }
        while let Some(ending) = self.running.join_next().await {
            self.note_all(ending);
        }
        if let Err(error) = self.write_endings().await {
            tracing::warn!(queue = self.queue.name, error = chain(&error), "handled messages will be handled again");
        }
    }

    /// What a reader before this one had in its hands when it broke off is handled again.
    async fn let_go_of_former(&self) {
        let former = std::mem::take(&mut *self.in_hand.ids());
        if !former.is_empty() {
            self.line.held.lock().await.retain(|id| !former.contains(id));
        }
    }

    fn next_look(&self, pause: Duration) -> Instant {
        let next = Instant::now() + pause;
        self.retries_at.iter().copied().fold(next, Instant::min)
    }

    /// Fetches messages ahead. Whether there may be more.
    async fn fetch(&mut self) -> Result<bool, Error> {
        let limit = (self.concurrency * 2).clamp(16, 256) as i64;
        let mut held = self.line.held.lock().await;
        let others: Vec<i64> = held.iter().copied().collect();
        let rows = sqlx::query!(
            "select id, payload, attempt from bus.message \
             where queue = $1 and dead_reason is null and not_before <= now() and id <> all($2) order by id limit $3",
            self.queue.name,
            &others,
            limit,
        )
        .fetch_all(self.bus.database.pool())
        .await?;
        let more = rows.len() as i64 == limit;
        for row in rows {
            self.in_hand.ids().insert(row.id);
            held.insert(row.id);
            let failures = u16::try_from(row.attempt).unwrap_or(u16::MAX);
            self.waiting.push_back(Message { id: row.id, failures, payload: row.payload });
        }
        if more {
            // another reader of the queue may help
            self.line.signal.wake();
        }
        Ok(more)
    }

    fn begin(&mut self) {
        while self.running.len() < self.concurrency {
            let Some(Message { id, failures, payload }) = self.waiting.pop_front() else { break };
            let handled = (self.handler)(&payload);
            self.running.spawn(async move { (id, failures, handled.await) });
        }
    }

    /// Notes an ending and all others that are there already, so that one statement writes them down.
    fn note_all(&mut self, first: Result<Ending, JoinError>) {
        let mut next = Some(first);
        while let Some(ending) = next {
            // handlers catch their panics and are never aborted, so there is always an ending
            if let Ok(ending) = ending {
                self.note(ending);
            }
            next = self.running.try_join_next();
        }
    }

    fn note(&mut self, (id, failures, outcome): Ending) {
        match outcome {
            Ok(()) => {
                count(self.queue, "done");
                self.done.push(id);
            }
            Err(fault) => match self.bus.retries.judge(self.queue, &fault, failures.saturating_add(1)) {
                Verdict::LetGo => self.done.push(id),
                verdict => self.failed.push(Failed { id, verdict, reason: fault.reason }),
            },
        }
    }

    async fn write_endings(&mut self) -> Result<(), Error> {
        if self.done.is_empty() && self.failed.is_empty() {
            return Ok(());
        }
        let line = Arc::clone(&self.line);
        let mut held = line.held.lock().await;
        if !self.done.is_empty() {
            sqlx::query!("delete from bus.message where id = any($1)", &self.done).execute(self.bus.database.pool()).await?;
            for id in self.done.drain(..) {
                self.in_hand.ids().remove(&id);
                held.remove(&id);
            }
        }
        if !self.failed.is_empty() {
            self.write_failures().await?;
            let now = Instant::now();
            for failed in self.failed.drain(..) {
                self.in_hand.ids().remove(&failed.id);
                held.remove(&failed.id);
                if let Verdict::Again(delay) = failed.verdict {
                    self.retries_at.push(now + delay);
                }
            }
        }
        Ok(())
    }

    async fn write_failures(&self) -> Result<(), Error> {
        let ids: Vec<i64> = self.failed.iter().map(|failed| failed.id).collect();
        let delays: Vec<i64> = self.failed.iter().map(|failed| failed.verdict.delay().as_millis() as i64).collect();
        // PostgreSQL text holds no zero
        let reason = |failed: &Failed| (failed.verdict == Verdict::Dead).then(|| failed.reason.replace('\0', " "));
        let reasons: Vec<Option<String>> = self.failed.iter().map(reason).collect();
        sqlx::query!(
            "update bus.message m set attempt = least(m.attempt + 1, 32767), dead_reason = f.reason, \
             died_at = case when f.reason is not null then clock_timestamp() end, \
             not_before = clock_timestamp() + f.delay_ms * interval '1 millisecond' \
             from unnest($1::bigint[], $2::bigint[], $3::text[]) as f (id, delay_ms, reason) where m.id = f.id",
            &ids,
            &delays,
            &reasons as &[Option<String>],
        )
        .execute(self.bus.database.pool())
        .await?;
        Ok(())
    }
}

impl Verdict {
    fn delay(&self) -> Duration {
        match self {
            Verdict::Again(delay) => *delay,
            Verdict::Dead | Verdict::LetGo => Duration::ZERO,
        }
    }
}
