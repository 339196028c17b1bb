//! The id under which a request can be found in the logs.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Builder;

use crate::clock::Clock;

/// Header that carries it, in and out.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST: usize = 64;

/// Id of a request: a fresh UUIDv7, which is ours alone, so that nobody can make lines of two requests look like those of one. What the caller
/// calls it is kept beside it. Clones share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId {
    own: HeaderValue,
    callers: Option<HeaderValue>,
}

impl RequestId {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self { own: fresh(), callers: headers.get(&HEADER).filter(|given| is_sane(given.as_bytes())).cloned() }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        // made of letters, digits and hyphens, so it always is text
        self.own.to_str().unwrap_or_default()
    }

    /// What the caller calls the request, if it said so and the name is safe to repeat in a log.
    pub fn callers(&self) -> Option<&str> {
        self.callers.as_ref()?.to_str().ok()
    }

    pub(super) fn header_value(&self) -> HeaderValue {
        self.own.clone()
    }
}

/// Anything else could forge log lines, or smuggle personal data into them.
fn is_sane(given: &[u8]) -> bool {
    (8..=LONGEST).contains(&given.len()) && given.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// A new id. It names and proves nothing, so its bits need not come from the kernel, which takes a call each.
fn fresh() -> HeaderValue {
    let millis = u64::try_from(Clock::real().now().timestamp_millis()).unwrap_or_default();
    let id = Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid();
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    id.hyphenated().encode_lower(&mut text);
    HeaderValue::from_maybe_shared(Bytes::copy_from_slice(&text)).unwrap_or(HeaderValue::from_static("unnamed"))
}
