//! A list that was held back is released: its blocks are taken in by the very way by which they would have been as they came.
//!
//! A block is taken in, and taken away from what is held, in one transaction, under the lock of its list. So a release that ended early (the process
//! died, the database failed) goes on where it stood, by whoever asks again or by a job, and no block is taken in twice. What still arrives of the
//! list is held until none is left, and counts at once from then on.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::held_list::State;
use domain::ids::LoadId;
use domain::list::{ColumnMeaning, ColumnNames};
use domain::unusual_list::Profile;
use platform::Platform;
use platform::jobs::{Did, Job};
use sqlx::types::Json;

use crate::check::{Checker, Form};
use crate::columns::Columns;
use crate::sender::Sender;
use crate::store::{self, Kept};
use crate::{Error, Settings, held, sealed_block, source_hours, stored_sender};

/// Goes on with what a process that died has begun.
pub(crate) const RELEASE_LISTS: Job = Job {
    name: "ingest.release_lists",
    cron: "20 * * * * *",
    about: "继续收入已放行但尚未收完的名单。",
    about_en: "Goes on taking in lists that were released and are not whole yet.",
    at_start: true,
};

pub(crate) fn register(platform: &Platform, settings: &Arc<Settings>) -> Result<(), Error> {
    let (own, settings) = (platform.clone(), Arc::clone(settings));
    platform.jobs.register(&RELEASE_LISTS, move || {
        let (platform, settings) = (own.clone(), Arc::clone(&settings));
        async move { Ok(Did::nothing().and("收完名单", "lists taken in", all(&platform, &settings).await?)) }
    })?;
    Ok(())
}

async fn all(platform: &Platform, settings: &Settings) -> Result<u64, Error> {
    let begun = sqlx::query_scalar!("select load_id from ingest.held_load where state = 'releasing' order by held_at")
        .fetch_all(platform.database.pool())
        .await
        .map_err(Error::database("looking for released lists"))?;
    let (mut taken, mut failed) = (0, None);
    for load in begun {
        // one that cannot go on stops no other
        match take_in(platform, settings, LoadId::from_uuid(load)).await {
            Ok(()) => taken += 1,
            Err(error) => {
                tracing::error!(%load, error = &error as &dyn std::error::Error, "a released list could not be taken in to its end");
                failed = failed.or(Some(error));
            }
        }
    }
    failed.map_or(Ok(taken), Err)
}

/// Takes a released list in, from where it stands to its end.
///
/// # Errors
/// When a store fails; what was taken in stays, and it goes on from there.
pub(crate) async fn take_in(platform: &Platform, settings: &Settings, load: LoadId) -> Result<(), Error> {
    let checker = Arc::new(checker(platform, settings, load).await?);
    let mut kept = Kept::default();
    while let Some(more) = take_block(platform, &checker, load, kept).await? {
        kept += more;
    }
    held::measure(platform).await;
    Ok(())
}

/// Takes the next block in; returns what was kept of it, none if there was no block left.
async fn take_block(platform: &Platform, checker: &Arc<Checker>, load: LoadId, kept: Kept) -> Result<Option<Kept>, Error> {
    let mut tx = platform.database.begin().await?;
    let held = sqlx::query!(
        r#"select state, profile as "profile: Json<Profile>" from ingest.held_load where load_id = $1 for update"#,
        load.uuid()
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(Error::database("looking for a released list"))?;
    if held.state.parse() != Ok(State::Releasing) {
        tx.rollback().await?;
        return Ok(None);
    }
    let block = sqlx::query!("select block, block_sealed from ingest.held_block where load_id = $1 order by block limit 1", load.uuid())
        .fetch_optional(&mut *tx)
        .await
        .map_err(Error::database("reading rows of a released list"))?;
    let Some(block) = block else {
        // with what had counted before the list was held back
        let rows = sqlx::query_scalar!(
            r#"update ingest.held_load held set state = 'released' from ingest.load where load.load_id = held.load_id and held.load_id = $1
               returning accepted + repeated + load.refused + corrected + retracted as "rows!""#,
            load.uuid()
        )
        .fetch_one(&mut *tx)
        .await
        .map_err(Error::database("ending a release"))?;
        tx.commit().await?;
        tracing::info!(%load, rows, "a released list was taken in");
        source_hours::delivered(platform, checker.sender.source(), rows.unsigned_abs(), Some(held.profile.0)).await?;
        return Ok(None);
    };
    let now = platform.clock.now();
    let (own, keyring) = (Arc::clone(checker), platform.keyring.clone());
    let chunk = tokio::task::spawn_blocking(move || sealed_block::open(&keyring, block.block_sealed).map(|block| own.check(block, now)))
        .await
        .map_err(|_| Error::Interrupted { step: "checking rows" })??;
    let stored = store::store_in(&mut tx, platform, &checker.sender, load, chunk, kept, now).await?;
    sqlx::query!("delete from ingest.held_block where load_id = $1 and block = $2", load.uuid(), block.block)
        .execute(&mut *tx)
        .await
        .map_err(Error::database("taking a block out of what is held"))?;
    tx.commit().await?;
    store::stored(platform, &checker.sender, &stored, now).await;
    Ok(Some(stored.kept))
}

/// Checks rows as those of the list's sender, under the columns that it came with.
async fn checker(platform: &Platform, settings: &Settings, load: LoadId) -> Result<Checker, Error> {
    let row = sqlx::query!(
        r#"select sender, columns as "columns: Json<Vec<(String, String)>>", delimiter from ingest.held_load join ingest.load using (load_id)
           where load_id = $1"#,
        load.uuid()
    )
    .fetch_optional(platform.database.pool())
    .await
    .map_err(Error::database("reading a released list"))?
    .ok_or(Error::NoSuchLoad(load))?;
    let form = match (row.columns, row.delimiter.as_deref().map(str::as_bytes)) {
        (Some(Json(columns)), Some([delimiter])) => Form::List(Arc::new(columns_of(columns, *delimiter)?)),
        _ => Form::Json,
    };
    let Settings { time_zone, oldest_event_days, .. } = *settings;
    let sender: Arc<Sender> = Arc::new(stored_sender::read(row.sender)?);
    let pairs = settings.trusts_with_documents(&sender);
    Ok(Checker { keyring: platform.keyring.clone(), sender, form, time_zone, oldest_event_days, pairs })
}

/// The columns as they were understood when the list came.
fn columns_of(columns: Vec<(String, String)>, delimiter: u8) -> Result<Columns, Error> {
    let damaged = || Error::Stored { what: "columns of a list that waits" };
    let mut known = ColumnNames::shipped().clone();
    for (name, word) in &columns {
        known = known.with(name, ColumnMeaning::of_word(word).ok_or_else(damaged)?);
    }
    Columns::of_names(columns.into_iter().map(|(name, _)| name).collect(), delimiter, &known).map_err(|_| damaged())
}

/// Lists that nobody decided about in time are given up, and what is held of them is deleted.
pub(crate) async fn expire(platform: &Platform, before: DateTime<Utc>) -> Result<u64, Error> {
    let mut tx = platform.database.begin().await?;
    let expired = sqlx::query_scalar!(
        "update ingest.held_load set state = 'expired', decided_at = $2 where state = 'waiting' and held_at < $1 returning load_id",
        before,
        platform.clock.now()
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(Error::database("giving lists up"))?;
    sqlx::query!("delete from ingest.held_block where load_id = any($1)", &expired)
        .execute(&mut *tx)
        .await
        .map_err(Error::database("deleting what was held"))?;
    tx.commit().await?;
    for load in &expired {
        tracing::warn!(%load, "nobody has decided about a list that waited: it is given up");
    }
    Ok(expired.len() as u64)
}
