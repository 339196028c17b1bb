//! Staff, their sessions, and the keys of source systems (CQ5, CQ6, CQ13).
//!
//! - An **account** ([`account`]) is a person with a role and a scope. Administrators make, change and disable accounts and can
//!   do nothing else; nobody can shut themselves out.
//! - **Signing in** ([`sign_in`]) takes the same time whether or not the name exists, is slowed down per account and per
//!   address, and starts a **session** ([`session`]): a record in the cache under the hash of a random token. It ends when
//!   unused for a while, after its longest time, at sign-out, with a new password, and when the account is disabled.
//! - An **API key** ([`api_key`]) belongs to a unit and says of which origin, for which area and which kinds of record it may
//!   deliver. Only its hash is stored.
//!
//! What is guaranteed: neither passwords nor tokens are stored or logged; account and key are looked at again with
//! every request, so what is disabled or revoked stops at once; every act of staff is published for the audit trace in the
//! transaction that performs it, a sign-in before its token exists.
//!
//! Other processes use only [`authenticator`].

pub mod account;
pub mod api_key;
mod authenticate;
mod error;
mod password;
mod routes;
mod schema;
pub mod session;
mod settings;
pub mod sign_in;
mod token;

use platform::Platform;
use platform::compiled_once;
use platform::http::{Authenticator, Routes};

pub use account::{NewStaff, create_administrator, ensure_staff};
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
