//! The request that the running code is answering, so that every log line can name it.
//!
//! A span of `tracing` would tell the same, but it is made and written out for every request, and its fields are only read by
//! the few requests of which a line tells.

use std::sync::Arc;

use super::RequestId;
use super::meters::Meter;

tokio::task_local! {
    /// Set while a request is being answered, for the task that answers it.
    pub(super) static CURRENT: Arc<CurrentRequest>;
}

/// What log lines tell of a request.
pub(crate) struct CurrentRequest {
    pub(crate) id: RequestId,
    pub(super) meter: Arc<Meter>,
}

impl CurrentRequest {
    /// The one being answered, if any is.
    pub(crate) fn get() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// Its method, as far as it is known.
    pub(crate) fn method(&self) -> &'static str {
        self.meter.method
    }

    /// Its route template.
    pub(crate) fn route(&self) -> &str {
        &self.meter.route
    }
}
