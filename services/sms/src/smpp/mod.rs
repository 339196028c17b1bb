//! SMPP 3.4: the protocol's side of this crate. It knows numbers, texts and answers, nothing of alerts.
//!
//! * [`alphabet`] and [`segments`] turn a text into user data, part by part, and read it back.
//! * [`session`] holds one bind to the centre, on a [`socket`] that never leaves a PDU behind; [`submit`] drives all binds of the account: window, rate ([`allowance`]), throttling.
//! * [`answer`] names every `command_status`; [`receipt`] and [`incoming`] read what the centre delivers.

mod allowance;
pub mod alphabet;
pub mod answer;
pub mod incoming;
pub mod receipt;
pub mod segments;
pub mod session;
pub mod socket;
pub mod submit;
