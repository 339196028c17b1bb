//! Merging the rows of the headcount: each cell's into one.
//!
//! Only rows are merged that had settled a turn ago, so that whoever brings a copy up to date in between has summed them up and does not
//! notice. Any process may fold, one at a time.

use platform::database::Database;

use crate::Error;

/// With fewer differences than this nothing is worth merging.
pub(super) const FEWEST: i64 = 10_000;

/// Whoever has a copy begins anew.
const EVERYTHING: i64 = i64::MAX;

/// Merges the rows if there are more differences than cells by now, and more than `fewest`; notes how far the next turn may go. How many
/// differences were merged.
pub(super) async fn turn(database: &Database, fewest: i64) -> Result<u64, Error> {
    let mut tx = database.begin().await?;
    let may_go_to =
        sqlx::query_scalar!(r#"select next_to::text::bigint as "next_to!" from resident.headcount_fold for update skip locked"#)
            .fetch_optional(&mut *tx)
            .await
            .map_err(Error::database("beginning a fold"))?;
    // somebody else is at it
    let Some(may_go_to) = may_go_to else { return Ok(0) };
    // Transactions that have not happened yet are those of another server, whose dump this database was restored from.
    let rows = sqlx::query!(
        r#"select count(*) filter (where tx = '0') as "cells!",
                  count(*) filter (where tx > '0' and tx < $1::bigint::text::xid8) as "differences!",
                  count(*) filter (where tx >= pg_snapshot_xmax(pg_current_snapshot())) as "foreign!"
           from resident.headcount"#,
        may_go_to
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(Error::database("looking for what to fold"))?;
    let worth = rows.foreign > 0 || rows.differences > rows.cells.max(fewest);
    if worth {
        let folded_to = if rows.foreign > 0 { EVERYTHING } else { may_go_to };
        merge(&mut tx, may_go_to, folded_to).await?;
        tracing::info!(cells_before = rows.cells, differences = rows.differences + rows.foreign, "headcount folded");
    }
    sqlx::query!("update resident.headcount_fold set next_to = pg_snapshot_xmin(pg_current_snapshot())")
        .execute(&mut *tx)
        .await
        .map_err(Error::database("noting how far the next fold may go"))?;
    tx.commit().await?;
    Ok(if worth { (rows.differences + rows.foreign).unsigned_abs() } else { 0 })
}

async fn merge(tx: &mut platform::database::Tx, to: i64, told: i64) -> Result<(), Error> {
    sqlx::query!(
        "with went as (
             delete from resident.headcount where tx < $1::bigint::text::xid8 or tx >= pg_snapshot_xmax(pg_current_snapshot())
             returning community, industry, language, apns, fcm, web, sms, drill, people)
         insert into resident.headcount (community, industry, language, apns, fcm, web, sms, drill, people, tx)
         select community, industry, language, apns, fcm, web, sms, drill, sum(people), '0' from went
         group by 1, 2, 3, 4, 5, 6, 7, 8 having sum(people) <> 0",
        to
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("folding the headcount"))?;
    sqlx::query!("update resident.headcount_fold set fold = fold + 1, folded_to = $1::bigint::text::xid8", told)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("telling of a fold"))?;
    Ok(())
}
