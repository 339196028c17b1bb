//! How much a request may send and how long it may take.

use std::time::Duration;

/// The limits of one route, or of all that have none of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest body, in bytes.
    pub body: usize,
    /// Longest time until the response begins; `None` for uploads and streams, whose length is their nature.
    pub time: Option<Duration>,
}

impl Limits {
    /// For an upload: this many bytes, as long as it takes.
    pub const fn upload(bytes: usize) -> Self {
        Self { body: bytes, time: None }
    }

    /// For a response that goes on (server-sent events, exports): a small request, as long as it takes.
    pub const fn stream() -> Self {
        Self { body: 64 * 1024, time: None }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 1024 * 1024, time: Some(Duration::from_secs(30)) }
    }
}
