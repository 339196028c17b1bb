//! The HTTP face: [`session`], [`proof`] and [`factors`] for everybody on the staff, [`staff`], [`keys`] and [`proposals`] for administrators.

mod factors;
mod identity;
mod keys;
mod proof;
mod proposals;
mod session;
mod staff;
mod visitor;

use platform::Platform;
use platform::http::Routes;

use crate::enrolment::Enrolment;
use crate::passkey::Place;
use crate::password::Hasher;
use crate::proving::Prover;
use crate::session::Sessions;
use crate::sign_in::SignIn;
use crate::{City, Error, Settings};
use identity::Identity;

pub(crate) async fn routes(platform: &Platform, settings: &Settings, city: City) -> Result<Routes, Error> {
    let hasher = Hasher::new();
    hasher.prepare().await?;
    let prover = Prover::new(platform, Place::of(&settings.console_address)?, city);
    let identity = Identity {
        platform: platform.clone(),
        sign_in: SignIn::new(platform, hasher.clone(), settings.lifetimes()?),
        hasher,
        sessions: Sessions::new(platform),
        enrolment: Enrolment::new(platform, prover.clone()),
        prover,
        cookie_secure: settings.cookie_secure,
        delays: settings.delays()?,
    };
    Ok(session::routes()
        .merge(proof::routes())
        .merge(factors::routes())
        .merge(staff::routes())
        .merge(keys::routes())
        .merge(proposals::routes())
        .with_state(identity))
}
