//! Looks after the sources on schedule: who has fallen silent or come back, what waits for a person and for how long, what is too old to keep.
//!
//! A silence is told once, when it begins: by a metric, a line of the log, and on the pages of staff for as long as it lasts. Staff who deliver by
//! hand have no rhythm: they are left out.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::source_health::{self, Change, Expectation, Expected, HISTORY, KEPT_DAYS};
use platform::Platform;
use platform::jobs::{Did, Job};

use crate::{Error, Settings, held, release};

pub(crate) const WATCH_SOURCES: Job = Job {
    name: "ingest.watch_sources",
    cron: "40 */5 * * * *",
    about: "检查各数据来源是否超时未报送，统计等待放行的名单。",
    about_en: "Looks which sources have fallen silent or come back, and counts the lists that wait for a person.",
    at_start: true,
};

pub(crate) const FORGET: Job = Job {
    name: "ingest.forget",
    cron: "0 25 3 * * *",
    about: "作废超过期限仍无人决定的名单，删除过期的来源统计。",
    about_en: "Gives up lists that nobody has decided about in time, and deletes old figures of sources.",
    at_start: false,
};

pub(crate) fn register(platform: &Platform, settings: &Arc<Settings>) -> Result<(), Error> {
    let own = platform.clone();
    platform.jobs.register(&WATCH_SOURCES, move || {
        let platform = own.clone();
        async move {
            let told = look(&platform).await?;
            held::measure(&platform).await;
            Ok(Did::nothing().and("新静默来源", "sources that fell silent", told.silent).and(
                "恢复来源",
                "sources that came back",
                told.back,
            ))
        }
    })?;
    let (own, days) = (platform.clone(), i64::from(settings.keep_waiting_days));
    platform.jobs.register(&FORGET, move || {
        let platform = own.clone();
        async move {
            let now = platform.clock.now();
            let expired = release::expire(&platform, now - TimeDelta::days(days)).await?;
            let deleted = forget(&platform, now - TimeDelta::days(i64::from(KEPT_DAYS))).await?;
            held::measure(&platform).await;
            Ok(Did::nothing().and("作废名单", "lists given up", expired).and("删除来源统计", "hours of sources deleted", deleted))
        }
    })?;
    Ok(())
}

/// What one look told.
#[derive(Default)]
struct Told {
    silent: u64,
    back: u64,
}

/// What is expected of a source, as it stands in its row.
pub(crate) fn expected(word: &str, hours: Option<i32>) -> Expected {
    Expected::of(word.parse().unwrap_or(Expectation::Learnt), hours.map(i32::unsigned_abs))
}

async fn look(platform: &Platform) -> Result<Told, Error> {
    let now = platform.clock.now();
    let sources = sqlx::query!(
        r#"select source, last_at, expected, expected_hours, silent_since,
               array(select hour from ingest.source_hour came where came.source = s.source and hour > $1) as "hours!"
           from ingest.source s where source not like 'staff:%'"#,
        now - HISTORY
    )
    .fetch_all(platform.database.pool())
    .await
    .map_err(Error::database("looking at the sources"))?;
    let (mut told, mut silent) = (Told::default(), 0);
    for one in sources {
        let expected = expected(&one.expected, one.expected_hours);
        let rhythm = source_health::rhythm(expected, &one.hours, one.last_at, now);
        let change = source_health::change(one.silent_since, rhythm, one.last_at, expected);
        let since = match change {
            None => one.silent_since,
            Some(Change::FellSilent) => Some(one.last_at),
            Some(Change::CameBack | Change::NoLongerExpected) => None,
        };
        silent += u32::from(since.is_some());
        // of several processes that look at once, one tells
        if change.is_none() || !turn(platform, &one.source, one.silent_since, since).await? {
            continue;
        }
        if since.is_some() {
            told.silent += 1;
            metrics::counter!("ingest_source_alarms_total", "what" => "fell_silent").increment(1);
            tracing::warn!(source = one.source, last = %one.last_at, "a source has fallen silent");
        } else {
            told.back += 1;
            metrics::counter!("ingest_source_alarms_total", "what" => "came_back").increment(1);
            tracing::info!(source = one.source, last = %one.last_at, "a source is silent no longer");
        }
    }
    metrics::gauge!("ingest_sources_silent").set(f64::from(silent));
    Ok(told)
}

/// Notes that a source fell silent or came back, unless another process has.
async fn turn(platform: &Platform, source: &str, before: Option<DateTime<Utc>>, since: Option<DateTime<Utc>>) -> Result<bool, Error> {
    let turned = sqlx::query!(
        "update ingest.source set silent_since = $3 where source = $1 and silent_since is not distinct from $2",
        source,
        before,
        since
    )
    .execute(platform.database.pool())
    .await
    .map_err(Error::database("noting that a source is silent"))?;
    Ok(turned.rows_affected() > 0)
}

async fn forget(platform: &Platform, before: DateTime<Utc>) -> Result<u64, Error> {
    let deleted = sqlx::query!("delete from ingest.source_hour where hour < $1", before)
        .execute(platform.database.pool())
        .await
        .map_err(Error::database("deleting old figures of sources"))?;
    Ok(deleted.rows_affected())
}
