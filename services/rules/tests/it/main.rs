//! The rules service from outside: records that become drafts, and staff who write rules.

#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod authoring;
mod city;
mod ended;
mod gathering;
mod lifting;
