//! Asking a running platform over HTTP, as the import, the doctor, rehearsals and the demo do.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// A client, with connections of its own: one for all that somebody asks.
#[expect(clippy::disallowed_methods, reason = "where the clients of the command line are made")]
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::new()
}

/// The JSON of an answer, or the problem in it.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Result<Value> {
    let response = request.send().await.context("the platform does not answer")?;
    let status = response.status();
    let text = response.text().await?;
    ensure!(status.is_success(), "{status}: {text}");
    if text.is_empty() { Ok(Value::Null) } else { serde_json::from_str(&text).context("the answer is not JSON") }
}
