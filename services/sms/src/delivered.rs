//! Takes what the centre delivers, many at a time, and answers only what is stored.
//!
//! Most receipts come long after the row of their part, and settle it. Some centres send them so quickly that they overtake it:
//! such a receipt waits [`EARLY`] in memory, unanswered, for the row that is about to be stored, and only then costs a row of its
//! own. Nothing else waits for it, unless the centre's window is full of such receipts.
//!
//! In which base a centre's receipts write the ids of its answers is a setting, or found out ([`ReceiptIds`]): a receipt that fits no message
//! is tried in the other base, until one has fitted as it is written.

use std::{collections::HashSet, sync::Arc, time::Duration};

use futures::future::join_all;
use platform::Platform;
use tokio::{sync::mpsc, time::Instant};

use crate::{
    error::Error,
    receipts, reply,
    settings::Settings,
    smpp::{
        incoming::Incoming,
        message_id::{self, ReceiptIds},
        receipt::{Delivery, Receipt},
        session::Delivered,
    },
};

/// How many are stored in one transaction.
const BULK: usize = 1000;
/// How long a receipt waits for the row of its part. In real time, as the centre's answers are,
const EARLY: Duration = Duration::from_millis(100);
/// and how often it is tried.
const TRY_AGAIN: Duration = Duration::from_millis(20);

/// Runs until the platform stops or the account has gone.
pub(crate) async fn take(platform: Platform, settings: Arc<Settings>, delivered: &mut mpsc::Receiver<Delivered>) {
    let stop = platform.tasks.token().clone();
    let mut inbox = Inbox { platform, settings, waiting: Vec::new(), written_alike: false };
    let mut bulk = Vec::with_capacity(BULK);
    loop {
        let more = async {
            let taken = delivered.recv_many(&mut bulk, BULK);
            if inbox.waiting.is_empty() {
                return taken.await > 0;
            }
            // time out: those that wait are tried again
            tokio::time::timeout(TRY_AGAIN, taken).await.is_ok_and(|taken| taken > 0) || !delivered.is_closed()
        };
        if stop.run_until_cancelled(more).await != Some(true) {
            return;
        }
        inbox.turn(std::mem::take(&mut bulk)).await;
    }
}

/// A receipt that has not found its part.
struct Waiting {
    receipt: Receipt,
    delivered: Delivered,
    until: Instant,
}

struct Inbox {
    platform: Platform,
    settings: Arc<Settings>,
    waiting: Vec<Waiting>,
    /// Whether a receipt has fitted a message as it is written: then all do.
    written_alike: bool,
}

impl Inbox {
    async fn turn(&mut self, bulk: Vec<Delivered>) {
        let until = Instant::now() + EARLY;
        let (mut replies, mut answered) = (Vec::new(), Vec::new());
        for delivered in bulk {
            match Incoming::read(&delivered.message) {
                Incoming::Receipt(receipt) => {
                    let receipt = Receipt { id: self.settings.receipt_ids.answered(&receipt.id), ..receipt };
                    self.waiting.push(Waiting { receipt, delivered, until });
                }
                Incoming::Reply(reply) => {
                    replies.push(reply);
                    answered.push(delivered);
                }
                Incoming::Unreadable => {
                    metrics::counter!("sms_receipts_unreadable_total").increment(1);
                    answered.push(delivered);
                }
            }
        }
        let stored = reply::pass_on(&self.platform, &self.settings, &replies).await;
        answer(answered, &stored).await;
        self.settle().await;
    }

    /// Settles what can be settled; what has waited long enough is kept for later.
    async fn settle(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let receipts: Vec<Receipt> = self.waiting.iter().map(|waiting| waiting.receipt.clone()).collect();
        let mut unknown = match receipts::receive(&self.platform.database, &receipts, self.platform.clock.now()).await {
            Ok(unknown) => unknown,
            Err(error) => return answer(self.waiting.drain(..).map(|waiting| waiting.delivered).collect(), &Err(error)).await,
        };
        self.written_alike |= receipts.iter().any(|receipt| {
            receipt.delivery != Delivery::Underway && message_id::differs_by_base(&receipt.id) && !unknown.contains(&receipt.id)
        });
        let now = Instant::now();
        let (young, done): (Vec<_>, Vec<_>) =
            self.waiting.drain(..).partition(|waiting| waiting.until > now && unknown.contains(&waiting.receipt.id));
        self.waiting = young;
        let stored = match self.try_other_bases(&done, &mut unknown).await {
            Ok(()) => self.put_aside(&done, &unknown).await,
            Err(error) => Err(error),
        };
        answer(done.into_iter().map(|waiting| waiting.delivered).collect(), &stored).await;
    }

    /// Settles those that fit a message when they are read in another base, as long as none has fitted as it is written. Not the short ones:
    /// a receipt that is only early would settle somebody else's message.
    async fn try_other_bases(&self, done: &[Waiting], unknown: &mut HashSet<String>) -> Result<(), Error> {
        if self.written_alike || self.settings.receipt_ids != ReceiptIds::Learned || unknown.is_empty() {
            return Ok(());
        }
        for other_base in [message_id::to_hexadecimal, message_id::to_decimal] {
            let late = done.iter().map(|waiting| &waiting.receipt);
            let late = late.filter(|receipt| unknown.contains(&receipt.id) && message_id::is_long(&receipt.id));
            let read: Vec<(String, Receipt)> = late
                .filter_map(|receipt| Some((receipt.id.clone(), Receipt { id: other_base(&receipt.id)?, ..receipt.clone() })))
                .collect();
            let receipts: Vec<Receipt> = read.iter().map(|(_, receipt)| receipt.clone()).collect();
            let still_unknown = receipts::receive(&self.platform.database, &receipts, self.platform.clock.now()).await?;
            for (written, receipt) in read {
                if !still_unknown.contains(&receipt.id) {
                    unknown.remove(&written);
                }
            }
        }
        Ok(())
    }

    /// Keeps what fits no message yet. Where nothing ever fits, an operator has to act: the metric tells.
    async fn put_aside(&self, done: &[Waiting], unknown: &HashSet<String>) -> Result<(), Error> {
        let early: Vec<Receipt> =
            done.iter().map(|waiting| &waiting.receipt).filter(|receipt| unknown.contains(&receipt.id)).cloned().collect();
        if !early.is_empty() {
            metrics::counter!("sms_receipts_unmatched_total").increment(early.len() as u64);
            tracing::warn!(
                receipts = early.len(),
                receipt_ids = self.settings.receipt_ids.as_ref(),
                "receipts fit no message: they are kept for a while"
            );
        }
        receipts::put_aside(&self.platform.database, &early, self.platform.clock.now()).await
    }
}

/// Tells the centre what is stored and what it should deliver again.
async fn answer(delivered: Vec<Delivered>, stored: &Result<(), Error>) {
    if let Err(error) = stored {
        tracing::error!(error = platform::tasks::chain(error), count = delivered.len(), "what the SMS centre delivered is put off");
        join_all(delivered.into_iter().map(Delivered::defer)).await;
    } else {
        join_all(delivered.into_iter().map(Delivered::accept)).await;
    }
}
