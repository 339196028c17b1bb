//! Compares a delivery with what its source usually brings, while it arrives: its first rows are looked at, the others are counted.
//!
//! What is usual is asked for once, and only for a delivery that is long enough to be unlike it ([`domain::unusual_list`]).

use chrono::TimeDelta;
use domain::unusual_list::{self, DAYS, Limits, Looking, Profile, Unlike, Usual};
use platform::Platform;
use sqlx::types::Json;

use crate::check::Chunk;
use crate::{Error, Settings};

/// What a person has released is part of the usual for so long: a list that comes once a month is released once.
const RELEASED: TimeDelta = TimeDelta::days(92);

/// What is known of the length of a delivery before it has arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Extent {
    /// So great a share of its bytes has been read.
    Share(f64),
    /// It has about so many rows.
    Rows(u64),
}

/// A delivery that is being compared.
pub(crate) struct Comparing {
    limits: Limits,
    time_zone: String,
    looking: Looking,
    rows: u64,
    extent: Option<Extent>,
    usual: Option<Usual>,
    /// At so many rows it is looked at next: more say more, but not every few more.
    next_look: u64,
}

impl Comparing {
    pub(crate) fn new(settings: &Settings) -> Self {
        let limits = settings.limits();
        Self {
            limits,
            time_zone: settings.time_zone.name().to_owned(),
            looking: Looking::default(),
            rows: 0,
            extent: None,
            usual: None,
            next_look: limits.fewest_profiled.max(1),
        }
    }

    pub(crate) fn foresee(&mut self, extent: Extent) {
        self.extent = Some(extent);
    }

    /// Rows that came so far.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// What was seen so far.
    pub(crate) fn profile(&self) -> Profile {
        self.looking.profile(self.limits.fewest_profiled)
    }

    /// The same, if it is long enough to be part of the usual.
    pub(crate) fn telling_profile(&self) -> Option<Profile> {
        (self.looking.rows() >= self.limits.fewest_profiled.max(1)).then(|| self.profile())
    }

    /// Looks at the next chunk; returns how the delivery is unlike the usual, as far as it came.
    pub(crate) async fn see(&mut self, platform: &Platform, source: &str, chunk: &Chunk) -> Result<Vec<Unlike>, Error> {
        // what takes records back or mends them is never too much: until it counts, people are told by what was wrong
        self.rows += (chunk.candidates.len() + chunk.refusals.len()) as u64;
        let mut looks = false;
        if !self.looking.has_enough() {
            self.looking.add_rows(chunk.refusals.len() as u64, chunk.corrections.len() as u64);
            for candidate in &chunk.candidates {
                self.looking.add(&candidate.record, candidate.district, candidate.township.is_some(), candidate.community.is_some());
            }
            looks = self.looking.rows() >= self.next_look;
        }
        let foreseen = self.foreseen();
        if self.limits.times == 0 || !looks && foreseen < self.limits.fewest_rows {
            return Ok(Vec::new());
        }
        let usual = match self.usual.take() {
            Some(usual) => usual,
            None => usual_of(platform, source, &self.time_zone).await?,
        };
        let mut found: Vec<Unlike> = unusual_list::too_many(foreseen, &usual, self.limits).into_iter().collect();
        if looks {
            self.next_look = self.looking.rows().saturating_mul(2);
            found.extend(unusual_list::unlike(&self.profile(), &usual, self.limits));
        }
        self.usual = Some(usual);
        Ok(found)
    }

    /// How many rows it will have, as far as that can be known.
    fn foreseen(&self) -> u64 {
        let whole = match self.extent {
            Some(Extent::Rows(rows)) => rows,
            // a share is above 0
            Some(Extent::Share(share)) if share > 0.0 => (self.rows as f64 / share.min(1.0)) as u64,
            _ => 0,
        };
        whole.max(self.rows)
    }
}

async fn usual_of(platform: &Platform, source: &str, time_zone: &str) -> Result<Usual, Error> {
    let row = sqlx::query!(
        r#"select (select profiles from ingest.source where source = $1) as "profiles: Json<Vec<Profile>>",
               (select coalesce(sum(deliveries), 0)::bigint from ingest.source_hour where source = $1) as "deliveries!",
               array(select max(largest) from ingest.source_hour where source = $1 and largest > 0
                     group by date_trunc('day', hour at time zone $2) order by date_trunc('day', hour at time zone $2) desc
                     limit $4) as "largest!",
               (select coalesce(max(accepted + repeated + load.refused + corrected + retracted), 0)
                from ingest.held_load held join ingest.load using (load_id)
                where held.source = $1 and state = 'released' and decided_at > $3) as "released!""#,
        source,
        time_zone,
        platform.clock.now() - RELEASED,
        DAYS as i64
    )
    .fetch_one(platform.database.pool())
    .await
    .map_err(Error::database("reading what a source usually brings"))?;
    Ok(Usual {
        deliveries: row.deliveries.unsigned_abs(),
        largest: row.largest.into_iter().map(i64::unsigned_abs).collect(),
        released: row.released.unsigned_abs(),
        profiles: row.profiles.map(|profiles| profiles.0).unwrap_or_default(),
    })
}
