//! Asking a platform over HTTP.

/// A client, with connections of its own: one for all that somebody asks.
#[expect(clippy::disallowed_methods, reason = "where the clients of the measurements are made")]
pub fn client() -> reqwest::Client {
    reqwest::Client::new()
}
