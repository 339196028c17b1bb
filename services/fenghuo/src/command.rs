//! The command line: which commands there are. What each takes, and what its `--help` says, stands with the command.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::audit::{self, Audit};
use crate::doctor::{self, Doctor};
use crate::import::{self, Import};
use crate::keys::{self, Keys};
use crate::migrate::{self, Migrate};
use crate::rehearsal::{self, Rehearse};
use crate::residents::{self, Residents};
use crate::roles::{self, Roles};
use crate::serve::{self, Serve};
use crate::simulate::{self, SimulateProviders};
use crate::staff::{self, Staff};
use crate::up::{self, Up};

/// Health alerts for a whole city: from a risk record to an acknowledged alert.
#[derive(Parser)]
#[command(name = "fenghuo", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// Configuration file (TOML); every setting with its default stands in deploy/fenghuo.toml. FENGHUO_SECTION__KEY
    /// overrides a key.
    #[arg(long, global = true, env = "FENGHUO_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Up(Up),
    Serve(Serve),
    Migrate(Migrate),
    Roles(Roles),
    #[command(subcommand)]
    Keys(Keys),
    Doctor(Doctor),
    #[command(subcommand)]
    Residents(Residents),
    Import(Import),
    Rehearse(Rehearse),
    SimulateProviders(SimulateProviders),
    #[command(subcommand)]
    Staff(Staff),
    #[command(subcommand)]
    Audit(Audit),
}

impl Arguments {
    /// Does what was asked, and tells with which code the process ends.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let config = self.config.as_deref();
        match self.command {
            Command::Audit(audit) => return audit::run(config, audit).await,
            Command::Up(up) => up::run(config, up).await,
            Command::Serve(serve) => serve::run(config, serve).await,
            Command::Migrate(Migrate {}) => migrate::run(config).await,
            Command::Roles(roles) => roles::run(config, roles).await,
            Command::Keys(keys) => keys::run(config, keys).await,
            Command::Doctor(doctor) => doctor::run(config, doctor).await,
            Command::Residents(residents) => residents::run(config, residents).await,
            Command::Import(import) => import::run(import).await,
            Command::Rehearse(rehearse) => rehearsal::run(config, rehearse).await,
            Command::SimulateProviders(providers) => simulate::run(providers).await,
            Command::Staff(staff) => staff::run(config, staff).await,
        }?;
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Arguments;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_does() {
        fn look(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{} does not say what it does", command.get_name());
            command.get_subcommands().for_each(look);
        }
        look(&Arguments::command());
    }
}
