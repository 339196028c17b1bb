//! What `fenghuo up` says when the demo is there, and when it goes.

use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use platform::http::Server;
use platform::telemetry::LogPlace;

use super::arguments::Up;
use crate::demo::CODE;
use crate::demo::accounts::Accounts;

/// Says where the demo is, and what to do with it.
pub(super) fn say(server: &Server, up: &Up, accounts: &Accounts, log: &LogPlace) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n烽火 Fenghuo is up at http://{}\n", server.address())?;
    if up.empty {
        writeln!(out, "  1  Sign in at /console as admin: the city is empty, and its staff are made there.")?;
        writeln!(out, "  2  Residents use /app, public screens /screen.")?;
        writeln!(out, "  3  A demo city instead: fenghuo up --data another-directory")?;
    } else {
        writeln!(out, "  1  Open it: a guide in five steps leads from a community's report to the alert on the phone.")?;
        writeln!(out, "  2  Or look around: /console for staff, /app for residents, /screen for public screens.")?;
        writeln!(out, "  3  Or play a whole outbreak, in a second terminal: fenghuo rehearse mers-2015")?;
    }
    writeln!(out, "\nAccounts and passwords: {}; the second factor of each is {}", accounts.path().display(), CODE)?;
    if let LogPlace::File(path) = log {
        writeln!(out, "Log: {}", path.display())?;
    }
    if !up.listen.ip().is_loopback() {
        writeln!(out, "It listens beyond this machine, so the guide shows no passwords and the demo's clock cannot be moved.")?;
    }
    writeln!(out, "Ctrl-C stops it.")?;
    Ok(out.flush()?)
}

/// What it says when it is told to stop.
pub(super) fn goodbye(data: &Path) -> String {
    format!("\n再见 Goodbye. The city is kept in {}, and goes on there at the next start.", data.display())
}
