//! The manual in `docs/` is whole and true: its links lead somewhere, what it names exists, and its tables are those of the code.
//!
//! With `FENGHUO_RENEW=1` in the environment the pages that are made from tables are written anew. What the manual says of settings
//! and commands is held against the binary in `services/fenghuo/src/book`.

mod access;
mod attacks;
mod events;
mod links;
mod metrics;
mod names;
mod pages;
mod problems;
mod retention;
mod sources;
