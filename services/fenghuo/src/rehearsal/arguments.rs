//! What `fenghuo rehearse` is told.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Play a real outbreak through the whole platform, with simulated providers and a moved clock.
#[derive(Args)]
pub(crate) struct Rehearse {
    /// Which outbreak.
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenario: Scenario,
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

/// An outbreak that can be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// MERS in South Korea, 2015: 162 cases and 98 contacts.
    #[value(name = "mers-2015")]
    Mers2015,
}
