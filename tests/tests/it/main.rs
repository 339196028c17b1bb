//! The whole platform in one process.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod access;
mod chain;
mod damage;
mod edge;
mod forecast;
mod interface;
mod jobs;
mod latecomers;
mod manual;
mod supply;
