//! What is counted of each provider, and how it is shown.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use serde::Serialize;
use tokio::sync::Notify;

use crate::ledger::Ledger;

/// What all simulators saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statistics {
    /// APNs.
    pub apns: PushStatistics,
    /// FCM.
    pub fcm: PushStatistics,
    /// The push service of browsers.
    pub web_push: PushStatistics,
    /// The SMS centre.
    pub sms: SmsStatistics,
}

/// What a push provider saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PushStatistics {
    /// Requests that were read to their end.
    pub requests: u64,
    /// Messages that arrived.
    pub accepted: u64,
    /// Recipients that got at least one.
    pub recipients: u64,
    /// Messages that repeated the recipient's collapse id: the phone shows one.
    pub duplicates: u64,
    /// Further messages to the same recipient with another collapse id: the phone shows both.
    pub repeats: u64,
    /// Requests refused or broken, by the provider's word for it.
    pub refused: BTreeMap<String, u64>,
    /// Connections ever opened.
    pub connections: u64,
    /// Connections open now.
    pub open_connections: u64,
}

/// What the SMS centre saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SmsStatistics {
    /// `submit_sm` received: one per segment.
    pub submits: u64,
    /// Whole messages that were accepted.
    pub accepted: u64,
    /// Phones that got at least one.
    pub recipients: u64,
    /// Messages that repeated a text to the same phone.
    pub duplicates: u64,
    /// Further messages to the same phone with another text.
    pub repeats: u64,
    /// Submits and binds refused, by the command status.
    pub refused: BTreeMap<String, u64>,
    /// Messages of which some segments are missing.
    pub incomplete: u64,
    /// Delivery receipts and replies that the platform acknowledged.
    pub deliveries_acknowledged: u64,
    /// Delivery receipts and replies on their way or waiting for a session.
    pub deliveries_waiting: u64,
    /// Sessions ever opened.
    pub connections: u64,
    /// Sessions open now.
    pub open_connections: u64,
}

/// Running counts of one provider. Only refusals take a lock, and only accepted messages reach the ledger.
#[derive(Debug)]
pub(crate) struct Tallies {
    changed: Arc<Notify>,
    requests: AtomicU64,
    connections: AtomicU64,
    open: AtomicU64,
    refused: Mutex<BTreeMap<&'static str, u64>>,
}

/// Counts a connection as open until dropped.
pub(crate) struct OpenConnection<'a>(&'a Tallies);

impl Drop for OpenConnection<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}

impl Tallies {
    /// `changed` wakes whoever waits for something to arrive or to be refused.
    pub(crate) fn new(changed: Arc<Notify>) -> Self {
        Self { changed, requests: AtomicU64::new(0), connections: AtomicU64::new(0), open: AtomicU64::new(0), refused: Mutex::default() }
    }

    pub(crate) fn changed(&self) {
        self.changed.notify_waiters();
    }

    pub(crate) fn request(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    pub(crate) fn refused(&self, reason: &'static str) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += 1;
        self.changed();
    }

    pub(crate) fn connection_opened(&self) -> OpenConnection<'_> {
        self.connections.fetch_add(1, Relaxed);
        self.open.fetch_add(1, Relaxed);
        OpenConnection(self)
    }

    /// Forgets everything but the connections that are still open.
    pub(crate) fn reset(&self) {
        self.requests.store(0, Relaxed);
        self.connections.store(self.open.load(Relaxed), Relaxed);
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn refusals(&self) -> BTreeMap<String, u64> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect()
    }

    pub(crate) fn push_statistics(&self, ledger: &Ledger) -> PushStatistics {
        let totals = ledger.totals();
        PushStatistics {
            requests: self.requests.load(Relaxed),
            accepted: totals.messages,
            recipients: totals.recipients,
            duplicates: totals.duplicates,
            repeats: totals.repeats,
            refused: self.refusals(),
            connections: self.connections.load(Relaxed),
            open_connections: self.open.load(Relaxed),
        }
    }

    pub(crate) fn sms_statistics(&self, ledger: &Ledger) -> SmsStatistics {
        let totals = ledger.totals();
        SmsStatistics {
            submits: self.requests.load(Relaxed),
            accepted: totals.messages,
            recipients: totals.recipients,
            duplicates: totals.duplicates,
            repeats: totals.repeats,
            refused: self.refusals(),
            incomplete: 0,
            deliveries_acknowledged: 0,
            deliveries_waiting: 0,
            connections: self.connections.load(Relaxed),
            open_connections: self.open.load(Relaxed),
        }
    }
}
