//! The bus on RabbitMQ: a topic exchange, a quorum queue for each reader, publisher confirms.
//!
//! There are two connections, one for reading and one for publishing, made when they are needed and again when they are lost, for ever. While
//! the broker is away the outboxes keep what is published, and consumers try again every few seconds.
//!
//! Failures of handlers are counted in a header of a new copy of the message, so the broker's own count of deliveries
//! (`x-delivery-limit`) grows only when a process dies with the message in hand: a message that kills its readers ends
//! among the dead letters too. A message is held in hand for a short pause only; for a longer one it waits on the broker ([`topology`]).

mod answer;
mod broker;
pub(super) mod consumer;
mod link;
mod mark;
mod probe;
pub(super) mod standing;
mod topology;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use futures::future::join_all;
use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicGetOptions};
use lapin::types::FieldTable;
use proto::QUEUES;
use sqlx::AssertSqlSafe;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::dead_letter::{self, Given, Letter};
use super::handler::Retries;
use super::outboxes;
use super::settings::BusSettings;
use crate::crypto::Keyring;
use crate::database::{Connection, Database};
use crate::error::Error;
use crate::worker::{Turn, Wake};
use answer::answered;
use broker::Broker;
use link::{Link, Outgoing};
use probe::Probe;
use topology::Names;

/// Dead letters brought into the table at a time.
const COLLECTED: usize = 100;
/// Relays of one process that may wait for the broker inside a transaction.
const RELAYS_AT_ONCE: usize = 2;

/// What the carriers of this process share.
pub(super) struct Rabbit {
    link: Link,
    names: Names,
    retries: Retries,
    /// A broker that takes messages and does not confirm them must not hold all connections to the database.
    relaying: Semaphore,
    /// Grows with everything that is published or handled: two equal readings mean that nothing happened between them.
    activity: AtomicU64,
    probes: Mutex<Vec<Probe>>,
    /// Something was given up.
    given_up: Wake,
    /// What messages are marked with as ours.
    keyring: Keyring,
    accept_unmarked: bool,
}

/// A row of an outbox.
#[derive(sqlx::FromRow)]
struct OutboxRow {
    id: i64,
    event_id: Uuid,
    topic: String,
    payload: Vec<u8>,
}

impl Rabbit {
    /// Connects once, so that a wrong address is told at the start, and declares every queue.
    pub(super) async fn open(settings: &BusSettings, retries: Retries, given_up: Wake, keyring: Keyring) -> Result<Arc<Self>, Error> {
        let broker = Broker::of(settings)?;
        let names = Names::new(&settings.prefix);
        let link = Link::new(broker, names.clone());
        link.channel().await?;
        Ok(Arc::new(Self {
            link,
            names,
            retries,
            relaying: Semaphore::new(RELAYS_AT_ONCE),
            activity: AtomicU64::new(0),
            probes: Mutex::default(),
            given_up,
            keyring,
            accept_unmarked: settings.accept_unmarked,
        }))
    }

    pub(super) async fn ping(&self) -> Result<(), Error> {
        self.link.channel().await?;
        self.link.publisher().await.map(drop)
    }

    fn note_activity(&self) {
        self.activity.fetch_add(1, Ordering::SeqCst);
    }

    /// Publishes a batch of the outbox of `schema` and deletes what the broker has confirmed.
    pub(super) async fn take_over(&self, database: &Database, schema: &'static str) -> Result<Turn, Error> {
        // a broker that is away must not be waited for inside a transaction
        self.link.publisher().await?;
        let _turn = self.relaying.acquire().await;
        let mut tx = database.begin().await?;
        let rows = oldest(&mut tx, schema).await?;
        let published = self.publish_rows(&rows).await;
        forget(&mut tx, schema, &published.0).await?;
        tx.commit().await?;
        published.1.map(|()| turn_after(&rows))
    }

    /// The ids that were confirmed, and the first failure.
    async fn publish_rows(&self, rows: &[OutboxRow]) -> (Vec<i64>, Result<(), Error>) {
        if rows.is_empty() {
            return (Vec::new(), Ok(()));
        }
        let messages = rows.iter().map(|row| Outgoing {
            exchange: self.names.exchange(),
            routing_key: &row.topic,
            payload: &row.payload,
            properties: self.properties_of(row.event_id, &row.topic, &row.payload),
        });
        let outcomes = self.link.publish(messages).await;
        self.note_activity();
        let mut confirmed = Vec::with_capacity(rows.len());
        let mut failure = Ok(());
        for (row, outcome) in rows.iter().zip(outcomes) {
            match outcome {
                Ok(()) => confirmed.push(row.id),
                Err(error) => failure = failure.and(Err(error)),
            }
        }
        (confirmed, failure)
    }

    /// Nothing may have moved while outboxes and queues were looked at one after the other.
    pub(super) async fn settled(&self, database: &Database, schemas: &[&'static str]) -> Result<bool, Error> {
        let before = self.activity.load(Ordering::SeqCst);
        if !outboxes::all_empty(database.pool(), schemas, "").await? || !self.queues_empty().await? {
            return Ok(false);
        }
        let outboxes_empty = outboxes::all_empty(database.pool(), schemas, "").await?;
        Ok(outboxes_empty && before == self.activity.load(Ordering::SeqCst))
    }

    async fn queues_empty(&self) -> Result<bool, Error> {
        let probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // its own consumer knows best what a queue still holds
        if join_all(probes.iter().map(Probe::idle)).await.contains(&false) {
            return Ok(false);
        }
        let channel = self.link.channel().await?;
        for wait in topology::LATER {
            if topology::waiting(&channel, self.names.later(wait)).await? > 0 {
                return Ok(false);
            }
        }
        for queue in QUEUES.iter().filter(|queue| probes.iter().all(|probe| probe.queue != queue.name)) {
            if topology::waiting(&channel, self.names.queue(queue)).await? > 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How many messages wait for a further attempt after so many failures that it rings.
    pub(super) async fn stuck(&self) -> Result<u64, Error> {
        let channel = self.link.channel().await?;
        let mut stuck = 0;
        for wait in topology::LATER.into_iter().filter(|wait| *wait >= topology::STUCK_FROM) {
            stuck += u64::from(topology::waiting(&channel, self.names.later(wait)).await?);
        }
        Ok(stuck)
    }

    /// Brings some of what the broker keeps of dead letters into the table. When that fails, copies go back: a quorum queue counts
    /// deliveries, and newer brokers drop what was delivered often.
    pub(super) async fn collect_dead(&self, database: &Database) -> Result<Turn, Error> {
        let channel = self.link.channel().await?;
        let mut read = Vec::new();
        while read.len() < COLLECTED {
            let got = channel.basic_get(self.names.dead().into(), BasicGetOptions::default());
            let Some(message) = answered("reading dead letters", got).await? else { break };
            read.push(message.delivery);
        }
        let Some(last) = read.last() else { return Ok(Turn::Idle) };
        let given: Vec<_> = read.iter().map(|delivery| self.given(delivery)).collect();
        let kept = dead_letter::keep(database, &given).await;
        if kept.is_err() {
            let copies = read.iter().map(|delivery| Outgoing {
                exchange: "",
                routing_key: self.names.dead(),
                payload: &delivery.data,
                properties: delivery.properties.clone(),
            });
            self.link.publish(copies).await.into_iter().collect::<Result<(), Error>>()?;
        }
        answered("acknowledging", last.acker.ack(BasicAckOptions { multiple: true })).await?;
        kept.map(|()| if read.len() < COLLECTED { Turn::Idle } else { Turn::More })
    }

    /// A dead letter for the table. One that bears no mark loses its topic: marked as it is when it is delivered again, it is still nobody's.
    fn given(&self, delivery: &Delivery) -> Given {
        let given = self.names.given(delivery);
        if self.is_ours(&given.topic, delivery) { given } else { Given { topic: String::new(), ..given } }
    }

    /// Publishes these letters to their queues and removes them from the table when the broker has them.
    pub(super) async fn redrive(&self, tx: &mut Connection, letters: &[Letter]) -> Result<(), Error> {
        let queues: Vec<String> = letters.iter().map(|letter| self.names.queue_named(&letter.queue)).collect();
        let messages = letters.iter().zip(&queues).map(|(letter, queue)| Outgoing {
            exchange: "",
            routing_key: queue,
            payload: &letter.payload,
            properties: self.properties_of(letter.event_id, &letter.topic, &letter.payload),
        });
        self.link.publish(messages).await.into_iter().collect::<Result<(), Error>>()?;
        self.note_activity();
        let numbers: Vec<i64> = letters.iter().map(|letter| letter.letter_id).collect();
        dead_letter::remove(tx, &numbers).await
    }

    /// Whether a message of this topic may be handled.
    fn is_ours(&self, topic: &str, delivery: &Delivery) -> bool {
        mark::is_on(&self.keyring, topic, delivery) || self.accept_unmarked && topology::header(delivery, mark::HEADER).is_none()
    }

    fn properties_of(&self, event_id: Uuid, topic: &str, payload: &[u8]) -> BasicProperties {
        let mut headers = FieldTable::default();
        headers.insert(mark::HEADER.into(), topology::text(&mark::of(&self.keyring, topic, event_id, payload)));
        BasicProperties::default()
            .with_message_id(event_id.to_string().into())
            .with_type(topic.into())
            .with_content_type("application/x-protobuf".into())
            .with_headers(headers)
    }

    pub(super) async fn delete_all(&self) -> Result<(), Error> {
        let channel = self.link.channel().await?;
        topology::delete(&channel, &self.names).await
    }
}

fn turn_after(rows: &[OutboxRow]) -> Turn {
    if (rows.len() as i64) < outboxes::BATCH { Turn::Idle } else { Turn::More }
}

async fn oldest(connection: &mut Connection, schema: &'static str) -> Result<Vec<OutboxRow>, Error> {
    let statement = format!("select id, event_id, topic, payload from {schema}.outbox order by id limit $1 for update skip locked");
    Ok(sqlx::query_as(AssertSqlSafe(statement)).bind(outboxes::BATCH).fetch_all(connection).await?)
}

async fn forget(connection: &mut Connection, schema: &'static str, ids: &[i64]) -> Result<(), Error> {
    if !ids.is_empty() {
        let statement = format!("delete from {schema}.outbox where id = any($1)");
        sqlx::query(AssertSqlSafe(statement)).bind(ids).execute(connection).await?;
    }
    Ok(())
}
