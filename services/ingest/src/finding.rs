//! Finding a record again: by its id, or by source, kind, district and time, the newest first, without whom it is about.
//!
//! Records are walked through by their number, which grows as they come; a page looks at so many and says where the next one begins, so whatever is asked costs
//! the same. A time is found among the numbers by halves.

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::area::{Area, CommunityCode, DistrictCode, TownshipCode};
use domain::risk_record::{RecordKind, RiskLevel};
use platform::database::readable;
use platform::http::{Caller, FieldFault, Problem, Query, Routes, routes};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Error;
use crate::intake::Intake;
use crate::loads::{READERS, seen_by};

/// Records of a page unless asked otherwise, and at most.
const USUAL_PAGE: u8 = 50;
const LARGEST_PAGE: u8 = 100;
/// Records that a page looks at.
const WALKED: i64 = 20_000;
/// The longest id that was ever taken in is shorter.
const LONGEST_ID: usize = 200;

pub(crate) fn routes() -> Routes<Intake> {
    Routes::new("records").allow(READERS, routes!(find))
}

/// What is looked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// The id under which it was delivered, to the letter.
    id: Option<String>,
    /// Only records of this source.
    source: Option<String>,
    /// Only records of this kind.
    kind: Option<RecordKind>,
    /// Only records of this district.
    #[param(value_type = Option<String>)]
    district: Option<DistrictCode>,
    /// Only records that came at this time or later.
    from: Option<DateTime<Utc>>,
    /// Only records that came before this time.
    to: Option<DateTime<Utc>>,
    /// `next` of the page before.
    cursor: Option<i64>,
    /// At most so many, 1 to 100; usually 50.
    limit: Option<u8>,
}

/// A page of records, the newest first.
#[derive(Serialize, ToSchema)]
struct FoundRecords {
    records: Vec<FoundRecord>,
    /// Give it as `cursor` for the next page, which may be empty and name another; none: this is the last.
    next: Option<i64>,
}

domain::words! {
    /// Whether a record holds.
    #[schema(as = FoundRecordState)]
    enum RecordState {
        /// As it was delivered.
        InForce,
        /// Its source corrected it; this is what it says now.
        Corrected,
        /// Its source took it back.
        Retracted,
    }
}

/// A record that was found, without whom it is about.
#[derive(Serialize, ToSchema)]
struct FoundRecord {
    record_no: i64,
    source: String,
    source_id: String,
    kind: RecordKind,
    level: RiskLevel,
    occurred_at: DateTime<Utc>,
    received_at: DateTime<Utc>,
    /// Of a person the district; of a place as closely as is known.
    area: Area,
    state: RecordState,
}

struct Row {
    record_id: i64,
    source: String,
    source_id: String,
    kind: String,
    level: String,
    district: i32,
    township: Option<i32>,
    community: Option<i64>,
    subject_kind: String,
    occurred_at: DateTime<Utc>,
    received_at: DateTime<Utc>,
    version: i32,
    retracted: bool,
}

impl Row {
    fn read(self) -> Result<FoundRecord, Error> {
        let stored = |what| Error::Stored { what };
        let district = DistrictCode::try_from(self.district).map_err(|_| stored("district of a record"))?;
        let township = self.township.and_then(|code| TownshipCode::try_from(code).ok()).map(Area::Township);
        let community = self.community.and_then(|code| CommunityCode::try_from(code).ok()).map(Area::Community);
        let closest = community.or(township).filter(|_| self.subject_kind == "place");
        Ok(FoundRecord {
            record_no: self.record_id,
            kind: self.kind.parse().map_err(|_| stored("kind of a record"))?,
            level: self.level.parse().map_err(|_| stored("level of a record"))?,
            occurred_at: self.occurred_at,
            received_at: self.received_at,
            area: closest.unwrap_or(Area::District(district)),
            state: match (self.retracted, self.version) {
                (true, _) => RecordState::Retracted,
                (false, ..=1) => RecordState::InForce,
                (false, _) => RecordState::Corrected,
            },
            source: self.source,
            source_id: self.source_id,
        })
    }
}

/// Find records by id, source, kind, district and time, the newest first
///
/// Sources see their own records, the city command and the technical operator everybody's. An id is looked for to the letter. A page looks at 20,000
/// records and may be empty although there are more: `next` says so.
#[utoipa::path(get, path = "/api/v1/records/search", operation_id = "search_records", params(Asked), responses(
    (status = 200, description = "A page", body = FoundRecords)))]
async fn find(State(intake): State<Intake>, caller: Caller, Query(asked): Query<Asked>) -> Result<axum::Json<FoundRecords>, Problem> {
    for (field, time) in [("from", asked.from), ("to", asked.to)] {
        if time.is_some_and(|at| !domain::instant::is_kept(at)) {
            let fault = FieldFault::new(field, "时间超出可查询的范围。", "lies outside the times that are kept");
            return Err(Problem::invalid(vec![fault]));
        }
    }
    // whose records the caller sees stands above whose they ask for
    let source = match (seen_by(caller), asked.source.clone()) {
        (Some(own), Some(wanted)) if own != wanted => return Ok(axum::Json(FoundRecords { records: Vec::new(), next: None })),
        (own, wanted) => own.or(wanted),
    };
    let limit = i64::from(asked.limit.unwrap_or(USUAL_PAGE).clamp(1, LARGEST_PAGE));
    let found = match asked.id.as_deref().map(str::trim).filter(|id| !id.is_empty()) {
        Some(id) if id.chars().count() > LONGEST_ID => FoundRecords { records: Vec::new(), next: None },
        Some(id) => by_id(&intake, id, source.as_deref(), limit).await?,
        None => walk(&intake, &asked, source.as_deref(), limit).await?,
    };
    Ok(axum::Json(found))
}

/// Records with this id: one of each source at most.
async fn by_id(intake: &Intake, id: &str, source: Option<&str>, limit: i64) -> Result<FoundRecords, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select record_id, source, source_id, kind, level, district, township, community, subject_kind, occurred_at, received_at, version,
                  retracted_at is not null as "retracted!"
             from ingest.record
            where source_id = $1 and source = any(case when $2::text is null then array(select source from ingest.known_source) else array[$2] end)
            order by record_id desc limit $3"#,
        id,
        source,
        limit
    )
    .fetch_all(intake.platform.database.pool())
    .await
    .map_err(Error::database("looking for a record by its id"))?;
    Ok(FoundRecords { records: readable("records that were found", rows.into_iter().map(Row::read)), next: None })
}

/// The next records below a number.
async fn walk(intake: &Intake, asked: &Asked, source: Option<&str>, limit: i64) -> Result<FoundRecords, Error> {
    let rows = sqlx::query!(
        r#"with bounds as materialized (
               -- numbers and times grow together but for what is stored beside each other: a few minutes more are looked at
               select case when $5::timestamptz is null then 0 else ingest.first_record_since($5 - interval '5 minutes') end as low,
                      least($1::bigint, case when $6::timestamptz is not null then ingest.first_record_since($6 + interval '5 minutes') end) as high
           ), walked as materialized (
               select record_id, source, source_id, kind, level, district, township, community, subject_kind, occurred_at, received_at, version,
                      retracted_at
                 from ingest.record
                where record_id >= (select low from bounds) and record_id < coalesce((select high from bounds), 9223372036854775807)
                order by record_id desc limit $7
           )
           select edge.walked as "walked!", edge.lowest, f.record_id as "record_id?", f.source as "source?", f.source_id as "source_id?", f.kind as "kind?",
                  f.level as "level?", f.district as "district?", f.township, f.community, f.subject_kind as "subject_kind?",
                  f.occurred_at as "occurred_at?", f.received_at as "received_at?", f.version as "version?", f.retracted_at
             from (select count(*) as walked, min(record_id) as lowest from walked) as edge
             left join (select * from walked where ($2::text is null or source = $2) and ($3::text is null or kind = $3)
                           and ($4::int is null or district = $4)
                           and ($5::timestamptz is null or received_at >= $5) and ($6::timestamptz is null or received_at < $6)
                         order by record_id desc limit $8) as f on true
            order by f.record_id desc"#,
        asked.cursor,
        source,
        asked.kind.map(|kind| kind.as_ref().to_owned()),
        asked.district.map(|district| district.get().cast_signed()),
        asked.from,
        asked.to,
        WALKED,
        limit
    )
    .fetch_all(intake.platform.database.pool())
    .await
    .map_err(Error::database("looking for records"))?;
    let lowest_walked = rows.first().filter(|row| row.walked >= WALKED).and_then(|row| row.lowest);
    let found: Vec<Row> = rows
        .into_iter()
        .filter_map(|row| {
            Some(Row {
                record_id: row.record_id?,
                source: row.source?,
                source_id: row.source_id?,
                kind: row.kind?,
                level: row.level?,
                district: row.district?,
                township: row.township,
                community: row.community,
                subject_kind: row.subject_kind?,
                occurred_at: row.occurred_at?,
                received_at: row.received_at?,
                version: row.version?,
                retracted: row.retracted_at.is_some(),
            })
        })
        .collect();
    let is_full = i64::try_from(found.len()).is_ok_and(|found| found >= limit);
    // a page that is full goes on behind its last record, another where it has stopped to look
    let next = if is_full { found.last().map(|row| row.record_id) } else { lowest_walked };
    Ok(FoundRecords { records: readable("records that were found", found.into_iter().map(Row::read)), next })
}
