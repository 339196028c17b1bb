//! Takes what the centre delivers, many at a time, and answers only what is stored.

use std::sync::Arc;

use platform::Platform;
use tokio::sync::mpsc;

use crate::{
    error::Error,
    message, reply,
    settings::Settings,
    smpp::{
        incoming::{Incoming, Reply},
        receipt::Receipt,
        session::Delivered,
    },
};

/// How many are stored in one transaction.
const BULK: usize = 500;

/// Runs until the platform stops or the account has gone.
pub(crate) async fn take(platform: Platform, settings: Arc<Settings>, mut delivered: mpsc::Receiver<Delivered>) {
    let mut bulk = Vec::with_capacity(BULK);
    let stop = platform.tasks.token().clone();
    while let Some(1..) = stop.run_until_cancelled(delivered.recv_many(&mut bulk, BULK)).await {
        let (mut receipts, mut replies) = (Vec::new(), Vec::new());
        for delivered in &bulk {
            match Incoming::read(&delivered.message) {
                Incoming::Receipt(receipt) => receipts.push(receipt),
                Incoming::Reply(reply) => replies.push(reply),
                Incoming::Unreadable => metrics::counter!("sms_receipts_unreadable_total").increment(1),
            }
        }
        let stored = store(&platform, &settings, &receipts, &replies).await;
        if let Err(error) = &stored {
            tracing::error!(error = platform::tasks::chain(error), count = bulk.len(), "what the SMS centre delivered is put off");
        }
        for delivered in bulk.drain(..) {
            match stored {
                Ok(()) => delivered.accept().await,
                Err(_) => delivered.defer().await,
            }
        }
    }
}

async fn store(platform: &Platform, settings: &Settings, receipts: &[Receipt], replies: &[Reply]) -> Result<(), Error> {
    message::receive(&platform.database, receipts, platform.clock.now()).await?;
    reply::pass_on(platform, settings, replies).await
}
