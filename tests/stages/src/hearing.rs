//! What other services are told, written down in their place.

use std::any::Any;
use std::sync::{Arc, Mutex};

use platform::Platform;
use platform::database::COUNT;
use proto::{AuditEntry, Event, Queue};

/// The events that one reader was told and nobody has looked at yet.
#[derive(Clone, Debug)]
pub struct Heard<E>(Arc<Mutex<Vec<E>>>);

impl<E: Event + Sync> Heard<E> {
    /// Reads this queue from now on.
    pub fn on(platform: &Platform, queue: &'static Queue) -> Self {
        let heard: Arc<Mutex<Vec<E>>> = Arc::default();
        let told = Arc::clone(&heard);
        let handler = move |event: E| {
            if !counts(&event) {
                told.lock().unwrap().push(event);
            }
            async { Ok(()) }
        };
        platform.bus.subscribe(queue, 1, handler).unwrap();
        Self(heard)
    }

    /// What was told since the last look, in its order.
    pub fn take(&self) -> Vec<E> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// How much was told since the last look.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// Whether it is the count of the trace, told by the minute of the machine's clock: a slow machine would hear it in the middle of any story.
fn counts(event: &dyn Any) -> bool {
    event.downcast_ref::<AuditEntry>().is_some_and(|entry| entry.action == COUNT)
}

/// What is told concerns others as well, of whom the story does not speak: they take it and say nothing, so that nothing is left over.
pub fn unheard<E: Event + Sync>(platform: &Platform, queues: &[&'static Queue]) {
    for queue in queues {
        Heard::<E>::on(platform, queue);
    }
}
