//! What every handler stands on.

use std::ops::Deref;
use std::sync::Arc;

use platform::Platform;

use crate::acknowledgement::Acknowledgements;
use crate::headcount::{AudienceQuestions, Headcount};
use crate::inbox::live_alerts::LiveAlerts;
use crate::settings::Settings;

/// The stores, the settings, and what this process keeps of alerts and of the headcount. Clones share it: one is made for every request.
#[derive(Clone)]
pub(crate) struct Service(pub(crate) Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) platform: Platform,
    pub(crate) settings: Settings,
    pub(crate) inboxes: LiveAlerts,
    pub(crate) acknowledgements: Acknowledgements,
    pub(crate) headcount: Headcount,
    pub(crate) questions: AudienceQuestions,
}

impl Deref for Service {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
