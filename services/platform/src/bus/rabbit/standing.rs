//! How the broker stands, for those who look after it. Nothing is declared.

use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Channel, Connection};
use proto::QUEUES;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::broker::Broker;
use super::topology::Names;
use crate::bus::settings::BusSettings;
use crate::error::Error;

/// What a client says first (AMQP 0-9-1 §4.2.2); the broker answers with what it is, before anybody has signed in.
const GREETING: &[u8; 8] = b"AMQP\x00\x00\x09\x01";
/// In its answer: a name of seven octets, a text with four octets of length.
const VERSION: &[u8] = b"\x07versionS";

/// What the broker says of itself and of our queues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerStanding {
    /// Its version, where the connection is not encrypted and it says so.
    pub version: Option<String>,
    /// Our queues that are not there (yet): the first process declares them.
    pub missing: Vec<String>,
    /// Messages that wait in our queues.
    pub waiting: u64,
    /// Messages that were given up.
    pub dead: u64,
}

pub(in crate::bus) async fn look(settings: &BusSettings, patience: Duration) -> Result<BrokerStanding, Error> {
    let broker = Broker::of(settings)?;
    let failed = |source| Error::Broker { action: "connecting", source };
    let late = |action| move |_| Error::BrokerSilent { action, seconds: patience.as_secs() };
    let connect = broker.connect("fenghuo doctor");
    let connection = tokio::time::timeout(patience, connect).await.map_err(late("connecting"))?.map_err(failed)?;
    let counting = async {
        let names = Names::new(&settings.prefix);
        let mut standing = BrokerStanding { version: None, missing: Vec::new(), waiting: 0, dead: 0 };
        for name in QUEUES.iter().map(|queue| names.queue(queue)) {
            match waiting(&connection, &name).await? {
                Some(messages) => standing.waiting += u64::from(messages),
                None => standing.missing.push(name),
            }
        }
        standing.dead = waiting(&connection, names.dead()).await?.map_or(0, u64::from);
        Ok::<_, lapin::Error>(standing)
    };
    let counted = tokio::time::timeout(patience, counting).await.map_err(late("counting queues"))?;
    let mut standing = counted.map_err(|source| Error::Broker { action: "counting queues", source })?;
    standing.version = tokio::time::timeout(patience, version(&broker)).await.ok().flatten();
    // it was only asked; how the conversation ends matters to nobody
    let _ = tokio::time::timeout(patience, connection.close(200, "bye".into())).await;
    Ok(standing)
}

/// How many messages wait in a queue; `None` when it is not there.
async fn waiting(connection: &Connection, queue: &str) -> Result<Option<u32>, lapin::Error> {
    // the broker closes the channel on which a missing queue was asked for
    let channel: Channel = connection.create_channel().await?;
    let passive = QueueDeclareOptions::durable().passive();
    match channel.queue_declare(queue.into(), passive, FieldTable::default()).await {
        Ok(found) => Ok(Some(found.message_count())),
        Err(error) if connection.status().connected() => {
            tracing::debug!(queue, %error, "a queue is not there");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The version in the broker's answer to a greeting.
async fn version(broker: &Broker) -> Option<String> {
    let mut socket = TcpStream::connect(broker.in_the_clear()?).await.ok()?;
    socket.write_all(GREETING).await.ok()?;
    // a frame: kind, channel, length, payload
    let mut head = [0; 7];
    socket.read_exact(&mut head).await.ok()?;
    let length = u32::from_be_bytes([head[3], head[4], head[5], head[6]]);
    let mut payload = Vec::new();
    socket.take(length.into()).read_to_end(&mut payload).await.ok()?;
    version_in(&payload)
}

fn version_in(payload: &[u8]) -> Option<String> {
    let at = payload.windows(VERSION.len()).position(|window| window == VERSION)? + VERSION.len();
    let (length, rest) = payload.get(at..)?.split_first_chunk::<4>()?;
    let text = rest.get(..u32::from_be_bytes(*length) as usize)?;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_among_what_the_broker_says() {
        let said =
            b"\x00\x0a\x00\x0a\x00\x09\x00\x00\x00\x99\x07productS\x00\x00\x00\x08RabbitMQ\x07versionS\x00\x00\x00\x063.10.8\x08platform";
        assert_eq!(version_in(said).as_deref(), Some("3.10.8"));
        assert_eq!(version_in(b"\x07versionS\x00\x00\x00\xff3.10"), None);
        assert_eq!(version_in(b"HTTP/1.1 400 Bad Request"), None);
    }
}
