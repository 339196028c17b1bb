//! Push: hands alerts over to the phones' own services, APNs and FCM, and to those of browsers.
//!
//! ```text
//! batch.ready.app ─▶ dispatch::worker ─▶ channel ─▶ lane ─▶ apns, fcm, web_push ─▶ sender ─▶ the provider
//!                          ▲                │         │ account: rate, hold
//!                          └── ledger ◀─────┴─ tally ◀┘
//! ```
//!
//! What is guaranteed:
//! - every answer of a provider, also no answer and nonsense, becomes one named [`answer::ProviderAnswer`] and one outcome in the ledger;
//! - a request that was certainly not processed is repeated by itself, one that may have been is not: it goes into a retry batch under the
//!   same collapse id, so a phone shows one;
//! - a refusal of *us*, which is what nearly everybody gets, costs no recipient anything: the alarm `push_credentials_refused` rings and the batch
//!   waits; one device that is refused keeps nobody else waiting ([`verdict`]);
//! - a device is pruned only where its provider says beyond doubt that it is gone;
//! - a provider that asks to slow down is sent less, and left alone in all processes where it asks repeatedly; nobody sends faster than the
//!   account's rate. No push waits for a cache that is away;
//! - while an urgent batch is in hand, routine batches wait ([`precedence`]);
//! - an exercise fits only the endpoints of enrolled participants, by its type ([`endpoint`]);
//! - the payload is built once for a batch and language; a recipient costs one request with a path, an id, for FCM a copied token, and for a browser
//!   its own encryption;
//! - a message goes to no host that the settings do not allow, whatever address a resident sent.
//!
//! The crate has no tables. [`sender`] knows nothing of alerts and is the project's HTTP/2 client for anything with many small requests.

mod account;
pub mod answer;
pub mod apns;
mod cache_away;
mod channel;
pub mod endpoint;
mod endpoints;
mod error;
pub mod fcm;
mod lane;
pub mod notice;
mod precedence;
pub mod sender;
mod settings;
#[cfg(test)]
mod stories;
mod tally;
mod verdict;
pub mod web_push;

use platform::compiled_once;
use std::sync::Arc;
use std::time::Duration;

use platform::Platform;
use platform::clock::Clock;
use platform::http::Routes;
use platform::worker::{self, Turn, Wake};

pub use channel::AppChannel;
pub use error::Error;
pub use settings::{ApnsSettings, FcmProject, FcmSettings, PersonalTexts, Settings, WebPushSettings};

/// How often it is seen to that an alert finds its connections open.
const WARM_INTERVAL: Duration = Duration::from_secs(60);

/// Starts the service: works through the app channel's batches. It has no routes.
///
/// # Errors
/// When a setting cannot be used, or the queue not be read.
#[compiled_once]
pub async fn start(platform: &Platform, settings: Settings) -> Result<Routes, Error> {
    let set = [("apns", settings.apns.is_some()), ("fcm", settings.fcm.is_some()), ("web_push", settings.web_push.is_some())];
    for (provider, is_set) in set {
        if !is_set {
            tracing::warn!(provider, "a push provider is not set: its residents count as having no app");
        }
    }
    let channel = Arc::new(AppChannel::new(platform, &settings)?);
    let (warmed, stop) = (Arc::clone(&channel), platform.tasks.token().clone());
    // In real time, as the providers' connections and tokens live.
    worker::run(&platform.tasks, &Clock::real(), "push.warm", WARM_INTERVAL, &Wake::new(), move || {
        let (channel, stop) = (Arc::clone(&warmed), stop.clone());
        async move {
            stop.run_until_cancelled(channel.warm()).await;
            Ok(Turn::Idle)
        }
    });
    dispatch::worker::run(platform, &settings.worker, channel)?;
    Ok(Routes::new("push"))
}
