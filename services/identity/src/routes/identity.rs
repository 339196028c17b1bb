//! What the handlers stand on.

use chrono::{DateTime, Utc};
use platform::Platform;

use crate::password::Hasher;
use crate::session::Sessions;
use crate::sign_in::SignIn;

/// The state of the routes.
#[derive(Clone)]
pub(super) struct Identity {
    pub platform: Platform,
    pub hasher: Hasher,
    pub sign_in: SignIn,
    pub sessions: Sessions,
    pub cookie_secure: bool,
}

impl Identity {
    pub fn now(&self) -> DateTime<Utc> {
        self.platform.clock.now()
    }
}
