//! Carries events from the outboxes to the handlers, through RabbitMQ or inside the process, with one promise.
//!
//! ```text
//! Tx::publish ─▶ <schema>.outbox ─▶ relay ─▶ queue ─▶ handler ─▶ done
//!                                              ▲         │ fails: again later, without end
//!                                              └─────────┤
//!                                              ▲         ▼ can never be understood
//!                          an operator, again ─┴── dead letters, with the reason
//! ```
//!
//! - Arrives at least once at every queue of its topic, in no promised order: handlers are idempotent.
//! - The outbox row goes only when the message is kept elsewhere: in table `bus.message` or confirmed by a
//!   quorum queue. The message goes only when its handler has succeeded.
//! - On RabbitMQ a message bears a mark that only whoever has the keys can make; what has none is never handled.
//! - A failing handler delays its own message, not those behind it. What fails is tried without end, ever more rarely; what becomes of
//!   which failure is decided in one place ([`handler`]).
//!
//! Relays and retries run on real time, also beside a moved clock: they carry, they do not decide.

mod carrier;
mod dead_letter;
mod handler;
mod local;
mod outboxes;
mod rabbit;
mod relay;
mod routes;
mod settings;

use crate::compiled_once;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use proto::{Event, Queue};
use sqlx::migrate::Migrator;

use crate::clock::Clock;
use crate::crypto::Keyring;
use crate::database::{Database, Tx};
use crate::error::{BoxError, Error};
use crate::tasks::Tasks;
use crate::worker::{self, Turn, Wake};
use carrier::Carrier;
pub use dead_letter::{DeadLetter, Trouble, dead_letters_in};
use handler::Retries;
pub use handler::{ATTEMPTS, NotUnderstood, understood};
use local::LocalBus;
use rabbit::Rabbit;
pub use rabbit::standing::BrokerStanding;
pub use routes::routes;
pub use settings::{BusMode, BusSettings};

/// The schema of the bus's own tables.
pub const SCHEMA: &str = "bus";

/// How often it is looked for dead letters and for messages that are stuck.
const TROUBLE_INTERVAL: Duration = Duration::from_secs(10);

/// The tables of schema `bus`.
pub static MIGRATOR: Migrator = sqlx::migrate!("migrations/bus");

/// A dead letter that is delivered again.
struct Redriven {
    letter_id: i64,
    queue: String,
}

/// The bus of this process. Clones share it.
#[derive(Clone)]
pub struct Bus(Arc<Inner>);

struct Inner {
    database: Database,
    tasks: Tasks,
    carrier: Carrier,
    relays: Mutex<Vec<&'static str>>,
    /// Dead letters at the last look.
    dead: AtomicU64,
    /// Something was given up.
    given_up: Wake,
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
    pub async fn open(settings: &BusSettings, database: &Database, keyring: &Keyring, tasks: &Tasks) -> Result<Self, Error> {
        let (retries, given_up) = (Retries::from_millis(settings.first_retry_ms), Wake::new());
        let carrier = match settings.mode {
            BusMode::InProcess => Carrier::Local(Arc::new(LocalBus::new(database.clone(), retries))),
            BusMode::Rabbitmq => Carrier::Rabbit(Rabbit::open(settings, retries, given_up.clone(), keyring.clone()).await?),
        };
        let (database, tasks) = (database.clone(), tasks.clone());
        let bus = Self(Arc::new(Inner { database, tasks, carrier, relays: Mutex::default(), dead: AtomicU64::new(0), given_up }));
        bus.watch();
        Ok(bus)
    }

    /// Has the numbers of what needs a person ready, and brings what the broker keeps of dead letters into the table.
    fn watch(&self) {
        let watched = Arc::downgrade(&self.0);
        worker::run(&self.0.tasks, &Clock::real(), "bus.trouble", TROUBLE_INTERVAL, &self.0.given_up, move || {
            let watched = watched.upgrade().map(Self);
            async move {
                let Some(bus) = watched else { return Ok(Turn::Idle) };
                let more = match &bus.0.carrier {
                    Carrier::Local(_) => Turn::Idle,
                    Carrier::Rabbit(rabbit) => rabbit.collect_dead(&bus.0.database).await?,
                };
                let trouble = bus.trouble().await?;
                metrics::gauge!("dead_letters").set(trouble.dead as f64);
                metrics::gauge!("bus_messages_stuck").set(trouble.stuck as f64);
                bus.0.dead.store(trouble.dead, Ordering::Relaxed);
                Ok(more)
            }
        });
    }

    /// Handles the messages of `queue`, up to `concurrency` at once, until the process stops. Processes that subscribe to
    /// one queue share its messages.
    ///
    /// A handler that returns an error or panics sees the message again, after a pause that grows to minutes, without end; from the
    /// [`ATTEMPTS`]th failure on it rings. Only what it calls [`NotUnderstood`] is a dead letter at once.
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
        if let Carrier::Rabbit(rabbit) = &self.0.carrier {
            while rabbit.collect_dead(&self.0.database).await? == Turn::More {}
        }
        dead_letter::oldest(&self.0.database).await
    }

    /// How much of the bus needs a person.
    #[compiled_once]
    pub async fn trouble(&self) -> Result<Trouble, Error> {
        let found = dead_letter::count(&self.0.database).await?;
        Ok(match &self.0.carrier {
            Carrier::Local(_) => found,
            Carrier::Rabbit(rabbit) => Trouble { stuck: rabbit.stuck().await?, ..found },
        })
    }

    /// How many messages were given up and not delivered again, as of a few seconds ago.
    pub fn dead_letters_known(&self) -> u64 {
        self.0.dead.load(Ordering::Relaxed)
    }

    /// Has dead letters delivered again, when the transaction that is given is committed: one, or the oldest 1,000. Which they were.
    async fn redrive(&self, tx: &mut Tx, which: Option<i64>) -> Result<Vec<Redriven>, Error> {
        let numbers = match which {
            Some(letter_id) => vec![letter_id],
            None => dead_letter::oldest_numbers(&self.0.database).await?,
        };
        let letters = dead_letter::take(tx, &numbers).await?;
        match &self.0.carrier {
            Carrier::Local(local) => local.redrive(tx, &letters).await?,
            Carrier::Rabbit(rabbit) => rabbit.redrive(tx, &letters).await?,
        }
        Ok(letters.into_iter().map(|letter| Redriven { letter_id: letter.letter_id, queue: letter.queue }).collect())
    }

    /// Tells the readers of what was delivered again, after the commit.
    fn tell_of(&self, redriven: &[Redriven]) {
        if let Carrier::Local(local) = &self.0.carrier {
            for letter in redriven {
                local.wake(&letter.queue);
            }
        }
        self.0.given_up.wake();
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
