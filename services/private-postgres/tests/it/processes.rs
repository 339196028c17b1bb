//! A server lives as long as its process, however that ends.

#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use private_postgres::Server;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::takes_connections;

/// Longer than any machine takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// Says to the child what it is to open, when this program is run as one.
const TO_OPEN: &str = "FENGHUO_TEST_OPENS";

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// The process of the server whose data is in `cluster`.
fn process_of(cluster: &Path) -> Pid {
    let written = fs::read_to_string(cluster.join("postmaster.pid")).expect("a server is running");
    Pid::from_raw(written.lines().next().and_then(|line| line.parse().ok()).expect("a number")).expect("a process")
}

/// Whether the process does anything: one that has ended and that nobody has asked about does not.
fn lives(process: Pid) -> bool {
    fs::read_link(format!("/proc/{}/cwd", process.as_raw_nonzero())).is_ok()
}

/// Not a test by itself: opens a server and is killed.
#[test]
fn opens_a_server_and_waits() {
    let Ok(directory) = std::env::var(TO_OPEN) else { return };
    let server = if directory.is_empty() { Server::passing() } else { Server::open(Path::new(&directory)) }.expect("opened");
    println!("\nserver at {}", server.address().socket_directory.display());
    loop {
        std::thread::park();
    }
}

/// Another process with a server; its number, and the directory of the server.
fn another(directory: &str) -> (std::process::Child, PathBuf) {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["processes::opens_a_server_and_waits", "--exact", "--nocapture"])
        .env(TO_OPEN, directory)
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let said = BufReader::new(child.stdout.take().expect("piped")).lines();
    let line = said.map_while(Result::ok).find_map(|line| line.strip_prefix("server at ").map(PathBuf::from)).expect("it opened one");
    (child, line.parent().expect("a directory").to_owned())
}

#[test]
fn a_passing_server_and_its_directory_are_gone_after_a_killed_process() {
    let (mut child, directory) = another("");
    let server = process_of(&directory.join("cluster"));
    child.kill().expect("killed");
    child.wait().expect("gone");
    until("the server ends", || !lives(server));
    until("its directory is removed", || !directory.exists());
}

#[test]
fn the_next_process_opens_what_a_killed_one_left() {
    let place = tempfile::tempdir().expect("a directory");
    let directory = place.path().canonicalize().expect("there").join("database");
    let (mut child, _) = another(&directory.to_string_lossy());
    child.kill().expect("killed");
    child.wait().expect("gone");
    let server = Server::open(&directory).expect("opened, whether the other server has ended yet or not");
    assert!(takes_connections(&server));
}

#[test]
fn a_server_whose_keeper_was_killed_with_the_process_is_ended_by_the_next() {
    let place = tempfile::tempdir().expect("a directory");
    let directory = place.path().canonicalize().expect("there").join("database");
    let (mut child, _) = another(&directory.to_string_lossy());
    let left = process_of(&directory.join("cluster"));
    for keeper in others_of_the_group_of(left) {
        let _ = kill_process(keeper, Signal::KILL);
    }
    child.kill().expect("killed");
    child.wait().expect("gone");
    assert!(lives(left), "nobody told it to end");
    let server = Server::open(&directory).expect("opened");
    assert!(takes_connections(&server));
    assert_ne!(process_of(&directory.join("cluster")), left);
}

#[test]
fn a_server_that_was_killed_itself_is_started_on_its_data_again() {
    let place = tempfile::tempdir().expect("a directory");
    let directory = place.path().join("database");
    let server = Server::open(&directory).expect("a new directory");
    let killed = process_of(&directory.join("cluster"));
    kill_process_group(group_of(killed).expect("it lives"), Signal::KILL).expect("killed");
    until("it is gone", || !lives(killed));
    drop(server);
    assert!(takes_connections(&Server::open(&directory).expect("opened again")));
}

/// The process group of a process.
fn group_of(process: Pid) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).ok()?;
    // number, name in brackets, state, parent, group
    stat.rsplit(')').next()?.split_whitespace().nth(2)?.parse().ok().and_then(Pid::from_raw)
}

/// Whoever is in the process group of `member`, without it: the shell and what it runs.
fn others_of_the_group_of(member: Pid) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").expect("mounted").flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw))
        .filter(|process| *process != member && group_of(*process) == group_of(member))
        .collect()
}
