//! A process group and its PostgreSQL, killed together at one moment: what power that fails does to all but the disk.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, kill_process_group};

/// Has the command lead a process group of its own.
pub fn of_its_own_group(command: &mut Command) -> &mut Command {
    command.process_group(0)
}

/// Kills the group that `child` leads and the PostgreSQL on the data in `database`.
pub fn kill_everything(child: &mut Child, database: &Path) {
    let server = server_of(database).and_then(group_of);
    let groups = [i32::try_from(child.id()).ok().and_then(Pid::from_raw), server];
    for group in groups.into_iter().flatten() {
        // one that ended by itself has no group any more
        let _ = kill_process_group(group, Signal::KILL);
    }
    child.wait().expect("it is gone");
}

/// The server's process, if one is running or was when everything was killed before.
fn server_of(database: &Path) -> Option<Pid> {
    let written = std::fs::read_to_string(database.join("cluster/postmaster.pid")).ok()?;
    written.lines().next()?.trim().parse().ok().and_then(Pid::from_raw)
}

/// Its process group, which the shell that watches over it leads.
fn group_of(server: Pid) -> Option<Pid> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.as_raw_nonzero())).ok()?;
    let (name, rest) = stat.rsplit_once(')')?;
    // number, name in brackets, state, parent, group
    name.ends_with("postgres").then(|| rest.split_whitespace().nth(2)?.parse().ok().and_then(Pid::from_raw)).flatten()
}
