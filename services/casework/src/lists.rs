//! Lists of cases: what waits for whom, in the order in which it is worked on. Whose cases somebody sees is part of the statement.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State as Shared;
use chrono::{DateTime, NaiveDate, Utc};
use domain::area::DistrictCode;
use domain::casework::{CaseNumber, Channel, Grade, Kind, Promise, State, Urgency};
use domain::staff::{Role, Scope};
use platform::database::readable;
use platform::http::{FieldFault, Json, Problem, Query, Routes, StaffCaller, Within, routes};
use platform::reading;
use proto::AuditEntry;
use serde::{Deserialize, Serialize};
use strum::VariantArray as _;
use utoipa::{IntoParams, ToSchema};

use crate::access::{CASEWORKERS, OPERATORS};
use crate::clocks::{self, KeptClock};
use crate::service::Parts;
use crate::store;
use crate::texts::Facts;
use crate::units::UnitName;
use crate::{Error, SCHEMA, Service, intake};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("casework").allow(CASEWORKERS, routes!(list)).allow(OPERATORS, routes!(callers))
}

const A_DAY: Duration = Duration::from_secs(24 * 3600);
/// Rows of one answer at the most.
const MOST: u32 = 100;

domain::words! {
    /// What a list holds.
    #[derive(Default)]
    #[schema(as = CaseListKind)]
    pub(crate) enum ListKind {
        /// What the desk has to register, accept, decline or route; urgent help first.
        Desk,
        /// Registrations that others wrote and that wait for a second person.
        Check,
        /// Answers whose citizens are called back, and that the caller did not handle.
        Callback,
        /// Open orders of the caller's unit.
        Inbox,
        /// Results that wait for a decision.
        Decide,
        /// Past what was promised.
        Late,
        /// With four fifths of the time gone.
        Endangered,
        /// Whose units disagree.
        Disputes,
        /// Raised by those who chased them.
        Chased,
        /// With more time asked for.
        Extensions,
        /// Proposed to be joined with another.
        Merges,
        /// Everything, newest first.
        #[default]
        All,
    }
}

impl ListKind {
    /// The states of what it holds.
    fn states(self) -> Vec<String> {
        let states: &[State] = match self {
            Self::Desk => &[State::Received, State::Registered, State::Accepted],
            Self::Check => &[State::ToCheck],
            Self::Callback => &[State::Told],
            Self::Inbox => &[State::Routed, State::Working, State::Waiting, State::ToDecide, State::ToConfirm, State::Decided],
            Self::Decide => &[State::ToDecide, State::ToConfirm],
            Self::Disputes => &[State::Disputed],
            Self::Late | Self::Endangered | Self::Chased | Self::Extensions | Self::Merges | Self::All => State::VARIANTS,
        };
        states.iter().map(State::to_string).collect()
    }
}

/// Which cases are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct CaseQuery {
    /// What the list holds; everything where it is left out.
    #[param(inline)]
    list: ListKind,
    /// Of this district.
    #[param(value_type = Option<String>, example = "500103")]
    district: Option<DistrictCode>,
    /// Of this leading unit.
    unit: Option<u32>,
    /// In this state.
    state: Option<State>,
    /// Of this kind.
    kind: Option<Kind>,
    /// Where the page before ended.
    after: Option<String>,
    /// Rows, up to 100; 50 where it is left out.
    limit: Option<u32>,
}

/// A clock, as a list shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ClockLine {
    promise: Promise,
    started_at: DateTime<Utc>,
    due_at: DateTime<Utc>,
    /// The last day, where it is counted in working days.
    due_day: Option<NaiveDate>,
    /// Whether it may still move, since the holidays of its year are not announced.
    provisional: bool,
    /// How much of it is used up, in percent.
    share: u32,
    late: bool,
    /// 0, 50, 80 or 100 percent.
    warning: u32,
}

impl ClockLine {
    pub(crate) fn of(parts: &Parts, kept: &KeptClock, now: DateTime<Utc>) -> Self {
        let clock = &kept.clock;
        Self {
            promise: clock.promise,
            started_at: clock.started_at,
            due_at: clock.due.at,
            due_day: clock.due.day,
            provisional: clock.due.provisional,
            share: clock.share(now, &parts.calendar, parts.zone()),
            late: clock.is_late(now),
            warning: clock.warning(now, &parts.calendar, parts.zone()),
        }
    }
}

/// A case, as a list shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct CaseLine {
    #[schema(value_type = String, example = "261128-4071-3392-1")]
    pub(crate) number: CaseNumber,
    pub(crate) kind: Kind,
    pub(crate) channel: Channel,
    pub(crate) state: State,
    pub(crate) urgency: Urgency,
    pub(crate) grade: Grade,
    #[schema(value_type = Option<String>, example = "500103")]
    pub(crate) district: Option<DistrictCode>,
    pub(crate) lead: Option<UnitName>,
    pub(crate) received_at: DateTime<Utc>,
    /// Of the promises that run, the one that is due first.
    pub(crate) due: Option<ClockLine>,
    pub(crate) chases: i32,
    /// Whether those who chased it brought it to supervision.
    pub(crate) raised: bool,
    pub(crate) round: i16,
    pub(crate) version: i32,
    /// The beginning of what was said.
    pub(crate) summary: String,
    /// Whether nobody said who they are.
    pub(crate) anonymous: bool,
}

/// Cases, and where the next page begins.
#[derive(Serialize, ToSchema)]
struct CaseList {
    cases: Vec<CaseLine>,
    /// For `after`; none at the end.
    next: Option<String>,
}

/// What a line is made of.
pub(crate) struct Row {
    pub(crate) number: i64,
    pub(crate) kind: String,
    pub(crate) channel: String,
    pub(crate) state: String,
    pub(crate) urgency: String,
    pub(crate) grade: String,
    pub(crate) district: Option<i32>,
    pub(crate) lead: Option<i32>,
    pub(crate) lead_name: Option<String>,
    pub(crate) received_at: DateTime<Utc>,
    pub(crate) chases: i32,
    pub(crate) raised: bool,
    pub(crate) round: i16,
    pub(crate) version: i32,
    pub(crate) facts_sealed: Vec<u8>,
    pub(crate) anonymous: bool,
    pub(crate) lane: i16,
    pub(crate) due_at: DateTime<Utc>,
}

/// Reads rows of cases; `$rest` says which, and in which order.
macro_rules! rows {
    ($rest:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select m.number, m.kind, m.channel, m.state, m.urgency, m.grade, m.district, m.lead, u.name as "lead_name?", m.received_at,
                      cardinality(m.chased) as "chases!", m.raised_at is not null as "raised!", m.round, m.version, m.facts_sealed,
                      m.phone_hash is null and m.name_sealed is null and m.resident_no is null as "anonymous!", m.lane, m.due_at
                 from casework.matter m left join casework.unit u on u.unit_id = m.lead "# + $rest,
            $($argument),+
        )
    };
}

pub(crate) use rows;

/// Where a page of an open list ended: lane, moment, number.
struct After(i16, DateTime<Utc>, i64);

impl After {
    /// Before everything.
    const START: Self = Self(-1, DateTime::UNIX_EPOCH, 0);

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (lane, micros, number) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self(lane.parse().ok()?, DateTime::from_timestamp_micros(micros.parse().ok()?)?, number.parse().ok()?))
    }

    fn of(row: &Row) -> String {
        format!("{}.{}.{}", row.lane, row.due_at.timestamp_micros(), row.number)
    }
}

/// Cases of mine to work on, or to look after
///
/// Operators and supervisors see their area, people of units what their unit has or had an order for.
#[utoipa::path(get, path = "/api/v1/casework/cases", params(CaseQuery), responses((status = 200, description = "A page", body = CaseList)))]
async fn list(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Query(query): Query<CaseQuery>,
) -> Result<axum::Json<CaseList>, Problem> {
    let limit = query.limit.unwrap_or(50).clamp(1, MOST);
    let rows = match query.list {
        ListKind::All => newest(&service, &caller, &query, limit).await?,
        _ => open(&service, &caller, &query, limit).await?,
    };
    let next = (rows.len() == limit as usize).then(|| rows.last()).flatten().map(|last| match query.list {
        ListKind::All => last.number.to_string(),
        _ => After::of(last),
    });
    let shown: Vec<i64> = rows.iter().map(|row| row.number).collect();
    let cases = lines(&service, rows).await?;
    let entry = caller.did("cases_read", "case_list", query.list, service.now());
    reading::note(&service.platform, SCHEMA, &caller, entry, &shown).await.map_err(Error::from)?;
    Ok(axum::Json(CaseList { cases, next }))
}

/// The unit whose orders somebody sees; none for whoever sees an area.
fn unit_of(caller: &StaffCaller) -> Option<i32> {
    match (caller.role, caller.scope) {
        (Role::UnitHandler | Role::UnitLead, Scope::Unit(unit)) => Some(store::stored_unit(unit)),
        _ => None,
    }
}

fn wrong_cursor() -> Error {
    Error::Invalid(vec![FieldFault::new("after", "请使用上一页给出的值", "is what the page before gave")])
}

/// Open cases, urgent help first, then by what is due first.
async fn open(service: &Parts, caller: &StaffCaller, query: &CaseQuery, limit: u32) -> Result<Vec<Row>, Error> {
    let After(lane, due, number) = match &query.after {
        Some(after) => After::read(after).ok_or_else(wrong_cursor)?,
        None => After::START,
    };
    let (within, list) = (Within::of(&caller.scope), query.list);
    rows!(
        "where m.state not in ('closed', 'declined', 'withdrawn', 'merged') and m.state = any($1)
           and ($2 or m.district = $3 or m.number in (select w.number from casework.work_order w where w.unit = $4 and w.ended_at is null))
           and ($5::int is null or m.district = $5) and ($6::int is null or m.lead = $6)
           and ($7::text is null or m.state = $7) and ($8::text is null or m.kind = $8)
           and (not $9 or m.due_at < $10) and (not $11 or (m.warned >= 80 and m.due_at >= $10))
           and (not $12 or m.raised_at is not null) and (not $13 or m.extension_days is not null) and (not $14 or m.merge_by is not null)
           and (not $15 or (m.called_back and m.called_at is null and $16 <> all(m.handlers))) and (not $17 or m.writer is distinct from $16)
           and (m.lane, m.due_at, m.number) > ($18, $19, $20)
         order by m.lane, m.due_at, m.number limit $21",
        &list.states(),
        within.everywhere,
        within.district,
        unit_of(caller),
        query.district.map(store::stored_district),
        query.unit.map(u32::cast_signed),
        query.state.map(|state| state.to_string()),
        query.kind.map(|kind| kind.to_string()),
        list == ListKind::Late,
        service.now(),
        list == ListKind::Endangered,
        list == ListKind::Chased,
        list == ListKind::Extensions,
        list == ListKind::Merges,
        list == ListKind::Callback,
        caller.id.uuid(),
        list == ListKind::Check,
        lane,
        due,
        number,
        i64::from(limit)
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("listing open cases"))
}

/// All cases, newest first: a number begins with its date.
async fn newest(service: &Parts, caller: &StaffCaller, query: &CaseQuery, limit: u32) -> Result<Vec<Row>, Error> {
    let before = match &query.after {
        Some(after) => after.parse().map_err(|_| wrong_cursor())?,
        None => i64::MAX,
    };
    let within = Within::of(&caller.scope);
    rows!(
        "where m.number < $1
           and ($2 or m.district = $3 or m.number in (select w.number from casework.work_order w where w.unit = $4))
           and ($5::int is null or m.district = $5) and ($6::int is null or m.lead = $6)
           and ($7::text is null or m.state = $7) and ($8::text is null or m.kind = $8)
         order by m.number desc limit $9",
        before,
        within.everywhere,
        within.district,
        unit_of(caller),
        query.district.map(store::stored_district),
        query.unit.map(u32::cast_signed),
        query.state.map(|state| state.to_string()),
        query.kind.map(|kind| kind.to_string()),
        i64::from(limit)
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("listing cases"))
}

/// Rows as a list shows them, with their clocks.
pub(crate) async fn lines(service: &Parts, rows: Vec<Row>) -> Result<Vec<CaseLine>, Error> {
    let numbers: Vec<i64> = rows.iter().map(|row| row.number).collect();
    let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    let clocks = clocks::running_of(&mut connection, &numbers).await?;
    Ok(readable("cases", rows.into_iter().map(|row| line(service, row, &clocks))))
}

fn line(service: &Parts, row: Row, clocks: &BTreeMap<i64, Vec<KeptClock>>) -> Result<CaseLine, Error> {
    let now = service.now();
    let due = clocks.get(&row.number).and_then(|clocks| clocks::foremost(clocks)).map(|foremost| ClockLine::of(service, foremost, now));
    Ok(CaseLine {
        number: store::number(row.number)?,
        kind: row.kind.parse().map_err(Error::stored("kind"))?,
        channel: row.channel.parse().map_err(Error::stored("channel"))?,
        state: row.state.parse().map_err(Error::stored("state"))?,
        urgency: row.urgency.parse().map_err(Error::stored("urgency"))?,
        grade: row.grade.parse().map_err(Error::stored("grade"))?,
        district: row.district.map(DistrictCode::try_from).transpose().map_err(Error::stored("district"))?,
        lead: row.lead.zip(row.lead_name).map(|(unit, name)| UnitName { unit_id: unit.unsigned_abs(), name }),
        received_at: row.received_at,
        due,
        chases: row.chases,
        raised: row.raised,
        round: row.round,
        version: row.version,
        summary: Facts::open(&service.platform.keyring, row.facts_sealed)?.summary(),
        anonymous: row.anonymous,
    })
}

/// The line of one case.
pub(crate) async fn line_of(
    service: &Parts,
    connection: &mut platform::database::Connection,
    number: CaseNumber,
) -> Result<CaseLine, Error> {
    let row = rows!("where m.number = $1", store::stored(number))
        .fetch_optional(&mut *connection)
        .await
        .map_err(Error::database("reading a case"))?
        .ok_or(Error::NoSuchCase)?;
    let clocks = clocks::running_of(connection, &[row.number]).await?;
    line(service, row, &clocks)
}

/// Who is calling.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Caller {
    /// The number that is shown.
    #[schema(example = "138 1234 5678")]
    phone: String,
}

/// What they have brought before.
#[derive(Serialize, ToSchema)]
struct EarlierCases {
    cases: Vec<CaseLine>,
}

/// What somebody who calls has brought before, newest first
///
/// Of the caller's area; each question is traced. Reports of violations are left out: who reported whom is nobody's to look up. The number goes in the
/// body, so that it stands in no log.
#[utoipa::path(post, path = "/api/v1/casework/callers", request_body = Caller,
    responses((status = 200, description = "The last 20", body = EarlierCases)))]
async fn callers(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Json(request): Json<Caller>,
) -> Result<axum::Json<EarlierCases>, Problem> {
    let phone = request.phone.parse::<domain::phone::PhoneNumber>();
    let phone = phone.map_err(|fault| Error::field("phone", fault.chinese(), fault.to_string()))?;
    let (within, most) = (Within::of(&caller.scope), service.settings.callers_per_day);
    let asked = service.platform.cache.incr(&format!("case-callers:{}", caller.id), A_DAY).await.map_err(Error::from)?;
    if asked > u64::from(most) {
        return Err(Error::TooManyContacts { most }.into());
    }
    let rows = rows!(
        "where m.phone_hash = $1 and ($2 or m.district = $3) and m.kind <> 'violation_report' order by m.received_at desc limit 20",
        intake::caller_hash(&service.platform.keyring, &phone),
        within.everywhere,
        within.district
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("finding a caller's cases"))?;
    let cases = lines(&service, rows).await?;
    // the trace first, with what was found and never with the number that was asked about
    let found: Vec<String> = cases.iter().map(|line| line.number.to_string()).collect();
    let entry = AuditEntry {
        detail_json: serde_json::json!({ "cases": found }).to_string(),
        ..caller.did("case_callers_read", "caller", "phone", service.now())
    };
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    tx.publish(SCHEMA, &entry).await.map_err(Error::from)?;
    tx.commit().await.map_err(Error::from)?;
    Ok(axum::Json(EarlierCases { cases }))
}
