//! Carries events from the outboxes to the handlers, through RabbitMQ or inside the process, with one promise.
//!
//! ```text
//! Tx::publish ─▶ <schema>.outbox ─▶ relay ─▶ queue ─▶ handler ─▶ done
//!                                              ▲         │ fails: again later, 8 times in all
//!                                              └─────────┴──────▶ dead letters, with the reason
//! ```
//!
//! - Arrives at least once at every queue of its topic, in no promised order: handlers are idempotent.
//! - The outbox row goes only when the message is kept elsewhere: in table `bus.message` or confirmed by a
//!   quorum queue. The message goes only when its handler has succeeded.
//! - A failing handler delays its own message, not those behind it.
//!
//! Relays and retries run on real time, also beside a moved clock: they carry, they do not decide.

mod carrier;
mod dead_letter;
mod handler;
mod local;
mod outboxes;
mod rabbit;
mod relay;
mod settings;

use crate::compiled_once;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use proto::{Event, Queue};
use sqlx::migrate::Migrator;

use crate::database::Database;
use crate::error::{BoxError, Error};
use crate::tasks::Tasks;
use carrier::Carrier;
pub use dead_letter::DeadLetter;
pub use handler::ATTEMPTS;
use handler::Retries;
use local::LocalBus;
use rabbit::Rabbit;
pub use rabbit::standing::BrokerStanding;
pub use settings::{BusMode, BusSettings};

/// The tables of schema `bus`.
pub static MIGRATOR: Migrator = sqlx::migrate!("migrations/bus");

/// The bus of this process. Clones share it.
#[derive(Clone)]
pub struct Bus(Arc<Inner>);

struct Inner {
    database: Database,
    tasks: Tasks,
    carrier: Carrier,
    relays: Mutex<Vec<&'static str>>,
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0.carrier {
            Carrier::Local(_) => "Bus(in process)",
            Carrier::Rabbit(_) => "Bus(RabbitMQ)",
        })
    }
}

impl Bus {
    /// Opens the bus; with RabbitMQ, declares every queue there is. Its tasks end with `tasks`.
    #[compiled_once]
    pub async fn open(settings: &BusSettings, database: &Database, tasks: &Tasks) -> Result<Self, Error> {
        let retries = Retries::from_millis(settings.first_retry_ms);
        let carrier = match settings.mode {
            BusMode::InProcess => Carrier::Local(Arc::new(LocalBus::new(database.clone(), retries))),
            BusMode::Rabbitmq => Carrier::Rabbit(Rabbit::open(settings, retries).await?),
        };
        Ok(Self(Arc::new(Inner { database: database.clone(), tasks: tasks.clone(), carrier, relays: Mutex::default() })))
    }

    /// Handles the messages of `queue`, up to `concurrency` at once, until the process stops. Processes that subscribe to
    /// one queue share its messages.
    ///
    /// A handler that returns an error or panics sees the message again, after a pause that grows, [`ATTEMPTS`] times in
    /// all; then the message is a dead letter.
    pub fn subscribe<E, H, F>(&self, queue: &'static Queue, concurrency: usize, handler: H) -> Result<(), Error>
    where
        E: Event,
        H: Fn(E) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        if queue.topic != E::TOPIC {
            return Err(Error::WrongEvent { queue: queue.name, expected: queue.topic, got: E::TOPIC });
        }
        let (handler, concurrency) = (handler::erase(handler), concurrency.max(1));
        match &self.0.carrier {
            Carrier::Local(local) => local::consumer::start(local, &self.0.tasks, queue, concurrency, handler),
            Carrier::Rabbit(rabbit) => rabbit::consumer::start(rabbit, &self.0.tasks, queue, concurrency, handler),
        }
        Ok(())
    }

    /// Carries what stands in the outbox of `schema` from now on. Every process that publishes from a schema starts its
    /// relay; several may relay one schema.
    pub fn start_relay(&self, schema: &'static str) {
        {
            let mut relays = self.0.relays.lock().unwrap_or_else(PoisonError::into_inner);
            if relays.contains(&schema) {
                return;
            }
            relays.push(schema);
        }
        relay::start(&self.0.database, &self.0.tasks, self.0.carrier.clone(), schema);
    }

    /// Whether everything published through this process's relays has been handled: no outbox row, no message waiting,
    /// delayed or in a handler. Dead letters do not count. With RabbitMQ, messages in the handlers of *other* processes
    /// are not seen.
    #[compiled_once]
    pub async fn settled(&self) -> Result<bool, Error> {
        let schemas = self.0.relays.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match &self.0.carrier {
            Carrier::Local(local) => local.settled(&schemas).await,
            Carrier::Rabbit(rabbit) => rabbit.settled(&self.0.database, &schemas).await,
        }
    }

    /// Whether the carrier answers.
    #[compiled_once]
    pub async fn ping(&self) -> Result<(), Error> {
        match &self.0.carrier {
            Carrier::Local(_) => self.0.database.ping().await,
            Carrier::Rabbit(rabbit) => rabbit.ping().await,
        }
    }

    /// Asks RabbitMQ how it stands, without declaring anything.
    ///
    /// # Errors
    /// When it does not answer within `patience`, or refuses us.
    #[compiled_once]
    pub async fn standing(settings: &BusSettings, patience: Duration) -> Result<BrokerStanding, Error> {
        rabbit::standing::look(settings, patience).await
    }

    /// The messages that were given up, oldest first, at most 1,000. They stay where they are.
    #[compiled_once]
    pub async fn dead_letters(&self) -> Result<Vec<DeadLetter>, Error> {
        match &self.0.carrier {
            Carrier::Local(local) => local.dead_letters().await,
            Carrier::Rabbit(rabbit) => rabbit.dead_letters().await,
        }
    }

    /// Removes all messages, and on RabbitMQ all queues and exchanges of this prefix: for tests and rehearsals.
    #[compiled_once]
    pub async fn delete_all(&self) -> Result<(), Error> {
        match &self.0.carrier {
            Carrier::Local(local) => local.delete_all().await,
            Carrier::Rabbit(rabbit) => rabbit.delete_all().await,
        }
    }
}
