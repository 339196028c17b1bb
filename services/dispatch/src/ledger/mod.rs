//! The batch ledger: who holds which batch, and what became of every recipient.
//!
//! Used by the crates push and sms (mostly through [`crate::worker`]); nobody else touches dispatch's tables. What it guarantees:
//!
//! * **One holder.** [`Ledger::claim`] gives a released batch to one holder and counts the lease. [`Ledger::checkpoint`],
//!   [`Ledger::close`] and [`Ledger::release`] write only while that count stands; otherwise they write nothing and say
//!   [`Error::LeaseLost`].
//! * **Nobody forgotten.** A lease that is not renewed ends, and the pump hands the batch on from its last checkpoint. A close writes the
//!   outcome of every recipient, the retry batch, the fallback batch, the follow-ups and the pruned endpoints in one transaction.
//! * **Bounded repeats.** After a crash only what was sent since the last checkpoint is sent again. A holder that lives, and could not write for
//!   a while, writes what it knows also when its lease has ended, until somebody else has taken the batch.
//! * **One clock.** Leases go by the database's clock; it does not matter what the clocks of the holders say.
//! * **What was approved is what leaves.** Before a batch goes to its channel the words it sends are compared with what was approved (`as_approved`).
//! * **A stop stops.** The rest of a batch whose alert ended is closed as withdrawn, and so is whoever it was withdrawn for alone; nobody who
//!   acknowledged is sent to again.
//!
//! Parts: [`mod@batch_rows`] writes new batches (for planning too), [`claim`] and [`close`] are the two ends of a lease, [`settle`] decides at
//! the close who goes where, without I/O; [`acknowledged`] leaves out who needs it no more, and for whom it was withdrawn.

mod acknowledged;
mod as_approved;
pub(crate) mod batch_rows;
mod claim;
mod close;
mod devices;
mod settle;
mod told_twice;

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use domain::alert::{AlertContent, DeliveryClass};
use domain::approval_seal::ApprovalSeal;
use domain::batch::{BatchNumber, Outcomes, RecipientList};
use domain::ids::{AlertId, BatchId, ResidentNo, ShortCode, WaveNo};
use domain::outcome::{Channel, Outcome};
use domain::withdrawal::{self, Ended, LastWord};
use platform::Platform;
use platform::clock::Clock;
use platform::database::Database;

use crate::{Error, unlike};
pub use devices::{Devices, OtherDevice};

/// What the batches of an alert send: the same value (the same `Arc`) for batch after batch, so that a channel can keep what it makes of
/// it, such as a rendered payload, by [`AlertId`].
#[derive(Clone, Debug)]
pub struct SentAlert {
    /// The alert.
    pub alert_id: AlertId,
    /// The first of its chain of corrections, the alert itself where it corrects none: what is sent of all of them takes each other's place on a
    /// phone, and so does a repeat, a reminder, and the word that it has ended.
    pub root_id: AlertId,
    /// By which a resident names it in an SMS reply.
    pub short_code: ShortCode,
    /// Routine or urgent.
    pub class: DeliveryClass,
    /// Only for enrolled drill endpoints.
    pub exercise: bool,
    /// What it says.
    pub content: AlertContent,
    /// Whether the audience names residents rather than areas.
    pub personal: bool,
    /// It is for exactly those who have what it corrects, on the channels that carried that.
    for_holders: bool,
    /// The content is what people are told of its end: the wave that tells it.
    last_word: Option<WaveNo>,
    /// What was approved; none: before there were seals, or it is the word of an end, which two people have said.
    seal: Option<ApprovalSeal>,
    /// It was approved when there were seals, and has none.
    unsealed: bool,
    /// The channels on which this process has noted what leaves.
    noted: Arc<Mutex<BTreeSet<Channel>>>,
}

/// Where a batch stands in the ledger. The alert's id names the month in which it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BatchKey {
    /// The alert.
    pub alert_id: AlertId,
    /// The batch.
    pub batch_id: BatchId,
}

/// A batch in the hands of one holder.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The row of the ledger.
    pub batch_id: BatchId,
    /// Which batch of its wave it is.
    pub number: BatchNumber,
    /// What is sent.
    pub alert: Arc<SentAlert>,
    /// First push, reminder, or the word that it has ended.
    pub wave: WaveNo,
    /// By what.
    pub channel: Channel,
    /// To whom, ascending.
    pub recipients: RecipientList,
    /// To these devices of theirs only; none: to all.
    pub devices: Option<Devices>,
    /// What is known of them from an earlier holder; send only to those who are [`Outcome::Pending`].
    pub outcomes: Outcomes,
    /// When quiet hours begin for this batch, if they do: nothing is sent from then on.
    pub send_until: Option<DateTime<Utc>>,
    /// When everybody should have it (CQ10).
    pub due_at: DateTime<Utc>,
    /// Since when a provider refuses our credentials for it.
    pub(crate) refused_since: Option<DateTime<Utc>>,
    pub(crate) lease: i32,
}

impl Claimed {
    /// Which send on this channel this is, from 1.
    pub fn attempt(&self) -> u8 {
        self.number.attempt()
    }

    /// Whether another holder, or this one, has had it before, and may have died before it noted what it sent.
    pub fn was_held_before(&self) -> bool {
        self.lease > 1
    }

    /// Those still to be sent to, with their positions in the batch.
    pub fn pending(&self) -> impl Iterator<Item = (usize, ResidentNo)> + '_ {
        let outcomes = self.outcomes.as_slice().iter();
        let numbers = self.recipients.as_slice().iter();
        numbers
            .zip(outcomes)
            .enumerate()
            .filter(|(_, (_, outcome))| **outcome == Outcome::Pending)
            .map(|(at, (no, _))| (at, ResidentNo::new(*no)))
    }
}

/// An endpoint that a provider says exists no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoneEndpoint {
    /// Whose it was.
    pub resident_no: ResidentNo,
    /// Its id in the view `resident.endpoint`.
    pub endpoint_id: i64,
    /// When what was addressed had been registered, where that is known: what was registered since is another.
    pub registered_at: Option<DateTime<Utc>>,
}

/// What a holder reports about its batch.
#[derive(Clone, Debug)]
pub struct Report {
    /// Of every recipient, in the batch's order.
    pub outcomes: Outcomes,
    /// Endpoints to prune that were not reported before.
    pub gone: Vec<GoneEndpoint>,
    /// Devices that failed for now while their owners were reached by another. Looked at when the batch is closed or given back.
    pub again: Vec<OtherDevice>,
    /// When the first message of this batch was accepted.
    pub first_hand_over_at: Option<DateTime<Utc>>,
    /// The longest wait a provider asked for (`Retry-After`).
    pub retry_after: Option<TimeDelta>,
}

/// How a holder may go on after a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Go on; the lease was renewed.
    GoOn,
    /// The alert was cancelled, superseded or has expired: send nothing further, close the rest as [`Outcome::Withdrawn`].
    Ended,
    /// Quiet hours have begun for this batch: send nothing further, give it back.
    Quiet,
    /// The alert is being checked: send nothing further, give it back.
    Held,
}

/// The ledger, as a sending service uses it.
#[derive(Clone, Debug)]
pub struct Ledger {
    database: Database,
    clock: Clock,
    lease: TimeDelta,
    alerts: Arc<Mutex<VecDeque<Arc<SentAlert>>>>,
}

/// Alerts whose content is kept in memory.
const KEPT_ALERTS: usize = 64;

impl Ledger {
    /// The ledger of this platform's database; leases last `lease` without a checkpoint.
    pub fn new(platform: &Platform, lease: TimeDelta) -> Self {
        Self::on(platform.database.clone(), platform.clock.clone(), lease)
    }

    pub(crate) fn on(database: Database, clock: Clock, lease: TimeDelta) -> Self {
        Self { database, clock, lease, alerts: Arc::default() }
    }

    /// When a lease that begins now ends, in seconds from the database's clock; a rehearsal's time may be ahead of it.
    fn lease_end_s(&self) -> f64 {
        (self.clock.ahead() + self.lease).as_seconds_f64()
    }

    /// What a wave of an alert says; it never changes once dispatch has it.
    async fn alert(&self, alert_id: AlertId, wave: WaveNo) -> Result<Arc<SentAlert>, Error> {
        let last_word = wave.is_withdrawal().then_some(wave);
        let kept = |alerts: &VecDeque<Arc<SentAlert>>| {
            alerts.iter().find(|alert| alert.alert_id == alert_id && alert.last_word == last_word).cloned()
        };
        if let Some(alert) = kept(&self.alerts.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(alert);
        }
        let row = sqlx::query!(
            r#"select a.short_code, a.class, a.exercise, a.content, a.personal, a.for_holders, coalesce(a.root_id, a.alert_id) as "root_id!", a.withdrawal_until, s.how as "how?", s.reason,
                      s.texts, a.seal,
                      a.seal is null and a.approved_at > (select since.at + interval '1 day' from dispatch.seals_since since) as unsealed
                 from dispatch.alert a left join dispatch.stop s on s.alert_id = a.alert_id where a.alert_id = $1"#,
            alert_id.uuid()
        )
        .fetch_one(self.database.pool())
        .await?;
        let mut content: AlertContent = serde_json::from_value(row.content).map_err(|error| Error::damaged("content", alert_id, error))?;
        if wave == WaveNo::WITHDRAWAL_FOR_SOME {
            let until = withdrawal::told_to_some_until(content.expires_at);
            content = LastWord { of: &content, ended: Ended::ForSome, reason: None, until }.content();
        } else if last_word.is_some() {
            let ended = row.how.unwrap_or_default().parse().map_err(|error: strum::ParseError| Error::damaged("end", alert_id, error))?;
            let until = row.withdrawal_until.unwrap_or(content.expires_at);
            // what an older version of the platform kept was written for colleagues
            let reason = row.reason.and_then(|word| word.parse().ok());
            content = match row.texts {
                // what two people were shown and have said, to the letter
                Some(texts) => {
                    let texts = serde_json::from_value(texts).map_err(|error| Error::damaged("last word", alert_id, error))?;
                    withdrawal::ending(&content, texts, until)
                }
                None => LastWord { of: &content, ended, reason, until }.content(),
            };
        }
        let alert = Arc::new(SentAlert {
            alert_id,
            root_id: AlertId::from_uuid(row.root_id),
            short_code: row.short_code.parse().map_err(|error: domain::ids::IdError| Error::damaged("short code", alert_id, error))?,
            class: row.class.parse().map_err(|error: strum::ParseError| Error::damaged("class", alert_id, error))?,
            exercise: row.exercise,
            content,
            personal: row.personal,
            for_holders: row.for_holders,
            last_word,
            seal: if last_word.is_some() { None } else { unlike::seal_of(alert_id, row.seal)? },
            unsealed: last_word.is_none() && row.unsealed.unwrap_or_default(),
            noted: Arc::default(),
        });
        let mut alerts = self.alerts.lock().unwrap_or_else(PoisonError::into_inner);
        alerts.truncate(KEPT_ALERTS - 1);
        alerts.push_front(Arc::clone(&alert));
        Ok(alert)
    }
}

/// Resident numbers as a table's column has them.
pub(crate) fn column(numbers: &[u32]) -> Vec<i64> {
    numbers.iter().copied().map(i64::from).collect()
}

/// The people of a stored batch, and what became of each.
pub(crate) fn read(of: i64, recipients: &[u8], outcomes: &[u8]) -> Result<(RecipientList, Outcomes), Error> {
    let list = RecipientList::decode(recipients).map_err(|error| Error::damaged("recipients", of, error))?;
    let outcomes = Outcomes::decode(outcomes, list.len()).map_err(|error| Error::damaged("outcomes", of, error))?;
    Ok((list, outcomes))
}

/// To whom of a stored batch it was handed over.
pub(crate) fn handed_over(of: i64, recipients: &[u8], outcomes: &[u8]) -> Result<Vec<u32>, Error> {
    let (list, outcomes) = read(of, recipients, outcomes)?;
    let each = list.as_slice().iter().zip(outcomes.as_slice());
    Ok(each.filter(|(_, outcome)| outcome.is_handed_over()).map(|(number, _)| *number).collect())
}

/// A number of people as the tables keep it: never negative.
pub(crate) fn people(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A resident number from a table's column.
pub(crate) fn number_of(column: i64) -> Result<u32, Error> {
    u32::try_from(column).map_err(|error| Error::damaged("resident number", column, error))
}
