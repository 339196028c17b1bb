//! The data of a server: made by `initdb` at the first start, with a password that nobody else knows.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use secrecy::{ExposeSecret as _, SecretString};

use crate::Error;
use crate::account::Account;
use crate::directory::Directory;
use crate::installation::Installation;

/// The superuser of the server.
pub(crate) const USER: &str = "fenghuo";

/// What a server does for its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// Everything that was committed, also through a power cut.
    Durable,
    /// Nothing beyond the process.
    Passing,
}

/// PostgreSQL's data, and the way in.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) password: SecretString,
}

impl Cluster {
    /// What is in the directory, made when it is missing.
    pub(crate) fn in_directory(
        directory: &Directory,
        installation: &Installation,
        account: &Account,
        keeping: Keeping,
    ) -> Result<Self, Error> {
        let cluster = directory.cluster();
        let password = directory.password();
        if cluster.exists() {
            let kept = fs::read_to_string(&password).map_err(Error::file(&password))?;
            return Ok(Self { password: SecretString::from(kept.trim()) });
        }
        let made = format!("{:032x}", rand::random::<u128>());
        write_private(&password, &made)?;
        let fresh = cluster.with_extension("new");
        if fresh.exists() {
            // of a process that was killed while it made it
            fs::remove_dir_all(&fresh).map_err(Error::file(&fresh))?;
        }
        initialise(directory, &fresh, installation, account, keeping, &made)?;
        fs::rename(&fresh, &cluster).map_err(Error::file(&cluster))?;
        Ok(Self { password: SecretString::from(made) })
    }
}

fn write_private(file: &Path, text: &str) -> Result<(), Error> {
    let mut opened = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(file).map_err(Error::file(file))?;
    opened.write_all(text.as_bytes()).and_then(|()| opened.sync_all()).map_err(Error::file(file))
}

fn initialise(
    directory: &Directory,
    fresh: &Path,
    installation: &Installation,
    account: &Account,
    keeping: Keeping,
    password: &str,
) -> Result<(), Error> {
    fs::create_dir(fresh).map_err(Error::file(fresh))?;
    account.give(fresh).map_err(Error::file(fresh))?;
    // read by the user that runs the server, who may not read ours
    let passed_on = SecretFile::write(directory, account, password)?;
    let mut command = Command::new(installation.program("initdb"));
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C")
        .arg("--pgdata")
        .arg(fresh)
        .arg("--pwfile")
        .arg(&passed_on.0)
        .args(["--username", USER, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"])
        .args(["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--data-checksums", "--no-instructions"])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if keeping == Keeping::Passing {
        command.arg("--no-sync");
    }
    let ended = account.spawn(command).and_then(std::process::Child::wait_with_output).map_err(|error| installation.not_started(error))?;
    if ended.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stderr).into_owned() + &String::from_utf8_lossy(&ended.stdout);
    let _ = fs::remove_dir_all(fresh);
    if said.contains("No space left on device") {
        return Err(directory.full());
    }
    Err(installation.refused(&said).unwrap_or_else(|| {
        let _ = directory.open_log().and_then(|mut log| log.write_all(said.as_bytes()).map_err(Error::file(&directory.log())));
        Error::DidNotStart { directory: directory.path().to_owned(), said: last_complaint(&said), log: directory.log() }
    }))
}

/// The last line that tells of a failure, else the last.
pub(crate) fn last_complaint(said: &str) -> String {
    let complaint = |line: &&str| ["FATAL:", "PANIC:", "ERROR:", "error:"].iter().any(|word| line.contains(word));
    said.lines().rfind(complaint).or_else(|| said.lines().rfind(|line| !line.trim().is_empty())).unwrap_or("nothing").trim().to_owned()
}

/// A file that is gone when dropped.
struct SecretFile(std::path::PathBuf);

impl SecretFile {
    fn write(directory: &Directory, account: &Account, text: &str) -> Result<Self, Error> {
        let file = Self(directory.path().join("password.new"));
        let secret = SecretString::from(text);
        write_private(&file.0, secret.expose_secret())?;
        account.give(&file.0).map_err(Error::file(&file.0))?;
        Ok(file)
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
