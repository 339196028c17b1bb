//! Asking a running platform over HTTP, as the import, the doctor, rehearsals and the demo do.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

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

/// Shows the second factor of a demo's account in the session that `begun` tells of, where it has one. The session's token from then on.
pub(crate) async fn prove_demo(client: &reqwest::Client, url: &str, token: &str, begun: &Value) -> Result<String> {
    if begun["staff"]["second_factor"]["needs"].is_null() { Ok(token.to_owned()) } else { show_demo_code(client, url, token).await }
}

/// Shows the second factor of a demo's account, also once more before what asks for it.
pub(crate) async fn show_demo_code(client: &reqwest::Client, url: &str, token: &str) -> Result<String> {
    let shown = json!({ "code": crate::demo::CODE });
    let proof = client.post(format!("{url}/api/v1/session/proof")).bearer_auth(token).json(&shown);
    let proved = answer(proof).await.context("the demo's code was refused")?;
    Ok(proved["token"].as_str().unwrap_or(token).to_owned())
}
