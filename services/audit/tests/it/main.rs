//! The trace from outside.

#![allow(clippy::unwrap_used, reason = "a trace that cannot be set up fails the test")]

mod heads;
mod losses;
mod office;
mod rewriting;
mod superuser;
mod trace;
