//! One request and what became of it.

use bytes::Bytes;
use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::uri::PathAndQuery;

/// A `POST` to the provider. What all recipients of a message share is borrowed; a request of its own has only its path, perhaps one
/// header, and a body that is a counted reference.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// `:path`.
    pub path: PathAndQuery,
    /// The headers that all recipients share.
    pub headers: &'a HeaderMap,
    /// One header of this recipient alone (`apns-id`).
    pub own: Option<(HeaderName, HeaderValue)>,
    /// The payload.
    pub body: Bytes,
}

/// What the server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// The first 64 KiB of its body. Empty or cut short where the server broke off after its headers: the status stands.
    pub body: Bytes,
}

/// No answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The server certainly did not process the request, and repeating it did not help.
    #[error("not sent: {0}")]
    NotSent(Why),
    /// The server may or may not have processed the request.
    #[error("no answer: {0}")]
    Unknown(Why),
}

impl Failure {
    /// What happened.
    pub fn why(self) -> Why {
        match self {
            Self::NotSent(why) | Self::Unknown(why) => why,
        }
    }
}

/// What kept an answer away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// No connection could be opened.
    Unreachable,
    /// The server did not answer in time.
    TimedOut,
    /// The connection ended.
    ConnectionLost,
    /// The server said goodbye (`GOAWAY`).
    GoingAway,
    /// The server refused the stream (`REFUSED_STREAM`).
    StreamRefused,
    /// The server ended the stream otherwise.
    StreamReset,
}

impl Why {
    /// In a word, for metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::ConnectionLost => "connection_lost",
            Self::GoingAway => "going_away",
            Self::StreamRefused => "stream_refused",
            Self::StreamReset => "stream_reset",
        }
    }
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.label())
    }
}
