//! An approved alert that does not hold for some people: it is withdrawn for them, and stands for everybody else as it is.
//!
//! They leave its audience, and that of corrections of it that are being written or reviewed, and dispatch hears of it by an event that names the alert: who they are stands in the view `review.withdrawn_for`, so what
//! no event has told is found there all the same. Whoever was told is told that it does not hold for them; who was not hears nothing of it.

use chrono::{DateTime, Utc};
use domain::audience::Audience;
use domain::ids::{AlertId, StaffId};
use domain::record_life::Remedy;
use platform::database::{Connection, Tx};
use platform::http::StaffCaller;
use proto::AlertWithdrawnFor;
use roaring::RoaringBitmap;

use crate::store::{self, Alert, Step};
use crate::{Error, SCHEMA, trace};

/// Withdraws an alert that stands for these people, as `by` has decided. For whom it was withdrawn before nothing changes.
///
/// # Errors
/// [`Error::NobodyLeftToHold`] where it would hold for nobody: then it is to be cancelled, which says so to everybody.
pub(crate) async fn withdraw_for(
    tx: &mut Tx,
    alert: &mut Alert,
    people: &RoaringBitmap,
    by: StaffId,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if let Audience::Residents(residents) = &mut alert.audience {
        *residents -= people;
        if residents.is_empty() {
            return Err(Error::NobodyLeftToHold);
        }
    }
    if let Some(seal) = &mut alert.seal {
        seal.withdrawn_for_some(&alert.audience);
    }
    let numbers: Vec<i32> = people.iter().map(u32::cast_signed).collect();
    let withdrawn = sqlx::query!(
        "insert into review.withdrawal (alert_id, resident_no, withdrawn_at, withdrawn_by)
         select $1, resident_no, $3, $4 from unnest($2::int[]) as people (resident_no) on conflict (alert_id, resident_no) do nothing",
        alert.id.uuid(),
        &numbers,
        now,
        by.uuid()
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("withdrawing an alert for some people"))?
    .rows_affected();
    if withdrawn == 0 {
        return Ok(());
    }
    let state = alert.state;
    alert.changed_at = now;
    store::save(tx, alert).await?;
    store::record(tx, alert, Step::of(by, "withdraw", state, reason)).await?;
    tx.publish(SCHEMA, &AlertWithdrawnFor { alert_id: alert.id.to_string() }).await?;
    metrics::counter!("alerts_withdrawn_for_total").increment(withdrawn);
    Ok(())
}

/// The corrections of an alert that wait, and what corrects those, held until the transaction ends. They are locked before what they correct.
pub(crate) async fn waiting_corrections(tx: &mut Tx, of: AlertId) -> Result<Vec<Alert>, Error> {
    let waiting = sqlx::query_scalar!(
        r#"with recursive chain as (
               select $1::uuid as alert_id, 0 as depth
                union all
               select a.alert_id, c.depth + 1 from chain c join review.alert a on a.corrects = c.alert_id
                where a.approved_at is null and a.state not in ('refused', 'cancelled') and c.depth < 100
           )
           select alert_id as "alert_id!" from chain where depth > 0 order by depth desc"#,
        of.uuid()
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("looking for corrections of an alert"))?;
    let mut corrections = Vec::new();
    for id in waiting {
        match store::load(tx, AlertId::from_uuid(id), true).await {
            Ok(correction) => corrections.push(correction),
            // what cannot be read cannot be approved either, and holds nobody's withdrawal up
            Err(error @ Error::Stored { .. }) => tracing::error!(alert = %id, %error, "a correction cannot be read"),
            Err(error) => return Err(error),
        }
    }
    // what was approved or given up before it was locked waits no more
    corrections.retain(|correction| correction.approved_at.is_none() && !correction.state.is_final());
    Ok(corrections)
}

/// Takes people out of a correction that waits: what it corrects was withdrawn for them. One that is for nobody else stays as it was written.
pub(crate) async fn leave_out_of_correction(
    tx: &mut Tx,
    caller: &StaffCaller,
    correction: &mut Alert,
    people: &RoaringBitmap,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let Audience::Residents(residents) = &mut correction.audience else { return Ok(()) };
    if residents.is_disjoint(people) || residents.is_subset(people) {
        return Ok(());
    }
    *residents -= people;
    let (state, action) = (correction.state, Remedy::LeaveOut);
    correction.changed_at = now;
    store::save(tx, correction).await?;
    store::record(tx, correction, Step::of(caller.id, action.as_ref(), state, reason)).await?;
    let numbers: Vec<i32> = people.iter().map(u32::cast_signed).collect();
    sqlx::query!(
        "update review.ended_record set decided_at = $3, decided_by = $4, remedy = $5, note = $6
          where alert_id = $1 and resident_no = any($2) and decided_at is null",
        correction.id.uuid(),
        &numbers,
        now,
        caller.id.uuid(),
        action.as_ref(),
        reason
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("deciding about records behind a correction"))?;
    trace::leave(tx, caller, "records_leave_out", correction, reason).await
}

/// For how many people an alert was withdrawn.
pub(crate) async fn people(connection: &mut Connection, alert: &Alert) -> Result<i64, Error> {
    sqlx::query_scalar!(r#"select count(*) as "people!" from review.withdrawal where alert_id = $1"#, alert.id.uuid())
        .fetch_one(connection)
        .await
        .map_err(Error::database("counting for whom an alert was withdrawn"))
}
