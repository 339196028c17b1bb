//! The HTTP face: [`session`] for everybody on the staff, [`staff`], [`keys`] and [`proposals`] for administrators.

mod identity;
mod keys;
mod proposals;
mod session;
mod staff;

use platform::Platform;
use platform::http::Routes;

use crate::password::Hasher;
use crate::session::Sessions;
use crate::sign_in::SignIn;
use crate::{Error, Settings};
use identity::Identity;

pub(crate) async fn routes(platform: &Platform, settings: &Settings) -> Result<Routes, Error> {
    let hasher = Hasher::new();
    hasher.prepare().await?;
    let identity = Identity {
        platform: platform.clone(),
        sign_in: SignIn::new(platform, hasher.clone(), settings.lifetimes()),
        hasher,
        sessions: Sessions::new(platform),
        cookie_secure: settings.cookie_secure,
        delays: settings.delays()?,
    };
    Ok(session::routes().merge(staff::routes()).merge(keys::routes()).merge(proposals::routes()).with_state(identity))
}
