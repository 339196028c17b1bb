//! Staff, their sessions, and the keys of source systems (CQ5, CQ6, CQ13).
//!
//! - An **account** ([`account`]) is a person with a role and a scope. Administrators look after accounts and can do nothing else. What lessens
//!   power one of them does at once; what gives or moves it is a **proposal** ([`proposal`]) that another confirms
//!   (`domain::second_person`), and whoever was given power uses it only after a while.
//! - A new or reset account has no password. Its owner sets one with a **code** in two halves, one from each administrator: nobody but the
//!   owner ever knows a password in use.
//! - **Signing in** ([`sign_in`]) takes the same time whether or not the name exists, is slowed down per account and per
//!   address, and starts a **session** ([`session`]): a record in the cache under the hash of a random token. It ends when
//!   unused for a while, after its longest time, at sign-out, with a new password, and when the account is disabled.
//! - An **API key** ([`api_key`]) belongs to a unit and says of which origin, for which area and which kinds of record it may
//!   deliver, for a year at most. Only its hash is stored; like a code it comes in two halves.
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
mod error;
mod half;
mod password;
pub mod proposal;
mod routes;
mod schema;
pub mod session;
mod settings;
pub mod sign_in;
mod token;

use platform::Platform;
use platform::compiled_once;
use platform::http::{Authenticator, Routes};

pub use account::NewStaff;
pub use command_line::{Code, first_administrators, recover_administrator};
pub use error::Error;
pub use schema::{MIGRATOR, SCHEMA};
pub use settings::Settings;

/// Starts the service and returns its routes.
#[compiled_once]
pub async fn start(platform: &Platform, settings: Settings) -> Result<Routes, Error> {
    platform.bus.start_relay(SCHEMA);
    routes(platform, &settings).await
}

/// The routes alone.
#[compiled_once]
pub async fn routes(platform: &Platform, settings: &Settings) -> Result<Routes, Error> {
    routes::routes(platform, settings).await
}

/// Knows staff sessions (`fhs_…`) and API keys (`fhk_…`). Every process that serves routes for them registers one.
pub fn authenticator(platform: &Platform) -> impl Authenticator + use<> {
    authenticate::StaffAndSources::new(platform)
}
