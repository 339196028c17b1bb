//! The events between the services, and who listens to which.
//!
//! An event is published in the transaction of the change that it tells of (through the publisher's outbox) and arrives
//! at least once at every queue of its topic; order is not promised, so handlers are idempotent.
//!
//! [`events`] holds the messages, generated from `events/fenghuo.proto`; [`topology`] lists topics and queues. The list is
//! static on purpose: any process can declare every queue before it publishes, so a message is never lost because its
//! reader has not started yet.

pub mod topology;

/// The messages, generated from `events/fenghuo.proto`.
#[allow(missing_docs, reason = "the .proto file documents them")]
pub mod events {
    include!(concat!(env!("OUT_DIR"), "/fenghuo.rs"));
}

pub use events::*;
pub use topology::{Event, QUEUES, Queue, Topic};
