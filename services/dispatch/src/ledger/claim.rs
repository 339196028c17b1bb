//! Taking a batch, and keeping it.

use chrono::{DateTime, TimeDelta, Utc};
use domain::batch::{BatchNumber, Outcomes, RecipientList};
use domain::ids::WaveNo;
use domain::outcome::{Channel, Outcome};
use platform::compiled_once;
use proto::EndpointsGone;
use proto::events::endpoints_gone::Entry;

use super::{BatchKey, Claimed, Devices, GoneEndpoint, Ledger, Report, Standing};
use crate::aside::{self, Item, Step};
use crate::{Error, SCHEMA, signals};

/// How long a batch waits that could not be read.
pub(super) const UNREADABLE: TimeDelta = TimeDelta::minutes(5);

impl Ledger {
    /// Takes a released batch for `holder` (a name for the console, such as `push-3f2a`).
    ///
    /// `None`: there is nothing to do. Somebody else has it, it was closed, it must wait because quiet hours began or its alert is being checked, or nobody in it is to be sent
    /// to any more because the alert ended, or was withdrawn for them, or all have acknowledged; in that last case it is closed here. A batch that cannot be read is set
    /// aside, so that it keeps no other out of the window.
    #[compiled_once]
    pub async fn claim(&self, key: BatchKey, holder: &str) -> Result<Option<Claimed>, Error> {
        match self.take(key, holder).await {
            Err(damaged @ Error::Damaged { .. }) => {
                self.set_aside(key, &damaged).await?;
                Ok(None)
            }
            Err(Error::NotAsApproved(differences)) => {
                self.keep_back(key, &differences).await?;
                Ok(None)
            }
            taken => taken,
        }
    }

    /// Gives a batch that nobody can read back for a while, and rings.
    async fn set_aside(&self, BatchKey { alert_id, batch_id }: BatchKey, damaged: &Error) -> Result<(), Error> {
        let now = self.clock.now();
        let wave = sqlx::query_scalar!(
            "update dispatch.batch set state = 'ready', lease = lease + 1, lease_until = null, holder = null, not_before = $3
              where alert_id = $1 and batch_id = $2 and state = 'claimed' returning wave",
            alert_id.uuid(),
            batch_id.get(),
            now + UNREADABLE,
        )
        .fetch_optional(self.database.pool())
        .await?;
        match wave {
            Some(wave) => aside::put(&self.database, now, Step::Send, Item { alert_id, wave, again: true }, damaged).await,
            None => Ok(()),
        }
    }

    async fn take(&self, BatchKey { alert_id, batch_id }: BatchKey, holder: &str) -> Result<Option<Claimed>, Error> {
        let now = self.clock.now();
        let Some(row) = sqlx::query!(
            r#"update dispatch.batch b
                  set state = case when b.send_until <= $3 or a.held_at is not null and b.wave < 9 then 'ready' else 'claimed' end,
                      lease = b.lease + case when b.send_until <= $3 or a.held_at is not null and b.wave < 9 then 0 else 1 end, lease_until = dispatch.lease_clock($4), holder = $2
                 from dispatch.alert a, dispatch.recipient_list r
                where b.alert_id = $5 and b.batch_id = $1 and b.state = 'released'
                  and a.alert_id = $5 and r.alert_id = $5 and r.batch_id = $1
            returning b.wave, b.channel, b.number, b.due_at, b.send_until, b.lease, b.outcomes, b.state, b.not_before, b.refused_since,
                      r.recipients, r.devices, dispatch.is_over(a.state, a.expires_at, a.withdrawal_until, b.wave, $3) as "ended!""#,
            batch_id.get(),
            holder,
            now,
            self.lease_end_s(),
            alert_id.uuid(),
        )
        .fetch_optional(self.database.pool())
        .await?
        else {
            return Ok(None);
        };
        if row.state == "ready" {
            return Ok(None);
        }
        let of = batch_id.get();
        let recipients = RecipientList::decode(&row.recipients).map_err(|error| Error::damaged("recipients", of, error))?;
        let outcomes = match row.outcomes {
            Some(bytes) => Outcomes::decode(&bytes, recipients.len()).map_err(|error| Error::damaged("outcomes", of, error))?,
            None => Outcomes::pending(recipients.len()),
        };
        let devices =
            row.devices.map(|bytes| Devices::decode(&bytes).ok_or_else(|| Error::damaged("devices", of, "no ids"))).transpose()?;
        let wave = WaveNo::new(u8::try_from(row.wave).map_err(|error| Error::damaged("wave", of, error))?);
        let mut claimed = Claimed {
            batch_id,
            number: BatchNumber::try_from(row.number).map_err(|error| Error::damaged("number", of, error))?,
            alert: self.alert(alert_id, wave).await?,
            wave,
            channel: row.channel.parse::<Channel>().map_err(|error| Error::damaged("channel", of, error))?,
            recipients,
            devices,
            outcomes,
            send_until: row.send_until,
            due_at: row.due_at,
            refused_since: row.refused_since,
            lease: row.lease,
        };
        if claimed.was_held_before() {
            let item = Item { alert_id, wave: row.wave, again: true };
            aside::clear(&self.database, Step::Send, item).await?;
        }
        if row.ended {
            withdraw_pending(&mut claimed.outcomes);
        } else if !claimed.wave.is_withdrawal() {
            self.leave_out_withdrawn(&mut claimed).await?;
            if claimed.may_be_acknowledged(row.not_before, now) {
                self.leave_out_acknowledged(&mut claimed).await?;
            }
        }
        if claimed.pending().next().is_none() {
            let outcomes = claimed.outcomes.clone();
            self.close(claimed, Report { outcomes, gone: Vec::new(), again: Vec::new(), first_hand_over_at: None, retry_after: None })
                .await?;
            return Ok(None);
        }
        self.must_be_as_approved(&claimed).await?;
        Ok(Some(claimed))
    }

    /// Notes what became of the recipients so far, prunes endpoints, and renews the lease. A lease that has ended is renewed as well, as long as
    /// nobody else has taken the batch.
    #[compiled_once]
    pub async fn checkpoint(&self, claimed: &Claimed, report: &Report) -> Result<Standing, Error> {
        let now = self.clock.now();
        let noted = if report.gone.is_empty() {
            self.note(self.database.pool(), claimed, report, now).await?
        } else {
            let mut tx = self.database.begin().await?;
            let noted = self.note(&mut *tx, claimed, report, now).await?;
            publish_gone(&mut tx, claimed, &report.gone).await?;
            tx.commit().await?;
            noted
        };
        Ok(if noted.ended {
            Standing::Ended
        } else if noted.held {
            Standing::Held
        } else if claimed.send_until.is_some_and(|quiet| quiet <= now) {
            Standing::Quiet
        } else {
            Standing::GoOn
        })
    }

    /// Whether the alert of this batch is being checked now.
    pub(crate) async fn is_held(&self, claimed: &Claimed) -> Result<bool, Error> {
        Ok(sqlx::query_scalar!(
            r#"select held_at is not null as "held!" from dispatch.alert where alert_id = $1"#,
            claimed.alert.alert_id.uuid()
        )
        .fetch_one(self.database.pool())
        .await?)
    }

    async fn note(
        &self,
        on: impl sqlx::PgExecutor<'_>,
        claimed: &Claimed,
        report: &Report,
        now: DateTime<Utc>,
    ) -> Result<StandsNow, Error> {
        sqlx::query_as!(
            StandsNow,
            r#"update dispatch.batch b
                  set state = 'claimed', lease = $2, outcomes = $3, accepted = $4, lease_until = dispatch.lease_clock($5),
                      first_hand_over_at = coalesce(b.first_hand_over_at, $6)
                 from dispatch.alert a
                where b.alert_id = $8 and b.batch_id = $1 and a.alert_id = $8
                  and (b.lease = $2 and b.state = 'claimed' or b.lease = $2 + 1 and b.state in ('ready', 'released'))
            returning dispatch.is_over(a.state, a.expires_at, a.withdrawal_until, b.wave, $7) as "ended!",
                      a.held_at is not null and b.wave < 9 as "held!""#,
            claimed.batch_id.get(),
            claimed.lease,
            report.outcomes.encode(),
            small(report.outcomes.handed_over()),
            self.lease_end_s(),
            report.first_hand_over_at,
            now,
            claimed.alert.alert_id.uuid(),
        )
        .fetch_optional(on)
        .await?
        .ok_or(Error::LeaseLost(claimed.batch_id))
    }

    /// Gives the batch back with what is known so far; it is released again from `not_before` on, to anybody. For an account that is throttled as
    /// a whole, a process that stops. Nobody's attempts are counted for it.
    #[compiled_once]
    pub async fn release(&self, claimed: Claimed, report: Report, not_before: DateTime<Utc>) -> Result<(), Error> {
        self.give_back(claimed, report, not_before, None).await
    }

    /// The same; `refused_since`: since when the batch waits because our credentials are refused.
    pub(super) async fn give_back(
        &self,
        claimed: Claimed,
        mut report: Report,
        not_before: DateTime<Utc>,
        refused_since: Option<DateTime<Utc>>,
    ) -> Result<(), Error> {
        // An answer about our credentials says nothing about the recipient.
        for position in 0..claimed.recipients.len() {
            if report.outcomes.get(position) == Some(Outcome::CredentialsRefused) {
                report.outcomes.set(position, Outcome::Pending);
            }
        }
        let mut tx = self.database.begin().await?;
        sqlx::query!(
            r#"update dispatch.batch
                  set state = 'ready', outcomes = $3, accepted = $4, not_before = $5, lease = $2 + 1, lease_until = null, holder = null,
                      first_hand_over_at = coalesce(first_hand_over_at, $6), refused_since = coalesce($8, refused_since)
                where alert_id = $7 and batch_id = $1
                  and (lease = $2 and state = 'claimed' or lease = $2 + 1 and state in ('ready', 'released'))
            returning batch_id"#,
            claimed.batch_id.get(),
            claimed.lease,
            report.outcomes.encode(),
            small(report.outcomes.handed_over()),
            not_before,
            report.first_hand_over_at,
            claimed.alert.alert_id.uuid(),
            refused_since,
        )
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::LeaseLost(claimed.batch_id))?;
        self.try_others_again(&mut tx, &claimed, &report, not_before).await?;
        publish_gone(&mut tx, &claimed, &report.gone).await?;
        tx.commit().await?;
        signals::PUMP.wake();
        Ok(())
    }
}

/// How the alert of a batch stands at a checkpoint.
struct StandsNow {
    ended: bool,
    held: bool,
}

/// Marks everybody not yet sent to as withdrawn.
pub(crate) fn withdraw_pending(outcomes: &mut Outcomes) {
    for position in 0..outcomes.as_slice().len() {
        if outcomes.get(position) == Some(Outcome::Pending) {
            outcomes.set(position, Outcome::Withdrawn);
        }
    }
}

pub(super) async fn publish_gone(tx: &mut platform::database::Tx, claimed: &Claimed, gone: &[GoneEndpoint]) -> Result<(), Error> {
    if gone.is_empty() {
        return Ok(());
    }
    let entry = |gone: &GoneEndpoint| Entry {
        resident_no: gone.resident_no.get(),
        endpoint_id: gone.endpoint_id,
        registered_at_ms: gone.registered_at.map(|at| at.timestamp_millis()),
    };
    let asked = u32::try_from(claimed.recipients.len()).unwrap_or(u32::MAX);
    let alert_id = Some(claimed.alert.alert_id.to_string());
    Ok(tx.publish(SCHEMA, &EndpointsGone { entries: gone.iter().map(entry).collect(), alert_id, asked }).await?)
}

/// A count within a batch; batches hold far fewer than 32,767.
pub(super) fn small(count: usize) -> i16 {
    i16::try_from(count).unwrap_or(i16::MAX)
}
