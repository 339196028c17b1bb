//! What an operator sets about the cache.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

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
    /// Example: "redis://user:password@host:6379/"
    #[serde(skip_serializing)]
    pub url: SecretString,
    /// First part of all keys on the server.
    ///
    /// Two installations can share a server under two prefixes.
    pub prefix: String,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { mode: CacheMode::default(), url: SecretString::default(), prefix: "fenghuo".to_owned() }
    }
}
