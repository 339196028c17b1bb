//! What every handler stands on.

use std::sync::Arc;

use platform::Platform;

use crate::rulebook::Shelf;
use crate::settings::Settings;

/// The stores, the settings and the active rules.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) platform: Platform,
    pub(crate) settings: Arc<Settings>,
    pub(crate) rulebook: Arc<Shelf>,
}
