//! Where the broker is, and how it is spoken to.

use lapin::tcp::OwnedTLSConfig;
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Connection, ConnectionProperties};
use secrecy::ExposeSecret as _;

use crate::bus::settings::BusSettings;
use crate::encryption::{self, Asked};
use crate::error::Error;

/// The broker of the settings.
#[derive(Clone)]
pub(super) struct Broker {
    uri: AMQPUri,
    authority: Option<String>,
}

impl Broker {
    /// Reads its address.
    ///
    /// # Errors
    /// When it is missing, is none, or would send in the clear what has to be encrypted.
    pub(super) fn of(settings: &BusSettings) -> Result<Self, Error> {
        let wrong = |reason: &str| Error::Setting { name: "bus.url", reason: reason.to_owned() };
        let url = settings.url.expose_secret();
        if url.is_empty() {
            return Err(wrong("is missing: amqps://user:password@host:5671/%2f"));
        }
        // the parser's message may repeat the password
        let uri: AMQPUri = url.parse().map_err(|_| wrong("is not of the form amqps://user:password@host:5671/%2f"))?;
        let asked = Asked { tls: settings.tls, ca_file: settings.ca_file.as_deref() };
        let host = &uri.authority.host;
        if uri.scheme == AMQPScheme::AMQP && asked.is_encrypted(host) {
            return Err(encryption::in_the_clear("bus.url", host, "amqps://", "bus.tls"));
        }
        Ok(Self { authority: asked.authority("bus.ca_file")?, uri })
    }

    /// A new connection, which the broker shows under this name.
    pub(super) async fn connect(&self, name: &str) -> Result<Connection, lapin::Error> {
        encryption::choose_library();
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let believed = OwnedTLSConfig { identity: None, cert_chain: self.authority.clone() };
        Connection::connect_uri_with_config(self.uri.clone(), properties, believed, lapin::runtime::default_runtime()?).await
    }

    /// Where it is, where it is spoken to in the clear.
    pub(super) fn in_the_clear(&self) -> Option<(&str, u16)> {
        (self.uri.scheme == AMQPScheme::AMQP).then_some((&self.uri.authority.host, self.uri.authority.port))
    }
}
