//! The rehearsal, undisturbed on both set-ups, and killed at random moments.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use platform::database::{Database, DatabaseSettings};
use rand::RngExt as _;
use roaring::RoaringBitmap;
use serde_json::Value;

use crate::everything_killed::{kill_everything, of_its_own_group};

/// How often the process is killed.
const KILLS: usize = 20;
/// No rehearsal takes so long, on no machine.
const LONGEST: Duration = Duration::from_secs(900);

fn fenghuo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fenghuo"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Plays to the end and returns the figures.
fn figures(mut command: Command) -> Value {
    let playing = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let (process, (over, ended)) = (playing.id(), mpsc::channel::<()>());
    let watch = std::thread::spawn(move || {
        if ended.recv_timeout(LONGEST) == Err(RecvTimeoutError::Timeout) {
            // what it has told until then is shown
            let _ = Command::new("kill").arg("-KILL").arg(process.to_string()).status();
        }
    });
    let output = playing.wait_with_output().expect("the rehearsal's output");
    drop(over);
    watch.join().expect("the watch ends");
    assert!(output.status.success(), "the rehearsal failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

/// What must be true of any rehearsal, whatever the share of people who answer.
fn adds_up(figures: &Value) {
    let number = |key: &str| figures[key].as_f64().unwrap_or_else(|| panic!("{key} is missing in {figures}"));
    assert_eq!(number("records") + number("refused"), 260.0, "every report of the lists is kept or refused: {figures}");
    assert!(number("matched") > 200.0 && number("matched") <= number("records"), "{figures}");
    assert!(number("alerts") > 20.0 && number("approved") == number("alerts"), "{figures}");
    assert_eq!(number("recipients"), number("matched"), "everybody a rule found is in an audience: {figures}");
    assert!(number("push_accepted") > 0.0 && number("sms_accepted") > 0.0, "{figures}");
    assert!(
        number("endpoints_pruned") > 0.0 && number("fallbacks") >= number("endpoints_pruned"),
        "who lost the app got an SMS: {figures}"
    );
    assert!(number("acknowledged") > number("recipients") / 2.0 && number("acknowledged") < number("recipients"), "{figures}");
    assert!(number("acknowledged_by_sms") > 0.0, "{figures}");
    assert!(number("reminded") > 0.0 && number("reminded") < number("recipients"), "only some needed a reminder: {figures}");
    assert!(number("follow_ups") >= number("recipients") - number("acknowledged"), "who stays silent is followed up: {figures}");
    assert_eq!(number("on_time_share"), 1.0, "{figures}");
    assert!(number("slowest_hand_over_s") > 8.0 * 3600.0, "what was approved at night waited for the morning: {figures}");
    assert!(number("slowest_sending_s") < 7200.0, "{figures}");
}

#[test]
fn the_outbreak_of_2015_is_played_on_the_embedded_set() {
    let played = figures(fenghuo(&["rehearse", "mers-2015", "--json"]));
    adds_up(&played);
    assert_eq!(played["set"], "embedded");
}

#[test]
#[ignore = "needs PostgreSQL, RabbitMQ and Redis: make test"]
fn the_outbreak_of_2015_is_played_on_postgresql_rabbitmq_and_redis() {
    let mut command = fenghuo(&["rehearse", "mers-2015", "--json", "--services"]);
    command.envs([
        ("FENGHUO_DATABASE__MODE", "postgres".to_owned()),
        ("FENGHUO_DATABASE__URL", platform::scratch::postgres_url()),
        ("FENGHUO_BUS__MODE", "rabbitmq".to_owned()),
        ("FENGHUO_BUS__URL", platform::scratch::rabbitmq_url()),
        ("FENGHUO_CACHE__MODE", "redis".to_owned()),
        ("FENGHUO_CACHE__URL", platform::scratch::redis_url()),
    ]);
    let played = figures(command);
    adds_up(&played);
    assert_eq!(played["set"], "services");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_twenty_times_it_reaches_the_same_people() {
    let undisturbed = Theatre::open();
    let mut rehearsal = undisturbed.rehearsal().stdout(Stdio::null()).spawn().expect("the binary runs");
    let (ended, whole) = works(&mut rehearsal, Duration::MAX);
    assert!(ended.is_some_and(|status| status.success()), "the rehearsal failed");
    let expected = undisturbed.end_state().await;

    let seed: u64 = rand::random();
    println!("seed of the moments: {seed}");
    let mut dice = <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(seed);
    // so that twenty lives together are about as long as the undisturbed one; where they turn out longer, it begins anew with shorter ones
    let mut life = whole / 50..whole / 16;
    let killed = loop {
        let killed = Theatre::open();
        if (0..KILLS).all(|_| killed.is_killed_after(dice.random_range(life.clone()))) {
            break killed;
        }
        life = life.start / 2..life.end / 2;
    };
    let finished = figures(killed.rehearsal());
    let found = killed.end_state().await;
    println!("after {KILLS} kills: {finished}");

    assert_eq!(found.audience, expected.audience, "the same people are in the audience of the same rules");
    assert_eq!(found.reached, expected.reached, "the same people were reached");
    assert!(found.unfinished == 0, "{} batches were never closed", found.unfinished);
    let people = found.people();
    let outsiders: Vec<_> = found.reached.difference(&people).collect();
    assert!(outsiders.is_empty(), "messages went to people outside every audience: {outsiders:?}");
    let missing: Vec<_> = people.difference(&found.reached).copied().collect();
    assert!(missing.iter().all(|no| found.unreachable.contains(no)), "people of the audience were never reached: {missing:?}");
}

/// Simulated providers in a process of their own, which outlives the rehearsals it serves.
struct Theatre {
    directory: tempfile::TempDir,
    providers: Child,
    control: String,
}

/// Who was to be reached, and who was.
struct EndState {
    /// Rule by rule.
    audience: BTreeMap<String, BTreeSet<u32>>,
    /// By push or SMS, as the providers counted.
    reached: BTreeSet<u32>,
    /// Closed as unreachable.
    unreachable: BTreeSet<u32>,
    unfinished: i64,
}

impl EndState {
    fn people(&self) -> BTreeSet<u32> {
        self.audience.values().flatten().copied().collect()
    }
}

impl Theatre {
    fn open() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let providers = directory.path().join("providers");
        let ports = ["--smpp-port", "--apns-port", "--fcm-port", "--web-push-port", "--oauth-port", "--control-port"];
        let mut command = fenghuo(&["simulate-providers", "--any-clock", "--directory"]);
        command.arg(&providers).args(ports.iter().flat_map(|port| [*port, "0"]));
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary runs");
        let mut control = None;
        // to the last line that they print, so that nobody writes into a closed pipe
        for line in BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok) {
            if let Some(rest) = line.strip_prefix("control") {
                control = rest.split_whitespace().next().map(str::to_owned);
            }
            if line.starts_with("keys") {
                break;
            }
        }
        let control = control.expect("the simulators print their control address");
        Self { directory, providers: child, control }
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn rehearsal(&self) -> Command {
        let mut command = fenghuo(&["rehearse", "mers-2015", "--json", "--data"]);
        command.arg(self.data()).arg("--providers").arg(self.directory.path().join("providers"));
        command
    }

    /// Plays on, and is killed together with its database when it has worked for so long. False: it was over before.
    fn is_killed_after(&self, work: Duration) -> bool {
        let mut command = self.rehearsal();
        let mut rehearsal = of_its_own_group(&mut command).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary runs");
        let (ended, _) = works(&mut rehearsal, work);
        kill_everything(&mut rehearsal, &self.data().join("database"));
        ended.is_none()
    }

    async fn end_state(&self) -> EndState {
        let settings = DatabaseSettings { data_dir: self.data().join("database"), ..DatabaseSettings::default() };
        let database = Database::open(&settings).await.expect("the rehearsal's database");
        let mut audience: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
        let rows = sqlx::query!(r#"select rule_id as "rule_id!", audience from review.alert where rule_id is not null"#)
            .fetch_all(database.pool())
            .await
            .expect("the alerts");
        for row in rows {
            let domain::audience::Audience::Residents(people) = domain::audience::Audience::from_bytes(&row.audience).expect("an audience")
            else {
                panic!("the outbreak's records name people")
            };
            audience.entry(row.rule_id.to_string()).or_default().extend(&people);
        }
        let unreachable = sqlx::query_scalar!("select resident_no from dispatch.follow_up where reason = 'unreachable'")
            .fetch_all(database.pool())
            .await
            .expect("the follow-ups");
        let unfinished =
            sqlx::query_scalar!(r#"select count(*) as "count!" from dispatch.batch where state <> 'closed' and not_before < now()"#)
                .fetch_one(database.pool())
                .await
                .expect("the ledger");
        database.close().await.expect("the database closes");
        let mut reached: RoaringBitmap =
            self.recipients("sms").await.iter().filter_map(|phone| phone.get(phone.len() - 8..)?.parse::<u32>().ok()).collect();
        for provider in ["apns", "fcm"] {
            reached.extend(self.recipients(provider).await.iter().filter_map(|token| u32::from_str_radix(token.get(..8)?, 16).ok()));
        }
        EndState {
            audience,
            reached: reached.into_iter().collect(),
            unreachable: unreachable.into_iter().filter_map(|no| u32::try_from(no).ok()).collect(),
            unfinished,
        }
    }

    async fn recipients(&self, provider: &str) -> Vec<String> {
        let text = stages::client()
            .get(format!("{}/recipients?provider={provider}", self.control))
            .send()
            .await
            .expect("the simulators")
            .text()
            .await
            .expect("text");
        text.lines().skip(1).filter_map(|line| line.split(',').next().map(str::to_owned)).collect()
    }
}

impl Drop for Theatre {
    fn drop(&mut self) {
        let _ = self.providers.kill();
        let _ = self.providers.wait();
    }
}

/// Lets the process work until it ends or has used so much processor time, which, unlike real time, passes only while it works, whatever
/// else the machine does. How it ended, if it did, and the processor time that it was last seen to have used.
fn works(child: &mut Child, most: Duration) -> (Option<ExitStatus>, Duration) {
    let (began, mut used) = (Instant::now(), Duration::ZERO);
    while used < most {
        if let Some(status) = child.try_wait().expect("the process can be asked") {
            return (Some(status), used);
        }
        used = processor_time(child.id()).unwrap_or(used);
        assert!(began.elapsed() < LONGEST, "the rehearsal does not come to an end");
        std::thread::park_timeout(Duration::from_millis(5));
    }
    (None, used)
}

/// What a process has used in user and kernel mode together; none when it has just ended.
fn processor_time(process: u32) -> Option<Duration> {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // the name may hold spaces; what follows its bracket does not
    let fields: Vec<&str> = status.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    // USER_HZ is 100 on every Linux
    Some(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
}
