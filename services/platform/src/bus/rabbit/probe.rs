//! The question to a consumer whether its queue is empty.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

/// How long a consumer may take to say whether its queue is empty.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Asks a consumer whether its queue is empty and nothing is in its hands.
#[derive(Clone)]
pub(super) struct Probe {
    pub(super) queue: &'static str,
    pub(super) ask: mpsc::Sender<oneshot::Sender<bool>>,
}

impl Probe {
    /// False also when the consumer is not connected: it cannot know.
    pub(super) async fn idle(&self) -> bool {
        let (answer, answered) = oneshot::channel();
        let asking = async {
            self.ask.send(answer).await.ok()?;
            answered.await.ok()
        };
        matches!(tokio::time::timeout(PROBE_TIMEOUT, asking).await, Ok(Some(true)))
    }
}
