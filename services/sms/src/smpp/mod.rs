//! SMPP 3.4: the protocol's side of this crate. It knows numbers, texts and answers, nothing of alerts.
//!
//! * [`alphabet`] and [`segments`] turn a text into user data, part by part, and read it back.
//! * [`session`] holds one bind to the centre, on a [`socket`] that never leaves a PDU behind; [`submit`] drives all binds of the account (`links`):
//!   window, rate (`allowance`), who goes first ([`lanes`]), how hard the centre is driven (`pace`); [`late`] keeps what is unknown.
//! * [`answer`] names every `command_status`; [`receipt`], [`message_id`] and [`incoming`] read what the centre delivers.
//! * `cancel` takes messages back, by PDUs that are sent `beside` the library's.

mod allowance;
pub mod alphabet;
pub mod answer;
mod beside;
mod cancel;
pub mod incoming;
pub mod lanes;
pub mod late;
mod links;
pub mod message_id;
mod pace;
pub mod receipt;
pub mod segments;
pub mod session;
pub mod socket;
mod source;
pub mod submit;
mod validity;
