//! Arrivals: who may have come into the audience of an alert that stands.
//!
//! Who registers, moves, gives consent again or changes what an audience asks about has arrived (the view `resident.arrived`). They are compared
//! with the audiences of all alerts whose first wave is planned, all together in one pass: whoever belongs to one is noted as a latecomer
//! ([`super::latecomers`]). For a wave that has just been planned everybody is looked at who has arrived since its planning began: they may have
//! moved out of what was not planned yet into what was.
//!
//! How far they were looked at is noted in the transaction that notes the latecomers, so none is lost with a process; looking again changes nothing.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use chrono::{DateTime, Utc};
use domain::audience::Audience;
use futures::TryStreamExt as _;
use platform::database::{Tx, readable_row};
use uuid::Uuid;

use super::Planner;
use super::first_wave::Resident;
use crate::Error;
use crate::ledger::number_of;

/// An alert that stands.
struct Standing {
    alert_id: Uuid,
    audience: Arc<Audience>,
    exercise: bool,
    /// Whoever arrived in this transaction or later has not been looked at.
    from: i64,
    caught_up: bool,
}

/// Whom one pass found, alert by alert.
#[derive(Default)]
struct Found {
    alerts: Vec<Uuid>,
    residents: Vec<i32>,
}

impl Planner {
    /// Looks at who has arrived. False: there is nobody, or another planner is at it.
    pub(crate) async fn arrivals(&self) -> Result<bool, Error> {
        let now = self.clock.now();
        let mut tx = self.database.begin().await?;
        // A database that was restored from another server's has transactions in it that have not happened here: everybody is looked at once.
        let Some(seen) = sqlx::query!(
            r#"select case when s.tx <= pg_snapshot_xmax(snapshot) then s.tx else '0' end::text::bigint as "from!",
                      case when s.tx <= pg_snapshot_xmax(snapshot) then s.seen else -1 end as "seen!",
                      (select count(*) from resident.arrived r where r.tx >= s.tx) as "arrived!",
                      pg_snapshot_xmin(snapshot)::text::bigint as "next_from!",
                      (select count(*) from resident.arrived r where r.tx >= pg_snapshot_xmin(snapshot)) as "next_seen!"
                 from dispatch.arrivals_seen s cross join pg_current_snapshot() as snapshot
                  for update of s skip locked"#
        )
        .fetch_optional(&mut *tx)
        .await?
        else {
            return Ok(false);
        };
        let arrived = seen.arrived != seen.seen;
        let standing = self.standing(&mut tx, now, arrived, seen.from).await?;
        if !arrived && standing.is_empty() {
            return Ok(false);
        }
        let found = belonging(&mut tx, &standing).await?;
        sqlx::query!(
            "insert into dispatch.latecomer (alert_id, resident_no, found_at) select alert_id, resident_no, $3
               from unnest($1::uuid[], $2::int[]) as f (alert_id, resident_no)
             on conflict (resident_no, alert_id) do nothing",
            &found.alerts,
            &found.residents,
            now,
        )
        .execute(&mut *tx)
        .await?;
        let behind: Vec<Uuid> = standing.iter().filter(|alert| !alert.caught_up).map(|alert| alert.alert_id).collect();
        if !behind.is_empty() {
            sqlx::query!("update dispatch.wave set caught_up = true where wave = 1 and alert_id = any($1)", &behind)
                .execute(&mut *tx)
                .await?;
        }
        if arrived {
            sqlx::query!("update dispatch.arrivals_seen set tx = $1::bigint::text::xid8, seen = $2", seen.next_from, seen.next_seen)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// The alerts that arrivals are compared with: when somebody has arrived those that stand, else those that have not been looked at since they
    /// were planned.
    async fn standing(&self, tx: &mut Tx, now: DateTime<Utc>, arrived: bool, from: i64) -> Result<Vec<Standing>, Error> {
        let rows = sqlx::query!(
            r#"select w.alert_id, a.exercise, w.caught_up,
                      case when w.arrived_to <= pg_snapshot_xmax(pg_current_snapshot()) then w.arrived_to else '0' end::text::bigint as "arrived_to!"
                 from dispatch.alert a join dispatch.wave w on w.alert_id = a.alert_id and w.wave = 1
                where a.state in ('dispatching', 'active') and not a.for_holders and a.expires_at > $1 and w.state <> 'planning' and ($2 or not w.caught_up)"#,
            now,
            arrived,
        )
        .fetch_all(&mut **tx)
        .await?;
        if rows.is_empty() && !arrived {
            return Ok(Vec::new());
        }
        let known = self.audiences.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let unknown: Vec<Uuid> = rows.iter().map(|row| row.alert_id).filter(|alert_id| !known.contains_key(alert_id)).collect();
        let mut audiences: HashMap<Uuid, Arc<Audience>> = HashMap::new();
        for row in
            sqlx::query!("select alert_id, audience from dispatch.alert where alert_id = any($1)", &unknown).fetch_all(&mut **tx).await?
        {
            let audience = Audience::from_bytes(&row.audience).map_err(|error| Error::damaged("audience", row.alert_id, error));
            audiences.extend(readable_row("audiences of alerts that stand", audience).map(|audience| (row.alert_id, Arc::new(audience))));
        }
        audiences.extend(known);
        let standing = rows.into_iter().filter_map(|row| {
            let audience = Arc::clone(audiences.get(&row.alert_id)?);
            let from = if row.caught_up { from } else { row.arrived_to };
            Some(Standing { alert_id: row.alert_id, audience, exercise: row.exercise, from, caught_up: row.caught_up })
        });
        let standing: Vec<Standing> = standing.collect();
        if arrived {
            // what stands no longer is forgotten
            let kept = standing.iter().map(|alert| (alert.alert_id, Arc::clone(&alert.audience))).collect();
            *self.audiences.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        }
        Ok(standing)
    }
}

/// Who of those who have arrived belongs to which of the alerts, and can be reached. One pass over them, whatever the number of alerts.
async fn belonging(tx: &mut Tx, standing: &[Standing]) -> Result<Found, Error> {
    let mut found = Found::default();
    let Some(from) = standing.iter().map(|alert| alert.from).min() else { return Ok(found) };
    let mut rows = sqlx::query!(
        r#"select a.tx::text::bigint as "tx!", r.resident_no as "resident_no!", r.community as "community!", r.industry, r.language as "language!",
                  r.app as "app!", r.sms as "sms!", r.drill as "drill!"
             from resident.arrived a join resident.reach r on r.resident_no >= a.first_no and r.resident_no <= a.last_no
            where a.tx >= $1::bigint::text::xid8 and (r.app or r.sms)"#,
        from,
    )
    .fetch(&mut **tx);
    while let Some(row) = rows.try_next().await? {
        let resident_no = row.resident_no;
        let resident = Resident {
            resident_no: i64::from(resident_no),
            community: row.community,
            industry: row.industry,
            language: row.language,
            app: row.app,
            sms: row.sms,
            drill: row.drill,
        };
        let Some(traits) = readable_row("residents who have arrived", resident.traits()) else { continue };
        let number = number_of(resident.resident_no)?;
        for alert in standing {
            let belongs = row.tx >= alert.from
                && (resident.drill || !alert.exercise)
                && match &*alert.audience {
                    Audience::Residents(residents) => residents.contains(number),
                    Audience::Query(query) => query.selects(&traits),
                };
            if belongs {
                found.alerts.push(alert.alert_id);
                found.residents.push(resident_no);
            }
        }
    }
    Ok(found)
}
