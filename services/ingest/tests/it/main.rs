//! The ingest service from outside, over HTTP.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod city;
mod corrections;
mod deliveries;
mod finding;
mod health;
mod lists;
mod previews;
mod uploads;
mod waiting;
mod workbooks;
mod writers;
