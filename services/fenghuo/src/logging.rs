//! The options of a process that runs for long: how it logs, and where.

use std::path::Path;

use anyhow::Result;
use clap::{Args, ValueEnum};
use platform::telemetry::{self, LogFormat, LogPlace, TelemetrySettings};

/// How log lines look.
#[derive(Args)]
pub(crate) struct LogOptions {
    /// How log lines look; wins over telemetry.format. What is logged is said by RUST_LOG, a level (error, warn, info, debug, trace) or
    /// directives such as RUST_LOG=info,dispatch=debug; it wins over telemetry.level.
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<Format>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object a line.
    Json,
    /// For people.
    Human,
}

/// Where a process logs that has a data directory.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogTo {
    /// `fenghuo.log` in the data directory. A file that has become 16 MiB large is put aside as `fenghuo.log.1`, so both stay below 32 MiB.
    File,
    /// Standard error.
    Stderr,
}

impl LogTo {
    /// The place, where everything is kept in `data`.
    pub(crate) fn place(self, data: &Path) -> LogPlace {
        match self {
            Self::File => LogPlace::File(data.join("fenghuo.log")),
            Self::Stderr => LogPlace::StandardError,
        }
    }
}

impl LogOptions {
    /// Starts logging: as these options say, else as the settings say, else as is `usual`.
    pub(crate) fn start(&self, settings: &TelemetrySettings, usual: LogFormat, place: &LogPlace) -> Result<()> {
        let asked = self.log_format.map(|format| match format {
            Format::Json => LogFormat::Json,
            Format::Human => LogFormat::Human,
        });
        let format = asked.or(settings.format).unwrap_or(usual);
        Ok(telemetry::log(&TelemetrySettings { format: Some(format), ..settings.clone() }, place)?)
    }
}
