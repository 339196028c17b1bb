//! The resident service from outside: what people do in the app and by SMS, and what staff may see of them.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod acknowledgements;
mod city;
mod codes;
mod consent;
mod devices;
mod feedback;
mod gone_devices;
mod identities;
mod inbox;
mod latecomers;
mod numbers;
mod registration;
mod replies;
mod sign_ins;
mod staff;
mod standing_questions;
mod standings;
mod sweep;
mod web_push;
