//! What a person sees while the demo city is made, which takes seconds: one line that says what is done now. Nothing where standard output
//! is no terminal.

use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the line moves.
const TICK: Duration = Duration::from_millis(100);

/// The line. It goes when it is dropped.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Shows the line, with what is done first.
    pub(super) fn begin(what: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
        bar.set_style(ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()));
        let progress = Self(bar);
        progress.now(what);
        progress.0.enable_steady_tick(TICK);
        progress
    }

    /// What is done now.
    pub(super) fn now(&self, what: &str) {
        self.0.set_message(what.to_owned());
    }

    /// So many of so many residents have a home.
    pub(super) fn settled(&self, residents: u32, of: u32) {
        self.now(&format!("settling the residents: {} of {}", HumanCount(residents.into()), HumanCount(of.into())));
    }

    /// Takes the line away.
    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}
