//! How a log line looks. It names the request in whose answering it was written.

use std::fmt;

use serde::{Deserialize, Serialize};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

use crate::http::CurrentRequest;

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

/// What libraries begin the names of their targets with that write whole messages, with numbers, texts and the password of the account: nothing
/// of it is written, whatever the level.
pub(super) const NEVER: &str = "rusmpp";

/// Lines as `inner` writes them, with the request at the end.
pub(super) struct WithRequest<F> {
    pub(super) inner: F,
    pub(super) format: LogFormat,
}

impl<S, N, F> FormatEvent<S, N> for WithRequest<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        if event.metadata().target().starts_with(NEVER) {
            return Ok(());
        }
        let Some(request) = CurrentRequest::get() else { return self.inner.format_event(context, writer, event) };
        let mut line = String::new();
        self.inner.format_event(context, Writer::new(&mut line), event)?;
        let line = line.trim_end();
        let (id, method, route) = (request.id.as_str(), request.method(), request.route());
        let given = request.id.callers();
        match (self.format, line.strip_suffix('}')) {
            // ids, methods and templates hold nothing that JSON would have to escape
            (LogFormat::Json, Some(fields)) => {
                let given = given.map(|given| format!(r#","given":"{given}""#)).unwrap_or_default();
                writeln!(writer, r#"{fields},"request":{{"id":"{id}","method":"{method}","route":"{route}"{given}}}}}"#)
            }
            _ => {
                let given = given.map(|given| format!(" given={given}")).unwrap_or_default();
                writeln!(writer, "{line} request={id}{given} {method} {route}")
            }
        }
    }
}
