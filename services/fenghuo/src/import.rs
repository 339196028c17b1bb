//! `fenghuo import`: files of risk records to a running platform, streamed, with a progress bar.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use futures::TryStreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::io::AsyncRead;
use tokio_util::io::ReaderStream;

use crate::asking;

/// Send files of risk records (CSV, xlsx, xls, JSON or NDJSON) to a running platform.
#[derive(Args)]
pub(crate) struct Import {
    /// Files with lists, whatever they are called: their content decides; `-` reads NDJSON from standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Address of the platform.
    #[arg(long, env = "FENGHUO_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// A source's API key (`fhk_…`).
    #[arg(long, env = "FENGHUO_API_KEY", hide_env_values = true)]
    key: String,
}

pub(crate) async fn run(import: Import) -> Result<()> {
    let client = asking::client();
    let mut refused = 0;
    for file in &import.files {
        refused += send(&client, &import, file).await.with_context(|| format!("{} was not imported", file.display()))?;
    }
    if refused > 0 {
        bail!("{refused} rows were refused; fetch them at {}/api/v1/loads/<load_id>/refused, mend them and send them again", import.url);
    }
    Ok(())
}

/// Sends one file and returns how many of its rows were refused.
async fn send(client: &reqwest::Client, import: &Import, file: &Path) -> Result<u64> {
    let extension = file.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
    let (path, content_type) = match extension.as_deref() {
        Some("json") => ("", "application/json"),
        Some("ndjson" | "jsonl") => ("stream", "application/x-ndjson"),
        _ if file == Path::new("-") => ("stream", "application/x-ndjson"),
        // one reader for all lists: the platform looks at what is in them
        _ => ("upload", "application/octet-stream"),
    };
    let (reader, size): (Box<dyn AsyncRead + Send + Unpin>, u64) = if file == Path::new("-") {
        (Box::new(tokio::io::stdin()), 0)
    } else {
        let opened = tokio::fs::File::open(file).await?;
        let size = opened.metadata().await?.len();
        (Box::new(opened), size)
    };
    let bar = ProgressBar::new(size);
    bar.set_style(
        ProgressStyle::with_template("{msg} {bar:40} {bytes}/{total_bytes} {bytes_per_sec}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar.set_message(file.display().to_string());
    let sent = bar.clone();
    let body = ReaderStream::new(reader).inspect_ok(move |chunk| sent.inc(chunk.len() as u64));
    let address = format!("{}/api/v1/records/{path}", import.url.trim_end_matches('/'));
    let request = client.post(address.trim_end_matches('/')).bearer_auth(&import.key).header("content-type", content_type);
    // by its length the platform foresees how many rows there will be
    let request = if size > 0 { request.header("content-length", size) } else { request };
    let response =
        request.body(reqwest::Body::wrap_stream(body)).send().await.with_context(|| format!("{} does not answer", import.url))?;
    bar.finish_and_clear();
    let status = response.status();
    let answer: serde_json::Value = response.json().await.with_context(|| format!("{} answered {status} and no JSON", import.url))?;
    if !status.is_success() {
        bail!("{status}: {}", answer["detail_en"].as_str().unwrap_or("no reason given"));
    }
    println!(
        "{}: {} accepted, {} repeated, {} refused (load {})",
        file.display(),
        answer["accepted"],
        answer["repeated"],
        answer["refused"],
        answer["load_id"].as_str().unwrap_or_default()
    );
    if answer["held"]["state"] == "waiting" {
        println!("  it waits for a person, and {} rows of it do not count until then:", answer["held"]["rows"]);
        for why in answer["held"]["why"].as_array().into_iter().flatten() {
            println!("    {}", why["reason_en"].as_str().unwrap_or_default());
        }
    }
    for row in answer["refused_rows"].as_array().into_iter().flatten().take(10) {
        for fault in std::iter::once(row).chain(row["others"].as_array().into_iter().flatten()) {
            println!(
                "  line {}: {}: {}",
                row["line"],
                fault["field"].as_str().unwrap_or_default(),
                fault["reason"].as_str().unwrap_or_default()
            );
        }
    }
    answer["refused"].as_u64().context("the answer does not say how many rows were refused")
}
