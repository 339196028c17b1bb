//! The index of alerts' words: written with the alert, in its transaction, and filled in once for those that were there before it.

use domain::found_text::{of_alert, pieces};
use platform::database::Tx;
use platform::jobs::{Did, Job};
use platform::{BoxError, Platform};
use uuid::Uuid;

use crate::Error;
use crate::store::Alert;

/// Alerts that are indexed in one transaction.
const PAGE: i64 = 500;

pub(crate) const INDEX: Job = Job {
    name: "review.index_alerts",
    cron: "0 40 3 * * *",
    about: "为升级前已有的弹窗补建检索索引；补完后不再有事可做。",
    about_en: "Indexes the words of alerts that were there before the index; once that is done there is nothing left to do.",
    at_start: true,
};

/// Keeps what an alert says now in the index.
pub(crate) async fn keep(tx: &mut Tx, alert: &Alert) -> Result<(), Error> {
    sqlx::query!(
        "insert into review.alert_search (alert_id, created_at, pieces)
         select alert_id, created_at, $2 from review.alert where alert_id = $1
         on conflict (alert_id) do update set pieces = excluded.pieces where alert_search.pieces <> excluded.pieces",
        alert.id.uuid(),
        &pieces(&of_alert(&alert.content)),
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("indexing an alert"))?;
    Ok(())
}

/// Indexes alerts that were there before the index, page by page; it goes on where it stopped.
pub(crate) async fn fill(platform: &Platform) -> Result<Did, BoxError> {
    let mut indexed = 0;
    while let Some(page) = fill_page(platform).await? {
        indexed += page;
    }
    Ok(Did::nothing().and("补建索引的弹窗", "alerts indexed", indexed))
}

/// None: all are indexed, or somebody else is at it.
async fn fill_page(platform: &Platform) -> Result<Option<u64>, Error> {
    let mut tx = platform.database.begin().await?;
    let after = sqlx::query_scalar!("select after from review.alert_search_filled where not done for update skip locked")
        .fetch_optional(&mut *tx)
        .await
        .map_err(Error::database("asking how far alerts are indexed"))?;
    let Some(after) = after else { return Ok(None) };
    // an edit holds its alert and then waits for its row here, so these are held first, too
    let rows = sqlx::query!(
        "select alert_id, created_at, content from review.alert where alert_id > $1 order by alert_id limit $2 for key share",
        after,
        PAGE
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(Error::database("reading alerts to index"))?;
    let last: Option<Uuid> = rows.last().map(|row| row.alert_id);
    let (mut alerts, mut times, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        // what cannot be read is found by its id, not by its words
        let said = serde_json::from_value(row.content).map(|content| pieces(&of_alert(&content))).unwrap_or_default();
        alerts.push(row.alert_id);
        times.push(row.created_at);
        // arrays of arrays have one length in the database, so each goes as text
        found.push(format!("{{{}}}", said.iter().map(i32::to_string).collect::<Vec<_>>().join(",")));
    }
    sqlx::query!(
        "insert into review.alert_search (alert_id, created_at, pieces)
         select alert_id, created_at, pieces::int[] from unnest($1::uuid[], $2::timestamptz[], $3::text[]) as page (alert_id, created_at, pieces)
         on conflict (alert_id) do nothing",
        &alerts,
        &times,
        &found
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("indexing alerts"))?;
    sqlx::query!("update review.alert_search_filled set after = coalesce($1, after), done = $2", last, last.is_none())
        .execute(&mut *tx)
        .await
        .map_err(Error::database("noting how far alerts are indexed"))?;
    tx.commit().await?;
    Ok(last.map(|_| alerts.len() as u64))
}
