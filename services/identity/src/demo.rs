//! Accounts of a city in which nobody is real: with a password that was made for them, a second factor that is one fixed code, and without a
//! waiting time.
//!
//! For the demo and rehearsals alone, where a story takes five minutes and one person plays everybody. No command that serves a city calls
//! anything here, and no setting leads here: a city that was started otherwise than by [`start`] takes no such factor, wherever it comes from.

use domain::ids::StaffId;
use domain::second_factor::FactorKind;
use domain::staff::{Role, Scope};
use platform::Platform;
use platform::compiled_once;
use platform::http::Routes;

use crate::account::{self, Beginning};
use crate::api_key::{self, NewApiKey};
use crate::factor::{self, Secret};
use crate::password::{Hasher, Lane, Password};
use crate::token::{API_KEY, Token};
use crate::{City, Error, NewStaff, SCHEMA, Settings, command_line};

/// The second factor of everybody in a demo.
pub const CODE: &str = "190190";

/// Starts the service for a city in which nobody is real.
#[compiled_once]
pub async fn start(platform: &Platform, settings: Settings) -> Result<Routes, Error> {
    crate::begin(platform, &settings, City::Demo).await
}

/// Its routes alone.
#[compiled_once]
pub async fn routes(platform: &Platform, settings: &Settings) -> Result<Routes, Error> {
    crate::routes::routes(platform, settings, City::Demo).await
}

/// Makes the account unless the login name exists. Returns the password of a new account.
#[compiled_once]
pub async fn ensure_staff(platform: &Platform, new: NewStaff) -> Result<Option<String>, Error> {
    new.check()?;
    if account::find(platform, &new.login).await?.is_some() {
        return Ok(None);
    }
    let password = Password::generate();
    let hash = Hasher::new().hash(password.clone(), Lane::Known).await?;
    let mut tx = platform.database.begin().await?;
    let now = platform.clock.now();
    let Some(staff) = account::insert(&mut tx, &new, Beginning::Password(&hash), None, now).await? else { return Ok(None) };
    factor::insert(&mut tx, &platform.keyring, staff.id, FactorKind::Demo.title(), Secret::Demo(CODE.into()), None, now).await?;
    tx.publish(SCHEMA, &command_line::did("staff.create", &staff, now)).await?;
    tx.commit().await?;
    Ok(Some(password.into_text()))
}

/// Makes a key and returns it.
#[compiled_once]
pub async fn make_key(platform: &Platform, new: NewApiKey, by: StaffId) -> Result<String, Error> {
    let token = Token::generate(API_KEY);
    let mut tx = platform.database.begin().await?;
    api_key::insert(&mut tx, &new, token.hash(), by, platform.clock.now()).await?;
    tx.commit().await?;
    Ok(token.into_text())
}

/// An administrator to be made.
pub fn administrator(login: &str, name: &str) -> NewStaff {
    NewStaff { login: login.to_owned(), name: name.to_owned(), role: Role::Administrator, scope: Scope::City }
}
