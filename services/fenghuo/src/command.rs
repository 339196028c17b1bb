//! The command line. Every command explains itself with `--help`.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::services::Service;
use crate::{import, migrate, rehearsal, residents, serve, simulate, staff, up};

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
    /// Run the whole platform in one process, with simulated providers and a demo city.
    Up(Up),
    /// Run services against the configured stores and providers.
    Serve(Serve),
    /// Bring the database up to date.
    Migrate,
    /// Residents.
    #[command(subcommand)]
    Residents(Residents),
    /// Send files of risk records (JSON, NDJSON or CSV) to a running platform.
    Import(Import),
    /// Play a real outbreak through the whole platform, with simulated providers and a moved clock.
    Rehearse(Rehearse),
    /// Run APNs, FCM and an SMS centre on loopback, with faults on demand.
    SimulateProviders(SimulateProviders),
    /// Staff accounts.
    #[command(subcommand)]
    Staff(Staff),
}

/// `fenghuo up`
#[derive(Args)]
pub(crate) struct Up {
    /// Where everything is kept: the database, the keys, the passwords of the demo staff.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub(crate) data: PathBuf,
    /// Address to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// How many synthetic residents live in the demo city, at the first start.
    #[arg(long, value_name = "N", default_value_t = 32_054)]
    pub(crate) residents: u32,
    /// No residents, no rules, no staff but an administrator.
    #[arg(long)]
    pub(crate) empty: bool,
}

/// `fenghuo serve`
#[derive(Args)]
pub(crate) struct Serve {
    /// Which services; all of them if none is named.
    #[arg(value_name = "SERVICE")]
    pub(crate) services: Vec<Service>,
}

#[derive(Subcommand)]
enum Residents {
    /// Write synthetic people into an empty database, spread by the 2020 census.
    Generate(Generate),
}

/// `fenghuo residents generate`
#[derive(Args)]
pub(crate) struct Generate {
    /// How many; the whole city is 32054159.
    #[arg(long, value_name = "N")]
    pub(crate) count: u32,
    /// The same seed makes the same people.
    #[arg(long, default_value_t = residents::SEED)]
    pub(crate) seed: u64,
    /// Of a hundred people, those who have the app.
    #[arg(long, value_name = "SHARE", default_value_t = resident::generate::APP_PERCENT, value_parser = clap::value_parser!(u8).range(..=100))]
    pub(crate) app_percent: u8,
}

/// `fenghuo import`
#[derive(Args)]
pub(crate) struct Import {
    /// Files ending in .json, .ndjson or .csv; `-` reads NDJSON from standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Address of the platform.
    #[arg(long, env = "FENGHUO_URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) url: String,
    /// A source's API key (`fhk_…`).
    #[arg(long, env = "FENGHUO_API_KEY", hide_env_values = true)]
    pub(crate) key: String,
}

/// `fenghuo rehearse`
#[derive(Args)]
pub(crate) struct Rehearse {
    /// Which outbreak.
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenario: rehearsal::Scenario,
    /// Print one JSON object at the end, nothing else.
    #[arg(long)]
    pub(crate) json: bool,
    /// On the configured PostgreSQL, RabbitMQ and Redis instead of the embedded set; a database of its own is made there.
    #[arg(long)]
    pub(crate) services: bool,
    /// Keep everything in this directory, and go on from there if a rehearsal was interrupted.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// How many synthetic residents the city has.
    #[arg(long, value_name = "N", default_value_t = 3_800)]
    pub(crate) residents: u32,
    /// Directory that `fenghuo simulate-providers` wrote its addresses and keys to; without it, simulators run inside.
    #[arg(long, value_name = "DIR")]
    pub(crate) providers: Option<PathBuf>,
}

/// `fenghuo simulate-providers`
#[derive(Args)]
pub(crate) struct SimulateProviders {
    /// Where addresses, CA certificate and keys are written.
    #[arg(long, value_name = "DIR", default_value = "data/providers")]
    pub(crate) directory: PathBuf,
    /// Port of the SMS centre; 0 lets the system choose.
    #[arg(long, default_value_t = 2775)]
    pub(crate) smpp_port: u16,
    /// Port of APNs.
    #[arg(long, default_value_t = 2197)]
    pub(crate) apns_port: u16,
    /// Port of FCM.
    #[arg(long, default_value_t = 2198)]
    pub(crate) fcm_port: u16,
    /// Port of the push service of browsers.
    #[arg(long, default_value_t = 2201)]
    pub(crate) web_push_port: u16,
    /// Port of the OAuth endpoint that FCM's service account names.
    #[arg(long, default_value_t = 2199)]
    pub(crate) oauth_port: u16,
    /// Port of the control interface.
    #[arg(long, default_value_t = 2200)]
    pub(crate) control_port: u16,
    /// Take APNs and VAPID tokens of any age: for a platform whose clock is moved.
    #[arg(long)]
    pub(crate) any_clock: bool,
    /// For measurements with millions: keep no message, count residents by the number their token begins with, and read only what is needed
    /// to answer.
    #[arg(long)]
    pub(crate) benchmark: bool,
}

#[derive(Subcommand)]
enum Staff {
    /// Make the first administrator, or give a forgotten one a new password. Prints the password once.
    Administrator(Administrator),
}

/// `fenghuo staff administrator`
#[derive(Args)]
pub(crate) struct Administrator {
    /// Login name.
    #[arg(long, default_value = "admin")]
    pub(crate) login: String,
}

impl Arguments {
    /// Does what was asked.
    pub(crate) async fn run(self) -> Result<()> {
        let config = self.config.as_deref();
        match self.command {
            Command::Up(up) => up::run(config, up).await,
            Command::Serve(serve) => serve::run(config, serve).await,
            Command::Migrate => migrate::run(config).await,
            Command::Residents(Residents::Generate(generate)) => residents::generate(config, generate).await,
            Command::Import(import) => import::run(import).await,
            Command::Rehearse(rehearse) => rehearsal::run(config, rehearse).await,
            Command::SimulateProviders(providers) => simulate::run(providers).await,
            Command::Staff(Staff::Administrator(administrator)) => staff::administrator(config, administrator).await,
        }
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
