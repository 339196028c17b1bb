//! What an operator sets about the bus.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::encryption::Tls;

/// What carries the messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BusMode {
    /// This process alone, durable through the database.
    #[default]
    InProcess,
    /// RabbitMQ 3.10 or newer.
    Rabbitmq,
}

/// The section `bus` of the configuration.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BusSettings {
    /// What carries events between services.
    ///
    /// One process needs no broker: the database carries them with the same promise.
    pub mode: BusMode,
    /// The broker, for `mode = "rabbitmq"`.
    ///
    /// Holds a password: better read from a file.
    ///
    /// Example: "amqps://user:password@host:5671/%2f"
    #[serde(skip_serializing)]
    pub url: SecretString,
    /// Whether the connection to a server on another machine has to be encrypted: `required` or `off`.
    ///
    /// `off` is for a way that is protected otherwise, such as a tunnel or a network of one's own.
    ///
    /// Unit: one of `"required"`, `"off"`
    pub tls: Tls,
    /// The certificate authority that the server's certificate has to come from, in a file of PEM; those of the system where none is named.
    ///
    /// With it the connection is encrypted also to a server on this machine.
    ///
    /// Example: "/etc/fenghuo/ca.pem"
    pub ca_file: Option<PathBuf>,
    /// First part of the names of exchanges and queues on the broker.
    ///
    /// Two installations can share a broker under two prefixes.
    pub prefix: String,
    /// Whether messages without the mark of this installation are handled, as versions before the mark wrote them. Those with a wrong one never are.
    ///
    /// For an upgrade over messages that still wait on the broker; not afterwards: whoever can write to the broker could stop any alert.
    pub accept_unmarked: bool,
    /// A failed message is tried again after so long, doubling to 5 minutes, without end.
    ///
    /// Most failures pass at once; what lasts is asked ever more rarely, and rings.
    pub first_retry_ms: u64,
}

impl Default for BusSettings {
    fn default() -> Self {
        Self {
            mode: BusMode::default(),
            url: SecretString::default(),
            tls: Tls::default(),
            ca_file: None,
            prefix: "fenghuo".to_owned(),
            accept_unmarked: false,
            first_retry_ms: 200,
        }
    }
}
