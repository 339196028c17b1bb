//! Push: hands alerts over to the phones' own services, APNs and FCM.
//!
//! ```text
//! batch.ready.app ─▶ dispatch::worker ─▶ channel ─▶ lane ─▶ apns, fcm ─▶ sender ─▶ the provider
//!                          ▲                │         │ account: rate, hold
//!                          └── ledger ◀─────┴─ tally ◀┘
//! ```
//!
//! What is guaranteed:
//! - every answer of a provider, also no answer and nonsense, becomes one named [`answer::ProviderAnswer`] and one outcome in the ledger;
//! - a request that was certainly not processed is repeated by itself, one that may have been is not: it goes into a retry batch under the
//!   same collapse id, so a phone shows one;
//! - a refusal of *our* credentials costs no recipient anything: the alarm `push_credentials_refused` rings and the batch waits;
//! - `Retry-After` holds the account in all processes; nobody sends faster than the account's rate;
//! - an exercise fits only the endpoints of enrolled participants, by its type ([`endpoint`]);
//! - the payload is built once for a batch and language; a recipient costs one request with a path, an id, and for FCM a copied token.
//!
//! The crate has no tables. [`sender`] knows nothing of alerts and is the project's HTTP/2 client for anything with many small requests.

mod account;
pub mod answer;
pub mod apns;
mod channel;
pub mod endpoint;
mod endpoints;
mod error;
pub mod fcm;
mod lane;
pub mod notice;
pub mod sender;
mod settings;
#[cfg(test)]
mod stories;
mod tally;

use std::sync::Arc;

use platform::Platform;
use platform::http::Routes;

pub use channel::AppChannel;
pub use error::Error;
pub use settings::{ApnsSettings, FcmProject, FcmSettings, Settings};

/// Starts the service: works through the app channel's batches. It has no routes.
///
/// # Errors
/// When a setting cannot be used, or the queue not be read.
pub async fn start(platform: &Platform, settings: Settings) -> Result<Routes, Error> {
    for (provider, is_set) in [("apns", settings.apns.is_some()), ("fcm", settings.fcm.is_some())] {
        if !is_set {
            tracing::warn!(provider, "a push provider is not set: its residents count as having no app");
        }
    }
    let channel = Arc::new(AppChannel::new(platform, &settings)?);
    dispatch::worker::run(platform, &settings.worker, channel)?;
    Ok(Routes::new("push"))
}
