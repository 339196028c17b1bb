//! `fenghuo staff`: the first way in.

use std::path::Path;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::migrate;

/// Staff accounts.
#[derive(Subcommand)]
pub(crate) enum Staff {
    Administrator(Administrator),
}

/// Make the first administrator, or give a forgotten one a new password. Prints the password once.
#[derive(Args)]
pub(crate) struct Administrator {
    /// Login name.
    #[arg(long, default_value = "admin")]
    login: String,
}

pub(crate) async fn run(config: Option<&Path>, Staff::Administrator(administrator): Staff) -> Result<()> {
    let platform = migrate::open(config).await?;
    let password = identity::create_administrator(&platform, &administrator.login).await?;
    println!("{} {password}", administrator.login);
    eprintln!("fenghuo: this password is shown once; sign in and change it");
    migrate::close(platform).await
}
