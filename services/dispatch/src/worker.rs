//! The worker of a sending channel: takes batches from the broker, claims, checkpoints, renews and closes them.
//!
//! push and sms implement [`BatchChannel::send`] and nothing of the ledger. While `send` runs, everything it notes in its [`Noted`] is
//! checkpointed every [`WorkerSettings::checkpoint_every`] recipients and at least three times a lease, and `send` goes on meanwhile; when the alert
//! ends, quiet hours begin, the process stops or the lease is lost, [`Noted::stopping`] resolves and `send` returns soon. Of a stop by staff there is
//! word at once ([`crate::word`]).
//!
//! A process that is killed repeats, for each batch in its hands, at most `checkpoint_every` recipients and those on the wire. One that lives
//! repeats nobody because its database failed: it sends nothing further, keeps the answers, and writes them when it can ([`trouble`]).

mod noted;
mod trouble;

use std::convert::Infallible;
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
use tokio::time::Instant;
use uuid::Uuid;

pub use noted::Noted;
use trouble::{TRIES_AT_STOP, Trouble};

use crate::ledger::{BatchKey, Claimed, Ledger, Report, Standing};
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

    /// Sends to those of the batch who are [`Claimed::pending`], and at their turn still [`Noted::is_wanted`], notes what becomes of each, and returns when all answers are in or, soon,
    /// after [`Noted::stopping`]. Who has no outcome then stays pending. An error gives the batch back, to be tried again a little later.
    fn send(&self, batch: &Claimed, noted: &Noted) -> impl Future<Output = Result<Sent, BoxError>> + Send;
}

/// It is asked again after so long whether an alert is still being checked of which there was word. In real time, as the sending is.
const ASKS_AGAIN: Duration = Duration::from_secs(1);
/// After an error that is not a recipient's.
const AFTER_ERROR: TimeDelta = TimeDelta::seconds(5);

/// Most batches are sent in less.
const ACKNOWLEDGED_EVERY: Duration = Duration::from_secs(5);

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
        asks_every: ACKNOWLEDGED_EVERY,
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
    /// How often it is asked who has acknowledged while a batch is being sent.
    pub asks_every: Duration,
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

    pub(crate) async fn send(&self, claimed: Claimed) -> Result<(), Error> {
        let noted = Noted::new(&claimed.outcomes, usize::from(self.settings.checkpoint_every), self.platform.clock.clone());
        let (mut sent, mut put_down, mut stopped, mut ended, mut held) = (None, false, false, false, false);
        let mut trouble = Trouble::default();
        let mut asked = Instant::now();
        {
            let sending = self.channel.send(&claimed, &noted);
            let told = async {
                // What tells of the stop goes on after it.
                if claimed.wave.is_withdrawal() {
                    std::future::pending::<()>().await;
                }
                word::of_stop(&self.platform.cache, claimed.alert.alert_id).await;
            };
            let told_of_some = async {
                if claimed.wave.is_withdrawal() {
                    std::future::pending::<()>().await;
                }
                self.leave_out_withdrawn(&claimed, &noted).await
            };
            let told_of_check = self.hears_of_check(&claimed);
            tokio::pin!(sending, told, told_of_some, told_of_check);
            while sent.is_none() {
                tokio::select! {
                    ending = &mut sending => sent = Some(ending),
                    () = self.checkpoint_due(&noted, &trouble) => {
                        let mut report = noted.report();
                        let standing = {
                            let checkpoint = self.checkpoint(&claimed, &report, &noted, &mut asked);
                            tokio::pin!(checkpoint);
                            // The database may take its time: what has come for this batch is taken in all the same.
                            loop {
                                tokio::select! {
                                    standing = &mut checkpoint => break standing,
                                    ending = &mut sending, if sent.is_none() => sent = Some(ending),
                                    () = &mut told, if !ended => {
                                        ended = true;
                                        noted.stop();
                                    }
                                }
                            }
                        };
                        match standing {
                            Ok(Standing::GoOn) => trouble.is_over(),
                            Ok(Standing::Ended) => noted.stop(),
                            Ok(Standing::Quiet | Standing::Held) => {
                                put_down = true;
                                noted.stop();
                            }
                            // Nothing is fed any more, what is known is kept: it is written when the database lets us.
                            Err(error) if error.may_pass() => {
                                trouble.met(&claimed, &error);
                                noted.untold(std::mem::take(&mut report.gone));
                                put_down = true;
                                noted.stop();
                            }
                            Err(error) => return Err(error),
                        }
                    }
                    () = &mut told, if !ended => {
                        ended = true;
                        noted.stop();
                    }
                    () = &mut told_of_check, if !held => {
                        (held, put_down) = (true, true);
                        noted.stop();
                    }
                    never = &mut told_of_some => match never {},
                    () = self.platform.tasks.cancelled(), if !stopped => {
                        stopped = true;
                        noted.stop();
                    }
                }
            }
        }
        let (now, report) = (self.platform.clock.now(), noted.report());
        let give_back_until = match sent.unwrap_or(Ok(Sent::Done)) {
            Ok(Sent::Done) if (put_down || stopped) && noted.is_incomplete() => Some(now),
            Ok(Sent::Done) => None,
            Ok(Sent::Hold { until }) => Some(until),
            Err(error) => {
                tracing::warn!(batch_id = claimed.batch_id.get(), channel = %C::CHANNEL, error = chain(error.as_ref()), "sending a batch failed");
                Some(now + AFTER_ERROR)
            }
        };
        self.put_down(&claimed, &report, give_back_until, trouble).await
    }

    /// Resolves when the alert is being checked: what is not sent yet waits. What tells of an end does not.
    async fn hears_of_check(&self, claimed: &Claimed) {
        if claimed.wave.is_withdrawal() {
            std::future::pending::<()>().await;
        }
        loop {
            word::of_check(&self.platform.cache, claimed.alert.alert_id).await;
            match self.ledger.is_held(claimed).await {
                Ok(true) => return,
                // it goes on by now, and the word has not faded yet
                Ok(false) => tokio::time::sleep(ASKS_AGAIN).await,
                // learned at a checkpoint
                Err(error) => {
                    tracing::warn!(error = chain(&error), "whether an alert is being checked is not known for now");
                    tokio::time::sleep(ASKS_AGAIN).await;
                }
            }
        }
    }

    /// Leaves people out for whom the alert is withdrawn while their batch is being sent, whenever there is word of more of them.
    async fn leave_out_withdrawn(&self, claimed: &Claimed, noted: &Noted) -> Infallible {
        let mut known = None;
        loop {
            known = Some(word::of_some(&self.platform.cache, claimed.alert.alert_id, known.as_deref()).await);
            match self.ledger.withdrawn(claimed).await {
                Ok(positions) => positions.into_iter().for_each(|position| noted.leave_out(position)),
                // asked again at a checkpoint
                Err(error) => tracing::warn!(error = chain(&error), "for whom an alert was withdrawn is not known for now"),
            }
        }
    }

    /// Notes what is known, and asks who needs it no more: not for every checkpoint of a fast sender.
    async fn checkpoint(&self, claimed: &Claimed, report: &Report, noted: &Noted, asked: &mut Instant) -> Result<Standing, Error> {
        let standing = self.ledger.checkpoint(claimed, report).await?;
        if standing == Standing::GoOn && asked.elapsed() >= self.asks_every && !claimed.wave.is_withdrawal() {
            let (acknowledged, withdrawn) = (self.ledger.acknowledged(claimed).await?, self.ledger.withdrawn(claimed).await?);
            acknowledged.into_iter().chain(withdrawn).for_each(|position| noted.leave_out(position));
            *asked = Instant::now();
        }
        Ok(standing)
    }

    /// Closes the batch or gives it back. What is known of it is written however long the database fails, unless somebody else goes on with the
    /// batch, or the process stops.
    async fn put_down(
        &self,
        claimed: &Claimed,
        report: &Report,
        give_back_until: Option<DateTime<Utc>>,
        mut trouble: Trouble,
    ) -> Result<(), Error> {
        let mut last_tries = TRIES_AT_STOP;
        loop {
            let done = match give_back_until {
                Some(until) => self.ledger.release(claimed.clone(), report.clone(), until).await,
                None => self.ledger.close(claimed.clone(), report.clone()).await,
            };
            match done {
                Err(error) if error.may_pass() && last_tries > 0 => {
                    trouble.met(claimed, &error);
                    let stops = self.platform.tasks.token().is_cancelled();
                    tokio::select! {
                        () = tokio::time::sleep(trouble.pause(stops)) => {}
                        () = self.platform.tasks.cancelled(), if !stops => {}
                    }
                    last_tries -= u8::from(stops);
                }
                done => return done,
            }
        }
    }

    /// After so many recipients, and three times a lease; while the database fails, when it is to be tried again. In real time, like the waiting
    /// for providers.
    async fn checkpoint_due(&self, noted: &Noted, trouble: &Trouble) {
        let renewal = Duration::from_secs(u64::from(self.settings.lease_s)) / 3;
        if trouble.is_met() {
            return tokio::time::sleep(trouble.pause(false).min(renewal)).await;
        }
        tokio::select! {
            () = noted.checkpoint_due() => {}
            () = tokio::time::sleep(renewal) => {}
        }
    }
}
