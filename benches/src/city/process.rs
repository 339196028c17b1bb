//! One process of the platform.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

/// A running process; killed when dropped, with no chance to tidy up.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// The first line it printed.
    pub said: String,
    log: PathBuf,
}

/// The `fenghuo` that was built beside this program; `FENGHUO_BIN` names another one.
pub fn binary() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("FENGHUO_BIN") {
        return Ok(PathBuf::from(named));
    }
    let own = std::env::current_exe().context("this program does not know where it is")?;
    let beside = own.ancestors().skip(1).take(2).map(|directory| directory.join("fenghuo")).find(|path| path.is_file());
    beside.context("there is no fenghuo beside this program: build it (make build) or name one in FENGHUO_BIN")
}

fn fenghuo(config: &Path) -> Result<Command> {
    let mut command = Command::new(binary()?);
    command.arg("--config").arg(config).stdin(Stdio::null());
    Ok(command)
}

/// Runs a command to its end and returns what it printed.
pub fn run(config: &Path, arguments: &[&str]) -> Result<String> {
    let output = fenghuo(config)?.args(arguments).output()?;
    ensure!(output.status.success(), "fenghuo {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// Seconds of processor time, in user and kernel mode together, that a process has used; `self` is this one.
pub fn cpu_s(process: &str) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // the name may hold spaces; what follows its bracket does not
    let fields: Vec<&str> = stat.rsplit_once(')').context("no process status")?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).context("no processor time");
    // USER_HZ is 100 on every Linux
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

impl Process {
    /// Starts `fenghuo` with these arguments and returns when it has printed its first line. Its log goes to `log`.
    pub fn start(config: &Path, arguments: &[&str], log: PathBuf) -> Result<Self> {
        let errors = File::options().create(true).append(true).open(&log)?;
        let mut child =
            fenghuo(config)?.args(arguments).env("FENGHUO_SERVER__LISTEN", "127.0.0.1:0").stdout(Stdio::piped()).stderr(errors).spawn()?;
        let mut said = String::new();
        if let Some(out) = child.stdout.take() {
            let mut out = BufReader::new(out);
            out.read_line(&mut said)?;
            // read on, so that the process can go on printing
            std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        }
        let process = Self { child, said: said.trim().to_owned(), log };
        if process.said.is_empty() {
            bail!("fenghuo {} did not start: {}", arguments.join(" "), process.log());
        }
        Ok(process)
    }

    /// Where it answers.
    pub fn url(&self) -> Result<&str> {
        Ok(self.said.split_once(" at ").with_context(|| format!("{:?} names no address", self.said))?.1)
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The most memory it has had, in megabytes (VmHWM).
    pub fn peak_rss_mb(&self) -> Result<f64> {
        Ok(self.status("VmHWM:")? as f64 / 1024.0)
    }

    /// Seconds of processor time it has used, in user and kernel mode together.
    pub fn cpu_s(&self) -> Result<f64> {
        cpu_s(&self.child.id().to_string())
    }

    fn status(&self, field: &str) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with(field)).with_context(|| format!("no {field} in a process status"))?;
        line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse().ok()).with_context(|| format!("{field} is no number"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
