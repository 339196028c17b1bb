//! What push stands on, from outside.

#![allow(clippy::unwrap_used, reason = "a helper of a test that cannot go on fails the test")]

mod raw_http2;
mod sender;
