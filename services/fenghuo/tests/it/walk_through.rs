//! The manual's walk by the interface, played as it stands against a running demo.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use stages::{soon, until};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How long the walk may take, on any machine.
const WALK: Duration = Duration::from_secs(15 * 60);

/// The blocks for a shell of a page.
fn shell_blocks(page: &str) -> String {
    let mut inside = false;
    let mut script = String::new();
    for line in page.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => script.extend([line, "\n"]),
            _ => {}
        }
    }
    script
}

/// Starts a demo in this directory and returns it with its address.
async fn demo(directory: &Path) -> (Child, String) {
    let mut platform = Command::new(env!("CARGO_BIN_EXE_fenghuo"))
        .args(["up", "--listen", "127.0.0.1:0", "--data", "data"])
        .current_dir(directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(platform.stdout.take().unwrap()).lines();
    let address = soon("the demo is up", async {
        loop {
            let line = said.next_line().await.unwrap().expect("the demo ended before it was up");
            if let Some((_, rest)) = line.split_once("is up at ") {
                return rest.split_whitespace().next().unwrap().to_owned();
            }
        }
    })
    .await;
    // what it says later is read, so that it never waits for a reader
    tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
    (platform, address)
}

/// Ends the demo as Ctrl-C would, so that its database ends with it.
async fn stop(platform: &mut Child) {
    let id = platform.id().expect("the demo still runs").to_string();
    Command::new("kill").args(["-INT", &id]).status().await.unwrap();
    platform.wait().await.unwrap();
}

#[tokio::test]
#[ignore = "needs bash, curl and jq: make test"]
async fn the_walk_by_the_interface_ends_with_an_acknowledged_alert() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/setup/by-the-interface.md")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (mut platform, address) = demo(directory.path()).await;
    assert!(page.contains("URL=http://127.0.0.1:8080"), "the walk says where the demo is");
    let script = format!("set -euo pipefail\n{}", shell_blocks(&page).replace("http://127.0.0.1:8080", &address));

    // the walk puts the clock forward by a night, in which the staff who play it would have to sign in again
    until("the demo city's first hour was played to its end", async || directory.path().join("data/first-hour-played").exists()).await;
    let walk = Command::new("bash").arg("-c").arg(script).current_dir(directory.path()).kill_on_drop(true).output();
    let walk = tokio::time::timeout(WALK, walk).await.expect("the walk comes to its end").expect("bash is installed");
    stop(&mut platform).await;
    let said = String::from_utf8_lossy(&walk.stdout);
    let told = format!("{said}\n{}", String::from_utf8_lossy(&walk.stderr));
    assert!(walk.status.success(), "a step of docs/setup/by-the-interface.md does not hold:\n{told}");
    assert!(said.contains("\"accepted\": 1") && said.contains("\"state\": \"approved\""), "{told}");
    let acknowledged: u64 = said.trim().lines().last().and_then(|line| line.parse().ok()).unwrap_or_default();
    assert!(acknowledged >= 1, "somebody has acknowledged in the end:\n{told}");
}
