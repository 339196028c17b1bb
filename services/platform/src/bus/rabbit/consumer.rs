//! Reads one queue of the broker and runs its handlers.
//!
//! A message that failed is published again: at the queue's end after a short pause, for which it is held, unacknowledged; or where it waits on
//! the broker for a longer one. Many may be held beside the ones in handlers, so failing messages do not stand in the way of others.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use proto::Queue;
use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::answer::answered;
use super::link::Outgoing;
use super::probe::Probe;
use super::{Rabbit, mark, topology};
use crate::bus::handler::{Fault, Handler, Verdict, count};
use crate::error::Error;
use crate::tasks::{Tasks, chain};

/// Failed messages that may be held for their pause beside those being handled.
const HELD: usize = 128;
const FIRST_RECONNECT: Duration = Duration::from_millis(200);
const LONGEST_RECONNECT: Duration = Duration::from_secs(5);
/// A channel that closed without telling its consumer is noticed after so long.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// Starts reading `queue`.
pub(in crate::bus) fn start(rabbit: &Arc<Rabbit>, tasks: &Tasks, queue: &'static Queue, concurrency: usize, handler: Handler) {
    let (ask, asked) = mpsc::channel(1);
    rabbit.probes.lock().unwrap_or_else(PoisonError::into_inner).push(Probe { queue: queue.name, ask });
    let (rabbit, stop, asked) = (Arc::clone(rabbit), tasks.token().clone(), Arc::new(Mutex::new(asked)));
    tasks.keep(queue.name, move || {
        let reader = Arc::new(Reader {
            rabbit: Arc::clone(&rabbit),
            queue,
            handler: Arc::clone(&handler),
            concurrency,
            permits: Semaphore::new(concurrency),
            in_hand: AtomicUsize::new(0),
        });
        let (stop, asked) = (stop.clone(), Arc::clone(&asked));
        async move {
            let mut asked = asked.lock().await;
            reader.run(&stop, &mut asked).await;
        }
    });
}

/// What ends the waits and pauses of messages in hand.
#[derive(Clone)]
struct Ends {
    /// The process stops.
    stop: CancellationToken,
    /// The channel is gone, and nobody can acknowledge what came through it.
    lost: CancellationToken,
}

impl Ends {
    async fn any(&self) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = self.lost.cancelled() => {}
        }
    }
}

struct Reader {
    rabbit: Arc<Rabbit>,
    queue: &'static Queue,
    handler: Handler,
    concurrency: usize,
    permits: Semaphore,
    /// Messages delivered and not yet answered for.
    in_hand: AtomicUsize,
}

impl Reader {
    /// Reads, again and again when the channel is lost, until the process stops.
    async fn run(self: &Arc<Self>, stop: &CancellationToken, asked: &mut mpsc::Receiver<oneshot::Sender<bool>>) {
        let mut pause = FIRST_RECONNECT;
        // outlive a lost channel: a slow handler does not keep the queue from being read again
        let mut running = JoinSet::new();
        let mut lost = false;
        while !stop.is_cancelled() {
            let began = tokio::time::Instant::now();
            match self.read(lost, stop, &mut running, asked).await {
                Ok(()) => continue,
                Err(error) => {
                    lost = true;
                    if began.elapsed() > LONGEST_RECONNECT {
                        pause = FIRST_RECONNECT;
                    }
                    let retry_ms = pause.as_millis() as u64;
                    tracing::warn!(queue = self.queue.name, error = chain(&error), retry_ms, "the queue is not being read");
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_RECONNECT);
        }
        while running.join_next().await.is_some() {}
    }

    /// Reads until the process stops (`Ok`) or the channel is lost.
    async fn read(
        self: &Arc<Self>,
        lost: bool,
        stop: &CancellationToken,
        running: &mut JoinSet<()>,
        asked: &mut mpsc::Receiver<oneshot::Sender<bool>>,
    ) -> Result<(), Error> {
        let channel = self.rabbit.link.channel().await?;
        if lost {
            // somebody may have deleted it
            answered("declaring a queue", topology::declare_read(&channel, &self.rabbit.names, self.queue)).await?;
        }
        let mut consumer = answered("subscribing", self.consume(&channel)).await?;
        let ends = Ends { stop: stop.clone(), lost: CancellationToken::new() };
        let ending = self.pump(&channel, &mut consumer, &ends, running, asked).await;
        if ending.is_ok() {
            // no further message, then the last acknowledgements; the broker may be gone by now, which is no matter
            let _ = answered("unsubscribing", channel.basic_cancel(consumer.tag(), BasicCancelOptions::default())).await;
            while running.join_next().await.is_some() {}
            let _ = answered("closing", channel.close(200, "done".into())).await;
        }
        ends.lost.cancel();
        ending
    }

    fn ended(&self, reason: &str) -> Error {
        Error::Unsubscribed { queue: self.queue.name, reason: reason.to_owned() }
    }

    async fn consume(&self, channel: &Channel) -> Result<Consumer, lapin::Error> {
        let prefetch = u16::try_from(self.concurrency + HELD).unwrap_or(u16::MAX);
        channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
        let queue = self.rabbit.names.queue(self.queue).into();
        channel.basic_consume(queue, "".into(), BasicConsumeOptions::default(), FieldTable::default()).await
    }

    async fn pump(
        self: &Arc<Self>,
        channel: &Channel,
        consumer: &mut Consumer,
        ends: &Ends,
        running: &mut JoinSet<()>,
        asked: &mut mpsc::Receiver<oneshot::Sender<bool>>,
    ) -> Result<(), Error> {
        let mut looks = tokio::time::interval(LOOK_INTERVAL);
        let mut answer: Option<(oneshot::Sender<bool>, u32)> = None;
        loop {
            tokio::select! {
                biased;
                () = ends.stop.cancelled() => return Ok(()),
                delivery = consumer.next() => {
                    let delivery = match delivery {
                        Some(Ok(delivery)) => delivery,
                        Some(Err(source)) => return Err(Error::Broker { action: "reading", source }),
                        None => return Err(self.ended("the broker has ended the subscription")),
                    };
                    self.in_hand.fetch_add(1, Ordering::SeqCst);
                    let (reader, ends) = (Arc::clone(self), ends.clone());
                    running.spawn(async move {
                        reader.answer_for(delivery, &ends).await;
                        reader.rabbit.note_activity();
                        reader.in_hand.fetch_sub(1, Ordering::SeqCst);
                    });
                }
                Some(_) = running.join_next() => {}
                _ = looks.tick() => {
                    if !channel.status().connected() {
                        return Err(self.ended("the channel was closed"));
                    }
                }
                Some(asker) = asked.recv(), if answer.is_none() => {
                    // on the consumer's own channel: what the broker sent before its answer has arrived before it
                    answer = Some((asker, topology::waiting(channel, self.rabbit.names.queue(self.queue)).await?));
                }
                // reached only when no delivery is left to be taken up
                () = std::future::ready(()), if answer.is_some() => {
                    if let Some((asker, waiting)) = answer.take() {
                        let _ = asker.send(waiting == 0 && self.in_hand.load(Ordering::SeqCst) == 0);
                    }
                }
            }
        }
    }

    /// Handles a message and tells the broker; when that fails the broker delivers it again.
    async fn answer_for(&self, delivery: Delivery, ends: &Ends) {
        let outcome = tokio::select! {
            biased;
            () = ends.any() => return,
            permit = self.permits.acquire() => {
                let outcome = if self.rabbit.is_ours(self.queue.topic, &delivery) {
                    (self.handler)(&delivery.data).await
                } else {
                    Err(Fault::unmarked())
                };
                drop(permit);
                outcome
            }
        };
        let kept = match outcome {
            Ok(()) => {
                count(self.queue, "done");
                Ok(())
            }
            Err(fault) => self.put_elsewhere(&delivery, &fault, ends).await,
        };
        let telling = async {
            match kept {
                Ok(()) => answered("acknowledging", delivery.acker.ack(BasicAckOptions::default())).await,
                Err(error) => {
                    tracing::warn!(queue = self.queue.name, error = chain(&error), "a failed message goes back to its queue");
                    let back = BasicNackOptions { requeue: true, ..Default::default() };
                    answered("giving back", delivery.acker.nack(back)).await
                }
            }
        };
        let told = tokio::select! {
            biased;
            told = telling => told.map(|_| ()),
            () = ends.lost.cancelled() => Err(self.ended("the channel was lost")),
        };
        if let Err(error) = told {
            tracing::warn!(queue = self.queue.name, error = chain(&error), "the broker was not told and will deliver a message again");
        }
    }

    /// Publishes a failed message again, so that it comes after its pause, or as a dead letter.
    async fn put_elsewhere(&self, delivery: &Delivery, fault: &Fault, ends: &Ends) -> Result<(), Error> {
        let failures = topology::failures(delivery).saturating_add(1);
        let queue = self.rabbit.names.queue(self.queue);
        let mut headers = FieldTable::default();
        headers.insert(topology::FAILURES.into(), i32::from(failures).into());
        if let Some(mark) = topology::header(delivery, mark::HEADER) {
            headers.insert(mark::HEADER.into(), topology::text(&mark));
        }
        let verdict = self.rabbit.retries.judge(self.queue, fault, failures);
        let (exchange, routing_key) = match verdict {
            Verdict::LetGo => return Ok(()),
            Verdict::Again(pause) => match topology::wait_for(pause) {
                Some(wait) => (self.rabbit.names.later(wait), queue.as_str()),
                None => {
                    tokio::select! {
                        biased;
                        // the broker delivers it again: a copy beside it would fail as often
                        () = ends.lost.cancelled() => return Err(self.ended("the channel was lost")),
                        () = ends.stop.cancelled() => {}
                        () = tokio::time::sleep(pause) => {}
                    }
                    (String::new(), queue.as_str())
                }
            },
            Verdict::Dead => {
                headers.insert(topology::DIED_IN.into(), topology::text(&queue));
                headers.insert(topology::REASON.into(), topology::text(&fault.reason));
                (self.rabbit.names.dead().to_owned(), "")
            }
        };
        let properties = delivery.properties.clone().with_headers(headers);
        let message = Outgoing { exchange: &exchange, routing_key, payload: &delivery.data, properties };
        let kept = self.rabbit.link.publish(std::iter::once(message)).await.pop().unwrap_or(Ok(()));
        if verdict == Verdict::Dead {
            self.rabbit.given_up.wake();
        }
        kept
    }
}
