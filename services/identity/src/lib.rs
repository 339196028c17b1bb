//! Staff, their sessions, and the keys of source systems (CQ5, CQ6, CQ13).
//!
//! - An **account** ([`account`]) is a person with a role and a scope. Administrators look after accounts and can do nothing else. What lessens
//!   power one of them does at once; what gives or moves it is a **proposal** ([`proposal`]) that another confirms
//!   (`domain::second_person`), and whoever was given power uses it only after a while.
//! - A new or reset account has no password. Its owner sets one with a **code** in two halves, one from each administrator: nobody but the
//!   owner ever knows a password in use.
//! - **Signing in** ([`sign_in`]) takes the same time whether or not the name exists, is slowed down so that strangers cannot keep an owner out
//!   (`door`), and starts a **session** ([`session`]): a record in the cache under the hash of a random token. It ends when
//!   unused for a while, after its longest time, at sign-out, with a new password, and when the account is disabled.
//! - Who has power has a **second factor** (`domain::second_factor`): an authenticator app (`totp`) or a passkey (`passkey`), enrolled by its owner
//!   (`enrolment`). Until it was shown (`proving`) a session opens nothing; what cannot be taken back asks for it once more. A passkey alone signs
//!   somebody in. Recovery codes and two administrators are the way back.
//! - A city with a **directory** of its staff ([`directory`], OpenID Connect) has them sign in there instead of with a password. It says who somebody
//!   is; whose account that is two administrators have decided, and everything else is as for who comes with a password.
//! - An **API key** ([`api_key`]) belongs to a unit and says of which origin, for which area and which kinds of record it may
//!   deliver, from which networks, for a year at most. Only its hash is stored; like a code it comes in two halves.
//! - The **command line** makes the first two administrators and helps one who cannot sign in; the **demo** ([`demo`]) makes accounts in which
//!   nobody is real.
//!
//! What is guaranteed: neither passwords nor tokens are stored or logged; account and key are looked at again with
//! every request, so what is disabled or revoked stops at once; every act of staff is published for the audit trace in the
//! transaction that performs it, a sign-in before its token exists.
//!
//! Other processes use only [`authenticator`].

pub mod account;
pub mod api_key;
mod authenticate;
mod command_line;
pub mod demo;
mod device;
mod directory;
mod door;
mod enrolment;
mod error;
mod factor;
mod grace;
mod half;
mod known_network;
mod offer;
mod passkey;
mod password;
pub mod proposal;
mod proving;
mod recovery_code;
mod routes;
mod schema;
pub mod session;
mod settings;
pub mod sign_in;
mod token;
mod totp;
mod turned_away;

use domain::second_factor::FactorKind;
use platform::Platform;
use platform::clock::Clock;
use platform::compiled_once;
use platform::http::{Authenticator, Routes};
use platform::jobs::Job;

pub use account::NewStaff;
pub use command_line::{Code, first_administrators, recover_administrator};
pub use device::DEVICE_COOKIE;
pub use directory::{DirectorySettings, Fault as DirectoryFault};
pub use error::Error;
pub use schema::{MIGRATOR, SCHEMA};
pub use settings::Settings;

/// Whose city it is. There is no setting for it: only [`demo`] serves one in which nobody is real.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum City {
    /// People live in it.
    Real,
    /// Nobody does.
    Demo,
}

impl City {
    /// Whether a factor of this kind proves anything here: the fixed code of a demo does nowhere else, wherever its row comes from.
    pub(crate) const fn takes(self, kind: FactorKind) -> bool {
        match kind {
            FactorKind::Totp | FactorKind::Passkey => true,
            FactorKind::Demo => matches!(self, Self::Demo),
        }
    }
}

/// What it does on schedule.
pub const JOBS: &[Job] = &[directory::arrival::FORGET];

/// Starts the service and returns its routes.
#[compiled_once]
pub async fn start(platform: &Platform, settings: Settings) -> Result<Routes, Error> {
    begin(platform, &settings, City::Real).await
}

async fn begin(platform: &Platform, settings: &Settings, city: City) -> Result<Routes, Error> {
    platform.bus.start_relay(SCHEMA);
    grace::note(platform, settings).await?;
    directory::arrival::forget_old(platform)?;
    routes::routes(platform, settings, city).await
}

/// The routes alone.
#[compiled_once]
pub async fn routes(platform: &Platform, settings: &Settings) -> Result<Routes, Error> {
    routes::routes(platform, settings, City::Real).await
}

/// Whether the city's directory describes itself as it is set, by its own name; none where the city has none.
///
/// # Errors
/// When the settings make no sense, or it does not answer as they say.
#[compiled_once]
pub async fn look_at_directory(settings: &Settings, clock: Clock) -> Result<Option<String>, Error> {
    match &settings.directory {
        None => Ok(None),
        Some(directory) => directory::look_at(directory, &settings.console_address, clock).await.map(Some),
    }
}

/// Knows staff sessions (`fhs_…`) and API keys (`fhk_…`). Every process that serves routes for them registers one.
pub fn authenticator(platform: &Platform) -> impl Authenticator + use<> {
    authenticate::StaffAndSources::new(platform)
}
