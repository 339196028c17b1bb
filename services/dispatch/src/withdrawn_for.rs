//! For whom an alert was withdrawn that stands for everybody else.
//!
//! Review decides it, one person after the other, and shows all of them so far in a view; here they are kept ([`take_over`]). From the commit on nobody
//! of them is sent anything more: whoever claims a batch leaves them out, whoever has one in hand hears of it at once ([`crate::word`]) or learns it
//! at the next checkpoint, and neither planning nor reminders, visits or any later net takes them up. So whatever moves meanwhile they have at
//! most what had left already. Whoever has it is told by a batch of their own, on the channels that carried it (planning, wave 10).
//!
//! Where the alert was ended for everybody before this was heard, its end tells them, as everybody else.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use domain::ids::AlertId;
use platform::Platform;
use platform::database::{Connection, Tx};
use roaring::RoaringBitmap;

use crate::approved::one_at_a_time;
use crate::ledger::number_of;
use crate::{Error, signals, word};

/// Takes over for whom an alert was withdrawn, of which alert.withdrawn-for tells. A repeat changes nothing; of an alert that is not here yet it is
/// kept.
pub(crate) async fn on_withdrawn(platform: &Platform, alert_id: AlertId) -> Result<(), Error> {
    let mut tx = platform.database.begin().await?;
    one_at_a_time(&mut tx, alert_id).await?;
    let people = take_over(&mut tx, alert_id, platform.clock.now()).await?;
    tx.commit().await?;
    if people > 0 {
        word::leave_of_some(&platform.cache, alert_id).await;
        tracing::info!(%alert_id, people, "an alert is withdrawn for some people");
        signals::PLANNER.wake();
        signals::URGENT_PLANNER.wake();
    }
    Ok(())
}

/// Copies whom review shows; how many are new. The caller holds the alert alone ([`one_at_a_time`]).
pub(crate) async fn take_over(tx: &mut Tx, alert_id: AlertId, now: DateTime<Utc>) -> Result<u64, Error> {
    let new = sqlx::query!(
        "insert into dispatch.withdrawn_for (alert_id, resident_no, at, by_end, settled_at)
         select w.alert_id, w.resident_no, w.at, told.by_end, case when told.by_end then $2::timestamptz end
           from review.withdrawn_for w left join dispatch.alert a using (alert_id)
          cross join lateral (
                -- of an alert that had run out by then nobody is told that it was stopped
                select coalesce(a.state in ('cancelled', 'superseded'), exists (select from dispatch.stop s where s.alert_id = $1)) as by_end) as told
          where w.alert_id = $1
         on conflict (alert_id, resident_no) do nothing",
        alert_id.uuid(),
        now,
    )
    .execute(&mut **tx)
    .await?;
    Ok(new.rows_affected())
}

/// For whom the alert was withdrawn.
pub(crate) async fn of(connection: &mut Connection, alert_id: AlertId) -> Result<RoaringBitmap, Error> {
    let numbers = sqlx::query_scalar!(
        r#"select resident_no::bigint as "resident_no!" from dispatch.withdrawn_for where alert_id = $1"#,
        alert_id.uuid()
    )
    .fetch_all(connection)
    .await?;
    numbers.into_iter().map(number_of).collect()
}

/// For whom it was withdrawn before its end: its end is no news to them.
pub(crate) async fn before_its_end(connection: &mut Connection, alert_id: AlertId) -> Result<RoaringBitmap, Error> {
    let numbers = sqlx::query_scalar!(
        r#"select resident_no::bigint as "resident_no!" from dispatch.withdrawn_for where alert_id = $1 and not by_end"#,
        alert_id.uuid()
    )
    .fetch_all(connection)
    .await?;
    numbers.into_iter().map(number_of).collect()
}

/// Those of them in a range of numbers, ascending. It costs as much as there are.
pub(crate) async fn among(on: impl sqlx::PgExecutor<'_>, alert_id: AlertId, numbers: RangeInclusive<u32>) -> Result<Vec<u32>, Error> {
    let numbers = sqlx::query_scalar!(
        r#"select resident_no::bigint as "resident_no!" from dispatch.withdrawn_for
            where alert_id = $1 and resident_no between $2::bigint and $3::bigint order by 1"#,
        alert_id.uuid(),
        i64::from(*numbers.start()),
        i64::from(*numbers.end()),
    )
    .fetch_all(on)
    .await?;
    numbers.into_iter().map(number_of).collect()
}
