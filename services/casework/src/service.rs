//! What every handler stands on.

use std::ops::Deref;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::working_day::Calendar;
use platform::Platform;

use crate::numbers::Numbers;
use crate::settings::Settings;

/// The stores, the settings, the calendar, the numbers that are still to give.
#[derive(Clone)]
pub(crate) struct Service(pub(crate) Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) platform: Platform,
    pub(crate) settings: Settings,
    pub(crate) calendar: Calendar,
    pub(crate) numbers: Numbers,
}

impl Deref for Service {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Parts {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.platform.clock.now()
    }

    pub(crate) fn zone(&self) -> Tz {
        self.settings.time_zone
    }
}
