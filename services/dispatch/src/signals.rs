//! The signals by which the parts of dispatch wake each other inside one process.
//!
//! They make things prompt and carry nothing: every worker looks at the tables, and its timer finds what a signal in another process
//! could not tell. That is why they may be shared by everything in the process.

use std::sync::LazyLock;

use platform::worker::Wake;

/// An alert was approved, or a wave was made: there may be something to plan.
pub(crate) static PLANNER: LazyLock<Wake> = LazyLock::new(Wake::new);
/// The same, where it may be urgent.
pub(crate) static URGENT_PLANNER: LazyLock<Wake> = LazyLock::new(Wake::new);
/// Batches were planned, closed or given back: there may be something to release.
pub(crate) static PUMP: LazyLock<Wake> = LazyLock::new(Wake::new);
/// A batch was closed: a wave may be complete.
pub(crate) static WATCH: LazyLock<Wake> = LazyLock::new(Wake::new);
/// An alert was approved: something else is to be foreseen.
pub(crate) static FORECAST: LazyLock<Wake> = LazyLock::new(Wake::new);
/// A wave was closed: the time of its reminder may be near.
pub(crate) static REMINDERS: LazyLock<Wake> = LazyLock::new(Wake::new);
/// An alert was stopped, for all or for some: whoever has a batch of it in hand sends them nothing further.
pub(crate) static STOPPED: LazyLock<Wake> = LazyLock::new(Wake::new);
