//! How each source is doing, and what a person expects of it. Units with a key are sources; staff who deliver by hand are left out.

use std::collections::HashMap;

use axum::extract::State;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::source_health::{self, Expectation, HISTORY, Rhythm, late_by};
use domain::staff::Role;
use http::StatusCode;
use platform::http::{Access, FieldFault, Json, Problem, Routes, StaffCaller, routes};
use proto::AuditEntry;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::intake::Intake;
use crate::watching::expected;
use crate::{Error, SCHEMA};

/// Days of the chart, the last of which is today.
const DAYS: i64 = 28;
/// Days whose refused rows and lateness are told.
const LATELY: i64 = 7;
/// Longest time that can be set, in hours: a year.
const LONGEST: u32 = 8_784;

const READERS: &[Role] = &[Role::CityCommandOfficer, Role::TechnicalOperator, Role::Administrator];
const SETTERS: &[Role] = &[Role::TechnicalOperator, Role::Administrator];

pub(crate) fn routes() -> Routes<Intake> {
    Routes::new("records").allow(Access::Staff(READERS), routes!(list_sources)).allow(Access::Staff(SETTERS), routes!(expect_of_source))
}

/// How a source is doing.
#[derive(Debug, Serialize, ToSchema)]
struct SourceHealth {
    /// The unit.
    source: String,
    /// When something last came.
    last_at: DateTime<Utc>,
    /// Whether it comes as usual.
    rhythm: Rhythm,
    /// Since when it is silent: its last arrival before.
    silent_since: Option<DateTime<Utc>>,
    expected: Expectation,
    /// Hours within which something is expected, if a person has set them.
    expected_hours: Option<u32>,
    /// Half of its pauses were no longer than so many hours; none while too little is known.
    usual_pause_hours: Option<u32>,
    /// The share of its rows that was refused in the last 7 days, from 0 to 1; none without rows.
    refused_lately: Option<f64>,
    /// The same in the 28 days before.
    refused_before: Option<f64>,
    /// Of the records of the last 7 days half came within so many minutes of what they tell, as the end of a class; none without records.
    late_half_min: Option<i64>,
    /// Of ten nine did.
    late_most_min: Option<i64>,
    /// Corrections for 1,000 records of the last 35 days; none without records.
    corrected_per_thousand: Option<f64>,
    /// Records taken back, for 1,000.
    retracted_per_thousand: Option<f64>,
    /// The last 28 days, today the last.
    days: Vec<SourceDay>,
    /// Its lists that wait for a person.
    waiting: u64,
}

/// What came of a source on a day of the city.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
struct SourceDay {
    day: NaiveDate,
    /// Records that were kept or corrected.
    taken: u64,
    /// Rows that were refused.
    refused: u64,
}

/// Sums of some days.
#[derive(Clone, Copy, Default)]
struct Sums {
    accepted: u64,
    rows: u64,
    refused: u64,
    corrected: u64,
    retracted: u64,
}

/// A day of the query.
struct Day {
    source: String,
    day: NaiveDate,
    accepted: i64,
    repeated: i64,
    refused: i64,
    corrected: i64,
    retracted: i64,
}

impl Sums {
    fn of<'d>(days: impl Iterator<Item = &'d Day>) -> Self {
        days.fold(Self::default(), |sums, day| Self {
            accepted: sums.accepted + day.accepted.unsigned_abs(),
            rows: sums.rows + (day.accepted + day.repeated + day.refused + day.corrected + day.retracted).unsigned_abs(),
            refused: sums.refused + day.refused.unsigned_abs(),
            corrected: sums.corrected + day.corrected.unsigned_abs(),
            retracted: sums.retracted + day.retracted.unsigned_abs(),
        })
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Every source with its health, those that are silent first, then the one that came longest ago
#[utoipa::path(get, path = "/api/v1/sources", responses((status = 200, description = "Units with a key that have delivered", body = Vec<SourceHealth>)))]
async fn list_sources(State(intake): State<Intake>) -> Result<Json<Vec<SourceHealth>>, Problem> {
    Ok(Json(healths(&intake).await?))
}

async fn healths(intake: &Intake) -> Result<Vec<SourceHealth>, Error> {
    let (pool, now) = (intake.platform.database.pool(), intake.platform.clock.now());
    let zone = intake.settings.time_zone;
    let today = now.with_timezone(&zone).date_naive();
    let sources = sqlx::query!(
        r#"select source, last_at, expected, expected_hours, silent_since,
               array(select hour from ingest.source_hour came where came.source = s.source and hour > $1) as "hours!",
               (select count(*) from ingest.held_load held where held.source = s.source and state = 'waiting') as "waiting!"
           from ingest.source s where source not like 'staff:%'
           order by silent_since is null, last_at"#,
        now - HISTORY
    )
    .fetch_all(pool)
    .await
    .map_err(Error::database("listing sources"))?;
    let days = sqlx::query_as!(
        Day,
        r#"select source, (hour at time zone $1)::date as "day!", sum(accepted)::bigint as "accepted!", sum(repeated)::bigint as "repeated!",
               sum(refused)::bigint as "refused!", sum(corrected)::bigint as "corrected!", sum(retracted)::bigint as "retracted!"
           from ingest.source_hour where hour > $2 and source not like 'staff:%' group by 1, 2"#,
        zone.name(),
        now - TimeDelta::days(DAYS + LATELY + 1)
    )
    .fetch_all(pool)
    .await
    .map_err(Error::database("adding up the days of sources"))?;
    let late = sqlx::query!(
        r#"select source, place as "place!", sum(records)::bigint as "records!"
           from ingest.source_hour, unnest(late) with ordinality as of_class (records, place)
           where hour > $1 and source not like 'staff:%' group by 1, 2 order by 1, 2"#,
        now - TimeDelta::days(LATELY)
    )
    .fetch_all(pool)
    .await
    .map_err(Error::database("adding up how late records came"))?;
    let mut classes: HashMap<String, Vec<u64>> = HashMap::new();
    for row in late {
        classes.entry(row.source).or_default().push(row.records.unsigned_abs());
    }
    let mut by_source: HashMap<String, Vec<Day>> = HashMap::new();
    for day in days {
        by_source.entry(day.source.clone()).or_default().push(day);
    }
    let healths = sources.into_iter().map(|one| {
        let days = by_source.remove(&one.source).unwrap_or_default();
        let (from, before) = (today - TimeDelta::days(LATELY - 1), today - TimeDelta::days(LATELY - 1 + DAYS));
        let lately = Sums::of(days.iter().filter(|day| day.day >= from));
        let earlier = Sums::of(days.iter().filter(|day| day.day >= before && day.day < from));
        let all = Sums::of(days.iter().filter(|day| day.day >= before));
        let late = classes.remove(&one.source).unwrap_or_default();
        let expected = expected(&one.expected, one.expected_hours);
        let rhythm = match one.silent_since {
            // what was told stands until the source comes again
            Some(since) if since >= one.last_at => Rhythm::Silent,
            _ => source_health::rhythm(expected, &one.hours, one.last_at, now),
        };
        SourceHealth {
            rhythm,
            silent_since: (rhythm == Rhythm::Silent).then_some(one.last_at),
            last_at: one.last_at,
            expected: expected.word(),
            expected_hours: one.expected_hours.map(i32::unsigned_abs),
            usual_pause_hours: source_health::usual_pause(&one.hours, now),
            refused_lately: share(lately.refused, lately.rows),
            refused_before: share(earlier.refused, earlier.rows),
            late_half_min: late_by(&late, 50),
            late_most_min: late_by(&late, 90),
            corrected_per_thousand: share(all.corrected * 1_000, all.accepted),
            retracted_per_thousand: share(all.retracted * 1_000, all.accepted),
            days: (0..DAYS).rev().map(|ago| day_of(&days, today - TimeDelta::days(ago))).collect(),
            waiting: one.waiting.unsigned_abs(),
            source: one.source,
        }
    });
    Ok(healths.collect())
}

fn day_of(days: &[Day], day: NaiveDate) -> SourceDay {
    let sums = Sums::of(days.iter().filter(|one| one.day == day));
    SourceDay { day, taken: sums.accepted + sums.corrected, refused: sums.refused }
}

/// What a person expects of a source.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewExpectation {
    /// The unit, as it stands in the list.
    source: String,
    expected: Expectation,
    /// For `within`: how many hours, from 1 to 8784.
    hours: Option<u32>,
}

/// Set what is expected of a source
///
/// `learnt` goes by its last weeks; `within` rings when nothing came for so many hours, at night and at the weekend too; `nothing` never rings.
#[utoipa::path(put, path = "/api/v1/sources/expectation", request_body = NewExpectation, responses(
    (status = 204, description = "It is set"),
    (status = 404, description = "No such source has delivered"),
    (status = 422, description = "Hours are missing, too many, or belong to `within` only"),
))]
async fn expect_of_source(
    State(intake): State<Intake>,
    staff: StaffCaller,
    Json(new): Json<NewExpectation>,
) -> Result<StatusCode, Problem> {
    let fits = match (new.expected, new.hours) {
        (Expectation::Within, Some(hours)) => (1..=LONGEST).contains(&hours),
        (Expectation::Within, None) | (Expectation::Learnt | Expectation::Nothing, Some(_)) => false,
        (Expectation::Learnt | Expectation::Nothing, None) => true,
    };
    if !fits {
        let fault =
            FieldFault::new("hours", "within 须填 1 至 8784 的小时数，其他情况不填", "is 1 to 8784 for `within`, and belongs to it only");
        return Err(Problem::invalid(vec![fault]));
    }
    let now = intake.platform.clock.now();
    let mut tx = intake.platform.database.begin().await?;
    let set = sqlx::query!(
        "update ingest.source set expected = $2, expected_hours = $3 where source = $1 and source not like 'staff:%'",
        new.source,
        new.expected.as_ref(),
        new.hours.and_then(|hours| i32::try_from(hours).ok())
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("setting what is expected of a source"))?;
    if set.rows_affected() == 0 {
        return Err(Problem::not_found("no_such_source", "没有报送过数据的此来源。", "No such source has delivered anything."));
    }
    let detail_json = serde_json::json!({ "expected": new.expected, "hours": new.hours }).to_string();
    tx.publish(SCHEMA, &AuditEntry { detail_json, ..staff.did("source.expect", "source", &new.source, now) }).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
