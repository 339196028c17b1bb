//! The HTTP face: [`session`], [`directory`], [`proof`] and [`factors`] for everybody on the staff, [`staff`], [`bindings`], [`keys`] and [`proposals`]
//! for administrators.

mod bindings;
mod directory;
mod factors;
mod identity;
mod keys;
mod proof;
mod proposals;
mod session;
mod staff;
mod visitor;

use std::sync::Arc;

use platform::Platform;
use platform::http::Routes;

use crate::directory::Directory;
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
    let directory =
        settings.directory.as_ref().map(|directory| Directory::new(platform, directory, &settings.console_address)).transpose()?;
    let identity = Identity {
        platform: platform.clone(),
        sign_in: SignIn::new(platform, hasher.clone(), settings.lifetimes()?),
        hasher,
        sessions: Sessions::new(platform),
        enrolment: Enrolment::new(platform, prover.clone()),
        prover,
        directory: directory.map(Arc::new),
        cookie_secure: settings.cookie_secure,
        delays: settings.delays()?,
    };
    Ok(session::routes()
        .merge(directory::routes())
        .merge(proof::routes())
        .merge(factors::routes())
        .merge(staff::routes())
        .merge(bindings::routes())
        .merge(keys::routes())
        .merge(proposals::routes())
        .with_state(identity))
}
