//! The bus on RabbitMQ: a topic exchange, a quorum queue for each reader, publisher confirms.
//!
//! There is one connection, made when it is needed and again when it is lost, for ever. While the broker is away the outboxes
//! keep what is published, and consumers try again every few seconds.
//!
//! Failures of handlers are counted in a header of a new copy of the message, so the broker's own count of deliveries
//! (`x-delivery-limit`) grows only when a process dies with the message in hand: a message that kills its readers ends
//! among the dead letters too.

mod answer;
pub(super) mod consumer;
mod link;
mod probe;
pub(super) mod standing;
mod topology;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use futures::future::join_all;
use lapin::BasicProperties;
use lapin::options::{BasicAckOptions, BasicGetOptions};
use proto::QUEUES;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::AssertSqlSafe;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::dead_letter::{DeadLetter, MOST_SHOWN};
use super::handler::Retries;
use super::outboxes;
use super::settings::BusSettings;
use crate::database::{Connection, Database};
use crate::error::Error;
use crate::worker::Turn;
use answer::answered;
use link::{Link, Outgoing};
use probe::Probe;
use topology::Names;

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
    pub(super) async fn open(settings: &BusSettings, retries: Retries) -> Result<Arc<Self>, Error> {
        required(&settings.url)?;
        let names = Names::new(&settings.prefix);
        let link = Link::new(settings.url.clone(), names.clone());
        link.channel().await?;
        Ok(Arc::new(Self {
            link,
            names,
            retries,
            relaying: Semaphore::new(RELAYS_AT_ONCE),
            activity: AtomicU64::new(0),
            probes: Mutex::default(),
        }))
    }

    pub(super) async fn ping(&self) -> Result<(), Error> {
        self.link.channel().await.map(|_| ())
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
            properties: BasicProperties::default()
                .with_message_id(row.event_id.to_string().into())
                .with_type(row.topic.as_str().into())
                .with_content_type("application/x-protobuf".into()),
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
        for queue in QUEUES.iter().filter(|queue| probes.iter().all(|probe| probe.queue != queue.name)) {
            if topology::waiting(&channel, self.names.queue(queue)).await? > 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads them and puts copies back: a quorum queue counts deliveries, and newer brokers drop what was delivered often.
    pub(super) async fn dead_letters(&self) -> Result<Vec<DeadLetter>, Error> {
        let channel = self.link.channel().await?;
        let mut read = Vec::new();
        while read.len() < MOST_SHOWN {
            let got = channel.basic_get(self.names.dead().into(), BasicGetOptions::default());
            let Some(message) = answered("reading dead letters", got).await? else { break };
            read.push(message.delivery);
        }
        let Some(last) = read.last() else { return Ok(Vec::new()) };
        let copies = read.iter().map(|delivery| Outgoing {
            exchange: "",
            routing_key: self.names.dead(),
            payload: &delivery.data,
            properties: delivery.properties.clone(),
        });
        self.link.publish(copies).await.into_iter().collect::<Result<(), Error>>()?;
        answered("acknowledging", last.acker.ack(BasicAckOptions { multiple: true })).await?;
        Ok(read.iter().map(|delivery| self.names.dead_letter(delivery)).collect())
    }

    pub(super) async fn delete_all(&self) -> Result<(), Error> {
        let channel = self.link.channel().await?;
        topology::delete(&channel, &self.names).await
    }
}

fn required(url: &SecretString) -> Result<(), Error> {
    if url.expose_secret().is_empty() {
        return Err(Error::Setting { name: "bus.url", reason: "is missing: amqp://user:password@host:5672/%2f".to_owned() });
    }
    Ok(())
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
