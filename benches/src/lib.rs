//! Measurements with their limits and peers.
//!
//! | part | what it is |
//! |---|---|
//! | [`city`] | the platform as processes of its own on PostgreSQL, RabbitMQ and Redis, with simulated providers in one more |
//! | [`limit`] | what the same machine does without a platform: the bare loops that the measurements are compared with |
//! | [`chart`] | a curve over time as SVG |
//! | [`asking`] | the HTTP client they have in common |
//!
//! Each binary in `src/bin` measures one thing, prints it beside its limit, and leaves nothing behind.

pub mod asking;
pub mod chart;
pub mod city;
pub mod limit;
