//! What a job is, and what a run of it did.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::BoxError;

/// A job, as its service declares it. What it does is registered with it ([`super::Jobs::register`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// `service.what_it_does`; never given to another.
    pub name: &'static str,
    /// When it is due unless the configuration says otherwise: second, minute, hour, day, month, day of the week, by the city's clock
    /// ([`domain::schedule`]).
    pub cron: &'static str,
    /// What it does, as a sentence for the operator, in Chinese.
    pub about: &'static str,
    /// The same in English.
    pub about_en: &'static str,
    /// Whether it is also due when a process starts that offers it.
    pub at_start: bool,
}

/// A job's function: called anew for each run.
pub(super) type Work = Arc<dyn Fn() -> BoxFuture<'static, Result<Did, BoxError>> + Send + Sync>;

/// What a run did, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Did(Vec<Figure>);

/// A number with what it counts. Kept with the run in words, so that it can be read when its job is long gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = JobFigure)]
pub struct Figure {
    /// What was counted, in Chinese: `删除短信回执`.
    pub what: String,
    /// The same in English.
    pub what_en: String,
    /// How many.
    pub number: u64,
}

impl Did {
    /// Nothing is counted.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Besides, so many of these.
    #[must_use]
    pub fn and(mut self, what: &str, what_en: &str, number: u64) -> Self {
        self.0.push(Figure { what: what.to_owned(), what_en: what_en.to_owned(), number });
        self
    }

    /// Whether there was something to do.
    pub(super) fn is_something(&self) -> bool {
        self.0.iter().any(|figure| figure.number > 0)
    }

    /// For a log line: `SMS receipts removed: 3, …`
    pub(super) fn in_words(&self) -> String {
        self.0.iter().map(|figure| format!("{}: {}", figure.what_en, figure.number)).collect::<Vec<_>>().join(", ")
    }
}
