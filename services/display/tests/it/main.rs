//! The display service from outside: public screens, through the HTTP face and the events.

#![allow(clippy::unwrap_used, reason = "a story that cannot be set up has failed")]

mod hall;
mod screens;
mod sweep;
