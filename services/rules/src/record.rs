//! The records of a load as rules see them, read from ingest's view `ingest.record_feed`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::area::{Area, CommunityCode, DistrictCode, TownshipCode};
use domain::condition::{Facts, RecordView};
use domain::ids::{LoadId, ResidentNo};
use domain::risk_record::{AttributeValue, Origin, RecordKind, RiskLevel, RiskRecord, Subject};
use platform::database::Pool;
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::Error;

/// What a source adds of its own, by name.
pub(crate) type Attributes = BTreeMap<String, AttributeValue>;

/// Whom a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// A registered resident.
    Resident(ResidentNo),
    /// Somebody who is not registered.
    Stranger,
    /// A place.
    Place,
}

/// One record.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Its number in ingest.
    pub(crate) id: i64,
    pub(crate) kind: RecordKind,
    pub(crate) origin: Origin,
    pub(crate) level: RiskLevel,
    /// The district that handles it.
    pub(crate) district: DistrictCode,
    /// Where the resident lives or the place lies, as closely as is known.
    pub(crate) area: Area,
    pub(crate) about: About,
    /// The unit that reported it.
    pub(crate) source: String,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) attributes: Attributes,
}

impl Record {
    /// Whether one of staff entered it by hand.
    pub(crate) fn is_of_staff(&self) -> bool {
        self.source.starts_with("staff:")
    }

    /// What conditions are told of it at `now`.
    pub(crate) fn facts(&self, now: DateTime<Utc>) -> Facts {
        let community = if let Area::Community(community) = self.area { Some(community) } else { None };
        let view = RecordView {
            kind: self.kind,
            origin: self.origin,
            level: self.level,
            district: self.district,
            township: self.area.township(),
            community,
            occurred_at: self.occurred_at,
            attributes: &self.attributes,
        };
        Facts::new(&view, now)
    }

    /// A record to try a rule on, as a source would send it.
    pub(crate) fn sample(record: RiskRecord) -> Self {
        let district = Area::District(record.district);
        let (about, area) = match record.subject {
            Subject::Resident(no) => (About::Resident(no), district),
            Subject::PhoneHash(_) | Subject::IdentityHash(_) => (About::Stranger, district),
            Subject::Place(Area::City) => (About::Place, district),
            Subject::Place(area) => (About::Place, area),
        };
        Self {
            id: 0,
            kind: record.kind,
            origin: record.origin,
            level: record.level,
            district: record.district,
            area,
            about,
            source: "样例".to_owned(),
            occurred_at: record.occurred_at,
            attributes: record.attributes,
        }
    }
}

/// Some of a load's records.
pub(crate) struct Page {
    pub(crate) records: Vec<Record>,
    /// Records that could not be read: of a kind, say, that only a newer version knows.
    pub(crate) unreadable: usize,
    /// The number after which to read on, unless this was the end.
    pub(crate) next: Option<i64>,
}

/// The records of a load with numbers above `after`, at most `limit` of them, in the order of their numbers.
pub(crate) async fn read(pool: &Pool, load: LoadId, after: i64, limit: u32) -> Result<Page, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select record_id as "id!", kind as "kind!", origin as "origin!", level as "level!", district as "district!", township, community,
                  occurred_at as "occurred_at!", subject_resident as resident_no, subject_kind as "subject_kind!", source as "source!",
                  attributes as "attributes!"
             from ingest.record_feed where load_id = $1 and record_id > $2 order by record_id limit $3"#,
        load.uuid(),
        after,
        i64::from(limit)
    )
    .fetch_all(pool)
    .await
    .map_err(Error::database("reading a load's records"))?;

    let read = rows.len();
    let next = rows.last().map(|row| row.id).filter(|_| read == limit as usize);
    let records: Vec<Record> = rows.into_iter().filter_map(Row::record).collect();
    Ok(Page { unreadable: read - records.len(), records, next })
}

/// The records of some loads, as a connection sees them: all, or those with these numbers.
pub(crate) async fn of_loads(on: impl PgExecutor<'_>, loads: &[Uuid], ids: Option<&[i64]>) -> Result<Vec<Record>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select record_id as "id!", kind as "kind!", origin as "origin!", level as "level!", district as "district!", township, community,
                  occurred_at as "occurred_at!", subject_resident as resident_no, subject_kind as "subject_kind!", source as "source!",
                  attributes as "attributes!"
             from ingest.record_feed where load_id = any($1) and ($2::bigint[] is null or record_id = any($2))"#,
        loads,
        ids
    )
    .fetch_all(on)
    .await
    .map_err(Error::database("reading the records of loads"))?;
    Ok(rows.into_iter().filter_map(Row::record).collect())
}

struct Row {
    id: i64,
    kind: String,
    origin: String,
    level: String,
    district: i32,
    township: Option<i32>,
    community: Option<i64>,
    occurred_at: DateTime<Utc>,
    resident_no: Option<i32>,
    subject_kind: String,
    source: String,
    attributes: serde_json::Value,
}

impl Row {
    fn record(self) -> Option<Record> {
        let district = DistrictCode::try_from(self.district).ok()?;
        let area = match (self.community, self.township) {
            (Some(community), _) => Area::Community(CommunityCode::try_from(community).ok()?),
            (None, Some(township)) => Area::Township(TownshipCode::try_from(township).ok()?),
            (None, None) => Area::District(district),
        };
        let about = match self.resident_no {
            Some(no) => About::Resident(ResidentNo::new(u32::try_from(no).ok()?)),
            None if self.subject_kind == "place" => About::Place,
            None => About::Stranger,
        };
        Some(Record {
            id: self.id,
            kind: self.kind.parse().ok()?,
            origin: self.origin.parse().ok()?,
            level: self.level.parse().ok()?,
            district,
            area,
            about,
            source: self.source,
            occurred_at: self.occurred_at,
            attributes: serde_json::from_value(self.attributes).ok()?,
        })
    }
}
