//! The faces in a real browser: the platform runs as `fenghuo up` does, Chromium plays its staff, its residents and its screens.
//!
//! The stories themselves are in `services/web/stories`; what they need that is missing (Node.js, Chromium, built pages) is a failure.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use stages::soon;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

/// How long all stories together may take, on any machine.
const STORIES: Duration = Duration::from_secs(60 * 60);

#[tokio::test]
#[ignore = "needs the built pages, Node.js and Chromium: make test"]
async fn the_stories_of_the_pages_hold_in_chromium() {
    let web = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../web");
    assert!(web.join("dist/console.html").exists(), "the pages are not built: run `make pages`");
    let data = tempfile::tempdir().unwrap();
    let mut platform = Command::new(env!("CARGO_BIN_EXE_fenghuo"))
        .args(["up", "--listen", "127.0.0.1:0", "--residents", "4000", "--data"])
        .arg(data.path().join("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(platform.stdout.take().unwrap()).lines();
    let url = soon("the platform is up", async {
        loop {
            let line = said.next_line().await.unwrap().expect("the platform ended before it was up");
            if let Some((_, rest)) = line.split_once("Fenghuo is up at ") {
                return rest.split_whitespace().next().unwrap().to_owned();
            }
        }
    })
    .await;
    // what it says later is read, so that it never waits for a reader
    tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });

    let stories = Command::new("node")
        .args(["node_modules/vitest/vitest.mjs", "run", "--config", "stories/vitest.config.ts"])
        .current_dir(&web)
        .env("FENGHUO_URL", &url)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let stories =
        tokio::time::timeout(STORIES, stories).await.expect("the stories come to an end").expect("Node.js 20 or newer is installed");
    platform.kill().await.unwrap();
    let told = [stories.stdout, stories.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).join("\n");
    println!("{told}");
    assert!(stories.status.success(), "a story does not hold:\n{told}");
}
