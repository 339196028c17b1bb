//! What an operator sets.

use serde::{Deserialize, Serialize};

/// Settings of the service, section `[display]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Seconds without a heartbeat after which a screen counts as stale.
    pub stale_after_s: u32,
    /// Seconds between signs of life on a quiet event stream; below what proxies cut off at.
    pub keep_alive_s: u32,
    /// Milliseconds after which a process sees what another process changed.
    pub refresh_ms: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { stale_after_s: 120, keep_alive_s: 15, refresh_ms: 500 }
    }
}
