//! The HTTP face: [`session`] for everybody on the staff, [`staff`] and [`keys`] for administrators.

mod keys;
mod session;
mod staff;

use chrono::{DateTime, Utc};
use platform::Platform;
use platform::http::Routes;

use crate::password::Hasher;
use crate::session::Sessions;
use crate::sign_in::SignIn;
use crate::{Error, Settings};

#[derive(Clone)]
struct Identity {
    platform: Platform,
    hasher: Hasher,
    sign_in: SignIn,
    sessions: Sessions,
    cookie_secure: bool,
}

impl Identity {
    fn now(&self) -> DateTime<Utc> {
        self.platform.clock.now()
    }
}

pub(crate) async fn routes(platform: &Platform, settings: &Settings) -> Result<Routes, Error> {
    let hasher = Hasher::new();
    hasher.prepare().await?;
    let identity = Identity {
        platform: platform.clone(),
        sign_in: SignIn::new(platform, hasher.clone(), settings.lifetimes()),
        hasher,
        sessions: Sessions::new(platform),
        cookie_secure: settings.cookie_secure,
    };
    Ok(session::routes().merge(staff::routes()).merge(keys::routes()).with_state(identity))
}
