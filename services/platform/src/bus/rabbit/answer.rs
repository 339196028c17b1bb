//! Waiting for the broker.

use std::time::Duration;

use crate::error::Error;

/// For connecting and declaring together, and for any other answer of the broker. The client library's futures do not
/// always end when a connection breaks at the wrong moment, so nothing waits for them without a limit.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// Waits for the broker, but not for ever.
pub(super) async fn answered<T>(action: &'static str, answer: impl Future<Output = Result<T, lapin::Error>>) -> Result<T, Error> {
    match tokio::time::timeout(ANSWER_TIMEOUT, answer).await {
        Ok(answer) => answer.map_err(|source| Error::Broker { action, source }),
        Err(_) => Err(Error::BrokerSilent { action, seconds: ANSWER_TIMEOUT.as_secs() }),
    }
}
