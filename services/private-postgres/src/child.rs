//! The server's process: started, watched, ended.
//!
//! Between this process and the server stands a shell that holds the other end of a pipe. When the pipe is closed, by
//! [`Child::stop`] or by the end of this process in whatever way, it tells the server to end at once and in order. The two are in a
//! process group of their own, so that a Ctrl-C for this process does not end the server under it.

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::Error;
use crate::account::Account;
use crate::cluster::{Keeping, last_complaint};
use crate::directory::Directory;
use crate::installation::Installation;

/// The part of the socket's name that stands for a port.
pub(crate) const PORT: u16 = 5432;
/// How long a start may take: with a log to be replayed after a crash, on a slow disk.
const STARTS_WITHIN: Duration = Duration::from_secs(120);
/// How long an end may take: the last checkpoint, on a slow disk.
const ENDS_WITHIN: Duration = Duration::from_secs(30);
const LOOKED_AT_EVERY: Duration = Duration::from_millis(5);

/// `$@` is the server; `$REMOVED` a directory to remove after it, if any.
const WATCH: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ cat <&3 >/dev/null; kill -INT "$server"; } 2>/dev/null &
exec 3<&-
wait "$server"
said=$?
if [ -n "$REMOVED" ]; then rm -rf -- "$REMOVED"; fi
exit "$said"
"#;

/// Of every server.
const SETTINGS: [&str; 20] = [
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "max_connections=200",
    "timezone=UTC",
    "log_timezone=UTC",
    // One process that uses it, on one machine.
    "wal_level=minimal",
    "max_wal_senders=0",
    "io_method=sync",
    "jit=off",
    "huge_pages=off",
    "shared_buffers=64MB",
    "max_worker_processes=4",
    "autovacuum_worker_slots=2",
    "autovacuum_max_workers=2",
    "max_wal_size=512MB",
    // Values stay out of the log: only what ends a connection or the server, without statement and details.
    "log_min_messages=log",
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
    "log_checkpoints=off",
    "log_line_prefix=%m [%p] ",
];
/// Of one whose data is to last.
const DURABLE: [&str; 3] = ["fsync=on", "synchronous_commit=on", "full_page_writes=on"];
/// Of one whose data is not.
const PASSING: [&str; 4] = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "checkpoint_timeout=1h"];

/// The shell that watches over the server.
#[derive(Debug)]
pub(crate) struct Child {
    watch: std::process::Child,
    directory: std::path::PathBuf,
}

impl Child {
    /// Starts a server and waits until it takes connections.
    pub(crate) fn start(directory: &Directory, installation: &Installation, account: &Account, keeping: Keeping) -> Result<Self, Error> {
        let began = Instant::now();
        let cluster = directory.cluster();
        let left_before = fs::read_to_string(cluster.join("postmaster.pid")).ok();
        let log = directory.open_log()?;
        let written_before = log.metadata().map_err(Error::file(&directory.log()))?.len();
        let command = server(directory, installation, keeping, log)?;
        let watch = account.spawn(command).map_err(|error| installation.not_started(error))?;
        let mut child = Self { watch, directory: directory.path().to_owned() };
        loop {
            if child.watch.try_wait().map_err(Error::file(&cluster))?.is_some() {
                let said = written_after(&directory.log(), written_before);
                return Err(why(directory, installation, &said));
            }
            let written = fs::read_to_string(cluster.join("postmaster.pid")).ok();
            if written != left_before && written.is_some_and(|lines| lines.lines().nth(7).is_some_and(|line| line.trim() == "ready")) {
                return Ok(child);
            }
            if began.elapsed() > STARTS_WITHIN {
                let (directory, log) = (directory.path().to_owned(), directory.log());
                let _ = child.stop();
                return Err(Error::NotReady { directory, seconds: STARTS_WITHIN.as_secs(), log });
            }
            pause();
        }
    }

    /// Ends the server and waits until it has.
    pub(crate) fn stop(mut self) -> Result<(), Error> {
        drop(self.watch.stdin.take());
        let began = Instant::now();
        loop {
            match self.watch.try_wait() {
                Ok(Some(_)) => return Ok(()),
                _ if began.elapsed() > ENDS_WITHIN => {
                    let process = self.watch.id().to_string();
                    return Err(Error::DidNotEnd { directory: self.directory, process, seconds: ENDS_WITHIN.as_secs() });
                }
                _ => pause(),
            }
        }
    }
}

fn server(directory: &Directory, installation: &Installation, keeping: Keeping, log: fs::File) -> Result<Command, Error> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", WATCH, "fenghuo-postgres"]).arg(installation.program("postgres")).arg("-D").arg(directory.cluster());
    let mut set = |setting: &str| {
        command.args(["-c", setting]);
    };
    SETTINGS.iter().chain(if keeping == Keeping::Durable { &DURABLE[..] } else { &PASSING[..] }).for_each(|setting| set(setting));
    set(&format!("unix_socket_directories={}", directory.socket().display()));
    set(&format!("port={PORT}"));
    let errors = log.try_clone().map_err(Error::file(&directory.log()))?;
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C")
        .env("REMOVED", directory.to_be_removed().unwrap_or(Path::new("")))
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(log)
        .stderr(errors);
    Ok(command)
}

fn written_after(log: &Path, before: u64) -> String {
    let mut text = Vec::new();
    let read = fs::File::open(log).and_then(|mut log| {
        log.seek(SeekFrom::Start(before))?;
        log.read_to_end(&mut text)
    });
    read.map(|_| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
}

fn why(directory: &Directory, installation: &Installation, said: &str) -> Error {
    if said.contains("No space left on device") {
        return directory.full();
    }
    installation.refused(said).unwrap_or_else(|| Error::DidNotStart {
        directory: directory.path().to_owned(),
        said: last_complaint(said),
        log: directory.log(),
    })
}

/// Ends a server that a process left behind, which was killed together with the shell, and waits for whatever still works in the
/// data. Then nothing is left but the server's own mark, which names a process that has ended, or has become another.
pub(crate) fn end_one_left_in(directory: &Directory) -> Result<(), Error> {
    let cluster = directory.cluster();
    let mark = cluster.join("postmaster.pid");
    let Ok(written) = fs::read_to_string(&mark) else { return Ok(()) };
    let Ok(processes) = fs::read_dir("/proc") else { return Ok(()) };
    drop(processes);
    let server = written.lines().next().and_then(|line| line.trim().parse().ok()).and_then(Pid::from_raw);
    for signal in [Signal::INT, Signal::QUIT] {
        if let Some(server) = server.filter(|server| works_in(*server, &cluster)) {
            tracing::warn!(process = server.as_raw_nonzero().get(), "a PostgreSQL was left behind here and is ended");
            let _ = rustix::process::kill_process(server, signal);
        }
        let began = Instant::now();
        while began.elapsed() < ENDS_WITHIN {
            if at_work_in(&cluster).is_none() {
                return remove_marks(directory, &mark);
            }
            pause();
        }
    }
    Err(Error::DidNotEnd {
        directory: directory.path().to_owned(),
        process: at_work_in(&cluster).map_or_else(String::new, |process| process.as_raw_nonzero().to_string()),
        seconds: 2 * ENDS_WITHIN.as_secs(),
    })
}

/// Removes what names a server that has ended: a process that nobody has asked about since would pass for a living one.
fn remove_marks(directory: &Directory, mark: &Path) -> Result<(), Error> {
    let socket = directory.socket().join(format!(".s.PGSQL.{PORT}"));
    let of_socket = socket.with_extension(format!("{PORT}.lock"));
    for file in [mark, &socket, &of_socket] {
        fs::remove_file(file).or_else(gone_already).map_err(Error::file(file))?;
    }
    Ok(())
}

fn gone_already(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// A living process whose working directory is the cluster, as that of every process of its server is.
fn at_work_in(cluster: &Path) -> Option<Pid> {
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw));
    numbers.into_iter().find(|process| works_in(*process, cluster))
}

fn works_in(process: Pid, cluster: &Path) -> bool {
    fs::read_link(format!("/proc/{}/cwd", process.as_raw_nonzero())).is_ok_and(|place| place == cluster)
}

/// Between two looks at what gives no signal: a file that the server writes, a process that is not ours.
fn pause() {
    std::thread::park_timeout(LOOKED_AT_EVERY);
}
