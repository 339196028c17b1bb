//! What the operator sets.

use std::time::Duration;

use domain::retention;
use serde::{Deserialize, Serialize};

use crate::session::Lifetimes;

/// The section `identity` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// A session ends when it was not used for so long. The same in every process.
    ///
    /// Consoles stand in shared rooms: what somebody left open closes by itself.
    pub session_idle_seconds: u64,
    /// A session ends after so long, used or not.
    ///
    /// No shift is longer, so each begins with a password.
    pub session_longest_seconds: u64,
    /// Whether browsers send the session cookie over https only.
    ///
    /// Switch it off only where pages are served without TLS, as a demo on one machine is.
    pub cookie_secure: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            session_idle_seconds: 30 * 60,
            session_longest_seconds: retention::STAFF_SESSIONS.keeping.length().into(),
            cookie_secure: true,
        }
    }
}

impl Settings {
    pub(crate) fn lifetimes(&self) -> Lifetimes {
        Lifetimes { idle: Duration::from_secs(self.session_idle_seconds), longest: Duration::from_secs(self.session_longest_seconds) }
    }
}
