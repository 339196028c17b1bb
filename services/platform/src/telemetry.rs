//! What the process tells about itself: log lines on standard error and metrics for Prometheus.
//!
//! A line is a message and fields; neither lines nor labels hold personal data, which is why a panic is reported by its place
//! only: its message may quote what it stumbled over.

mod line;

use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use serde::{Deserialize, Serialize};
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::TryInitError;

use crate::measures;
use line::WithRequest;

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
    ///
    /// Collectors read JSON; people at a terminal do not.
    pub format: LogFormat,
    /// What is logged: a level (`error`, `warn`, `info`, `debug`, `trace`), or directives such as `info,dispatch=debug`.
    ///
    /// At `info` a request that went well is no news: one alert brings thousands a second.
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
    lines(settings.format, filter, std::io::stderr).try_init()?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, thread = std::thread::current().name(), "panicked");
    }));
    Ok(())
}

/// Writes lines of this form to this place.
fn lines<W>(format: LogFormat, filter: EnvFilter, place: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(place);
    match format {
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(true).with_span_list(false);
            Box::new(lines.map_event_format(|inner| WithRequest { inner, format }).finish())
        }
        LogFormat::Human => Box::new(lines.map_event_format(|inner| WithRequest { inner, format }).finish()),
    }
}

/// Starts recording metrics for this process; the handle renders them. To be called inside the runtime, which keeps them tidy.
pub fn record() -> Result<PrometheusHandle, TelemetryError> {
    let handle = builder()?.install_recorder()?;
    measures::describe();
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
    use std::sync::{Arc, LazyLock, Mutex};

    use axum::body::Body;
    use tower::ServiceExt as _;

    use super::*;
    use crate::http::{Authenticators, Routes, Shell};

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

    /// Listeners that hear everything and write nothing, for as long as the process lives. `tracing` asks only once whether anybody cares for
    /// a line, and remembers it for all threads: where there is one listener, it asks the thread that comes by first, and that may be
    /// another test's, which has none. Where there are several, it asks all of them.
    static LISTENERS: LazyLock<[tracing::Dispatch; 2]> =
        LazyLock::new(|| [(); 2].map(|()| tracing::Dispatch::new(lines(LogFormat::Json, EnvFilter::new("trace"), std::io::sink))));

    /// What is written while a shell answers these paths.
    async fn written(format: LogFormat, paths: &[&str]) -> String {
        let text = Arc::new(Mutex::new(Vec::new()));
        let place = Arc::clone(&text);
        LazyLock::force(&LISTENERS);
        let _heard = tracing::subscriber::set_default(lines(format, EnvFilter::new("info"), move || Page(Arc::clone(&place))));
        for path in paths {
            let request = http::Request::get(*path).header("x-request-id", "load-balancer-7").body(Body::empty()).unwrap();
            Shell::new(Routes::new("none"), Authenticators::new()).router().oneshot(request).await.unwrap();
        }
        let text = std::mem::take(&mut *text.lock().unwrap());
        String::from_utf8(text).unwrap()
    }

    struct Page(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Page {
        fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_line_written_while_a_request_is_answered_names_it_by_id_and_template() {
        let line: serde_json::Value = serde_json::from_str(&written(LogFormat::Json, &["/13800138000"]).await).unwrap();
        assert_eq!(line["request"], serde_json::json!({ "id": "load-balancer-7", "method": "GET", "route": "none" }));
        assert_eq!((&line["message"], &line["status"]), (&"request answered".into(), &404.into()));
        let line = written(LogFormat::Human, &["/13800138000"]).await;
        assert!(line.ends_with(" request=load-balancer-7 GET none\n") && !line.contains("13800138000"), "{line}");
    }

    #[tokio::test]
    async fn a_request_that_went_well_is_no_news() {
        assert_eq!(written(LogFormat::Json, &["/openapi.json", "/healthz"]).await, "");
    }

    #[test]
    fn a_level_that_is_none_is_refused() {
        let settings = TelemetrySettings { level: "info,dispatch=lowd".to_owned(), ..TelemetrySettings::default() };
        assert!(matches!(log(&settings), Err(TelemetryError::Level(_))));
    }
}
