//! What the process tells about itself: log lines, on standard error or in a file, and metrics for Prometheus.
//!
//! What is logged is said by `RUST_LOG` where it is set, else by the settings. Colours are for terminals only.
//!
//! A line is a message and fields; neither lines nor labels hold personal data, which is why a panic is reported by its place
//! only: its message may quote what it stumbled over.

mod file;
mod line;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use serde::{Deserialize, Serialize};
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::TryInitError;

use crate::measures;
use file::LogFile;
pub use line::LogFormat;
use line::WithRequest;

/// Bounds of all histograms whose name ends in `_seconds`, in seconds: from an HTTP answer to an alert's hand-over.
const SECONDS: [f64; 16] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 300.0, 1800.0, 3600.0, 7200.0];
/// How often samples are gathered into histograms; without it they pile up between two scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// The section `telemetry` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// How log lines look; JSON when absent, for people in `fenghuo up` and `fenghuo rehearse`.
    ///
    /// Collectors read JSON; people at a terminal do not.
    ///
    /// Example: "json"
    pub format: Option<LogFormat>,
    /// What is logged: a level (`error`, `warn`, `info`, `debug`, `trace`), or directives such as `info,dispatch=debug`. `RUST_LOG`
    /// wins over it.
    ///
    /// At `info` a request that went well is no news: one alert brings thousands a second.
    pub level: String,
}

/// Where log lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogPlace {
    /// Standard error.
    StandardError,
    /// The end of this file, which is put aside as `….1` whenever it has become 16 MiB large.
    File(PathBuf),
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self { format: None, level: "info".to_owned() }
    }
}

/// Why telemetry could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level is not understood.
    #[error("{setting} is not a level or a list of directives such as info,dispatch=debug")]
    Level {
        /// Where it was given.
        setting: &'static str,
        /// What is wrong with it.
        #[source]
        source: ParseError,
    },
    /// The log file cannot be written.
    #[error("the log file {} cannot be written", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Logging was started before.
    #[error("logging was started twice")]
    Logging(#[from] TryInitError),
    /// Metrics were started before.
    #[error("metrics cannot be recorded")]
    Metrics(#[from] BuildError),
}

/// Whatever the level: the database's notices say nothing that an operator needs, and the SMPP library nothing that may be written
/// ([`line::NEVER`]).
const QUIET: [&str; 3] = ["rusmpp=off", "rusmppc=off", "sqlx::postgres::notice=warn"];

/// Wins over the level of the settings.
const RUST_LOG: &str = "RUST_LOG";

/// Starts logging for this process.
///
/// # Errors
/// When the level is none, the file cannot be written, or logging was started before.
pub fn log(settings: &TelemetrySettings, place: &LogPlace) -> Result<(), TelemetryError> {
    use tracing_subscriber::util::SubscriberInitExt;

    let (format, filter) = (settings.format.unwrap_or_default(), filter(&settings.level, std::env::var(RUST_LOG).ok())?);
    match place {
        LogPlace::StandardError => lines(format, filter, std::io::stderr, colours()).try_init()?,
        LogPlace::File(path) => {
            let file = LogFile::open(path).map_err(|source| TelemetryError::File { path: path.clone(), source })?;
            lines(format, filter, file, false).try_init()?;
        }
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, thread = std::thread::current().name(), "panicked");
    }));
    Ok(())
}

/// Whether somebody sees standard error who has not asked for plain text (<https://no-color.org>).
fn colours() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|text| text.is_empty())
}

fn filter(level: &str, rust_log: Option<String>) -> Result<EnvFilter, TelemetryError> {
    let rust_log = rust_log.filter(|directives| !directives.trim().is_empty());
    let (setting, directives) = match &rust_log {
        Some(directives) => (RUST_LOG, directives.as_str()),
        None => ("telemetry.level", level),
    };
    let failed = |source| TelemetryError::Level { setting, source };
    let mut filter = EnvFilter::try_new(directives).map_err(failed)?;
    for quiet in QUIET {
        filter = filter.add_directive(quiet.parse().map_err(failed)?);
    }
    Ok(filter)
}

/// Writes lines of this form to this place.
fn lines<W>(format: LogFormat, filter: EnvFilter, place: W, colours: bool) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(place).with_ansi(colours);
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
        LazyLock::new(|| [(); 2].map(|()| tracing::Dispatch::new(lines(LogFormat::Json, EnvFilter::new("trace"), std::io::sink, false))));

    /// What this thread writes, for as long as it is held.
    struct Written {
        text: Arc<Mutex<Vec<u8>>>,
        _heard: tracing::subscriber::DefaultGuard,
    }

    fn listen(format: LogFormat, directives: &str, colours: bool) -> Written {
        LazyLock::force(&LISTENERS);
        let text = Arc::new(Mutex::new(Vec::new()));
        let place = Arc::clone(&text);
        let filter = filter(directives, None).unwrap();
        let subscriber = lines(format, filter, move || Page(Arc::clone(&place)), colours);
        Written { text, _heard: tracing::subscriber::set_default(subscriber) }
    }

    impl Written {
        fn end(self) -> String {
            String::from_utf8(std::mem::take(&mut *self.text.lock().unwrap())).unwrap()
        }
    }

    async fn ask(path: &str) {
        let request = http::Request::get(path).header("x-request-id", "load-balancer-7").body(Body::empty()).unwrap();
        Shell::new(Routes::new("none"), Authenticators::new()).router().oneshot(request).await.unwrap();
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
        let written = listen(LogFormat::Json, "info", false);
        ask("/13800138000").await;
        let line: serde_json::Value = serde_json::from_str(&written.end()).unwrap();
        let request = &line["request"];
        assert_eq!((&request["method"], &request["route"], &request["given"]), (&"GET".into(), &"none".into(), &"load-balancer-7".into()));
        assert!(request["id"].as_str().unwrap().parse::<uuid::Uuid>().is_ok(), "what the caller calls it is never its id: {request}");
        assert_eq!((&line["message"], &line["status"]), (&"request answered".into(), &404.into()));
        let written = listen(LogFormat::Human, "info", false);
        ask("/13800138000").await;
        let line = written.end();
        assert!(line.ends_with(" given=load-balancer-7 GET none\n") && !line.contains("13800138000"), "{line}");
    }

    #[tokio::test]
    async fn a_request_that_went_well_is_no_news() {
        let written = listen(LogFormat::Json, "info", false);
        ask("/openapi.json").await;
        ask("/healthz").await;
        assert_eq!(written.end(), "");
    }

    #[test]
    fn colours_are_written_where_they_are_seen_and_nowhere_else() {
        for (colours, escapes) in [(true, true), (false, false)] {
            let written = listen(LogFormat::Human, "info", colours);
            tracing::info!(answer = 42, "seen");
            let line = written.end();
            assert!(line.contains("seen") && line.contains('\u{1b}') == escapes, "{line:?}");
        }
    }

    #[test]
    fn what_the_smpp_library_says_is_never_written_whatever_is_asked_for() {
        let written = listen(LogFormat::Human, "info,rusmpp::codec=trace,rusmppc=trace", false);
        tracing::error!(target: "rusmpp::codec", "+8613800138000");
        tracing::error!(target: "rusmppc", "the password of the account");
        tracing::info!("a line of ours");
        let line = written.end();
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.ends_with("a line of ours\n"), "{line}");
    }

    #[test]
    fn rust_log_wins_over_the_settings_and_what_is_wrong_is_named() {
        let chosen = |level: &str, rust_log: &str| filter(level, Some(rust_log.to_owned())).map(|filter| filter.to_string());
        assert!(chosen("warn", "dispatch=debug").unwrap().contains("dispatch=debug"));
        assert!(chosen("warn", "dispatch=debug").unwrap().split(',').all(|directive| directive != "warn"));
        assert!(chosen("push=trace", " ").unwrap().contains("push=trace"));
        assert!(chosen("info,dispatch=lowd", "").unwrap_err().to_string().starts_with("telemetry.level is not"));
        assert!(chosen("info", "info,dispatch=lowd").unwrap_err().to_string().starts_with("RUST_LOG is not"));
    }
}
