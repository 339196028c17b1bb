//! Taking a case in: read, numbered, kept, and answered with its number and PIN.
//!
//! A client names its request (`Idempotency-Key`). The PIN comes from the name and the number under a key, so a repeat after an answer that got lost,
//! or after a process that died between storing and answering, is told the same number and PIN; the PIN itself is kept hashed alone.

use chrono::{DateTime, Utc};
use domain::area::{Area, CommunityCode, DistrictCode};
use domain::casework::{Case, CaseNumber, Channel, Kind, Pin, Promise, State};
use domain::ids::{AlertId, ResidentNo};
use domain::phone::PhoneNumber;
use domain::place;
use http::HeaderMap;
use platform::crypto::{Keyring, Purpose};
use platform::database::Tx;
use platform::http::{FieldFault, StaffCaller};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clocks::{self, NOTHING_DUE};
use crate::service::Parts;
use crate::store;
use crate::texts::{Facts, needed, optional};
use crate::{Error, SCHEMA};

/// What a citizen brings.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseRequest {
    /// What it is.
    pub(crate) kind: Kind,
    /// What happened, or what is asked: 1 to 5,000 characters.
    pub(crate) text: String,
    /// What outcome is wanted, up to 1,000 characters.
    #[serde(default)]
    pub(crate) request: Option<String>,
    /// The body complained of, or who or what is reported, up to 200 characters; a complaint and a report of a violation name one.
    #[serde(default)]
    pub(crate) against: Option<String>,
    /// Where, in words, up to 200 characters.
    #[serde(default)]
    pub(crate) place: Option<String>,
    /// The district that it is about.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "500103")]
    pub(crate) district: Option<DistrictCode>,
    /// The community that it is about; its district is then known.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "500103001001")]
    pub(crate) community: Option<CommunityCode>,
    /// A mobile number under which whoever brings it is reached. Without it the answer is read by number and PIN.
    #[serde(default)]
    #[schema(example = "138 1234 5678")]
    pub(crate) phone: Option<String>,
    /// Their name, up to 50 characters.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// The alert that it is about.
    #[serde(default)]
    pub(crate) alert_id: Option<AlertId>,
}

/// A case that was taken. Number and PIN are told once: together they open its state.
#[derive(Serialize, ToSchema)]
pub(crate) struct CaseTaken {
    #[schema(value_type = String, example = "261128-4071-3392-1")]
    pub(crate) number: CaseNumber,
    /// Six digits.
    #[schema(example = "402917")]
    pub(crate) pin: String,
    pub(crate) kind: Kind,
    pub(crate) state: State,
    pub(crate) received_at: DateTime<Utc>,
    /// Until when somebody takes it up.
    pub(crate) answer_by: DateTime<Utc>,
    /// For the first step with it.
    pub(crate) version: i32,
}

/// How a case comes, and from whom.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) channel: Channel,
    pub(crate) resident: Option<ResidentNo>,
    /// Who writes it down for them.
    pub(crate) writer: Option<&'a StaffCaller>,
}

/// The name that a client gave its request.
pub(crate) struct RequestName(Vec<u8>);

impl RequestName {
    /// The header `Idempotency-Key`: 8 to 64 visible characters.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Error> {
        let key = headers.get("idempotency-key").ok_or(Error::KeyMissing)?.as_bytes();
        let good = (8..=64).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
        if good { Ok(Self(key.to_vec())) } else { Err(Error::KeyMissing) }
    }

    /// Under whom it is remembered: a name of one caller is none of another's.
    fn hash(&self, keyring: &Keyring, from: Source<'_>) -> Vec<u8> {
        let of = match (from.writer, from.resident) {
            (Some(writer), _) => format!("staff {}", writer.id),
            (None, Some(no)) => format!("resident {no}"),
            (None, None) => String::new(),
        };
        keyring.hash(Purpose::CaseRequest, &[of.as_bytes(), &[0], &self.0].concat()).to_vec()
    }
}

/// The hash under which a PIN is kept.
pub(crate) fn pin_hash(keyring: &Keyring, number: CaseNumber, pin: &Pin) -> Vec<u8> {
    keyring.hash(Purpose::CasePin, format!("{number} {}", pin.digits()).as_bytes()).to_vec()
}

/// The hash by which a caller's cases are found.
pub(crate) fn caller_hash(keyring: &Keyring, phone: &PhoneNumber) -> Vec<u8> {
    keyring.hash(Purpose::CaseCaller, phone.e164().as_bytes()).to_vec()
}

/// A request that was read.
struct Read {
    kind: Kind,
    facts: Facts,
    district: Option<DistrictCode>,
    community: Option<CommunityCode>,
    phone: Option<PhoneNumber>,
    name: Option<String>,
    alert: Option<AlertId>,
}

impl Read {
    fn of(request: &CaseRequest) -> Result<Self, Error> {
        let mut faults = Vec::new();
        let facts = Facts {
            text: needed("text", &request.text, 5_000, &mut faults),
            request: optional("request", request.request.as_deref(), 1_000, &mut faults),
            against: optional("against", request.against.as_deref(), 200, &mut faults),
            place: optional("place", request.place.as_deref(), 200, &mut faults),
        };
        if request.kind.is_checked() && facts.against.is_none() {
            faults.push(FieldFault::new("against", "请写明被投诉或被举报的单位、人员或事项", "say which body or who is meant"));
        }
        let phone = request.phone.as_deref().map(str::trim).filter(|phone| !phone.is_empty());
        let phone = match phone.map(str::parse::<PhoneNumber>).transpose() {
            Ok(phone) => phone,
            Err(fault) => {
                faults.push(FieldFault::new("phone", fault.chinese(), fault.to_string()));
                None
            }
        };
        let district = request.community.map(CommunityCode::district).or(request.district);
        let area = request.community.map(Area::Community).or(district.map(Area::District));
        if area.is_some_and(|area| !place::knows(area)) || request.district.is_some_and(|said| Some(said) != district) {
            let field = if request.community.is_some() { "community" } else { "district" };
            faults.push(FieldFault::new(field, "本市没有此地，或与区县不符", "is not in the city, or not in the district"));
        }
        let name = optional("name", request.name.as_deref(), 50, &mut faults);
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        Ok(Self { kind: request.kind, facts, district, community: request.community, phone, name, alert: request.alert_id })
    }
}

/// Takes a case in, once for each name of a request.
pub(crate) async fn take(parts: &Parts, request: &CaseRequest, name: &RequestName, from: Source<'_>) -> Result<CaseTaken, Error> {
    let read = Read::of(request)?;
    let (keyring, now) = (&parts.platform.keyring, parts.now());
    let request_hash = name.hash(keyring, from);
    let said = serde_json::to_vec(request).map_err(Error::stored("request"))?;
    let said_hash = keyring.hash(Purpose::CaseRequest, &said).to_vec();

    let today = now.with_timezone(&parts.zone()).date_naive();
    let number = parts.numbers.next(&parts.platform, today).await?;
    let mut tx = parts.platform.database.begin().await?;
    let taken = match insert(&mut tx, parts, &read, number, name, from, &request_hash, &said_hash).await? {
        Some(taken) => {
            tx.commit().await?;
            metrics::counter!("casework_cases_total", "kind" => read.kind.as_ref().to_owned(), "channel" => from.channel.as_ref().to_owned())
                .increment(1);
            taken
        }
        None => repeated(&mut tx, parts, name, &request_hash, &said_hash).await?,
    };
    Ok(taken)
}

fn pin_of(keyring: &Keyring, number: CaseNumber, name: &RequestName) -> Pin {
    let hash = keyring.hash(Purpose::CasePin, &[&b"told "[..], &number.get().to_be_bytes()[..], &name.0].concat());
    let bytes = hash.bytes();
    Pin::from_random(u64::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]]))
}

/// Adds the case with its first clocks; `None` if the request was taken before.
#[expect(clippy::too_many_arguments, reason = "what a row is made of")]
async fn insert(
    tx: &mut Tx,
    parts: &Parts,
    read: &Read,
    number: CaseNumber,
    name: &RequestName,
    from: Source<'_>,
    request_hash: &[u8],
    said_hash: &[u8],
) -> Result<Option<CaseTaken>, Error> {
    let (keyring, now) = (&parts.platform.keyring, parts.now());
    let anonymous = read.phone.is_none() && read.name.is_none() && from.resident.is_none();
    let called_back = read.kind != Kind::Consultation && (read.phone.is_some() || anonymous && is_drawn(parts, number));
    let mut case = Case::received(read.kind, read.district, now, called_back);
    // what is written down for somebody belongs to the desk that wrote it, if nobody said where
    case.district = case.district.or_else(|| from.writer.and_then(|writer| writer.scope.district()));
    let mut running = Vec::new();
    for promise in [Promise::Take, Promise::FirstCheck, Promise::Order] {
        clocks::start(parts, &mut running, promise, &case, now);
    }
    let due = clocks::foremost(&running).map_or(NOTHING_DUE, |foremost| foremost.clock.due.at);
    let pin = pin_of(keyring, number, name);
    let rows = sqlx::query!(
        "insert into casework.matter (number, kind, channel, state, urgency, grade, district, community, received_at, changed_at, facts_sealed,
             alert_id, resident_no, name_sealed, phone_sealed, phone_hash, pin_hash, request_hash, said_hash, called_back, due_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
         on conflict (request_hash) do nothing",
        store::stored(number),
        case.kind.as_ref(),
        from.channel.as_ref(),
        case.state.as_ref(),
        case.urgency.as_ref(),
        case.grade.as_ref(),
        case.district.map(store::stored_district),
        read.community.map(|code| code.get().cast_signed()),
        now,
        read.facts.seal(keyring)?,
        read.alert.map(AlertId::uuid),
        from.resident.map(|no| no.get().cast_signed()),
        read.name.as_ref().map(|name| keyring.seal(Purpose::CaseName, name.as_bytes()).into_bytes()),
        read.phone.as_ref().map(|phone| keyring.seal(Purpose::ResidentPhone, phone.e164().as_bytes()).into_bytes()),
        read.phone.as_ref().map(|phone| caller_hash(keyring, phone)),
        pin_hash(keyring, number, &pin),
        request_hash,
        said_hash,
        called_back,
        due
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("keeping a case"))?;
    if rows.rows_affected() == 0 {
        return Ok(None);
    }
    clocks::save(tx, parts, number, &[], &running).await?;
    let (role, actor, actor_name) = match from.writer {
        Some(writer) => (writer.role.as_ref().to_owned(), Some(writer.id.uuid()), Some(writer.name.as_str())),
        None => ("citizen".to_owned(), None, None),
    };
    sqlx::query!(
        "insert into casework.step (number, n, at, event, from_state, to_state, actor, actor_name, role) values ($1, 1, $2, 'received', $3, $3, $4, $5, $6)",
        store::stored(number),
        now,
        case.state.as_ref(),
        actor,
        actor_name,
        role
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("beginning a case's history"))?;
    if let Some(writer) = from.writer {
        let entry = proto::AuditEntry { district: case.district.map(DistrictCode::get), ..writer.did("case_taken", "case", number, now) };
        tx.publish(SCHEMA, &entry).await?;
    }
    let answer_by = running.first().map_or(now, |take| take.clock.due.at);
    Ok(Some(CaseTaken {
        number,
        pin: pin.digits().to_owned(),
        kind: case.kind,
        state: case.state,
        received_at: now,
        answer_by,
        version: 1,
    }))
}

/// The same answer as before, to the same request.
async fn repeated(tx: &mut Tx, parts: &Parts, name: &RequestName, request_hash: &[u8], said_hash: &[u8]) -> Result<CaseTaken, Error> {
    let known = sqlx::query!(
        "select m.number, m.kind, m.state, m.received_at, m.version, m.said_hash, c.due_at
           from casework.matter m join casework.clock c on c.number = m.number and c.n = 1 where m.request_hash = $1",
        request_hash
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(Error::database("finding a case that was taken before"))?;
    if known.said_hash != said_hash {
        return Err(Error::KeyReused);
    }
    let number = store::number(known.number)?;
    Ok(CaseTaken {
        number,
        pin: pin_of(&parts.platform.keyring, number, name).digits().to_owned(),
        kind: known.kind.parse().map_err(Error::stored("kind"))?,
        state: known.state.parse().map_err(Error::stored("state"))?,
        received_at: known.received_at,
        answer_by: known.due_at,
        version: known.version,
    })
}

/// Whether the answer to an anonymous case is looked at again: by lot, which nobody can steer.
fn is_drawn(parts: &Parts, number: CaseNumber) -> bool {
    let lot = parts.platform.keyring.hash(Purpose::CaseLot, &number.get().to_be_bytes());
    let lot = u32::from_be_bytes([lot.bytes()[0], lot.bytes()[1], lot.bytes()[2], lot.bytes()[3]]);
    lot % 100 < parts.settings.promises.call_back_anonymous_percent
}
