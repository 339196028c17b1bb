//! Takes what the centre delivers, many at a time, and answers only what is stored.
//!
//! Most receipts come long after the row of their part, and settle it. Some centres send them so quickly that they overtake it:
//! such a receipt waits [`EARLY`] in memory, unanswered, for the row that is about to be stored, and only then costs a row of its
//! own. Nothing else waits for it, unless the centre's window is full of such receipts.

use std::{collections::HashSet, sync::Arc, time::Duration};

use futures::future::join_all;
use platform::Platform;
use tokio::{sync::mpsc, time::Instant};

use crate::{
    error::Error,
    message, reply,
    settings::Settings,
    smpp::{incoming::Incoming, receipt::Receipt, session::Delivered},
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
    let mut inbox = Inbox { platform, settings, waiting: Vec::new() };
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
}

impl Inbox {
    async fn turn(&mut self, bulk: Vec<Delivered>) {
        let until = Instant::now() + EARLY;
        let (mut replies, mut answered) = (Vec::new(), Vec::new());
        for delivered in bulk {
            match Incoming::read(&delivered.message) {
                Incoming::Receipt(receipt) => self.waiting.push(Waiting { receipt, delivered, until }),
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
        let unknown = match message::receive(&self.platform.database, &receipts, self.platform.clock.now()).await {
            Ok(unknown) => unknown,
            Err(error) => return answer(self.waiting.drain(..).map(|waiting| waiting.delivered).collect(), &Err(error)).await,
        };
        let now = Instant::now();
        let (young, done): (Vec<_>, Vec<_>) =
            self.waiting.drain(..).partition(|waiting| waiting.until > now && unknown.contains(&waiting.receipt.id));
        self.waiting = young;
        let stored = self.put_aside(&done, &unknown).await;
        answer(done.into_iter().map(|waiting| waiting.delivered).collect(), &stored).await;
    }

    async fn put_aside(&self, done: &[Waiting], unknown: &HashSet<String>) -> Result<(), Error> {
        let early = done.iter().map(|waiting| &waiting.receipt).filter(|receipt| unknown.contains(&receipt.id));
        message::put_aside(&self.platform.database, &early.cloned().collect::<Vec<_>>(), self.platform.clock.now()).await
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
