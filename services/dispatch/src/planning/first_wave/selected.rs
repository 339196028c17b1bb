//! People selected by traits, leg by leg.

use domain::area::{Area, CommunityCode};
use domain::audience::{AudienceQuery, ResidentTraits};
use platform::database::Tx;

use super::super::chunk::{Chunk, Cursor, Reach};
use crate::Error;
use crate::ledger::number_of;

/// The next `limit` residents whom the query may select, and those of them whom it does.
pub(super) async fn chunk(tx: &mut Tx, query: &AudienceQuery, exercise: bool, planned: Cursor, limit: u32) -> Result<Chunk, Error> {
    let legs = query.legs();
    let mut chunk = Chunk::default();
    let mut looked_at = 0;
    let mut at = planned;
    while let Some(leg) = legs.get(at.leg) {
        let left = limit - looked_at;
        let found = if query.takes_all_of(*leg) {
            everybody(tx, *leg, at.to, left, exercise, &mut chunk).await?
        } else {
            whoever_fits(tx, query, *leg, at.to, left, exercise, &mut chunk).await?
        };
        looked_at += found.count;
        at = match found.last {
            Some(last) if looked_at >= limit => {
                chunk.planned = Some(Cursor { leg: at.leg, to: i64::from(last) });
                break;
            }
            _ => Cursor { leg: at.leg + 1, to: Cursor::START.to },
        };
    }
    chunk.app.sort();
    chunk.sms.sort();
    chunk.no_channel.sort();
    Ok(chunk)
}

/// What one query went through.
struct Found {
    count: u32,
    last: Option<u32>,
}

/// One statement, for each kind of area with the index that serves it.
macro_rules! in_area {
    ($row:ident, $tx:ident, $leg:ident, $before:tt, $after:tt, $planned_to:expr, $limit:expr) => {
        match $leg {
            Area::City => sqlx::query_as!($row, $before + "true" + $after, $planned_to, $limit).fetch_all(&mut **$tx).await?,
            Area::District(code) => {
                sqlx::query_as!($row, $before + "district = $3" + $after, $planned_to, $limit, code.get().cast_signed())
                    .fetch_all(&mut **$tx)
                    .await?
            }
            Area::Township(code) => {
                sqlx::query_as!($row, $before + "township = $3" + $after, $planned_to, $limit, code.get().cast_signed())
                    .fetch_all(&mut **$tx)
                    .await?
            }
            Area::Community(code) => {
                sqlx::query_as!($row, $before + "community = $3" + $after, $planned_to, $limit, code.get().cast_signed())
                    .fetch_all(&mut **$tx)
                    .await?
            }
        }
    };
}

/// People who are reached the same way.
struct Alike {
    app: bool,
    sms: bool,
    drill: bool,
    numbers: Vec<i32>,
}

/// Nobody's traits matter: the database hands their numbers over in a few arrays.
async fn everybody(tx: &mut Tx, leg: Area, planned_to: i64, limit: u32, exercise: bool, chunk: &mut Chunk) -> Result<Found, Error> {
    let limit = i64::from(limit);
    let groups = in_area!(
        Alike,
        tx,
        leg,
        r#"select app as "app!", sms as "sms!", drill as "drill!", array_agg(resident_no) as "numbers!"
             from (select resident_no, app, sms, drill from resident.reach where resident_no > $1::bigint and "#,
        " order by resident_no limit $2) as next group by app, sms, drill",
        planned_to,
        limit
    );
    let mut found = Found { count: 0, last: None };
    for Alike { app, sms, drill, numbers } in groups {
        for number in numbers {
            let number = number_of(i64::from(number))?;
            found.last = found.last.max(Some(number));
            found.count += 1;
            chunk.add(&Reach { number, app, sms, drill }, exercise);
        }
    }
    Ok(found)
}

/// One resident as the view has them.
pub(in crate::planning) struct Resident {
    pub resident_no: i64,
    pub community: i64,
    pub industry: Option<String>,
    pub language: String,
    pub app: bool,
    pub sms: bool,
    pub drill: bool,
}

impl Resident {
    /// What an audience asks about.
    pub fn traits(&self) -> Result<ResidentTraits, Error> {
        let home = CommunityCode::try_from(self.community).map_err(|error| Error::damaged("community", self.resident_no, error))?;
        Ok(ResidentTraits {
            home: Area::Community(home),
            // An industry this process does not know is one that no selection names.
            industry: self.industry.as_ref().and_then(|industry| industry.parse().ok()),
            language: self.language.parse().map_err(|error| Error::damaged("language", self.resident_no, format!("{error}")))?,
        })
    }

    /// How they are reached.
    pub fn reach(&self) -> Result<Reach, Error> {
        Ok(Reach { number: number_of(self.resident_no)?, app: self.app, sms: self.sms, drill: self.drill })
    }
}

async fn whoever_fits(
    tx: &mut Tx,
    query: &AudienceQuery,
    leg: Area,
    planned_to: i64,
    limit: u32,
    exercise: bool,
    chunk: &mut Chunk,
) -> Result<Found, Error> {
    let limit = i64::from(limit);
    let rows = in_area!(
        Resident,
        tx,
        leg,
        r#"select resident_no::bigint as "resident_no!", community as "community!", industry, language as "language!",
                  app as "app!", sms as "sms!", drill as "drill!"
             from resident.reach where resident_no > $1::bigint and "#,
        " order by resident_no limit $2",
        planned_to,
        limit
    );
    let mut found = Found { count: 0, last: None };
    for row in rows {
        let reach = row.reach()?;
        found.last = Some(reach.number);
        found.count += 1;
        if query.selects(&row.traits()?) {
            chunk.add(&reach, exercise);
        }
    }
    Ok(found)
}
