//! What the process tells about itself: log lines on standard error and metrics for Prometheus.
//!
//! A line is a message and fields; neither lines nor labels hold personal data, which is why a panic is reported by its place
//! only: its message may quote what it stumbled over.

use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::util::TryInitError;

/// Bounds of all histograms whose name ends in `_seconds`, in seconds: from an HTTP answer to an alert's hand-over.
const SECONDS: [f64; 16] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 300.0, 1800.0, 3600.0, 7200.0];
/// How often samples are gathered into histograms; without it they pile up between two scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// For a person at a terminal.
    Human,
}

/// The section `telemetry` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// How log lines look.
    pub format: LogFormat,
    /// What is logged: a level, or directives such as `info,dispatch=debug`.
    pub level: String,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self { format: LogFormat::default(), level: "info".to_owned() }
    }
}

/// Why telemetry could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level is not understood.
    #[error("telemetry.level is not a level or a list of directives")]
    Level(#[from] ParseError),
    /// Logging was started before.
    #[error("logging was started twice")]
    Logging(#[from] TryInitError),
    /// Metrics were started before.
    #[error("metrics cannot be recorded")]
    Metrics(#[from] BuildError),
}

/// Whatever the level: the SMPP library writes whole messages, with numbers, texts and the password of the account, and the
/// database's notices say nothing that an operator needs.
const NEVER: [&str; 3] = ["rusmpp=off", "rusmppc=off", "sqlx::postgres::notice=warn"];

/// Starts logging for this process.
pub fn log(settings: &TelemetrySettings) -> Result<(), TelemetryError> {
    use tracing_subscriber::util::SubscriberInitExt;

    let mut filter = EnvFilter::try_new(&settings.level)?;
    for never in NEVER {
        filter = filter.add_directive(never.parse()?);
    }
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).finish().try_init()?,
        LogFormat::Human => lines.finish().try_init()?,
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, thread = std::thread::current().name(), "panicked");
    }));
    Ok(())
}

/// Starts recording metrics for this process; the handle renders them. To be called inside the runtime, which keeps them tidy.
pub fn record() -> Result<PrometheusHandle, TelemetryError> {
    let handle = builder()?.install_recorder()?;
    let tidied = handle.clone();
    tokio::spawn(async move {
        let mut rounds = tokio::time::interval(UPKEEP);
        loop {
            rounds.tick().await;
            tidied.run_upkeep();
        }
    });
    Ok(handle)
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    use metrics_exporter_prometheus::Matcher;

    PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_counted_in_buckets_that_hold_both_requests_and_deadlines() {
        let recorder = builder().unwrap().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            metrics::histogram!("hand_over_seconds").record(1799.0);
        });
        let text = recorder.handle().render();
        assert!(text.contains("hand_over_seconds_bucket{le=\"300\"} 0"), "{text}");
        assert!(text.contains("hand_over_seconds_bucket{le=\"1800\"} 1"), "{text}");
    }

    #[test]
    fn a_level_that_is_none_is_refused() {
        let settings = TelemetrySettings { level: "info,dispatch=lowd".to_owned(), ..TelemetrySettings::default() };
        assert!(matches!(log(&settings), Err(TelemetryError::Level(_))));
    }
}
