//! The manual in `docs/` is whole and true: its links lead somewhere, what it names exists, and its tables are those of the code.
//!
//! With `FENGHUO_RENEW=1` in the environment the pages that are made from tables are written anew. What the manual says of settings
//! and commands is held against the binary in `services/fenghuo/src/book`.

#![allow(clippy::unwrap_used, reason = "a page that cannot be read has failed")]

#[path = "manual/access.rs"]
mod access;
#[path = "manual/events.rs"]
mod events;
#[path = "manual/links.rs"]
mod links;
#[path = "manual/metrics.rs"]
mod metrics;
#[path = "manual/names.rs"]
mod names;
#[path = "manual/pages.rs"]
mod pages;
#[path = "manual/problems.rs"]
mod problems;
#[path = "manual/retention.rs"]
mod retention;
#[path = "manual/sources.rs"]
mod sources;
