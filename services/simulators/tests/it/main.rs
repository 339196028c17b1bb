//! The simulators seen from outside, through the protocols that the platform speaks.

#![allow(clippy::unwrap_used, reason = "a test whose scene cannot be set shall fail where it stands")]

mod apns;
mod control;
mod faults;
mod fcm;
mod first_stream;
mod sms;
mod story;
mod web_push;
