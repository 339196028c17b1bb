//! `fenghuo residents generate`: synthetic people by the census.

use std::path::Path;

use anyhow::{Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use platform::Platform;
use resident::generate::{self, People};

use crate::command::Generate;
use crate::migrate;

/// The population of demo cities and rehearsals.
pub(crate) const SEED: u64 = 20_200_101;

/// Residents of the 2020 census; phone numbers of synthetic people have room for 100 million.
const MOST: u32 = 99_999_999;

pub(crate) async fn generate(config: Option<&Path>, generate: Generate) -> Result<()> {
    ensure!((1..=MOST).contains(&generate.count), "--count is from 1 to {MOST}");
    let platform = migrate::open(config).await?;
    write(&platform, &People::new(generate.count, generate.seed).with_app(generate.app_percent), true).await?;
    migrate::close(platform).await
}

/// Writes the people, with a progress bar if somebody watches.
pub(crate) async fn write(platform: &Platform, people: &People, watched: bool) -> Result<()> {
    let bar = if watched { ProgressBar::new(people.count().into()) } else { ProgressBar::hidden() };
    bar.set_style(
        ProgressStyle::with_template("residents {bar:40} {human_pos}/{human_len} {per_sec} eta {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    generate::write(people, &platform.database, &platform.keyring, platform.clock.now(), |written| bar.set_position(written.into()))
        .await?;
    bar.finish();
    Ok(())
}
