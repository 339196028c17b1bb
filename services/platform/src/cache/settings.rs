//! What an operator sets about the cache.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::encryption::Tls;

/// Where it is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheMode {
    /// In this process; gone with it.
    #[default]
    InProcess,
    /// Redis 7 or newer.
    Redis,
}

/// The section `cache` of the configuration.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CacheSettings {
    /// Where sessions, one-time codes and send rates are kept.
    ///
    /// Several processes must share them, else a session holds in one of them only.
    pub mode: CacheMode,
    /// The server, for `mode = "redis"`.
    ///
    /// Holds a password: better read from a file.
    ///
    /// Example: "rediss://user:password@host:6379/"
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
    /// First part of all keys on the server.
    ///
    /// Two installations can share a server under two prefixes.
    pub prefix: String,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { mode: CacheMode::default(), url: SecretString::default(), tls: Tls::default(), ca_file: None, prefix: "fenghuo".to_owned() }
    }
}
