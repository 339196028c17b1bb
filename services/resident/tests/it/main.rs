//! The resident service from outside: what people do in the app and by SMS, and what staff may see of them.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod acknowledgements;
mod city;
mod consent;
mod devices;
mod feedback;
mod gone_devices;
mod inbox;
mod latecomers;
mod registration;
mod replies;
mod staff;
mod sweep;
mod web_push;
