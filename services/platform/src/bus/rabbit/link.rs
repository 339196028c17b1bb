//! The connections to the broker: made when they are needed, forgotten when they fail.
//!
//! One is for reading and one for publishing. A publish that fails (a queue that has lost its majority, a confirm that stays out) ends the
//! second only: what consumers have in hand through the first is not delivered again for it, and their deliveries are not counted.

use std::time::Duration;

use futures::future::join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Confirmation, Connection};
use tokio::sync::Mutex;

use super::answer::answered;
use super::broker::Broker;
use super::topology::{self, Names};
use crate::error::Error;

/// For the confirms of one batch; a quorum that has lost its majority gives none.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);
/// Kept on disk by the broker.
const PERSISTENT: u8 = 2;

/// The connections of a process.
pub(super) struct Link {
    broker: Broker,
    names: Names,
    reading: Mutex<Option<Connection>>,
    publishing: Mutex<Option<Publishing>>,
}

struct Publishing {
    connection: Connection,
    channel: Channel,
}

/// A message to publish.
pub(super) struct Outgoing<'a> {
    pub(super) exchange: &'a str,
    pub(super) routing_key: &'a str,
    pub(super) payload: &'a [u8],
    pub(super) properties: BasicProperties,
}

impl Link {
    pub(super) fn new(broker: Broker, names: Names) -> Self {
        Self { broker, names, reading: Mutex::new(None), publishing: Mutex::new(None) }
    }

    /// A new channel for reading, on a new connection if the last one is lost.
    pub(super) async fn channel(&self) -> Result<Channel, Error> {
        let mut open = self.reading.lock().await;
        let connection = match &mut *open {
            Some(connection) if connection.status().connected() => connection,
            gone => gone.insert(answered("connecting", self.connect_reading()).await?),
        };
        let channel = answered("opening a channel", connection.create_channel()).await;
        if channel.is_err() {
            *open = None;
        }
        channel
    }

    /// The channel with confirms, connected.
    pub(super) async fn publisher(&self) -> Result<Channel, Error> {
        let mut open = self.publishing.lock().await;
        let publishing = match &mut *open {
            Some(open) if open.connection.status().connected() && open.channel.status().connected() => open,
            gone => gone.insert(answered("connecting", self.connect_publishing()).await?),
        };
        Ok(publishing.channel.clone())
    }

    /// Nobody reads a queue that is not there: it is declared first, which also brings back one that somebody has deleted.
    async fn connect_reading(&self) -> Result<Connection, lapin::Error> {
        let connection = self.broker.connect("fenghuo, reading").await?;
        let channel = connection.create_channel().await?;
        topology::declare(&channel, &self.names).await?;
        channel.close(200, "declared".into()).await?;
        Ok(connection)
    }

    async fn connect_publishing(&self) -> Result<Publishing, lapin::Error> {
        let connection = self.broker.connect("fenghuo, publishing").await?;
        let channel = connection.create_channel().await?;
        topology::declare(&channel, &self.names).await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Publishing { connection, channel })
    }

    /// Publishes all of `messages` at once and waits for the confirms: one outcome for each, in their order.
    pub(super) async fn publish<'a>(&self, messages: impl Iterator<Item = Outgoing<'a>>) -> Vec<Result<(), Error>> {
        let messages: Vec<_> = messages.collect();
        let channel = match self.publisher().await {
            Ok(channel) => channel,
            Err(error) => {
                let mut outcomes = vec![Err(error)];
                outcomes.extend(messages.iter().skip(1).map(|message| Err(unconfirmed(message, "the broker is away"))));
                return outcomes;
            }
        };
        let sending = join_all(messages.iter().map(|message| publish_one(&channel, message)));
        match tokio::time::timeout(CONFIRM_TIMEOUT, sending).await {
            Ok(outcomes) => {
                if outcomes.iter().any(Result::is_err) {
                    self.forget().await;
                }
                outcomes
            }
            Err(_) => {
                self.forget().await;
                messages.iter().map(|message| Err(unconfirmed(message, "no confirm in time"))).collect()
            }
        }
    }

    /// The next use connects and declares again, which also brings back a queue that somebody has deleted.
    async fn forget(&self) {
        *self.publishing.lock().await = None;
    }
}

fn unconfirmed(message: &Outgoing<'_>, reason: &str) -> Error {
    Error::Unconfirmed { target: message.routing_key.to_owned(), reason: reason.to_owned() }
}

async fn publish_one(channel: &Channel, message: &Outgoing<'_>) -> Result<(), Error> {
    let failed = |source| Error::Broker { action: "publishing", source };
    // unroutable messages come back instead of being dropped
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    let properties = message.properties.clone().with_delivery_mode(PERSISTENT);
    let (exchange, key) = (message.exchange.into(), message.routing_key.into());
    let confirm = channel.basic_publish(exchange, key, options, message.payload, properties).await.map_err(failed)?;
    match confirm.await.map_err(failed)? {
        Confirmation::Ack(None) => Ok(()),
        Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned)) => Err(unconfirmed(message, returned.reply_text.as_str())),
        Confirmation::Nack(None) => Err(unconfirmed(message, "the broker refused it")),
        Confirmation::NotRequested => Err(unconfirmed(message, "the channel gives no confirms")),
    }
}
