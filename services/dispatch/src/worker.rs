//! The worker of a sending channel: takes batches from the broker, claims, checkpoints, renews and closes them.
//!
//! push and sms implement [`BatchChannel::send`] and nothing of the ledger. While `send` runs, everything it notes in its [`Noted`] is
//! checkpointed every [`WorkerSettings::checkpoint_every`] recipients and at least three times a lease, and `send` goes on meanwhile; when the alert
//! ends, quiet hours begin, the process stops or the lease is lost, [`Noted::stopping`] resolves and `send` returns soon. Of a stop by staff there is
//! word at once ([`crate::word`]).
//!
//! A process that is killed repeats, for each batch in its hands, at most `checkpoint_every` recipients and those on the wire.

mod noted;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::BatchId;
use domain::outcome::Channel;
use platform::bus::understood;
use platform::tasks::chain;
use platform::{BoxError, Platform};
use proto::topology::{PUSH_BATCHES, PUSH_URGENT_BATCHES, SMS_BATCHES, SMS_URGENT_BATCHES};
use proto::{AppBatchReady, SmsBatchReady, UrgentAppBatchReady, UrgentSmsBatchReady};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use noted::Noted;

use crate::ledger::{BatchKey, Claimed, Ledger, Standing};
use crate::{Error, SCHEMA, word};

/// How a channel's process works through batches; a part of the settings of push and of sms.
#[derive(Deserialize, Serialize, Clone, Debug, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerSettings {
    /// Batches in the hands of this process at once, of routine and of urgent alerts each.
    ///
    /// More keep connections busier, and more is repeated after a crash.
    ///
    /// Unit: batches
    pub batches: u16,
    /// Recipients between two checkpoints of a batch.
    ///
    /// So many, and those on the wire, are sent again after a crash, for each batch in hand.
    ///
    /// Unit: recipients
    pub checkpoint_every: u16,
    /// How long a batch is held without a checkpoint.
    ///
    /// After a crash it goes on when this is over: shorter is sooner, but a slow sender must not lose what it has.
    pub lease_s: u32,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self { batches: 4, checkpoint_every: 1000, lease_s: 30 }
    }
}

/// How the sending of a batch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Everybody was tried, or sending stopped because it was told to.
    Done,
    /// Nobody can be sent to before then: the account is throttled as a whole, or the provider is away. The batch is given back with what is
    /// known so far.
    Hold {
        /// When to try again.
        until: DateTime<Utc>,
    },
}

/// A way of sending batches.
pub trait BatchChannel: Send + Sync + 'static {
    /// [`Channel::App`] or [`Channel::Sms`].
    const CHANNEL: Channel;

    /// Sends to those of the batch who are [`Claimed::pending`], notes what becomes of each, and returns when all answers are in or, soon,
    /// after [`Noted::stopping`]. Who has no outcome then stays pending. An error gives the batch back, to be tried again a little later.
    fn send(&self, batch: &Claimed, noted: &Noted) -> impl Future<Output = Result<Sent, BoxError>> + Send;
}

/// After an error that is not a recipient's.
const AFTER_ERROR: TimeDelta = TimeDelta::seconds(5);

/// Works through the channel's batches until the process stops.
pub fn run<C: BatchChannel>(platform: &Platform, settings: &WorkerSettings, channel: Arc<C>) -> Result<(), Error> {
    for (name, value) in [("batches", settings.batches), ("checkpoint_every", settings.checkpoint_every)] {
        if value == 0 {
            return Err(Error::Setting { name, reason: "must be at least 1" });
        }
    }
    if settings.lease_s == 0 {
        return Err(Error::Setting { name: "lease_s", reason: "must be at least 1" });
    }
    // Closing a batch tells of endpoints to prune.
    platform.bus.start_relay(SCHEMA);
    let worker = Arc::new(Worker {
        ledger: Ledger::new(platform, TimeDelta::seconds(i64::from(settings.lease_s))),
        platform: platform.clone(),
        settings: settings.clone(),
        holder: format!("{}-{}", C::CHANNEL, Uuid::now_v7().simple()),
        channel,
    });
    let batches = usize::from(settings.batches);
    match C::CHANNEL {
        Channel::App => {
            let urgent = Arc::clone(&worker);
            platform.bus.subscribe(&PUSH_URGENT_BATCHES, batches, move |ready: UrgentAppBatchReady| {
                work(&urgent, ready.batch_id, ready.alert_id)
            })?;
            platform.bus.subscribe(&PUSH_BATCHES, batches, move |ready: AppBatchReady| work(&worker, ready.batch_id, ready.alert_id))?;
        }
        Channel::Sms => {
            let urgent = Arc::clone(&worker);
            platform
                .bus
                .subscribe(&SMS_URGENT_BATCHES, batches, move |ready: UrgentSmsBatchReady| work(&urgent, ready.batch_id, ready.alert_id))?;
            platform.bus.subscribe(&SMS_BATCHES, batches, move |ready: SmsBatchReady| work(&worker, ready.batch_id, ready.alert_id))?;
        }
        Channel::Display => {
            return Err(Error::Setting { name: "channel", reason: "is sent in batches: app or sms; screens fetch their list" });
        }
    }
    Ok(())
}

fn work<C: BatchChannel>(
    worker: &Arc<Worker<C>>,
    batch_id: i64,
    alert_id: String,
) -> impl Future<Output = Result<(), BoxError>> + Send + 'static + use<C> {
    let worker = Arc::clone(worker);
    async move {
        let key = BatchKey { alert_id: understood("alert id", alert_id.parse())?, batch_id: BatchId::new(batch_id) };
        Ok(worker.work(key).await?)
    }
}

/// One process's worker.
pub(crate) struct Worker<C> {
    pub ledger: Ledger,
    pub platform: Platform,
    pub settings: WorkerSettings,
    pub holder: String,
    pub channel: Arc<C>,
}

impl<C: BatchChannel> Worker<C> {
    /// Does what there is to do about one batch. Another holder's batch, and one that is lost on the way, is no failure.
    pub(crate) async fn work(&self, key: BatchKey) -> Result<(), Error> {
        let Some(claimed) = self.ledger.claim(key, &self.holder).await? else {
            return Ok(());
        };
        match self.send(claimed).await {
            Err(Error::LeaseLost(batch_id)) => {
                tracing::warn!(batch_id = batch_id.get(), "the lease of a batch was lost: another holder goes on with it");
                Ok(())
            }
            done => done,
        }
    }

    pub(crate) async fn send(&self, mut claimed: Claimed) -> Result<(), Error> {
        let noted = Noted::new(&claimed.outcomes, usize::from(self.settings.checkpoint_every), self.platform.clock.clone());
        // `send` reads its own copy: the lease of this one is renewed beside it.
        let batch = claimed.clone();
        let (mut sent, mut quiet, mut stopped, mut ended) = (None, false, false, false);
        {
            let sending = self.channel.send(&batch, &noted);
            let told = word::of_stop(&self.platform.cache, batch.alert.alert_id);
            tokio::pin!(sending, told);
            while sent.is_none() {
                tokio::select! {
                    ending = &mut sending => sent = Some(ending),
                    () = self.checkpoint_due(&noted) => {
                        let report = noted.report();
                        let checkpoint = self.ledger.checkpoint(&mut claimed, &report);
                        tokio::pin!(checkpoint);
                        // The database may take its time: what has come for this batch is taken in all the same.
                        let standing = loop {
                            tokio::select! {
                                standing = &mut checkpoint => break standing?,
                                ending = &mut sending, if sent.is_none() => sent = Some(ending),
                                () = &mut told, if !ended => {
                                    ended = true;
                                    noted.stop();
                                }
                            }
                        };
                        match standing {
                            Standing::GoOn => {}
                            Standing::Ended => noted.stop(),
                            Standing::Quiet => {
                                quiet = true;
                                noted.stop();
                            }
                        }
                    }
                    () = &mut told, if !ended => {
                        ended = true;
                        noted.stop();
                    }
                    () = self.platform.tasks.cancelled(), if !stopped => {
                        stopped = true;
                        noted.stop();
                    }
                }
            }
        }
        let (now, report) = (self.platform.clock.now(), noted.report());
        match sent.unwrap_or(Ok(Sent::Done)) {
            Ok(Sent::Done) if (quiet || stopped) && noted.is_incomplete() => self.ledger.release(claimed, report, now).await,
            Ok(Sent::Done) => self.ledger.close(claimed, report).await,
            Ok(Sent::Hold { until }) => self.ledger.release(claimed, report, until).await,
            Err(error) => {
                tracing::warn!(batch_id = batch.batch_id.get(), channel = %C::CHANNEL, error = chain(error.as_ref()), "sending a batch failed");
                self.ledger.release(claimed, report, now + AFTER_ERROR).await
            }
        }
    }

    /// After so many recipients, and three times a lease. In real time, like the waiting for providers.
    async fn checkpoint_due(&self, noted: &Noted) {
        let renewal = Duration::from_secs(u64::from(self.settings.lease_s)) / 3;
        tokio::select! {
            () = noted.checkpoint_due() => {}
            () = tokio::time::sleep(renewal) => {}
        }
    }
}
