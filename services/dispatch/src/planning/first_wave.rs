//! A chunk of the first wave: the next residents of the audience with the channel that reaches them.
//!
//! People named one by one come by ascending number. People selected by traits come leg by leg ([`AudienceQuery::legs`]) and by ascending
//! number within a leg, which is the order of an index: the first chunk of ten thousand people in one township is found as fast
//! in a city of thirty-two million as in a small one.

mod selected;

use std::ops::Bound;

use domain::audience::Audience;
use platform::database::Tx;
use roaring::RoaringBitmap;

use super::chunk::{Chunk, Cursor, Reach};
use crate::Error;
use crate::ledger::{column, number_of};

pub(super) use selected::Resident;

/// The next `limit` residents after `planned`.
pub(super) async fn chunk(tx: &mut Tx, audience: &Audience, exercise: bool, planned: Cursor, limit: u32) -> Result<Chunk, Error> {
    match audience {
        Audience::Residents(residents) => named(tx, residents, exercise, planned.to, limit).await,
        Audience::Query(query) => selected::chunk(tx, query, exercise, planned, limit).await,
    }
}

/// Whether somebody may be found in two chunks: who moves from a leg that is planned to one that is not.
pub(super) fn may_find_twice(audience: &Audience) -> bool {
    match audience {
        Audience::Residents(_) => false,
        Audience::Query(query) => query.legs().len() > 1,
    }
}

async fn named(tx: &mut Tx, residents: &RoaringBitmap, exercise: bool, planned_to: i64, limit: u32) -> Result<Chunk, Error> {
    let after = match planned_to {
        ..0 => Bound::Unbounded,
        last => Bound::Excluded(number_of(last)?),
    };
    let next: Vec<u32> = residents.range((after, Bound::Unbounded)).take(limit as usize).collect();
    let mut chunk =
        Chunk { planned: (next.len() == limit as usize).then(|| next.last().copied().map(Cursor::at)).flatten(), ..Chunk::default() };
    if next.is_empty() {
        return Ok(chunk);
    }
    let rows = sqlx::query!(
        r#"select resident_no::bigint as "resident_no!", app as "app!", sms as "sms!", drill as "drill!"
             from resident.reach where resident_no = any($1::bigint[]) order by resident_no"#,
        &column(&next)
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut found = rows.into_iter().peekable();
    for number in next {
        let row = found.next_if(|row| row.resident_no == i64::from(number));
        let reach = match row {
            Some(row) => Reach { number, app: row.app, sms: row.sms, drill: row.drill },
            // No longer registered: still counted, so that the numbers add up to the audience.
            None => Reach { number, app: false, sms: false, drill: false },
        };
        chunk.add(&reach, exercise);
    }
    Ok(chunk)
}
