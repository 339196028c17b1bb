//! The end of a batch: outcomes, what follows from them, and the pruned endpoints, in one transaction. Who was reached is done with; a device of theirs
//! that failed for now is tried again alone, beside the waves ([`crate::beside`]).

use platform::compiled_once;
use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use domain::alert::DeliveryClass;
use domain::ids::WaveNo;
use domain::outcome::{Channel, Outcome};
use domain::patience::{Refused, after_refusal};
use domain::retry::{Backoff, spread};
use platform::database::Tx;

use super::batch_rows::{self, NewBatch, WaveOf, list};
use super::claim::{publish_gone, small, withdraw_pending};
use super::settle::{Settled, Way, may_fall_back, settle};
use super::{Claimed, Devices, Ledger, Report, column, number_of, told_twice};
use crate::beside::{self, Beside};
use crate::follow_ups::{self, Reason};
use crate::{Error, signals};

/// How long a batch waits for an operator before it is tried with the same credentials again.
const HOLD: TimeDelta = TimeDelta::seconds(60);

impl Ledger {
    /// Closes the batch, once: a second close, or one after the lease was lost, writes nothing and is [`Error::LeaseLost`].
    ///
    /// Temporary failures go on in one retry batch, backed off with jitter and not before the provider's `Retry-After`; app recipients who cannot
    /// be reached go on in one SMS batch; the rest of an ended alert is withdrawn. Where a provider refused our credentials the batch is not
    /// closed but given back for a minute, with an alarm; and again, until the deadline is too near: then its people go on by SMS
    /// ([`domain::patience`]).
    #[compiled_once]
    pub async fn close(&self, claimed: Claimed, mut report: Report) -> Result<(), Error> {
        let ended = sqlx::query_scalar!(
            r#"select dispatch.is_over(state, expires_at, withdrawal_until, $3, $2) as "ended!" from dispatch.alert where alert_id = $1"#,
            claimed.alert.alert_id.uuid(),
            self.clock.now(),
            i16::from(claimed.wave.get()),
        )
        .fetch_one(self.database.pool())
        .await?;
        if ended {
            withdraw_pending(&mut report.outcomes);
            report.again.clear();
        }
        let now = self.clock.now();
        let way = Way {
            attempt: claimed.attempt(),
            channel: claimed.channel,
            refused: claimed.refused_since.map_or(Refused::Wait, |since| after_refusal(claimed.alert.class, since, claimed.due_at, now)),
        };
        let with_phone = self.phones_of(&claimed, &report, way).await?;
        let settled = settle(&claimed.recipients, &report.outcomes, way, &with_phone, ended);
        // Beside the waves everybody was reached by another device: what an operator does not mend in time is let go of.
        let is_let_go = claimed.wave.is_beside() && way.refused == Refused::ByAnotherChannel;
        if settled.held && !is_let_go {
            metrics::counter!("dispatch_credentials_refused_total", "channel" => claimed.channel.to_string()).increment(1);
            tracing::error!(
                batch_id = claimed.batch_id.get(),
                channel = %claimed.channel,
                hold_s = HOLD.num_seconds(),
                "a provider refuses our credentials: the batch waits for an operator"
            );
            let since = claimed.refused_since.unwrap_or(now);
            return self.give_back(claimed, report, now + HOLD, Some(since)).await;
        }
        if settled.refused > 0 {
            metrics::counter!("dispatch_refused_by_sms_total").increment(settled.refused as u64);
            tracing::error!(
                batch_id = claimed.batch_id.get(),
                recipients = settled.refused,
                "a provider refuses our credentials and the deadline is near: who has a phone is told by SMS"
            );
        }
        self.write_close(&claimed, &report, &settled).await?;
        count(&claimed, &report);
        signals::PUMP.wake();
        signals::WATCH.wake();
        Ok(())
    }

    async fn phones_of(&self, claimed: &Claimed, report: &Report, way: Way) -> Result<BTreeSet<u32>, Error> {
        let asked = may_fall_back(&claimed.recipients, &report.outcomes, way);
        // Beside the waves everybody was reached already.
        if asked.is_empty() || claimed.wave.is_beside() {
            return Ok(BTreeSet::new());
        }
        let found = sqlx::query_scalar!(
            r#"select resident_no::bigint as "resident_no!" from resident.reach
                where resident_no = any($1::bigint[]) and sms and (drill or not $2)"#,
            &column(&asked),
            claimed.alert.exercise,
        )
        .fetch_all(self.database.pool())
        .await?;
        let mut with_phone = found.into_iter().map(number_of).collect::<Result<BTreeSet<_>, _>>()?;
        // who is told on both channels anyway is not told on one of them twice
        if claimed.wave.is_withdrawal() || claimed.alert.for_holders && claimed.wave == WaveNo::FIRST {
            told_twice::leave_out(&self.database, claimed.alert.alert_id, claimed.wave, &mut with_phone).await?;
        }
        Ok(with_phone)
    }

    async fn write_close(&self, claimed: &Claimed, report: &Report, settled: &Settled) -> Result<(), Error> {
        let now = self.clock.now();
        let following = self.following(claimed, report, settled)?;
        // Nobody is visited to be told that an alert has ended, nor because one of several devices failed.
        let counts = claimed.alert.personal && !claimed.wave.is_withdrawal() && !claimed.wave.is_beside();
        let unreachable: &[u32] = if counts { &settled.unreachable } else { &[] };
        if following.is_empty() && unreachable.is_empty() && report.gone.is_empty() && report.again.is_empty() {
            return mark_closed(self.database.pool(), claimed, report, settled, now).await;
        }
        let mut tx = self.database.begin().await?;
        mark_closed(&mut *tx, claimed, report, settled, now).await?;
        let of = WaveOf { alert_id: claimed.alert.alert_id, wave: claimed.wave, class: claimed.alert.class, due_at: claimed.due_at };
        batch_rows::write(&mut tx, of, &following).await?;
        follow_ups::open(&mut tx, claimed.alert.alert_id, unreachable, Reason::Unreachable, now).await?;
        let wait = TimeDelta::from_std(spread(Backoff::SENDING.ceiling(1), rand::random())).unwrap_or(TimeDelta::MAX);
        let wait = wait.max(report.retry_after.unwrap_or_default());
        let not_before = now.checked_add_signed(wait).unwrap_or(DateTime::<Utc>::MAX_UTC);
        self.try_others_again(&mut tx, claimed, report, not_before).await?;
        publish_gone(&mut tx, claimed, &report.gone).await?;
        Ok(tx.commit().await?)
    }

    /// One batch for the devices that failed for now while their owners were reached by another. The word of an end is not repeated.
    pub(super) async fn try_others_again(
        &self,
        tx: &mut Tx,
        claimed: &Claimed,
        report: &Report,
        not_before: DateTime<Utc>,
    ) -> Result<(), Error> {
        if report.again.is_empty() || claimed.wave.is_withdrawal() {
            return Ok(());
        }
        let people: BTreeSet<u32> = report.again.iter().map(|other| other.resident_no.get()).collect();
        let people: Vec<u32> = people.into_iter().collect();
        metrics::counter!("dispatch_devices_again_total").increment(report.again.len() as u64);
        let beside = Beside { alert_id: claimed.alert.alert_id, class: claimed.alert.class, due_at: claimed.due_at, not_before };
        beside::write(tx, beside, Channel::App, &people, Some(&Devices::of(&report.again)), people.len()).await
    }

    /// The retry batch and the fallback batch, where there is somebody in them.
    fn following(&self, claimed: &Claimed, report: &Report, settled: &Settled) -> Result<Vec<NewBatch>, Error> {
        let (now, of) = (self.clock.now(), claimed.batch_id.get());
        let mut batches = Vec::new();
        if !settled.retry.is_empty() {
            let wait = TimeDelta::from_std(spread(settled.retry_after, rand::random())).unwrap_or(TimeDelta::MAX);
            let wait = wait.max(report.retry_after.unwrap_or_default());
            batches.push(NewBatch {
                channel: claimed.channel,
                number: claimed.number.next_retry().map_err(|error| Error::damaged("number", of, error))?,
                recipients: list(&settled.retry).map_err(|error| Error::damaged("recipients", of, error))?,
                devices: claimed.devices.clone(),
                not_before: now.checked_add_signed(wait).unwrap_or(DateTime::<Utc>::MAX_UTC),
            });
        }
        if !settled.fallback.is_empty() {
            batches.push(NewBatch {
                channel: Channel::Sms,
                number: claimed.number.fallback().map_err(|error| Error::damaged("number", of, error))?,
                recipients: list(&settled.fallback).map_err(|error| Error::damaged("recipients", of, error))?,
                devices: None,
                not_before: now,
            });
        }
        Ok(batches)
    }
}

async fn mark_closed(
    on: impl sqlx::PgExecutor<'_>,
    claimed: &Claimed,
    report: &Report,
    settled: &Settled,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        r#"update dispatch.batch
              set state = 'closed', outcomes = $3, closed_at = $4, lease_until = null, holder = null,
                  first_hand_over_at = coalesce(first_hand_over_at, $5),
                  accepted = $6, retried = $7, fell_back = $8, unreachable = $9, withdrawn = $10, by_browser = $12
            where alert_id = $11 and batch_id = $1
              and (lease = $2 and state = 'claimed' or lease = $2 + 1 and state in ('ready', 'released'))
        returning batch_id"#,
        claimed.batch_id.get(),
        claimed.lease,
        report.outcomes.encode(),
        now,
        report.first_hand_over_at,
        small(settled.accepted),
        small(settled.retry.len()),
        small(settled.fallback.len()),
        small(settled.unreachable.len()),
        small(settled.withdrawn),
        claimed.alert.alert_id.uuid(),
        in_browsers_only(claimed, report),
    )
    .fetch_optional(on)
    .await?
    .map(|_| ())
    .ok_or(Error::LeaseLost(claimed.batch_id))
}

/// How many are looked at again because nothing but a browser has the alert: of an urgent one, once.
fn in_browsers_only(claimed: &Claimed, report: &Report) -> i16 {
    if claimed.wave == WaveNo::FIRST && claimed.alert.class == DeliveryClass::Urgent {
        small(report.outcomes.count(Outcome::AcceptedByBrowser))
    } else {
        0
    }
}

/// How often each outcome happened, for the dashboards.
fn count(claimed: &Claimed, report: &Report) {
    use strum::VariantArray as _;
    for outcome in Outcome::VARIANTS {
        let recipients = report.outcomes.count(*outcome);
        if recipients > 0 {
            metrics::counter!("dispatch_outcomes_total", "channel" => claimed.channel.to_string(), "outcome" => outcome.to_string())
                .increment(recipients as u64);
        }
    }
}
