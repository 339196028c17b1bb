//! Cases as the table keeps them.

use chrono::{DateTime, Utc};
use domain::area::{CommunityCode, DistrictCode};
use domain::casework::{Case, CaseNumber, Channel, DeclineGround, ExtensionAsked, MergeProposed, Nature, TellBy};
use domain::ids::{AlertId, ResidentNo, StaffId, UnitId};
use platform::database::{Connection, Tx};
use uuid::Uuid;

use crate::Error;

/// A case, with everything that a step needs.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) number: CaseNumber,
    pub(crate) version: i32,
    pub(crate) case: Case,
    pub(crate) channel: Channel,
    pub(crate) nature: Option<Nature>,
    pub(crate) community: Option<CommunityCode>,
    pub(crate) alert: Option<AlertId>,
    pub(crate) resident: Option<ResidentNo>,
    pub(crate) facts_sealed: Vec<u8>,
    pub(crate) name_sealed: Option<Vec<u8>>,
    pub(crate) phone_sealed: Option<Vec<u8>>,
    pub(crate) pin_hash: Vec<u8>,
    pub(crate) merge_into: Option<CaseNumber>,
    pub(crate) chased: Vec<DateTime<Utc>>,
    pub(crate) raised_at: Option<DateTime<Utc>>,
    pub(crate) result_sealed: Option<Vec<u8>>,
    pub(crate) answer_sealed: Option<Vec<u8>>,
    pub(crate) told_by: Option<TellBy>,
    pub(crate) declined: Option<DeclineGround>,
    pub(crate) called_at: Option<DateTime<Utc>>,
    pub(crate) due_at: DateTime<Utc>,
    pub(crate) warned: i16,
}

/// A case's number as tables keep it: fifteen digits fit.
pub(crate) fn stored(number: CaseNumber) -> i64 {
    number.get().cast_signed()
}

/// The number that a table keeps.
pub(crate) fn number(stored: i64) -> Result<CaseNumber, Error> {
    CaseNumber::try_from(stored.cast_unsigned()).map_err(Error::stored("number"))
}

/// A unit's number as tables keep it.
pub(crate) fn stored_unit(unit: UnitId) -> i32 {
    unit.get().cast_signed()
}

/// The unit that a table names.
pub(crate) fn unit(stored: i32) -> UnitId {
    UnitId::new(stored.cast_unsigned())
}

/// A district as tables keep it.
pub(crate) fn stored_district(district: DistrictCode) -> i32 {
    district.get().cast_signed()
}

fn units(stored: Vec<i32>) -> Vec<UnitId> {
    stored.into_iter().map(unit).collect()
}

fn stored_units(units: &[UnitId]) -> Vec<i32> {
    units.iter().map(|unit| stored_unit(*unit)).collect()
}

fn people(stored: Vec<Uuid>) -> Vec<StaffId> {
    stored.into_iter().map(StaffId::from_uuid).collect()
}

fn stored_people(people: &[StaffId]) -> Vec<Uuid> {
    people.iter().map(|person| person.uuid()).collect()
}

/// Keeps two cases from being changed by others until the transaction ends; whoever locks both does so in the same order.
pub(crate) async fn lock_both(tx: &mut Tx, one: CaseNumber, other: CaseNumber) -> Result<(), Error> {
    sqlx::query!("select number from casework.matter where number = any($1) order by number for update", &[stored(one), stored(other)][..])
        .fetch_all(&mut **tx)
        .await
        .map_err(Error::database("locking two cases"))?;
    Ok(())
}

/// Reads a case. With `lock`, nobody else changes it until the transaction ends.
pub(crate) async fn load(connection: &mut Connection, number: CaseNumber, lock: bool) -> Result<Kept, Error> {
    if lock {
        sqlx::query!("select number from casework.matter where number = $1 for update", stored(number))
            .fetch_optional(&mut *connection)
            .await
            .map_err(Error::database("locking a case"))?;
    }
    let row = sqlx::query!(
        r#"select m.version, m.kind, m.channel, m.state, m.urgency, m.grade, m.nature, m.district, m.community, m.round, m.received_at,
                  m.facts_sealed, m.alert_id, m.resident_no, m.name_sealed, m.phone_sealed, m.pin_hash, m.writer, m.lead, m.assists, m.refused,
                  m.binding, m.earlier_units, m.handlers, m.author, m.decider, m.second_decider, m.earlier_deciders, m.paused_days,
                  m.extension_days, m.extension_at, m.extended, m.merge_into, m.merge_by, m.chased, m.raised_at, m.result_sealed,
                  m.answer_sealed, m.told_at, m.told_by, m.declined_ground, m.called_back, m.called_at, m.due_at, m.warned,
                  u.parent as "parent?",
                  exists (select from casework.link l where l.number = m.number and l.kind = 'merged_from') as "joined!"
             from casework.matter m left join casework.unit u on u.unit_id = m.lead
            where m.number = $1"#,
        stored(number)
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::database("reading a case"))?
    .ok_or(Error::NoSuchCase)?;
    let extension = row.extension_days.zip(row.extension_at);
    let case = Case {
        kind: row.kind.parse().map_err(Error::stored("kind"))?,
        state: row.state.parse().map_err(Error::stored("state"))?,
        urgency: row.urgency.parse().map_err(Error::stored("urgency"))?,
        grade: row.grade.parse().map_err(Error::stored("grade"))?,
        district: row.district.map(DistrictCode::try_from).transpose().map_err(Error::stored("district"))?,
        round: u8::try_from(row.round).map_err(Error::stored("round"))?,
        received_at: row.received_at,
        writer: row.writer.map(StaffId::from_uuid),
        lead: row.lead.map(unit),
        unit_above: row.parent.map(unit),
        assists: units(row.assists),
        refused: units(row.refused),
        binding: row.binding,
        earlier_units: units(row.earlier_units),
        handlers: people(row.handlers),
        author: row.author.map(StaffId::from_uuid),
        decider: row.decider.map(StaffId::from_uuid),
        second_decider: row.second_decider.map(StaffId::from_uuid),
        earlier_deciders: people(row.earlier_deciders),
        paused_days: row.paused_days.unsigned_abs(),
        extension: extension.map(|(days, at)| ExtensionAsked { working_days: days.unsigned_abs(), at }),
        extended: row.extended,
        merge: row.merge_by.map(|by| MergeProposed { by: StaffId::from_uuid(by) }),
        told_at: row.told_at,
        is_called_back: row.called_back,
        joined: row.joined,
    };
    Ok(Kept {
        number,
        version: row.version,
        case,
        channel: row.channel.parse().map_err(Error::stored("channel"))?,
        nature: row.nature.map(|nature| nature.parse()).transpose().map_err(Error::stored("nature"))?,
        community: row
            .community
            .map(|code| CommunityCode::try_from(code.unsigned_abs()))
            .transpose()
            .map_err(Error::stored("community"))?,
        alert: row.alert_id.map(AlertId::from_uuid),
        resident: row.resident_no.map(|no| ResidentNo::new(no.unsigned_abs())),
        facts_sealed: row.facts_sealed,
        name_sealed: row.name_sealed,
        phone_sealed: row.phone_sealed,
        pin_hash: row.pin_hash,
        merge_into: row.merge_into.map(self::number).transpose()?,
        chased: row.chased,
        raised_at: row.raised_at,
        result_sealed: row.result_sealed,
        answer_sealed: row.answer_sealed,
        told_by: row.told_by.map(|by| by.parse()).transpose().map_err(Error::stored("way of telling"))?,
        declined: row.declined_ground.map(|ground| ground.parse()).transpose().map_err(Error::stored("ground"))?,
        called_at: row.called_at,
        due_at: row.due_at,
        warned: row.warned,
    })
}

/// Writes a case back as the next version, if it still stands at the version it was read at.
pub(crate) async fn save(tx: &mut Tx, kept: &mut Kept, now: DateTime<Utc>) -> Result<(), Error> {
    let read_at = kept.version;
    kept.version += 1;
    let case = &kept.case;
    let rows = sqlx::query!(
        "update casework.matter set version = $3, state = $4, urgency = $5, grade = $6, nature = $7, district = $8, round = $9, changed_at = $10,
             writer = $11, lead = $12, assists = $13, refused = $14, binding = $15, earlier_units = $16, handlers = $17, author = $18,
             decider = $19, second_decider = $20, earlier_deciders = $21, paused_days = $22, extension_days = $23, extension_at = $24,
             extended = $25, merge_into = $26, merge_by = $27, chased = $28, raised_at = $29, result_sealed = $30, answer_sealed = $31,
             told_at = $32, told_by = $33, declined_ground = $34, called_at = $35, due_at = $36, warned = $37
         where number = $1 and version = $2",
        stored(kept.number),
        read_at,
        kept.version,
        case.state.as_ref(),
        case.urgency.as_ref(),
        case.grade.as_ref(),
        kept.nature.map(|nature| nature.to_string()),
        case.district.map(stored_district),
        i16::from(case.round),
        now,
        case.writer.map(StaffId::uuid),
        case.lead.map(stored_unit),
        &stored_units(&case.assists),
        &stored_units(&case.refused),
        case.binding,
        &stored_units(&case.earlier_units),
        &stored_people(&case.handlers),
        case.author.map(StaffId::uuid),
        case.decider.map(StaffId::uuid),
        case.second_decider.map(StaffId::uuid),
        &stored_people(&case.earlier_deciders),
        case.paused_days.cast_signed(),
        case.extension.map(|asked| asked.working_days.cast_signed()),
        case.extension.map(|asked| asked.at),
        case.extended,
        kept.merge_into.map(stored),
        case.merge.map(|merge| merge.by.uuid()),
        &kept.chased,
        kept.raised_at,
        kept.result_sealed,
        kept.answer_sealed,
        case.told_at,
        kept.told_by.map(|by| by.to_string()),
        kept.declined.map(|ground| ground.to_string()),
        kept.called_at,
        kept.due_at,
        kept.warned
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("writing a case"))?;
    if rows.rows_affected() == 1 {
        return Ok(());
    }
    let found = load(tx, kept.number, false).await?.version;
    Err(Error::VersionPassed { expected: read_at, found })
}
