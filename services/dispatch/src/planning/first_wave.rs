//! A chunk of the first wave: the next residents of the audience, by ascending number, with the channel that reaches them.

use std::ops::Bound;

use domain::area::{Area, CommunityCode};
use domain::audience::{Audience, AudienceQuery, ResidentTraits};
use platform::database::Tx;
use roaring::RoaringBitmap;

use super::Chunk;
use crate::Error;
use crate::ledger::{column, number_of};

/// The next `limit` residents above `planned_to`.
pub(super) async fn chunk(tx: &mut Tx, audience: &Audience, exercise: bool, planned_to: i64, limit: u32) -> Result<Chunk, Error> {
    match audience {
        Audience::Residents(residents) => named(tx, residents, exercise, planned_to, limit).await,
        Audience::Query(query) => selected(tx, query, exercise, planned_to, limit).await,
    }
}

/// What the view says about one resident.
struct Reach {
    number: u32,
    app: bool,
    sms: bool,
    drill: bool,
}

impl Chunk {
    /// The app where there is one, else SMS (CQ9). An exercise passes everybody by who is not enrolled.
    fn add(&mut self, reach: &Reach, exercise: bool) {
        match reach {
            Reach { drill: false, .. } if exercise => {}
            Reach { app: true, .. } => self.app.push(reach.number),
            Reach { sms: true, .. } => self.sms.push(reach.number),
            _ => self.no_channel.push(reach.number),
        }
    }
}

async fn named(tx: &mut Tx, residents: &RoaringBitmap, exercise: bool, planned_to: i64, limit: u32) -> Result<Chunk, Error> {
    let after = match planned_to {
        ..0 => Bound::Unbounded,
        last => Bound::Excluded(number_of(last)?),
    };
    let next: Vec<u32> = residents.range((after, Bound::Unbounded)).take(limit as usize).collect();
    let mut chunk =
        Chunk { planned_to: (next.len() == limit as usize).then(|| next.last().copied().map(i64::from)).flatten(), ..Chunk::default() };
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

async fn selected(tx: &mut Tx, query: &AudienceQuery, exercise: bool, planned_to: i64, limit: u32) -> Result<Chunk, Error> {
    let within = Within::of(query);
    let rows = sqlx::query!(
        r#"select resident_no::bigint as "resident_no!", community as "community!", industry, language as "language!",
                  app as "app!", sms as "sms!", drill as "drill!"
             from resident.reach
            where resident_no > $1::bigint
              and ($2 or district = any($3::bigint[]) or township = any($4::bigint[]) or community = any($5::bigint[]))
            order by resident_no limit $6"#,
        planned_to,
        within.city,
        &within.districts,
        &within.townships,
        &within.communities,
        i64::from(limit),
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut chunk =
        Chunk { planned_to: (rows.len() == limit as usize).then(|| rows.last().map(|row| row.resident_no)).flatten(), ..Chunk::default() };
    for row in rows {
        let number = number_of(row.resident_no)?;
        let home = CommunityCode::try_from(row.community).map_err(|error| Error::damaged("community", number, error))?;
        let traits = ResidentTraits {
            home: Area::Community(home),
            // An industry this process does not know is one that no selection names.
            industry: row.industry.and_then(|industry| industry.parse().ok()),
            language: row.language.parse().map_err(|error| Error::damaged("language", number, format!("{error}")))?,
        };
        if query.selects(&traits) {
            chunk.add(&Reach { number, app: row.app, sms: row.sms, drill: row.drill }, exercise);
        }
    }
    Ok(chunk)
}

/// The areas outside of which the query selects nobody: what the index can help with. The query itself decides.
#[derive(Debug, Default, PartialEq)]
struct Within {
    city: bool,
    districts: Vec<i64>,
    townships: Vec<i64>,
    communities: Vec<i64>,
}

impl Within {
    fn of(query: &AudienceQuery) -> Self {
        let mut within = Self::default();
        for selection in &query.include {
            within.city |= selection.areas.is_empty();
            for area in &selection.areas {
                match *area {
                    Area::City => within.city = true,
                    Area::District(code) => within.districts.push(i64::from(code.get())),
                    Area::Township(code) => within.townships.push(i64::from(code.get())),
                    Area::Community(code) => within.communities.push(code.get().cast_signed()),
                }
            }
        }
        within
    }
}

#[cfg(test)]
mod tests {
    use domain::audience::Selection;

    use super::*;

    #[rstest::rstest]
    // app, sms, drill, exercise → app, sms, no channel
    #[case::both(true, true, false, false, [1, 0, 0])]
    #[case::phone_only(false, true, false, false, [0, 1, 0])]
    #[case::neither(false, false, true, false, [0, 0, 1])]
    #[case::exercise_enrolled(true, true, true, true, [1, 0, 0])]
    #[case::exercise_not_enrolled(true, true, false, true, [0, 0, 0])]
    fn the_channel_of_a_resident(
        #[case] app: bool,
        #[case] sms: bool,
        #[case] drill: bool,
        #[case] exercise: bool,
        #[case] expected: [usize; 3],
    ) {
        let mut chunk = Chunk::default();
        chunk.add(&Reach { number: 7, app, sms, drill }, exercise);
        assert_eq!([chunk.app.len(), chunk.sms.len(), chunk.no_channel.len()], expected);
    }

    #[test]
    fn a_selection_without_areas_is_the_whole_city() {
        let of = |areas: &[&str]| {
            let areas = areas.iter().map(|area| area.parse().unwrap()).collect();
            Within::of(&AudienceQuery { include: vec![Selection { areas, ..Selection::default() }], exclude: vec![] })
        };
        assert!(of(&[]).city && of(&["city"]).city);
        let narrow = of(&["500103", "500101001", "500101001001"]);
        assert_eq!(
            narrow,
            Within { city: false, districts: vec![500_103], townships: vec![500_101_001], communities: vec![500_101_001_001] }
        );
    }
}
