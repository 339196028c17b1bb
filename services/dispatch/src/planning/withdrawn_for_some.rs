//! The word to some people that an alert does not hold for them, while it stands for everybody else: to those who hold what it said, on the channels
//! that carried it, and to nobody else.
//!
//! It is known who holds it as soon as no sender has a batch in hand in which they may be; whoever claims one afterwards leaves them out
//! ([`crate::withdrawn_for`]). As with an end for all ([`super::withdrawal_wave`]) what it corrected counts, and what that corrected. The batches have
//! wave 10 and numbers that go on from one time to the next.

use chrono::{DateTime, Utc};
use domain::alert::DeliveryClass;
use domain::batch::MAX_PLANNED;
use domain::ids::{AlertId, WaveNo};
use domain::withdrawal::{self, Hearers};
use platform::database::Tx;
use roaring::RoaringBitmap;

use super::withdrawal_wave::{chain, handed_over, numbers};
use super::{Line, Planner, inbox};
use crate::aside::{self, RINGS, Slot, Step};
use crate::ledger::batch_rows::{self, WaveOf};
use crate::ledger::number_of;
use crate::{Error, signals, withdrawn_for};

/// People looked at in one transaction.
const AT_ONCE: i64 = 1_000;

/// An alert with people of whom it is known whether they hold its word, and who are not told yet.
struct Concerned {
    alert_id: AlertId,
    class: DeliveryClass,
    expires_at: DateTime<Utc>,
}

/// The next of them.
struct Next {
    people: RoaringBitmap,
    /// When it was withdrawn for the first of them.
    at: DateTime<Utc>,
}

impl Planner {
    /// Plans the word to the next people for whom alone an alert was withdrawn. False: there are none.
    pub(super) async fn tell_some(&self) -> Result<bool, Error> {
        let slot = Slot::default();
        aside::stepping(&self.database, &self.clock, Step::Plan, &slot, self.tell_some_of_one(&slot)).await
    }

    async fn tell_some_of_one(&self, slot: &Slot) -> Result<bool, Error> {
        let now = self.clock.now();
        let mut tx = self.database.begin().await?;
        let Some(alert) = self.next_with_some(&mut tx, now, slot).await? else { return Ok(false) };
        if alert.class == DeliveryClass::Routine
            && let Some(until) = self.ear.listen(&self.cache).await
        {
            drop(tx);
            tokio::time::sleep_until(until).await;
            return Ok(true);
        }
        let alert_id = alert.alert_id;
        let mine = sqlx::query_scalar!(
            r#"select pg_try_advisory_xact_lock(hashtextextended('dispatch.withdrawn_for:' || $1, 0)) as "mine!""#,
            alert_id.to_string()
        )
        .fetch_one(&mut *tx)
        .await?;
        let Some(next) = next(&mut tx, alert_id).await?.filter(|_| mine) else {
            // Another process is at it.
            return Ok(false);
        };
        let reached = handed_over(&mut tx, alert_id, Some(&next.people)).await?;
        if withdrawal::told_to_some_until(alert.expires_at) > now {
            let hearers = hearers(&mut tx, alert_id, &next.people, &reached).await?;
            self.write_to_some(&mut tx, &alert, &next, &hearers, now).await?;
        }
        let reached = reached.everybody();
        sqlx::query!(
            "update dispatch.withdrawn_for set settled_at = $4, reached = resident_no = any($3::bigint[])
              where alert_id = $1 and resident_no = any($2::bigint[])",
            alert_id.uuid(),
            &numbers(&next.people),
            &numbers(&reached),
            now,
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        metrics::counter!("dispatch_withdrawn_for_total", "class" => alert.class.to_string()).increment(reached.len());
        tracing::info!(%alert_id, people = next.people.len(), reached = reached.len(), "an alert does not hold for some people: who has it is told");
        signals::PUMP.wake();
        Ok(true)
    }

    /// The most urgent alert with somebody who is in nobody's hands.
    async fn next_with_some(&self, tx: &mut Tx, now: DateTime<Utc>, slot: &Slot) -> Result<Option<Concerned>, Error> {
        let row = sqlx::query!(
            r#"select a.alert_id, a.class, a.expires_at, s.failures is not null as "again!"
                 from dispatch.alert a left join dispatch.set_aside s on s.alert_id = a.alert_id and s.wave = $3 and s.step = 'plan'
                where a.alert_id in (select w.alert_id from dispatch.withdrawn_for w
                                      where w.settled_at is null
                                        and not exists (select from dispatch.batch b
                                                         where b.alert_id = w.alert_id and b.state = 'claimed' and b.wave < 9
                                                           and w.resident_no between b.first_no and b.last_no))
                  and (a.class = 'urgent' or not $1) and (s.until is null or s.until <= $2)
                  -- what it corrected comes first: who is told by that is not told again
                  and not exists (select from dispatch.alert p left join dispatch.stop st on st.alert_id = p.alert_id
                                   where p.alert_id = a.corrects
                                     and (p.state in ('waiting', 'dispatching', 'active') or p.state in ('cancelled', 'superseded') and st.alert_id is not null and st.withdrawal_planned_at is null)
                                     and not exists (select from dispatch.set_aside x where x.alert_id = p.alert_id and x.failures >= $4))
                order by a.class = 'urgent' desc, a.approved_at limit 1"#,
            self.line == Line::Urgent,
            now,
            i16::from(WaveNo::WITHDRAWAL_FOR_SOME.get()),
            RINGS,
        )
        .fetch_optional(&mut **tx)
        .await?;
        row.map(|row| {
            let alert_id = AlertId::from_uuid(row.alert_id);
            slot.is_about(alert_id, i16::from(WaveNo::WITHDRAWAL_FOR_SOME.get()), row.again);
            let class = row.class.parse().map_err(|error: strum::ParseError| Error::damaged("class", alert_id, error))?;
            Ok(Concerned { alert_id, class, expires_at: row.expires_at })
        })
        .transpose()
    }

    async fn write_to_some(&self, tx: &mut Tx, alert: &Concerned, next: &Next, hearers: &Hearers, now: DateTime<Utc>) -> Result<(), Error> {
        let (alert_id, wave) = (alert.alert_id, WaveNo::WITHDRAWAL_FOR_SOME);
        let last = sqlx::query_scalar!(
            "select max(number) from dispatch.batch where alert_id = $1 and wave = $2 and number <= $3",
            alert_id.uuid(),
            i16::from(wave.get()),
            MAX_PLANNED.cast_signed(),
        )
        .fetch_one(&mut **tx)
        .await?;
        let (app, sms): (Vec<u32>, Vec<u32>) = (hearers.app.iter().collect(), hearers.sms.iter().collect());
        let batches = batch_rows::cut_both(&app, &sms, &self.settings, (alert_id, last.map_or(0, |last| last + 1)), now)?;
        let due_at = withdrawal::due_at(alert.class, next.at, &self.settings.quiet_hours);
        batch_rows::write(tx, WaveOf { alert_id, wave, class: alert.class, due_at }, &batches).await
    }
}

async fn next(tx: &mut Tx, alert_id: AlertId) -> Result<Option<Next>, Error> {
    let rows = sqlx::query!(
        r#"select w.resident_no::bigint as "resident_no!", w.at from dispatch.withdrawn_for w
            where w.alert_id = $1 and w.settled_at is null
              and not exists (select from dispatch.batch b
                               where b.alert_id = w.alert_id and b.state = 'claimed' and b.wave < 9
                                 and w.resident_no between b.first_no and b.last_no)
            order by w.at, w.resident_no limit $2"#,
        alert_id.uuid(),
        AT_ONCE,
    )
    .fetch_all(&mut **tx)
    .await?;
    let Some(at) = rows.first().map(|row| row.at) else { return Ok(None) };
    let people = rows.into_iter().map(|row| number_of(row.resident_no)).collect::<Result<_, _>>()?;
    Ok(Some(Next { people, at }))
}

/// On which channels each of them holds the word of the alert, or of what it corrected; not who was told of its end.
async fn hearers(tx: &mut Tx, alert_id: AlertId, people: &RoaringBitmap, reached: &Hearers) -> Result<Hearers, Error> {
    let mut hearers = Hearers::default();
    for link in chain(tx, alert_id).await? {
        if link == alert_id {
            hearers = hearers.corrected_by(reached.clone());
        } else {
            hearers = hearers.corrected_by(handed_over(tx, link, Some(people)).await?);
            hearers.leave_out(&withdrawn_for::before_its_end(tx, link).await?);
        }
        hearers.leave_out(&inbox::planned_of(tx, link, WaveNo::WITHDRAWAL, people).await?);
    }
    Ok(hearers)
}
