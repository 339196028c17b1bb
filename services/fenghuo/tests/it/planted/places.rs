//! Where values are looked for: everything that was written to Redis and RabbitMQ, what lies in PostgreSQL, what was logged, told and left behind.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use futures::StreamExt as _;
use lapin::options::{BasicGetOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties};
use platform::StoreSettings;
use secrecy::ExposeSecret as _;
use tokio::task::JoinHandle;

use crate::processes::City;

/// Listens to both stores that forget, from before anything is written to them.
pub struct Ears {
    commands: Arc<Mutex<Vec<u8>>>,
    listening: JoinHandle<()>,
    _connection: Connection,
    channel: Channel,
    queue: String,
}

impl Ears {
    /// From now on: a copy of every message, and every command to the cache.
    pub async fn on(stores: &StoreSettings) -> Self {
        let client = redis::Client::open(stores.cache.url.expose_secret()).expect("an address of Redis");
        let monitor = client.get_async_monitor().await.expect("Redis tells what it is asked");
        let commands = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&commands);
        let listening = tokio::spawn(async move {
            let mut lines = monitor.into_on_message::<String>();
            while let Some(line) = lines.next().await {
                let mut heard = heard.lock().unwrap();
                heard.extend_from_slice(line.as_bytes());
                heard.push(b'\n');
            }
        });
        let connection =
            Connection::connect(stores.bus.url.expose_secret(), ConnectionProperties::default()).await.expect("RabbitMQ answers");
        let channel = connection.create_channel().await.unwrap();
        let queue = format!("{}.planted", stores.bus.prefix);
        let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(queue.as_str().into(), options, FieldTable::default()).await.unwrap();
        let exchange = stores.bus.prefix.as_str();
        channel
            .queue_bind(queue.as_str().into(), exchange.into(), "#".into(), QueueBindOptions::default(), FieldTable::default())
            .await
            .expect("the exchange is there");
        Self { commands, listening, _connection: connection, channel, queue }
    }

    /// What was heard, by where.
    async fn heard(self) -> [Vec<u8>; 2] {
        let mut messages = Vec::new();
        while let Some(message) = self.channel.basic_get(self.queue.as_str().into(), BasicGetOptions { no_ack: true }).await.unwrap() {
            messages.extend_from_slice(message.delivery.routing_key.as_str().as_bytes());
            messages.extend(format!(" {:?} ", message.delivery.properties).into_bytes());
            messages.extend_from_slice(&message.delivery.data);
            messages.push(b'\n');
        }
        self.listening.abort();
        let commands = std::mem::take(&mut *self.commands.lock().unwrap());
        [messages, commands]
    }
}

/// All places with all that stands in them.
pub async fn all(city: &City, ears: Ears) -> BTreeMap<&'static str, Vec<u8>> {
    let dump = Command::new("pg_dump").args(["--no-owner", city.database_url()]).output().expect("pg_dump is there");
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let metrics = city.metrics().await.into_bytes();
    let [messages, commands] = ears.heard().await;
    let mut files = Vec::new();
    read(city.directory(), &mut files);
    BTreeMap::from([
        ("PostgreSQL", dump.stdout),
        ("RabbitMQ", messages),
        ("Redis", commands),
        ("metrics", metrics),
        ("files and logs", files),
    ])
}

fn read(path: &Path, into: &mut Vec<u8>) {
    if path.is_dir() {
        for inside in std::fs::read_dir(path).unwrap() {
            read(&inside.unwrap().path(), into);
        }
    } else {
        into.extend(std::fs::read(path).unwrap());
    }
}
