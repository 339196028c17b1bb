//! Asking over a network, for the stories that are about it.

/// An HTTP client of the story's own: connections belong to the runtime that has opened them, and each story has another.
#[expect(clippy::disallowed_methods, reason = "where the clients of the stories are made")]
pub fn client() -> reqwest::Client {
    reqwest::Client::new()
}
