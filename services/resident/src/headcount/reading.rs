//! What the tables say: a whole copy, what came after its horizon, and residents named by number.
//!
//! Transaction numbers go through `text`, as nothing else takes an `xid8`; they stay far below the end of a `bigint`.

use std::sync::Arc;

use domain::area::CommunityCode;
use domain::industry::Industry;
use domain::language::Language;
use futures::TryStreamExt as _;
use platform::database::{Database, readable_row};
use roaring::RoaringBitmap;

use super::cells::{Cells, Kind};
use super::copy::Copy;
use super::counts::{AudienceCounts, Counts, Ways};
use crate::Error;

/// What came after a horizon, as one snapshot of the database shows it.
#[derive(Debug)]
pub(super) struct Later {
    /// How many folds there have been, and how far the last one went.
    pub(super) fold: i64,
    pub(super) folded_to: i64,
    /// Where the horizon could be by now.
    pub(super) horizon: i64,
    /// What is older than that, and what is not.
    pub(super) settled: Cells,
    pub(super) pending: Cells,
}

/// Sums everything up.
pub(super) async fn copy(database: &Database) -> Result<Copy, Error> {
    // The fold before the rows: one that comes in between is then noticed at the next question.
    let now =
        sqlx::query!(r#"select fold, pg_snapshot_xmin(pg_current_snapshot())::text::bigint as "horizon!" from resident.headcount_fold"#)
            .fetch_one(database.pool())
            .await
            .map_err(Error::database("looking for the last fold"))?;
    let mut cells = Cells::default();
    let mut rows = sqlx::query!(
        "select community, industry, language, apns, fcm, web, sms, drill, people from resident.headcount where tx < $1::bigint::text::xid8",
        now.horizon
    )
    .fetch(database.pool());
    while let Some(row) = rows.try_next().await.map_err(Error::database("summing up the headcount"))? {
        let ways = Ways { apns: row.apns, fcm: row.fcm, web: row.web, sms: row.sms, drill: row.drill };
        if let Some(home) = home(row.community) {
            cells.add(home, kind(row.industry.as_deref(), &row.language, ways), row.people);
        }
    }
    cells.shrink();
    Ok(Copy { fold: now.fold, horizon: now.horizon, cells: Arc::new(cells) })
}

/// What came after the horizon of a copy.
pub(super) async fn later(database: &Database, horizon: i64) -> Result<Later, Error> {
    // One statement, so one snapshot; without any row after the horizon it still has a row, of nobody.
    let rows = sqlx::query!(
        r#"select headcount_fold.fold, headcount_fold.folded_to::text::bigint as "folded_to!", now.horizon::text::bigint as "horizon!",
                  community as "community?", industry as "industry?", language as "language?",
                  apns as "apns?", fcm as "fcm?", web as "web?", sms as "sms?", drill as "drill?", people as "people?", tx < now.horizon as "settled?"
           from resident.headcount_fold
               cross join (select pg_snapshot_xmin(pg_current_snapshot()) as horizon) as now
               left join resident.headcount on tx >= $1::bigint::text::xid8"#,
        horizon
    )
    .fetch_all(database.pool())
    .await
    .map_err(Error::database("reading what the headcount became"))?;
    let first = rows.first().ok_or(Error::Stored { what: "headcount" })?;
    let (fold, folded_to, horizon) = (first.fold, first.folded_to, first.horizon);
    let mut later = Later { fold, folded_to, horizon, settled: Cells::default(), pending: Cells::default() };
    for row in rows {
        let (Some(home), Some(language), Some(apns), Some(fcm), Some(web), Some(sms), Some(drill), Some(people)) =
            (row.community, row.language, row.apns, row.fcm, row.web, row.sms, row.drill, row.people)
        else {
            continue;
        };
        let cells = if row.settled == Some(true) { &mut later.settled } else { &mut later.pending };
        if let Some(home) = self::home(home) {
            cells.add(home, kind(row.industry.as_deref(), &language, Ways { apns, fcm, web, sms, drill }), people);
        }
    }
    Ok(later)
}

/// These residents.
pub(super) async fn named(database: &Database, residents: &RoaringBitmap) -> Result<AudienceCounts, Error> {
    // who has a number that no column can hold is not registered
    let numbers: Vec<i32> = residents.iter().filter_map(|no| i32::try_from(no).ok()).collect();
    let rows = sqlx::query!(
        r#"select community as "community!", apns as "apns!", fcm as "fcm!", web as "web!", sms as "sms!", drill as "drill!", count(*) as "people!"
           from resident.reach where resident_no = any($1) group by 1, 2, 3, 4, 5, 6"#,
        &numbers
    )
    .fetch_all(database.pool())
    .await
    .map_err(Error::database("counting residents by number"))?;
    let mut counts = AudienceCounts::default();
    for row in rows {
        let these = Counts::of(Ways { apns: row.apns, fcm: row.fcm, web: row.web, sms: row.sms, drill: row.drill }, row.people);
        if let Some(home) = home(row.community) {
            counts.add(home, these, if row.drill { these } else { Counts::default() });
        }
    }
    let gone = i64::try_from(residents.len()).unwrap_or(i64::MAX) - counts.everybody.people;
    counts.everybody += Counts::of(Ways { apns: false, fcm: false, web: false, sms: false, drill: false }, gone);
    Ok(counts)
}

/// Where people live; who lives nowhere that has a code is in no area that could be asked for, and hides nobody else.
fn home(stored: i64) -> Option<CommunityCode> {
    let home = CommunityCode::try_from(stored).map_err(|_| Error::Stored { what: "community" });
    readable_row("headcount", home)
}

fn kind(industry: Option<&str>, language: &str, ways: Ways) -> Kind {
    Kind {
        // An industry this process does not know is one that no selection names.
        industry: industry.and_then(|industry| industry.parse::<Industry>().ok()),
        // In a language that only a newer process knows, people are told in Chinese.
        language: language.parse::<Language>().unwrap_or_default(),
        ways,
    }
}
