//! What was answered stays, whatever is killed.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use platform::clock::Clock;
use platform::database::{Database, DatabaseSettings};
use serde_json::json;

use crate::everything_killed::{kill_everything, of_its_own_group};

/// Records that are answered before each kill, and how many kills there are.
const ANSWERED: usize = 40;
const KILLS: usize = 3;

/// `fenghuo up` on `data`, and where it answers.
fn up(data: &Path) -> (Child, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fenghuo"));
    command.args(["up", "--residents", "50", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    let mut child =
        of_its_own_group(&mut command).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
    let mut said = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let url = said
        .find_map(|line| line.split_whitespace().find(|word| word.starts_with("http://127.0.0.1:")).map(str::to_owned))
        .expect("it says where it answers");
    // it has more to say, and must not find that nobody listens
    std::thread::spawn(move || said.for_each(drop));
    (child, url)
}

/// The key of the demo's source.
fn api_key(data: &Path) -> String {
    let accounts = std::fs::read_to_string(data.join("staff.txt")).expect("made at the first start");
    let line = accounts.lines().find(|line| line.starts_with("api-key")).expect("a key");
    line.split_whitespace().nth(1).expect("its secret").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_that_was_answered_is_there_after_everything_was_killed() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let client = stages::client();
    let mut answered = BTreeSet::new();
    for kill in 0..KILLS {
        let (mut child, url) = up(&data);
        let key = api_key(&data);
        while answered.len() < (kill + 1) * ANSWERED {
            let id = format!("kept-{kill}-{}", answered.len());
            let record = json!([{ "source_id": id, "kind": "close_contact", "occurred_at": Clock::real().now(), "level": "high",
                "district": "500103", "subject": { "phone": format!("190{:08}", answered.len()) } }]);
            let answer = client.post(format!("{url}/api/v1/records")).bearer_auth(&key).json(&record).send().await.expect("an answer");
            assert!(answer.status().is_success(), "{}", answer.text().await.unwrap_or_default());
            answered.insert(id);
        }
        // the next one is on its way when it happens: it may be there or not
        let late = client.post(format!("{url}/api/v1/records")).bearer_auth(&key).json(&json!([])).send();
        let (_, ()) = tokio::join!(late, async { kill_everything(&mut child, &data.join("database")) });
    }

    let settings = DatabaseSettings { data_dir: data.join("database"), ..DatabaseSettings::default() };
    let database = Database::open(&settings).await.expect("the database that was killed");
    let kept: Vec<String> = sqlx::query_scalar("select source_id from ingest.record where source_id like 'kept-%'")
        .fetch_all(database.pool())
        .await
        .expect("read");
    database.close().await.expect("closed");
    let kept: BTreeSet<String> = kept.into_iter().collect();
    let lost: Vec<_> = answered.difference(&kept).collect();
    assert!(lost.is_empty(), "answered and lost: {lost:?}");
}
