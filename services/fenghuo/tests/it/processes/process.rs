//! One process of the platform.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running `fenghuo serve`; killed when dropped, with no chance to tidy up.
pub struct Process {
    child: Child,
    /// Where it answers.
    pub url: String,
    log: PathBuf,
}

fn fenghuo(config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fenghuo"));
    command.arg("--config").arg(config).stdin(Stdio::null());
    command
}

/// Runs a command to its end and returns what it printed.
pub fn run(config: &Path, arguments: &[&str]) -> String {
    let output = fenghuo(config).args(arguments).output().expect("the binary runs");
    assert!(output.status.success(), "fenghuo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

impl Process {
    /// Serves these services, named with spaces between, on a port that the system chooses, with a login of their own to the database.
    pub fn serve(config: &Path, services: &str, database_url: &str, log: PathBuf) -> Self {
        let errors = File::options().create(true).append(true).open(&log).unwrap();
        let mut child = fenghuo(config)
            .arg("serve")
            .args(services.split(' '))
            .env("FENGHUO_SERVER__LISTEN", "127.0.0.1:0")
            .env("FENGHUO_DATABASE__URL", database_url)
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .expect("the binary runs");
        let mut said = String::new();
        // one line, or none when it ends before it serves
        let read = child.stdout.take().map(|out| BufReader::new(out).read_line(&mut said));
        let mut process = Self { child, url: String::new(), log };
        let address = said.trim().split_once(" at ").map(|(_, url)| url.to_owned());
        process.url = address.unwrap_or_else(|| panic!("{services} does not serve: {read:?}\n{}", process.log()));
        process
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
