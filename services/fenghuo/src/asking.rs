//! Asking a running platform over HTTP, as rehearsals and the demo do.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// The JSON of an answer, or the problem in it.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Result<Value> {
    let response = request.send().await.context("the platform does not answer")?;
    let status = response.status();
    let text = response.text().await?;
    ensure!(status.is_success(), "{status}: {text}");
    if text.is_empty() { Ok(Value::Null) } else { serde_json::from_str(&text).context("the answer is not JSON") }
}
