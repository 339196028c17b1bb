//! What the handlers of requests need.

use std::sync::Arc;

use platform::Platform;

use crate::{feed::Feed, settings::Settings};

/// The stores, the settings and the current state of the screens.
#[derive(Clone)]
pub(crate) struct Display {
    pub(crate) platform: Platform,
    pub(crate) settings: Arc<Settings>,
    pub(crate) feed: Feed,
}
