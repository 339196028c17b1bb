//! The HTTP shell: how every service is reached, and the only place that decides who gets in.
//!
//! A service builds [`Routes`]: every handler is registered together with its [`Access`] rule, so a route that nobody
//! declared a rule for does not exist. The [`Shell`] merges the routes of all services of this process, adds health,
//! metrics and the OpenAPI document, and becomes one axum router that [`Server`] serves.
//!
//! A request passes, from outside in:
//!
//! 1. `observe`: request id in every log line, metrics by route template, security headers, and the finishing touch that makes
//!    every failure a [`Problem`], whoever produced it;
//! 2. `gate`, once per route: access rule, body limit, time limit, and no control characters in the address (`texts`). The
//!    [`Authenticators`] turn the presented token into a [`Caller`]; nothing of the body is read before the caller is known, and
//!    uploads and streams end when the caller is not admitted any more (`while_admitted`);
//! 3. the handler, which takes its caller as [`StaffCaller`], [`ResidentCaller`], [`SourceCaller`] or [`ScreenCaller`] (or, before a second
//!    factor was shown, as [`SessionOwner`]) and its input as [`Json`], [`Query`] or [`Path`], all of which refuse with a problem that names the field.
//!
//! Guarantees: no handler runs for a caller outside its rule; no failure leaves without a code and a sentence a person can
//! act on; neither logs nor metrics hold a query string, a path value, a body or a token.

mod access;
mod authenticate;
mod caller;
mod certificate;
mod client_address;
mod current;
mod extract;
mod gate;
mod health;
mod limits;
mod meters;
mod observe;
mod openapi;
mod operation;
mod problem;
mod request_id;
mod routes;
mod seen;
mod server;
mod shell;
#[cfg(test)]
mod tests;
mod texts;
mod unread;
mod while_admitted;
mod within;

pub use access::{Access, RouteRule};
pub use authenticate::{Authenticator, Authenticators, Credential, REQUEST_HEADER, SESSION_COOKIE, TurnedAway};
pub use caller::{Caller, ResidentCaller, ScreenCaller, SessionOwner, SourceCaller, StaffCaller, Unproved};
pub use certificate::Certificate;
pub use client_address::ClientAddress;
pub(crate) use current::CurrentRequest;
pub use extract::{Json, Path, PathId, Query};
pub use health::Check;
pub use limits::Limits;
pub use openapi::faults as openapi_faults;
pub use problem::{FieldFault, Problem, ProblemDocument};
pub use request_id::RequestId;
pub use routes::Routes;
pub use server::Server;
pub use shell::{HttpSettings, Shell};
pub use within::Within;

// Services name handlers through this macro: `Routes::new("alerts").allow(Access::Public, routes!(list))`.
pub use utoipa_axum::routes;
