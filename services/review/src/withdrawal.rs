//! An approved alert that does not hold for some people: it is withdrawn for them, and stands for everybody else as it is.
//!
//! They leave its audience, and dispatch hears of it by an event that names the alert: who they are stands in the view `review.withdrawn_for`, so what
//! no event has told is found there all the same. Whoever was told is told that it does not hold for them; who was not hears nothing of it.

use chrono::{DateTime, Utc};
use domain::audience::Audience;
use domain::ids::StaffId;
use platform::database::Tx;
use proto::AlertWithdrawnFor;
use roaring::RoaringBitmap;

use crate::store::{self, Alert, Step};
use crate::{Error, SCHEMA};

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

/// For how many people an alert was withdrawn.
pub(crate) async fn people(connection: &mut platform::database::Connection, alert: &Alert) -> Result<i64, Error> {
    sqlx::query_scalar!(r#"select count(*) as "people!" from review.withdrawal where alert_id = $1"#, alert.id.uuid())
        .fetch_one(connection)
        .await
        .map_err(Error::database("counting for whom an alert was withdrawn"))
}
