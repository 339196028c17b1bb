//! `fenghuo import`: files of risk records to a running platform, streamed, with a progress bar.
//!
//! A large file goes as one that is sent in pieces (tus 1.0.0): when the connection breaks, it goes on where it was.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use futures::TryStreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use crate::asking;

/// Files larger than this can be gone on with.
const LARGE: u64 = 8 << 20;
/// How often it is tried without getting any further.
const ATTEMPTS: u32 = 8;

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
    let answer = if file == Path::new("-") {
        let bar = bar(file, 0);
        post(client, import, "records/stream", "application/x-ndjson", tokio::io::stdin(), &bar).await?
    } else {
        let opened = File::open(file).await?;
        let size = opened.metadata().await?.len();
        let bar = bar(file, size);
        if size > LARGE {
            let upload = Upload { client, import, file, size };
            let id = upload.send(&bar).await?;
            bar.finish_and_clear();
            // one reader for all lists: the platform looks at what is in them
            asking::answer(client.post(address(import, &format!("records/upload?upload_id={id}"))).bearer_auth(&import.key)).await?
        } else {
            post(client, import, "records/upload", "application/octet-stream", opened, &bar).await?
        }
    };
    tell(file, &answer);
    answer["refused"].as_u64().context("the answer does not say how many rows were refused")
}

fn address(import: &Import, path: &str) -> String {
    format!("{}/api/v1/{path}", import.url.trim_end_matches('/'))
}

fn bar(file: &Path, size: u64) -> ProgressBar {
    let bar = ProgressBar::new(size);
    bar.set_style(
        ProgressStyle::with_template("{msg} {bar:40} {bytes}/{total_bytes} {bytes_per_sec}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar.set_message(file.display().to_string());
    bar
}

/// What is read, as a body that moves the bar.
fn body(reader: impl AsyncRead + Send + Unpin + 'static, bar: &ProgressBar) -> reqwest::Body {
    let sent = bar.clone();
    reqwest::Body::wrap_stream(ReaderStream::new(reader).inspect_ok(move |chunk| sent.inc(chunk.len() as u64)))
}

async fn post(
    client: &reqwest::Client,
    import: &Import,
    path: &str,
    content_type: &str,
    reader: impl AsyncRead + Send + Unpin + 'static,
    bar: &ProgressBar,
) -> Result<Value> {
    let request = client.post(address(import, path)).bearer_auth(&import.key).header("content-type", content_type);
    // by its length the platform foresees how many rows there will be
    let request = match bar.length() {
        Some(bytes) if bytes > 0 => request.header("content-length", bytes),
        _ => request,
    };
    let answer = asking::answer(request.body(body(reader, bar))).await?;
    bar.finish_and_clear();
    Ok(answer)
}

/// A file that is sent in pieces.
struct Upload<'i> {
    client: &'i reqwest::Client,
    import: &'i Import,
    file: &'i Path,
    size: u64,
}

impl Upload<'_> {
    /// Sends it, however often the connection breaks, and returns the id under which it lies there.
    async fn send(&self, bar: &ProgressBar) -> Result<String> {
        let begin = self.client.post(address(self.import, "uploads")).bearer_auth(&self.import.key).header("upload-length", self.size);
        let begun = begin.send().await.context("the platform does not answer")?;
        let place = begun.headers().get("location").and_then(|place| place.to_str().ok()).map(str::to_owned);
        let Some(place) = place.filter(|_| begun.status().is_success()) else {
            bail!("{}: {}", begun.status(), begun.text().await.unwrap_or_default());
        };
        let place = format!("{}{place}", self.import.url.trim_end_matches('/'));
        let (mut at, mut failed) = (0, 0);
        while at < self.size {
            bar.set_position(at);
            let cut = self.send_from(&place, at, bar).await.err();
            let arrived = self.arrived(&place).await;
            match arrived {
                Ok(arrived) if arrived > at => (at, failed) = (arrived, 0),
                _ => failed += 1,
            }
            if let Some(cut) = cut {
                if failed == ATTEMPTS {
                    return Err(cut.context(format!("after {at} of {} bytes the platform took no more", self.size)));
                }
                tokio::time::sleep(Duration::from_secs(1 << failed.min(5))).await;
            }
        }
        place.rsplit('/').next().map(str::to_owned).context("the platform did not say where the file lies")
    }

    /// Sends what follows the first bytes.
    async fn send_from(&self, place: &str, at: u64, bar: &ProgressBar) -> Result<()> {
        let mut file = File::open(self.file).await?;
        file.seek(std::io::SeekFrom::Start(at)).await?;
        let piece = self.client.patch(place).bearer_auth(&self.import.key).header("upload-offset", at);
        asking::answer(piece.header("content-type", "application/offset+octet-stream").body(body(file, bar))).await?;
        Ok(())
    }

    /// How many bytes have arrived.
    async fn arrived(&self, place: &str) -> Result<u64> {
        let answer = self.client.head(place).bearer_auth(&self.import.key).send().await?.error_for_status()?;
        let offset = answer.headers().get("upload-offset").and_then(|offset| offset.to_str().ok());
        offset.and_then(|offset| offset.parse().ok()).context("the platform does not say how much has arrived")
    }
}

/// Says what became of a file.
fn tell(file: &Path, answer: &Value) {
    let more = [("corrected", "corrected"), ("retracted", "taken back")].map(|(field, word)| match answer[field].as_u64() {
        Some(number) if number > 0 => format!(", {number} {word}"),
        _ => String::new(),
    });
    println!(
        "{}: {} accepted, {} repeated{}, {} refused (load {})",
        file.display(),
        answer["accepted"],
        answer["repeated"],
        more.concat(),
        answer["refused"],
        answer["load_id"].as_str().unwrap_or_default()
    );
    if answer["ending"] == "broken_off" || answer["ending"] == "too_large" {
        println!("  it did not arrive whole: send it again, nothing counts twice");
    }
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
}
