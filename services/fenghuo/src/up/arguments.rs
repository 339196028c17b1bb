//! What `fenghuo up` is told.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::logging::{LogOptions, LogTo};

/// Run the whole platform in one process, with simulated providers and a demo city.
///
/// It makes a city with staff, rules, residents and alerts in every stage, and has phones and an SMS centre of its own: no message leaves this
/// machine. It does not start with a configuration that names stores, keys or providers; those are for `fenghuo serve`.
#[derive(Args)]
pub(crate) struct Up {
    /// Where everything is kept: the database, the keys, the passwords of the demo staff, the log.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub(super) data: PathBuf,
    /// Address to listen on. Beyond this machine, the guide shows no passwords and the demo's clock cannot be moved.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(super) listen: SocketAddr,
    /// How many synthetic residents live in the demo city, at the first start.
    #[arg(long, value_name = "N", default_value_t = 32_054)]
    pub(super) residents: u32,
    /// No residents, no rules, no staff but an administrator.
    #[arg(long)]
    pub(super) empty: bool,
    /// Do not open the guide in a browser. None is opened either where standard output is no terminal, without a display, over SSH, or where
    /// CI is set.
    #[arg(long)]
    pub(super) no_open: bool,
    /// Where log lines go.
    #[arg(long, value_name = "PLACE", default_value = "file")]
    pub(super) log_to: LogTo,
    #[command(flatten)]
    pub(super) log: LogOptions,
}
