//! What the stories of the services are told on.
//!
//! A story opens a platform on a [`Store`] of its own, on which the clock stands at [`noon`]; starts its service there; and puts both on a
//! [`Stage`], where it asks the service as its callers do, without a network, and tells it what other services would tell. Who calls is
//! made up ([`Staff`]): a token is whom the story says; where they are real, two administrators make them
//! ([`TwoAdministrators`]). What other services show is stood in for by tables ([`views`]), what they
//! hear is written down ([`Heard`]).
//!
//! Nothing here sleeps: a clock is moved. What has to be waited for, since a database or a broker is another process, is waited for
//! with the same [`PATIENCE`] everywhere ([`until`], [`eventually`], [`soon`]), which is so long that only what never comes uses it up.

#![allow(clippy::unwrap_used, reason = "a stage that cannot be set up fails the story that is told on it")]

mod alert;
mod asking;
mod callers;
mod front;
mod hearing;
mod line;
mod network;
mod patience;
pub mod second_factor;
mod stage;
mod store;
mod two_people;
pub mod views;

pub use alert::{alert, headline};
pub use asking::{Answer, Desk, request};
pub use callers::{FRESH, NEW, NOBODY, STALE, Staff, id};
pub use front::{Front, SSL_REQUEST, Signed};
pub use hearing::{Heard, unheard};
pub use line::Line;
pub use network::client;
pub use patience::{PATIENCE, eventually, processor_time, soon, until};
pub use stage::{Stage, settle};
pub use store::{DAY, HOUR, MINUTE, SECOND, Store, Tables, close, noon};
pub use two_people::{Agreed, Identity, PASSWORD, TwoAdministrators, activate, asked_proving};
