//! One file per matter 一事一档: everything about a case, for whoever works on it.

use axum::extract::State as Shared;
use chrono::{DateTime, Utc};
use domain::area::{CommunityCode, DistrictCode};
use domain::casework::{CaseNumber, Change, Event, Nature, State, TellBy, open_events};
use domain::ids::AlertId;
use domain::phone::PhoneNumber;
use domain::staff::{Role, Scope};
use domain::working_day::DayCounted;
use platform::crypto::Purpose;
use platform::database::Connection;
use platform::http::{Problem, Routes, StaffCaller, routes};
use platform::reading;
use proto::AuditEntry;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::CASEWORKERS;
use crate::applying::Who;
use crate::clocks::{self, KeptClock};
use crate::lists::{self, CaseLine, ClockLine};
use crate::numbered::Numbered;
use crate::service::Parts;
use crate::statements::{self, Statement};
use crate::store::{self, Kept};
use crate::texts::{self, Facts};
use crate::units::UnitName;
use crate::{Error, SCHEMA, Service, error};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("casework").allow(CASEWORKERS, routes!(look))
}

/// A case with its whole file.
#[derive(Serialize, ToSchema)]
pub(crate) struct CaseFile {
    #[serde(flatten)]
    line: CaseLine,
    text: String,
    /// What outcome is wanted.
    request: Option<String>,
    /// The body complained of, or who or what is reported.
    against: Option<String>,
    place: Option<String>,
    #[schema(value_type = Option<String>, example = "500103001001")]
    community: Option<CommunityCode>,
    alert_id: Option<AlertId>,
    caller: Option<CaseCaller>,
    nature: Option<Nature>,
    statements: Vec<Statement>,
    orders: Vec<Order>,
    clocks: Vec<ClockOfFile>,
    steps: Vec<StepTaken>,
    extension: Option<Extension>,
    merge: Option<Merge>,
    /// The finding.
    result: Option<String>,
    answer: Option<Answer>,
    links: Vec<CaseLink>,
    /// What can happen from here that the caller's role takes part in: what they may do, and why not the rest.
    open_events: Vec<OpenEvent>,
}

/// Whoever brought it, masked.
#[derive(Serialize, ToSchema)]
struct CaseCaller {
    /// The first character of their name.
    name: Option<String>,
    /// First and last digits of their number; the whole is opened with a purpose.
    #[schema(example = "138****1234")]
    phone: Option<String>,
}

/// A unit's part.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkOrder)]
struct Order {
    order_id: i64,
    unit: UnitName,
    part: OrderPart,
    /// Who takes the unit's orders.
    liaison: String,
    task: Option<String>,
    round: i16,
    made_at: DateTime<Utc>,
    signed_at: Option<DateTime<Utc>>,
    progress_at: Option<DateTime<Utc>>,
    done_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    refused: Option<RefusedOrder>,
    /// Decided by supervision: it cannot be refused.
    binding: bool,
}

domain::words! {
    /// What a unit does.
    pub(crate) enum OrderPart {
        /// It answers for the result.
        Lead,
        /// It helps.
        Assist,
    }
}

/// Why a unit is not competent, and which is.
#[derive(Serialize, ToSchema)]
struct RefusedOrder {
    at: DateTime<Utc>,
    ground: String,
    proposal: Option<UnitName>,
}

/// A clock with its history.
#[derive(Serialize, ToSchema)]
#[schema(as = CaseClock)]
struct ClockOfFile {
    #[serde(flatten)]
    line: ClockLine,
    round: i16,
    stopped_at: Option<DateTime<Utc>>,
    /// Whether the promise was kept; none while it runs.
    met: Option<bool>,
    paused: bool,
    /// Working days for which it stood still.
    paused_days: u32,
    /// Working days that were added.
    extended_days: u32,
    changes: Vec<Change>,
    /// Each day from its beginning to its last, and whether it counts.
    why: Vec<DayCounted>,
}

impl ClockOfFile {
    fn of(parts: &Parts, kept: &KeptClock, now: DateTime<Utc>) -> Self {
        let clock = &kept.clock;
        Self {
            line: ClockLine::of(parts, kept, now),
            round: kept.round,
            stopped_at: clock.stopped_at,
            met: clock.stopped_at.map(|_| !clock.is_late(now)),
            paused: clock.is_paused(),
            paused_days: clock.pauses.iter().map(|pause| pause.days).sum(),
            extended_days: clock.extended_days,
            changes: clock.changes.clone(),
            why: clock.reasons(&parts.calendar, parts.zone()),
        }
    }
}

/// Something that happened.
#[derive(Serialize, ToSchema)]
#[schema(as = CaseStep)]
struct StepTaken {
    /// Its number within the case.
    n: i32,
    at: DateTime<Utc>,
    /// What: a word of `CaseEvent`, or `received`.
    event: String,
    /// The name of the member of staff.
    who: Option<String>,
    /// A role of staff, `citizen` or `platform`.
    role: String,
    unit: Option<u32>,
    from: State,
    to: State,
    /// What was said with it.
    statement_id: Option<i32>,
}

/// More time that is asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = CaseExtension)]
struct Extension {
    working_days: u32,
    reason: String,
    asked_at: DateTime<Utc>,
}

/// What it is to be joined with.
#[derive(Serialize, ToSchema)]
#[schema(as = CaseMerge)]
struct Merge {
    #[schema(value_type = String)]
    into: CaseNumber,
    reason: String,
}

/// The answer to the citizen.
#[derive(Serialize, ToSchema)]
#[schema(as = CaseAnswer)]
struct Answer {
    text: String,
    /// Whether it was decided.
    decided: bool,
    told_at: Option<DateTime<Utc>>,
    by: Option<TellBy>,
}

domain::words! {
    /// How two cases belong together.
    #[schema(as = CaseLinkKind)]
    pub(crate) enum LinkKind {
        /// This one goes on in the other.
        MergedInto,
        /// The other goes on in this one.
        MergedFrom,
    }
}

/// Another case that belongs to it.
#[derive(Serialize, ToSchema)]
struct CaseLink {
    kind: LinkKind,
    #[schema(value_type = String)]
    number: CaseNumber,
}

/// A step that could be taken.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenCaseEvent)]
struct OpenEvent {
    event: Event,
    allowed: bool,
    refusal: Option<EventRefusal>,
}

/// Why not.
#[derive(Serialize, ToSchema)]
struct EventRefusal {
    code: String,
    detail: String,
    detail_en: String,
}

/// A case with its whole file
#[utoipa::path(get, path = "/api/v1/casework/cases/{number}", params(("number" = String, Path, description = "The case")),
    responses((status = 200, description = "Facts, statements, orders, clocks, history, and what is open to the caller", body = CaseFile)))]
async fn look(Shared(service): Shared<Service>, caller: StaffCaller, Numbered(number): Numbered) -> Result<axum::Json<CaseFile>, Problem> {
    let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    let kept = store::load(&mut connection, number, false).await?;
    must_see(&mut connection, &caller, &kept).await?;
    let shown = shown(&mut connection, &service, &caller, &kept).await?;
    drop(connection);
    // people write what is personal into what they bring: the trace first, then the file
    let entry = caller.did("case_read", "case", number, service.now());
    let entry = AuditEntry { district: kept.case.district.map(DistrictCode::get), ..entry };
    reading::note(&service.platform, SCHEMA, &caller, entry, &[store::stored(number), i64::from(kept.version)])
        .await
        .map_err(Error::from)?;
    Ok(axum::Json(shown))
}

/// Refuses a case that is not the caller's to see: of another area, or one that their unit never had. The answer is the same as for one that does not
/// exist.
pub(crate) async fn must_see(connection: &mut Connection, caller: &StaffCaller, kept: &Kept) -> Result<(), Error> {
    let sees = match (caller.role, caller.scope) {
        (Role::UnitHandler | Role::UnitLead, Scope::Unit(unit)) => sqlx::query_scalar!(
            r#"select exists (select from casework.work_order where number = $1 and unit = $2) as "has!""#,
            store::stored(kept.number),
            store::stored_unit(unit)
        )
        .fetch_one(connection)
        .await
        .map_err(Error::database("finding a unit's order"))?,
        (_, scope) => scope.covers(kept.case.area()),
    };
    if sees { Ok(()) } else { Err(Error::NoSuchCase) }
}

/// The file, as the caller sees it.
pub(crate) async fn shown(connection: &mut Connection, parts: &Parts, caller: &StaffCaller, kept: &Kept) -> Result<CaseFile, Error> {
    let (keyring, now) = (&parts.platform.keyring, parts.now());
    let facts = Facts::open(keyring, kept.facts_sealed.clone())?;
    let said = statements::of(connection, keyring, kept.number, false).await?;
    let reason_of = |event: Event| said.iter().rev().find(|one| one.event == event).map(|one| one.text.clone()).unwrap_or_default();
    let answer = texts::open_some(keyring, Purpose::CaseText, kept.answer_sealed.clone())?;
    Ok(CaseFile {
        line: lists::line_of(parts, connection, kept.number).await?,
        text: facts.text,
        request: facts.request,
        against: facts.against,
        place: facts.place,
        community: kept.community,
        alert_id: kept.alert,
        caller: masked(parts, kept)?,
        nature: kept.nature,
        orders: orders(connection, parts, kept).await?,
        clocks: clocks::of(connection, kept.number).await?.iter().map(|kept| ClockOfFile::of(parts, kept, now)).collect(),
        steps: steps(connection, kept).await?,
        extension: kept.case.extension.map(|asked| Extension {
            working_days: asked.working_days,
            reason: reason_of(Event::AskExtension),
            asked_at: asked.at,
        }),
        merge: kept.case.merge.and(kept.merge_into).map(|into| Merge { into, reason: reason_of(Event::ProposeMerge) }),
        result: texts::open_some(keyring, Purpose::CaseText, kept.result_sealed.clone())?,
        answer: answer.map(|text| Answer {
            text,
            decided: matches!(kept.case.state, State::Decided | State::Told | State::Closed),
            told_at: kept.case.told_at,
            by: kept.told_by,
        }),
        links: links(connection, kept).await?,
        open_events: open(parts, caller, kept, now),
        statements: said,
    })
}

fn open(parts: &Parts, caller: &StaffCaller, kept: &Kept, now: DateTime<Utc>) -> Vec<OpenEvent> {
    open_events(&kept.case, &Who::Staff(caller).actor(), now, &parts.settings.promises)
        .into_iter()
        .map(|(event, standing)| {
            let refusal = standing.err().map(|refusal| EventRefusal {
                code: refusal.as_ref().to_owned(),
                detail: format!("{refusal}。"),
                detail_en: error::english(refusal),
            });
            OpenEvent { event, allowed: refusal.is_none(), refusal }
        })
        .collect()
}

fn masked(parts: &Parts, kept: &Kept) -> Result<Option<CaseCaller>, Error> {
    let keyring = &parts.platform.keyring;
    let name = texts::open_some(keyring, Purpose::CaseName, kept.name_sealed.clone())?;
    let phone = texts::open_some(keyring, Purpose::ResidentPhone, kept.phone_sealed.clone())?;
    let phone = phone.map(|phone| phone.parse::<PhoneNumber>().map_err(Error::stored("phone number"))).transpose()?;
    let caller = CaseCaller { name: name.as_deref().map(first_character), phone: phone.map(|phone| phone.masked()) };
    Ok((caller.name.is_some() || caller.phone.is_some()).then_some(caller))
}

fn first_character(name: &str) -> String {
    name.chars().next().map(|first| format!("{first}**")).unwrap_or_default()
}

async fn orders(connection: &mut Connection, parts: &Parts, kept: &Kept) -> Result<Vec<Order>, Error> {
    let keyring = &parts.platform.keyring;
    let rows = sqlx::query!(
        r#"select w.order_id, w.unit, u.name, u.liaison, w.part, w.task_sealed, w.round, w.made_at, w.signed_at, w.progress_at, w.done_at,
                  w.ended_at, w.refused_at, w.ground_sealed, w.proposal, p.name as "proposal_name?", w.binding
             from casework.work_order w join casework.unit u on u.unit_id = w.unit left join casework.unit p on p.unit_id = w.proposal
            where w.number = $1 order by w.order_id"#,
        store::stored(kept.number)
    )
    .fetch_all(connection)
    .await
    .map_err(Error::database("reading orders"))?;
    rows.into_iter()
        .map(|row| {
            let refused = match row.refused_at {
                Some(at) => Some(RefusedOrder {
                    at,
                    ground: texts::open_some(keyring, Purpose::CaseText, row.ground_sealed)?.unwrap_or_default(),
                    proposal: row.proposal.zip(row.proposal_name).map(|(unit, name)| UnitName { unit_id: unit.unsigned_abs(), name }),
                }),
                None => None,
            };
            Ok(Order {
                order_id: row.order_id,
                unit: UnitName { unit_id: row.unit.unsigned_abs(), name: row.name },
                part: row.part.parse().map_err(Error::stored("part"))?,
                liaison: row.liaison,
                task: texts::open_some(keyring, Purpose::CaseText, row.task_sealed)?,
                round: row.round,
                made_at: row.made_at,
                signed_at: row.signed_at,
                progress_at: row.progress_at,
                done_at: row.done_at,
                ended_at: row.ended_at,
                refused,
                binding: row.binding,
            })
        })
        .collect()
}

/// So many steps of a case are shown at the most; the newest.
const SHOWN: i64 = 300;

async fn steps(connection: &mut Connection, kept: &Kept) -> Result<Vec<StepTaken>, Error> {
    let rows = sqlx::query!(
        r#"select n, at, event, actor_name, role as "role!", unit, from_state, to_state, statement
             from casework.step where number = $1 order by n desc limit $2"#,
        store::stored(kept.number),
        SHOWN
    )
    .fetch_all(connection)
    .await
    .map_err(Error::database("reading a case's history"))?;
    rows.into_iter()
        .rev()
        .map(|row| {
            Ok(StepTaken {
                n: row.n,
                at: row.at,
                event: row.event,
                who: row.actor_name,
                role: row.role,
                unit: row.unit.map(i32::unsigned_abs),
                from: row.from_state.parse().map_err(Error::stored("state"))?,
                to: row.to_state.parse().map_err(Error::stored("state"))?,
                statement_id: row.statement,
            })
        })
        .collect()
}

async fn links(connection: &mut Connection, kept: &Kept) -> Result<Vec<CaseLink>, Error> {
    let rows = sqlx::query!("select kind, other from casework.link where number = $1 order by at limit 100", store::stored(kept.number))
        .fetch_all(connection)
        .await
        .map_err(Error::database("reading what belongs to a case"))?;
    rows.into_iter()
        .map(|row| Ok(CaseLink { kind: row.kind.parse().map_err(Error::stored("link"))?, number: store::number(row.other)? }))
        .collect()
}
