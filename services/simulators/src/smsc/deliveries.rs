//! What the centre has for the platform: receipts and replies, kept until acknowledged, over the end of sessions.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use rusmpp::pdus::DeliverSm;
use tokio::sync::Notify;

#[derive(Debug, Default)]
pub(super) struct Deliveries {
    waiting: Mutex<VecDeque<DeliverSm>>,
    under_way: AtomicU64,
    acknowledged: AtomicU64,
    arrived: Notify,
}

impl Deliveries {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<DeliverSm>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, delivery: DeliverSm) {
        self.waiting().push_back(delivery);
        self.arrived.notify_one();
    }

    pub(super) fn try_next(&self) -> Option<DeliverSm> {
        let delivery = self.waiting().pop_front();
        self.under_way.fetch_add(u64::from(delivery.is_some()), Relaxed);
        delivery
    }

    /// Waits for the next one. Cancelling loses nothing.
    pub(super) async fn next(&self) -> DeliverSm {
        loop {
            let arrived = self.arrived.notified();
            if let Some(delivery) = self.try_next() {
                // Another session may have room for what is left.
                self.arrived.notify_one();
                return delivery;
            }
            arrived.await;
        }
    }

    /// Puts back what a session could not hand over, in front.
    pub(super) fn give_back(&self, deliveries: impl IntoIterator<Item = DeliverSm>) {
        let mut waiting = self.waiting();
        for delivery in deliveries {
            waiting.push_front(delivery);
            self.under_way.fetch_sub(1, Relaxed);
        }
        drop(waiting);
        self.arrived.notify_one();
    }

    pub(super) fn acknowledged(&self) {
        self.under_way.fetch_sub(1, Relaxed);
        self.acknowledged.fetch_add(1, Relaxed);
    }

    /// Waiting or under way, and acknowledged.
    pub(super) fn counts(&self) -> (u64, u64) {
        let waiting = self.waiting().len() as u64;
        (waiting + self.under_way.load(Relaxed), self.acknowledged.load(Relaxed))
    }
}
