//! From a row to a candidate: a record whose form is right, which may be delivered as far as it alone can tell, and in which
//! phone and identity numbers have become keyed hashes.
//!
//! What needs the database, whether a person is registered and whether the id was there before, is [`crate::store`]'s to say.

mod faults;
mod subject;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use domain::area::{Area, CommunityCode, DistrictCode, TownshipCode};
use domain::ids::ResidentNo;
use domain::list::{self, ListWord};
use domain::place_name::PlaceNameError;
use domain::record_life::{Correction, REASON_LIMIT};
use domain::risk_record::{AttributeValue, Origin, RecordKind, RiskLevel, RiskRecord, Subject};
use domain::written_time::{self, WrittenTime};
use domain::{place, place_name};
use platform::crypto::Keyring;
use platform::http::FieldFault;
use sha2::{Digest as _, Sha256};
use strum::VariantArray;

use crate::columns::Columns;
use crate::fields::{Fields, Scalar};
use crate::framing::{Block, Refusal, Row};
use crate::pairing::Paired;
use crate::reason;
use crate::sender::Sender;
use faults::Faults;

/// A record that may be stored once its subject was looked for.
pub(crate) struct Candidate {
    pub row: Row,
    /// Its `district` is a stand-in where [`Candidate::district`] is none.
    pub record: RiskRecord,
    /// As the source said it, or as it follows from township, community or place.
    pub district: Option<DistrictCode>,
    pub township: Option<TownshipCode>,
    pub community: Option<CommunityCode>,
    /// Over what the source said, not over what was added since.
    pub content_hash: [u8; 32],
    /// The document that a trusted source named together with the phone.
    pub paired: Option<Paired>,
}

/// A row by which a source corrects or takes back a record that it delivered before.
pub(crate) struct Correcting {
    pub row: Row,
    pub source_id: String,
    pub reason: String,
    /// What takes its place; none: it is taken back.
    pub by: Option<Candidate>,
}

/// What a row says.
enum Said {
    Record(Candidate),
    Correction(Correcting),
}

/// A block after its check.
pub(crate) struct Chunk {
    pub block: Block,
    pub candidates: Vec<Candidate>,
    pub corrections: Vec<Correcting>,
    pub refusals: Vec<Refusal>,
}

impl Chunk {
    /// The ids of its records and corrections.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        let records = self.candidates.iter().map(|candidate| candidate.record.source_id.as_str());
        records.chain(self.corrections.iter().map(|correction| correction.source_id.as_str()))
    }
}

/// How rows are written.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    Json,
    /// Cells under a header row.
    List(Arc<Columns>),
}

/// Checks rows of one sender.
#[derive(Clone, Debug)]
pub(crate) struct Checker {
    pub keyring: Keyring,
    pub sender: Arc<Sender>,
    pub form: Form,
    pub time_zone: Tz,
    /// What happened earlier is refused.
    pub oldest_event_days: u32,
    /// Whether the sender is trusted with saying whose phone and whose document belong together.
    pub pairs: bool,
}

impl Checker {
    /// Checks every row of a block, as of `now`.
    pub(crate) fn check(&self, mut block: Block, now: DateTime<Utc>) -> Chunk {
        let mut refusals = std::mem::take(&mut block.refusals);
        let (mut candidates, mut corrections) = (Vec::with_capacity(block.rows.len()), Vec::new());
        let mut text = Vec::with_capacity(512);
        let mut one = |row: Row, fields: Result<Fields<'_>, FieldFault>| match fields
            .map_err(|fault| vec![fault])
            .and_then(|fields| self.said(row, fields, now, &mut text))
        {
            Ok(Said::Record(candidate)) => candidates.push(candidate),
            Ok(Said::Correction(correction)) => corrections.push(correction),
            Err(faults) => refusals.push(Refusal { line: row.line, faults, row: block.row(row).to_vec() }),
        };
        match &self.form {
            Form::Json => block.rows.iter().for_each(|row| one(*row, Fields::of_json(block.row(*row)))),
            Form::List(columns) => columns.read(&block, one),
        }
        Chunk { block, candidates, corrections, refusals }
    }

    /// A record, or what becomes of one.
    fn said(&self, row: Row, mut fields: Fields<'_>, now: DateTime<Utc>, text: &mut Vec<u8>) -> Result<Said, Vec<FieldFault>> {
        if fields.correction == Scalar::Absent && fields.correction_reason == Scalar::Absent {
            return self.candidate(row, fields, now, text).map(Said::Record);
        }
        let mut faults = Faults(Vec::new());
        let correction = faults.hear(self.word("correction", &fields.correction)).flatten();
        if correction.is_none() && faults.0.is_empty() {
            faults.add(reason::reason_of_nothing());
        }
        let why = faults.hear(correction_reason(&fields.correction_reason));
        let (source_id, by) = if correction == Some(Correction::Retract) {
            // whatever else is written of a record that is taken back does not matter any more
            (faults.hear(self.source_id(&fields.source_id)), None)
        } else {
            fields.faults.extend(faults.0);
            let candidate = self.candidate(row, fields, now, text)?;
            faults = Faults(Vec::new());
            (Some(candidate.record.source_id.clone()), Some(candidate))
        };
        match (source_id, why) {
            (Some(source_id), Some(reason)) if faults.0.is_empty() => Ok(Said::Correction(Correcting { row, source_id, reason, by })),
            _ => Err(faults.0),
        }
    }

    fn candidate(&self, row: Row, mut fields: Fields<'_>, now: DateTime<Utc>, text: &mut Vec<u8>) -> Result<Candidate, Vec<FieldFault>> {
        let mut faults = Faults(std::mem::take(&mut fields.faults));
        let source_id = faults.hear(self.source_id(&fields.source_id));
        let kind = faults.hear(self.word("kind", &fields.kind).and_then(|kind| kind.ok_or_else(|| reason::missing("kind"))));
        let deliverable = kind.filter(|kind| faults.hear(self.sender.may_deliver_kind(*kind)).is_some());
        let origin = faults.hear(self.word("origin", &fields.origin).and_then(|said| self.sender.origin(said)));
        let occurred_at = faults.hear(self.time(&fields.occurred_at, now));
        let level = faults.hear(self.word("level", &fields.level).and_then(|level| level.ok_or_else(|| reason::missing("level"))));
        let about = faults.hear(self.about(&fields));
        let (subject, paired) = (about.as_ref().map(|about| about.subject), about.and_then(|about| about.paired));
        let Areas { district, township, community } = self.areas(&fields, subject, &mut faults);
        if let (Some(kind), Some(district)) = (deliverable, district) {
            faults.hear(self.sender.may_deliver(kind, district, community));
        }
        let attributes = attributes(fields.attributes, &mut faults);
        // What could not be read has a stand-in, so that the domain can judge the rest. Any district will do for a record that takes
        // its person's: it is checked when it is known.
        let mut record = RiskRecord {
            source_id: source_id.unwrap_or_else(|| "?".to_owned()),
            kind: kind.unwrap_or(RecordKind::Case),
            origin: origin.unwrap_or(Origin::Surveillance),
            occurred_at: occurred_at.unwrap_or(now),
            subject: subject.unwrap_or(Subject::Resident(ResidentNo::new(0))),
            level: level.unwrap_or(RiskLevel::Low),
            district: district.unwrap_or(place::districts()[0].code),
            attributes,
        };
        if let Err(found) = record.validate(now) {
            let of_what_was_read = found.into_iter().filter(|fault| fault.field != "subject" || subject.is_some() && district.is_some());
            of_what_was_read.for_each(|fault| faults.add(reason::of_domain(fault)));
        }
        if !faults.0.is_empty() {
            return Err(faults.0);
        }
        // what the source wrote decides whether it is the same record; what rules read of it may be called otherwise
        let content_hash = content_hash(&record, district, township, community, text);
        if self.is_list() {
            in_words_of_rules(&mut record.attributes);
        }
        Ok(Candidate { row, record, district, township, community, content_hash, paired })
    }

    /// Whether rows come from a list, in which everything is text.
    const fn is_list(&self) -> bool {
        matches!(self.form, Form::List(_))
    }

    fn source_id(&self, value: &Scalar<'_>) -> Result<String, FieldFault> {
        match value {
            Scalar::Text(text) if self.is_list() && list::is_rounded(text) => Err(reason::rounded("source_id")),
            Scalar::Text(text) => Ok(text.as_ref().to_owned()),
            Scalar::Whole(number) => Ok(number.to_string()),
            Scalar::Absent => Err(reason::missing("source_id")),
            _ => Err(reason::not_text("source_id")),
        }
    }

    fn time(&self, value: &Scalar<'_>, now: DateTime<Utc>) -> Result<DateTime<Utc>, FieldFault> {
        let text = match value {
            Scalar::Text(text) => text,
            Scalar::Absent => return Err(reason::missing("occurred_at")),
            _ => return Err(reason::time_with_offset()),
        };
        let time = match written_time::read(text) {
            Ok(WrittenTime::Moment(time)) => time,
            Ok(WrittenTime::Local(local)) if self.is_list() => {
                self.time_zone.from_local_datetime(&local).earliest().ok_or_else(reason::no_such_time)?.to_utc()
            }
            Err(error) if self.is_list() => return Err(reason::written_time(error)),
            Ok(_) | Err(_) => return Err(reason::time_with_offset()),
        };
        let oldest = now - TimeDelta::days(i64::from(self.oldest_event_days));
        if time < oldest { Err(reason::too_old(self.oldest_event_days)) } else { Ok(time) }
    }

    /// A word of one of the domain's lists; in a list also as people write it.
    fn word<T>(&self, field: &str, value: &Scalar<'_>) -> Result<Option<T>, FieldFault>
    where
        T: ListWord + VariantArray + AsRef<str>,
    {
        let known = || reason::unknown_word(field, &T::VARIANTS.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", "));
        match value {
            Scalar::Absent => Ok(None),
            Scalar::Text(text) if self.is_list() => T::of_cell(text).map(Some).ok_or_else(known),
            Scalar::Text(text) => text.parse().map(Some).map_err(|_| known()),
            _ => Err(known()),
        }
    }

    /// The code of an area, with or without quotes; in a list also by its name.
    fn code<T: FromStr>(
        &self,
        field: &str,
        digits: u8,
        value: &Scalar<'_>,
        named: impl Fn(&str) -> Result<T, PlaceNameError>,
    ) -> Result<Option<T>, FieldFault> {
        match value {
            Scalar::Absent => Ok(None),
            value => match (parsed(value), value) {
                (Some(code), _) => Ok(Some(code)),
                (None, Scalar::Text(text)) if self.is_list() => {
                    named(text).map(Some).map_err(|error| reason::not_code_or_name(field, digits, error))
                }
                _ => Err(reason::not_code(field, digits)),
            },
        }
    }

    /// District, township and community: as they are said, and as the smaller ones imply the larger.
    fn areas(&self, fields: &Fields<'_>, subject: Option<Subject>, faults: &mut Faults) -> Areas {
        let before = faults.0.len();
        let district = faults.hear(self.code("district", 6, &fields.district, place_name::district)).flatten();
        let township = faults.hear(self.code("township", 9, &fields.township, |name| place_name::township(name, district))).flatten();
        let community =
            faults.hear(self.code("community", 12, &fields.community, |name| place_name::community(name, township, district))).flatten();
        if township.is_some_and(|township| place::township(township).is_none()) {
            faults.add(reason::unknown_area("township"));
        }
        if community.is_some_and(|community| place::community(community).is_none()) {
            faults.add(reason::unknown_area("community"));
        }
        if faults.0.len() > before {
            // what is wrong with one of them says nothing about the others
            return Areas { district, ..Areas::default() };
        }
        let place = match subject {
            Some(Subject::Place(area)) => Some(area),
            _ => None,
        };
        let community = community
            .or(match place {
                Some(Area::Community(community)) => Some(community),
                _ => None,
            })
            .or_else(|| self.sender.community().filter(|_| township.is_none() && place.is_none_or(|area| area.township().is_none())));
        let township = match (township, community) {
            (Some(township), Some(community)) if community.township() != township => {
                faults.add(reason::elsewhere("community"));
                Some(township)
            }
            (Some(township), _) => Some(township),
            (None, Some(community)) => Some(community.township()),
            (None, None) => place.and_then(Area::township),
        };
        let district = match (district, township) {
            (Some(district), Some(township)) if township.district() != district => {
                faults.add(reason::elsewhere("township"));
                Some(district)
            }
            (Some(district), _) => Some(district),
            (None, Some(township)) => Some(township.district()),
            (None, None) => place.and_then(Area::district),
        };
        if district.is_none() && place.is_some() {
            faults.add(reason::missing("district"));
        }
        Areas { district, township, community }
    }
}

/// District, township and community of a record, as far as they are known.
#[derive(Default)]
struct Areas {
    district: Option<DistrictCode>,
    township: Option<TownshipCode>,
    community: Option<CommunityCode>,
}

/// Why a record is corrected.
fn correction_reason(value: &Scalar<'_>) -> Result<String, FieldFault> {
    match value {
        Scalar::Absent => Err(reason::missing("correction_reason")),
        Scalar::Text(text) => {
            let text = text.trim();
            let fits = (1..=REASON_LIMIT).contains(&text.chars().count()) && !text.chars().any(char::is_control);
            match (fits, reason::may_name_somebody(text)) {
                (true, false) => Ok(text.to_owned()),
                (true, true) => Err(reason::correction_reason_names_somebody()),
                (false, _) => Err(reason::correction_reason()),
            }
        }
        _ => Err(reason::correction_reason()),
    }
}

fn parsed<T: FromStr>(value: &Scalar<'_>) -> Option<T> {
    match value {
        Scalar::Text(text) => text.parse().ok(),
        Scalar::Whole(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

fn attributes(written: Vec<(Cow<'_, str>, Scalar<'_>)>, faults: &mut Faults) -> BTreeMap<String, AttributeValue> {
    let mut attributes = BTreeMap::new();
    for (name, value) in written {
        let value = match value {
            Scalar::Absent => continue,
            Scalar::Bool(value) => AttributeValue::Bool(value),
            Scalar::Whole(number) => AttributeValue::Number(number as f64),
            Scalar::Number(number) => AttributeValue::Number(number),
            Scalar::Text(text) => AttributeValue::Text(text.into_owned()),
            Scalar::Nested => {
                faults.add(reason::attribute_value(&name));
                continue;
            }
        };
        match attributes.entry(name.into_owned()) {
            Entry::Vacant(entry) => {
                entry.insert(value);
            }
            Entry::Occupied(entry) => faults.add(reason::attribute_twice(entry.key())),
        }
    }
    attributes
}

/// What a list says in Chinese, as the word that rules ask for.
fn in_words_of_rules(attributes: &mut BTreeMap<String, AttributeValue>) {
    for (name, value) in attributes {
        if let AttributeValue::Text(text) = value
            && let Some(word) = list::attribute_value(name, text)
        {
            word.clone_into(text);
        }
    }
}

/// SHA-256 over the record in a form of its own, so that spaces, order and ways of writing a time or number do not matter.
fn content_hash(
    record: &RiskRecord,
    district: Option<DistrictCode>,
    township: Option<TownshipCode>,
    community: Option<CommunityCode>,
    text: &mut Vec<u8>,
) -> [u8; 32] {
    fn put(text: &mut Vec<u8>, bytes: &[u8]) {
        // lengths keep neighbours apart
        text.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        text.extend_from_slice(bytes);
    }
    text.clear();
    put(text, record.kind.as_ref().as_bytes());
    put(text, record.origin.as_ref().as_bytes());
    put(text, record.level.as_ref().as_bytes());
    put(text, &record.occurred_at.timestamp_micros().to_be_bytes());
    put(text, &district.map_or(0, DistrictCode::get).to_be_bytes());
    put(text, &township.map_or(0, TownshipCode::get).to_be_bytes());
    put(text, &community.map_or(0, CommunityCode::get).to_be_bytes());
    let (way, subject): (&[u8], Cow<'_, [u8]>) = match &record.subject {
        Subject::Resident(no) => (b"resident", Cow::Owned(no.get().to_be_bytes().to_vec())),
        Subject::PhoneHash(hash) => (b"phone", Cow::Borrowed(hash.bytes())),
        Subject::IdentityHash(hash) => (b"identity", Cow::Borrowed(hash.bytes())),
        Subject::Place(area) => (b"place", Cow::Owned(area.to_string().into_bytes())),
    };
    put(text, way);
    put(text, &subject);
    for (name, value) in &record.attributes {
        put(text, name.as_bytes());
        match value {
            AttributeValue::Bool(value) => put(text, &[u8::from(*value)]),
            AttributeValue::Number(number) => put(text, &number.to_bits().to_be_bytes()),
            AttributeValue::Text(value) => {
                // a text of eight bytes is not a number
                put(text, b"text");
                put(text, value.as_bytes());
            }
        }
    }
    Sha256::digest(&*text).into()
}

#[cfg(test)]
mod tests;
