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
pub mod session;
pub mod sign_in;
mod token;

use platform::compiled_once;
use std::time::Duration;

use domain::retention;
use platform::Platform;
use platform::http::{Authenticator, Routes};
use serde::{Deserialize, Serialize};

pub use account::{NewStaff, create_administrator, ensure_staff};
pub use error::Error;

/// Schema of this service.
pub const SCHEMA: &str = "identity";

/// Its tables.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The section `identity` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// A session ends when it was not used for so long. The same in every process.
    ///
    /// Consoles stand in shared rooms: what somebody left open closes by itself.
    pub session_idle_seconds: u64,
    /// A session ends after so long, used or not.
    ///
    /// No shift is longer, so each begins with a password.
    pub session_longest_seconds: u64,
    /// Whether browsers send the session cookie over https only.
    ///
    /// Switch it off only where pages are served without TLS, as a demo on one machine is.
    pub cookie_secure: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            session_idle_seconds: 30 * 60,
            session_longest_seconds: retention::STAFF_SESSIONS.keeping.length().into(),
            cookie_secure: true,
        }
    }
}

impl Settings {
    fn lifetimes(&self) -> session::Lifetimes {
        session::Lifetimes {
            idle: Duration::from_secs(self.session_idle_seconds),
            longest: Duration::from_secs(self.session_longest_seconds),
        }
    }
}

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
