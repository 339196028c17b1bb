//! The names on the broker, and the declarations: every process makes all of them before it publishes.
//!
//! A message that failed waits on the broker for its next attempt, in one of a few queues that nobody reads ([`LATER`]): there it expires, and
//! the broker puts it back into the queue that it came from, whose name is its routing key.

use std::time::Duration;

use lapin::message::Delivery;
use lapin::options::{ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind};
use proto::{QUEUES, Queue};
use uuid::Uuid;

use super::answer::answered;
use crate::bus::dead_letter::Given;
use crate::error::Error;

/// So many processes may die with one message in hand before it is given up.
const DELIVERY_LIMIT: i32 = 20;

/// For how long failed messages wait on the broker.
pub(super) const LATER: [Duration; 4] =
    [Duration::from_secs(3), Duration::from_secs(12), Duration::from_secs(50), Duration::from_secs(300)];
/// Who waits here has failed so often that it rings.
pub(super) const STUCK_FROM: Duration = Duration::from_secs(50);

/// How often a handler has failed on this copy of a message.
pub(super) const FAILURES: &str = "x-failures";
/// Which queue a dead letter comes from.
pub(super) const DIED_IN: &str = "x-died-in";
/// Why it was given up.
pub(super) const REASON: &str = "x-reason";

/// The names under one prefix.
#[derive(Clone)]
pub(super) struct Names {
    exchange: String,
    dead: String,
}

impl Names {
    pub(super) fn new(prefix: &str) -> Self {
        Self { exchange: prefix.to_owned(), dead: format!("{prefix}.dead") }
    }

    /// The topic exchange.
    pub(super) fn exchange(&self) -> &str {
        &self.exchange
    }

    /// The exchange of dead letters, and their queue.
    pub(super) fn dead(&self) -> &str {
        &self.dead
    }

    /// A queue on the broker.
    pub(super) fn queue(&self, queue: &Queue) -> String {
        self.queue_named(queue.name)
    }

    /// The queue on the broker that is so named among ours.
    pub(super) fn queue_named(&self, queue: &str) -> String {
        format!("{}.{queue}", self.exchange)
    }

    /// The exchange of messages that wait for so long, and their queue.
    pub(super) fn later(&self, wait: Duration) -> String {
        format!("{}.later.{}s", self.exchange, wait.as_secs())
    }

    /// Reads a dead letter, given up by us or by the broker.
    pub(super) fn given(&self, delivery: &Delivery) -> Given {
        let properties = &delivery.properties;
        let queue = header(delivery, DIED_IN).or_else(|| header(delivery, "x-first-death-queue")).unwrap_or_default();
        let reason = header(delivery, REASON)
            .or_else(|| header(delivery, "x-first-death-reason").map(|reason| format!("the broker gave it up: {reason}")))
            .unwrap_or_default();
        Given {
            queue: queue.strip_prefix(&format!("{}.", self.exchange)).unwrap_or(&queue).to_owned(),
            topic: properties.kind().as_ref().map(ToString::to_string).unwrap_or_default(),
            event_id: properties.message_id().as_ref().and_then(|id| id.as_str().parse().ok()).unwrap_or_else(Uuid::now_v7),
            reason,
            payload: delivery.data.clone(),
        }
    }
}

/// The longest wait on the broker that is not longer than this pause; none: it is so short that the message is held.
pub(super) fn wait_for(pause: Duration) -> Option<Duration> {
    LATER.into_iter().rfind(|wait| *wait <= pause)
}

pub(super) fn header(delivery: &Delivery, name: &str) -> Option<String> {
    match delivery.properties.headers().as_ref()?.inner().get(name)? {
        AMQPValue::LongString(text) => Some(text.to_string()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

/// How often handlers have failed on a delivered copy.
pub(super) fn failures(delivery: &Delivery) -> u16 {
    let count = delivery.properties.headers().as_ref().and_then(|headers| headers.inner().get(FAILURES)?.as_long_int());
    count.and_then(|count| u16::try_from(count).ok()).unwrap_or(0)
}

/// Declares exchanges and queues; what is there already stays as it is.
pub(super) async fn declare(channel: &Channel, names: &Names) -> Result<(), lapin::Error> {
    let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
    channel.exchange_declare(names.exchange().into(), ExchangeKind::Topic, durable, FieldTable::default()).await?;
    channel.exchange_declare(names.dead().into(), ExchangeKind::Fanout, durable, FieldTable::default()).await?;
    declare_queue(channel, names.dead(), FieldTable::default()).await?;
    bind(channel, names.dead(), names.dead(), "").await?;
    for queue in QUEUES {
        declare_read(channel, names, queue).await?;
    }
    for wait in LATER {
        let name = names.later(wait);
        channel.exchange_declare(name.as_str().into(), ExchangeKind::Fanout, durable, FieldTable::default()).await?;
        let mut arguments = FieldTable::default();
        // the default exchange, with the routing key that the message came with
        arguments.insert("x-dead-letter-exchange".into(), text(""));
        // not gone from here before it is there
        arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
        arguments.insert("x-overflow".into(), text("reject-publish"));
        arguments.insert("x-message-ttl".into(), i32::try_from(wait.as_millis()).unwrap_or(i32::MAX).into());
        declare_queue(channel, &name, arguments).await?;
        bind(channel, &name, &name, "").await?;
    }
    Ok(())
}

/// A queue that a service reads, with what it reads.
pub(super) async fn declare_read(channel: &Channel, names: &Names, queue: &Queue) -> Result<(), lapin::Error> {
    let mut arguments = FieldTable::default();
    arguments.insert("x-dead-letter-exchange".into(), text(names.dead()));
    arguments.insert("x-delivery-limit".into(), DELIVERY_LIMIT.into());
    let name = names.queue(queue);
    declare_queue(channel, &name, arguments).await?;
    bind(channel, &name, names.exchange(), queue.topic).await
}

async fn declare_queue(channel: &Channel, name: &str, mut arguments: FieldTable) -> Result<(), lapin::Error> {
    arguments.insert("x-queue-type".into(), text("quorum"));
    channel.queue_declare(name.into(), QueueDeclareOptions::durable(), arguments).await?;
    Ok(())
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<(), lapin::Error> {
    channel.queue_bind(queue.into(), exchange.into(), key.into(), QueueBindOptions::default(), FieldTable::default()).await
}

/// A header's text.
pub(super) fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

/// How many messages wait in a queue and are with no consumer.
pub(super) async fn waiting(channel: &Channel, queue: String) -> Result<u32, Error> {
    let passive = QueueDeclareOptions::durable().passive();
    let declared = answered("counting a queue", channel.queue_declare(queue.into(), passive, FieldTable::default())).await;
    declared.map(|queue| queue.message_count())
}

/// Removes every queue and exchange of these names.
pub(super) async fn delete(channel: &Channel, names: &Names) -> Result<(), Error> {
    let later = || LATER.map(|wait| names.later(wait));
    for name in QUEUES.iter().map(|queue| names.queue(queue)).chain(later()).chain([names.dead().to_owned()]) {
        answered("deleting a queue", channel.queue_delete(name.into(), QueueDeleteOptions::default())).await?;
    }
    for exchange in [names.exchange().to_owned(), names.dead().to_owned()].into_iter().chain(later()) {
        answered("deleting an exchange", channel.exchange_delete(exchange.into(), ExchangeDeleteOptions::default())).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(2_999, None)]
    #[case(3_000, Some(3))]
    #[case(25_600, Some(12))]
    #[case(51_200, Some(50))]
    #[case(300_000, Some(300))]
    fn a_failed_message_waits_on_the_broker_for_about_as_long_as_it_should(#[case] pause_ms: u64, #[case] wait_s: Option<u64>) {
        assert_eq!(wait_for(Duration::from_millis(pause_ms)), wait_s.map(Duration::from_secs));
    }
}
