//! The release of an alert: its first wave begins.
//!
//! A correction is released at once, also in quiet hours: what it corrects is shown no more, so inboxes and screens show it. Its messages
//! wait in the ledger until they may be sent.

use chrono::{DateTime, Utc};
use domain::alert::{AlertContent, DeliveryClass};
use domain::approval_seal::{Terms, unsealed};
use domain::audience::Audience;
use domain::deadline::{self, Release};
use domain::ids::AlertId;
use platform::database::Tx;
use proto::AlertReleased;

use super::{Line, Planner};
use crate::aside::{self, RINGS, Slot, Step};
use crate::{Error, SCHEMA, unlike, withdrawn_for};

impl Planner {
    /// Releases one alert whose time has come. False: none is due.
    pub(super) async fn release(&self) -> Result<bool, Error> {
        let slot = Slot::default();
        aside::stepping(&self.database, &self.clock, Step::Release, &slot, self.release_one(&slot)).await
    }

    async fn release_one(&self, slot: &Slot) -> Result<bool, Error> {
        let now = self.clock.now();
        let mut tx = self.database.begin().await?;
        let Some(row) = sqlx::query!(
            r#"select a.alert_id, a.class, a.exercise, a.audience, a.expires_at, a.due_at, a.corrects is not null as "corrects!", a.for_holders, a.approved_at, a.content, a.ack_window_s, a.seal, s.failures is not null as "again!"
                 from dispatch.alert a
                 left join dispatch.set_aside s on s.alert_id = a.alert_id and s.wave = 0 and s.step = 'release'
                where a.state = 'waiting' and a.held_at is null and (a.release_at <= $1 or a.corrects is not null) and a.expires_at > $1 and (a.class = 'urgent' or not $2)
                  and (s.until is null or s.until <= $1)
                  -- who has what it corrects is known
                  and (not a.for_holders or exists (
                       select from dispatch.alert o
                        where o.alert_id = a.corrects and o.state in ('closed', 'cancelled', 'superseded')
                          and not exists (select from dispatch.wave w where w.alert_id = o.alert_id and w.wave < 9 and w.state <> 'settled')
                          and not exists (select from dispatch.batch b where b.alert_id = o.alert_id and b.wave < 9 and b.state = 'claimed')
                          and not exists (select from dispatch.stop p join dispatch.alert e on e.alert_id = p.alert_id and e.state in ('cancelled', 'superseded')
                                           where p.alert_id = o.corrects and p.withdrawal_planned_at is null
                                             and not exists (select from dispatch.set_aside x where x.alert_id = p.alert_id and x.failures >= $3))))
                order by a.class = 'urgent' desc, a.due_at limit 1
                  for no key update of a skip locked"#,
            now,
            self.line == Line::Urgent,
            RINGS,
        )
        .fetch_optional(&mut *tx)
        .await?
        else {
            return Ok(false);
        };
        let alert_id = AlertId::from_uuid(row.alert_id);
        slot.is_about(alert_id, 0, row.again);
        let class: DeliveryClass = row.class.parse().map_err(|error: strum::ParseError| Error::damaged("class", alert_id, error))?;
        let later = match deadline::release(class, now, row.expires_at, &self.settings.quiet_hours) {
            _ if row.corrects => None,
            Release::Now => None,
            // Dispatch stood still until quiet hours came again.
            Release::At(later) => Some(later),
            Release::Never => Some(row.expires_at),
        };
        if let Some(later) = later {
            sqlx::query!("update dispatch.alert set release_at = $2 where alert_id = $1", row.alert_id, later).execute(&mut *tx).await?;
            tx.commit().await?;
            return Ok(true);
        }
        if row.seal.is_none() && unlike::must_be_sealed(&mut tx, row.approved_at).await? {
            self.hold_back(tx, alert_id, &[unsealed()]).await?;
            return Ok(true);
        }
        if let Some(seal) = unlike::seal_of(alert_id, row.seal.clone())? {
            let audience = Audience::from_bytes(&row.audience).map_err(|error| Error::damaged("audience", alert_id, error))?;
            let content: AlertContent =
                serde_json::from_value(row.content.clone()).map_err(|error| Error::damaged("content", alert_id, error))?;
            let terms = Terms {
                exercise: row.exercise,
                expires_at: row.expires_at,
                ack_window_s: u32::try_from(row.ack_window_s).unwrap_or(u32::MAX),
                ..Terms::of(class, &content)
            };
            let mut differences = seal.unlike(&terms, &content, &audience);
            if differences.is_empty() && seal.people.is_some() && !row.for_holders {
                let Some(counted) = self.counted(alert_id) else {
                    // nobody is counted inside a transaction
                    drop(tx);
                    self.count(alert_id, &audience, row.exercise).await;
                    return Ok(true);
                };
                if let Some(found) = counted {
                    differences.extend(self.too_many(&mut tx, alert_id, &seal, found).await?);
                }
            }
            if !differences.is_empty() {
                self.hold_back(tx, alert_id, &differences).await?;
                return Ok(true);
            }
        }
        let known = if row.for_holders {
            carry_visits_over(&mut tx, alert_id, now).await?;
            Some(super::inbox::bytes(&(&self.holders(&mut tx, alert_id).await?.inbox - withdrawn_for::of(&mut tx, alert_id).await?)))
        } else {
            match Audience::from_bytes(&row.audience).map_err(|error| Error::damaged("audience", alert_id, error))? {
                Audience::Residents(residents) if !row.exercise => {
                    Some(super::inbox::bytes(&(residents - withdrawn_for::of(&mut tx, alert_id).await?)))
                }
                _ => None,
            }
        };
        sqlx::query!(
            "update dispatch.alert set state = 'dispatching', released_at = $2, audience_bitmap = $3,
                    audience_revision = case when $3::bytea is null then 0 else 1 end
              where alert_id = $1",
            row.alert_id,
            now,
            known.as_deref(),
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!(
            "insert into dispatch.wave (alert_id, wave, urgent, due_at, state, began_at, caught_up) values ($1, 1, $2, $3, 'planning', $4, $5)",
            row.alert_id,
            class == DeliveryClass::Urgent,
            row.due_at,
            now,
            // whoever comes later has nothing that is corrected
            row.for_holders,
        )
        .execute(&mut *tx)
        .await?;
        if known.is_some() {
            tx.publish(SCHEMA, &AlertReleased { alert_id: alert_id.to_string() }).await?;
        }
        tx.commit().await?;
        tracing::info!(%alert_id, %class, due_at = %row.due_at, "alert released");
        Ok(true)
    }
}

/// Whoever was to be visited because what is corrected did not reach or move them is so because of the correction.
async fn carry_visits_over(tx: &mut Tx, correction: AlertId, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "insert into dispatch.follow_up (alert_id, resident_no, district, community, reason, opened_at)
         select n.alert_id, f.resident_no, f.district, f.community, f.reason, $2
           from dispatch.alert n join dispatch.follow_up f on f.alert_id = n.corrects
          where n.alert_id = $1 and n.personal and f.outcome is null
         on conflict (alert_id, resident_no) do nothing",
        correction.uuid(),
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
