//! `fenghuo residents`: synthetic people by the census.

use std::path::Path;

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use platform::Platform;
use resident::generate::{self, People};

use crate::migrate;

/// The population of demo cities and rehearsals.
pub(crate) const SEED: u64 = 20_200_101;

/// Residents of the 2020 census; phone numbers of synthetic people have room for 100 million.
const MOST: u32 = 99_999_999;

/// Residents.
#[derive(Subcommand)]
pub(crate) enum Residents {
    Generate(Generate),
}

/// Write synthetic people into an empty database, spread by the 2020 census.
#[derive(Args)]
pub(crate) struct Generate {
    /// How many; the whole city is 32054159.
    #[arg(long, value_name = "N")]
    count: u32,
    /// The same seed makes the same people.
    #[arg(long, default_value_t = SEED)]
    seed: u64,
    /// Of a hundred people, those who have the app.
    #[arg(long, value_name = "SHARE", default_value_t = generate::APP_PERCENT, value_parser = clap::value_parser!(u8).range(..=100))]
    app_percent: u8,
}

pub(crate) async fn run(config: Option<&Path>, Residents::Generate(generate): Residents) -> Result<()> {
    ensure!((1..=MOST).contains(&generate.count), "--count is from 1 to {MOST}");
    let platform = migrate::open(config).await?;
    let bar = ProgressBar::new(generate.count.into());
    bar.set_style(
        ProgressStyle::with_template("residents {bar:40} {human_pos}/{human_len} {per_sec} eta {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let people = People::new(generate.count, generate.seed).with_app(generate.app_percent);
    write(&platform, &people, |written| bar.set_position(written.into())).await?;
    bar.finish();
    migrate::close(platform).await
}

/// Writes the people, and says after each chunk how many are in.
pub(crate) async fn write(platform: &Platform, people: &People, progress: impl FnMut(u32)) -> Result<()> {
    generate::write(people, &platform.database, &platform.keyring, platform.clock.now(), progress).await?;
    Ok(())
}
