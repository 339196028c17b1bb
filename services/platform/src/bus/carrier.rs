//! The two carriers.

use std::sync::Arc;

use super::local::LocalBus;
use super::rabbit::Rabbit;

/// What takes events from the outboxes to the handlers.
#[derive(Clone)]
pub(super) enum Carrier {
    Local(Arc<LocalBus>),
    Rabbit(Arc<Rabbit>),
}
