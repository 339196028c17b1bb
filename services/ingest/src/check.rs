//! From a row to a candidate: a record whose form is right, which may be delivered as far as it alone can tell, and in which
//! phone and identity numbers have become keyed hashes.
//!
//! What needs the database, whether a person is registered and whether the id was there before, is [`crate::store`]'s to say.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use domain::area::{Area, CommunityCode, DistrictCode, TownshipCode};
use domain::identity_number::IdentityNumber;
use domain::ids::ResidentNo;
use domain::phone::PhoneNumber;
use domain::place;
use domain::risk_record::{AttributeValue, RiskRecord, Subject, SubjectHash};
use platform::crypto::{Keyring, Purpose};
use platform::http::FieldFault;
use sha2::{Digest as _, Sha256};
use strum::VariantArray;

use crate::columns::Columns;
use crate::fields::{Fields, Scalar};
use crate::framing::{Block, Refusal, Row};
use crate::reason;
use crate::sender::Sender;

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
}

/// A block after its check.
pub(crate) struct Chunk {
    pub block: Block,
    pub candidates: Vec<Candidate>,
    pub refusals: Vec<Refusal>,
}

/// How rows are written.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    Json,
    Csv(Arc<Columns>),
}

/// Checks rows of one sender.
#[derive(Clone, Debug)]
pub(crate) struct Checker {
    pub keyring: Keyring,
    pub sender: Arc<Sender>,
    pub form: Form,
    pub time_zone: Tz,
}

impl Checker {
    /// Checks every row of a block, as of `now`.
    pub(crate) fn check(&self, mut block: Block, now: DateTime<Utc>) -> Chunk {
        let mut refusals = std::mem::take(&mut block.refusals);
        let mut candidates = Vec::with_capacity(block.rows.len());
        let mut text = Vec::with_capacity(512);
        let mut one = |row: Row, fields: Result<Fields<'_>, FieldFault>| match fields
            .and_then(|fields| self.candidate(row, fields, now, &mut text))
        {
            Ok(candidate) => candidates.push(candidate),
            Err(fault) => refusals.push(Refusal { line: row.line, fault, row: block.row(row).to_vec() }),
        };
        match &self.form {
            Form::Json => block.rows.iter().for_each(|row| one(*row, Fields::of_json(block.row(*row)))),
            Form::Csv(columns) => columns.read(&block, one),
        }
        Chunk { block, candidates, refusals }
    }

    fn candidate(&self, row: Row, fields: Fields<'_>, now: DateTime<Utc>, text: &mut Vec<u8>) -> Result<Candidate, FieldFault> {
        let source_id = match &fields.source_id {
            Scalar::Text(text) => text.as_ref().to_owned(),
            Scalar::Whole(number) => number.to_string(),
            Scalar::Absent => return Err(reason::missing("source_id")),
            _ => return Err(reason::not_text("source_id")),
        };
        let kind = word("kind", &fields.kind)?.ok_or_else(|| reason::missing("kind"))?;
        self.sender.may_deliver_kind(kind)?;
        let origin = self.sender.origin(word("origin", &fields.origin)?)?;
        let occurred_at = self.time(&fields.occurred_at)?;
        let level = word("level", &fields.level)?.ok_or_else(|| reason::missing("level"))?;
        let subject = self.subject(&fields)?;
        let (district, township, community) = self.areas(&fields, subject)?;
        if let Some(district) = district {
            self.sender.may_deliver(kind, district, community)?;
        }
        let attributes = attributes(fields.attributes)?;
        // Any district will do for the check of a record that takes its person's: it is checked when it is known.
        let checked_district = district.unwrap_or(place::districts()[0].code);
        let record = RiskRecord { source_id, kind, origin, occurred_at, subject, level, district: checked_district, attributes };
        record.validate(now).map_err(|faults| faults.into_iter().next().map_or_else(|| reason::missing(reason::ROW), reason::of_domain))?;
        let content_hash = content_hash(&record, district, township, community, text);
        Ok(Candidate { row, record, district, township, community, content_hash })
    }

    fn time(&self, value: &Scalar<'_>) -> Result<DateTime<Utc>, FieldFault> {
        let csv = matches!(self.form, Form::Csv(_));
        let malformed = || if csv { reason::local_time() } else { reason::time_with_offset() };
        let text = match value {
            Scalar::Text(text) => text,
            Scalar::Absent => return Err(reason::missing("occurred_at")),
            _ => return Err(malformed()),
        };
        match DateTime::parse_from_rfc3339(text) {
            Ok(time) => Ok(time.to_utc()),
            Err(_) if csv => {
                let local = local_time(text).ok_or_else(malformed)?;
                let time = self.time_zone.from_local_datetime(&local).earliest().ok_or_else(reason::no_such_time)?;
                Ok(time.to_utc())
            }
            Err(_) => Err(malformed()),
        }
    }

    fn subject(&self, fields: &Fields<'_>) -> Result<Subject, FieldFault> {
        let Fields { phone, identity_number, resident_no, place, .. } = fields;
        match (phone, identity_number, resident_no, place) {
            (phone, Scalar::Absent, Scalar::Absent, Scalar::Absent) if *phone != Scalar::Absent => {
                let phone: PhoneNumber = parsed(phone).ok_or_else(reason::phone)?;
                Ok(Subject::PhoneHash(self.hash(Purpose::ResidentPhone, phone.e164().as_bytes())))
            }
            (Scalar::Absent, number, Scalar::Absent, Scalar::Absent) if *number != Scalar::Absent => {
                let number: IdentityNumber = parsed(number).ok_or_else(reason::identity_number)?;
                Ok(Subject::IdentityHash(self.hash(Purpose::IdentityNumber, number.as_str().as_bytes())))
            }
            (Scalar::Absent, Scalar::Absent, number, Scalar::Absent) if *number != Scalar::Absent => {
                let number: i32 = parsed(number).ok_or_else(reason::resident_no)?;
                let number = u32::try_from(number).map_err(|_| reason::resident_no())?;
                Ok(Subject::Resident(ResidentNo::new(number)))
            }
            (Scalar::Absent, Scalar::Absent, Scalar::Absent, place) if *place != Scalar::Absent => {
                let area: Area = parsed(place).ok_or_else(|| reason::not_area("subject.place"))?;
                Ok(Subject::Place(area))
            }
            _ => Err(reason::one_subject()),
        }
    }

    fn hash(&self, purpose: Purpose, value: &[u8]) -> SubjectHash {
        SubjectHash::new(*self.keyring.hash(purpose, value).bytes())
    }

    /// District, township and community: as they are said, and as the smaller ones imply the larger.
    #[expect(clippy::type_complexity, reason = "the three codes of one place, taken apart at once")]
    fn areas(
        &self,
        fields: &Fields<'_>,
        subject: Subject,
    ) -> Result<(Option<DistrictCode>, Option<TownshipCode>, Option<CommunityCode>), FieldFault> {
        let district: Option<DistrictCode> = code("district", 6, &fields.district)?;
        let township: Option<TownshipCode> = code("township", 9, &fields.township)?;
        let community: Option<CommunityCode> = code("community", 12, &fields.community)?;
        if township.is_some_and(|township| place::township(township).is_none()) {
            return Err(reason::unknown_area("township"));
        }
        if community.is_some_and(|community| place::community(community).is_none()) {
            return Err(reason::unknown_area("community"));
        }
        let place = match subject {
            Subject::Place(area) => Some(area),
            _ => None,
        };
        let community = community
            .or(match place {
                Some(Area::Community(community)) => Some(community),
                _ => None,
            })
            .or_else(|| self.sender.community().filter(|_| township.is_none() && place.is_none_or(|area| area.township().is_none())));
        let township = match (township, community) {
            (Some(township), Some(community)) if community.township() != township => return Err(reason::elsewhere("community")),
            (Some(township), _) => Some(township),
            (None, Some(community)) => Some(community.township()),
            (None, None) => place.and_then(Area::township),
        };
        let district = match (district, township) {
            (Some(district), Some(township)) if township.district() != district => return Err(reason::elsewhere("township")),
            (Some(district), _) => Some(district),
            (None, Some(township)) => Some(township.district()),
            (None, None) => place.and_then(Area::district),
        };
        if district.is_none() && place.is_some() {
            return Err(reason::missing("district"));
        }
        Ok((district, township, community))
    }
}

/// A word of one of the domain's lists.
fn word<T>(field: &str, value: &Scalar<'_>) -> Result<Option<T>, FieldFault>
where
    T: FromStr + VariantArray + AsRef<str> + 'static,
{
    let known = || reason::unknown_word(field, &T::VARIANTS.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", "));
    match value {
        Scalar::Absent => Ok(None),
        Scalar::Text(text) => text.parse().map(Some).map_err(|_| known()),
        _ => Err(known()),
    }
}

/// The code of an area, with or without quotes.
fn code<T: FromStr>(field: &str, digits: u8, value: &Scalar<'_>) -> Result<Option<T>, FieldFault> {
    match value {
        Scalar::Absent => Ok(None),
        value => parsed(value).map(Some).ok_or_else(|| reason::not_code(field, digits)),
    }
}

fn parsed<T: FromStr>(value: &Scalar<'_>) -> Option<T> {
    match value {
        Scalar::Text(text) => text.parse().ok(),
        Scalar::Whole(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

/// What spreadsheets and people write.
fn local_time(text: &str) -> Option<NaiveDateTime> {
    const FORMS: [&str; 6] =
        ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M"];
    FORMS.into_iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
}

fn attributes(written: Vec<(Cow<'_, str>, Scalar<'_>)>) -> Result<BTreeMap<String, AttributeValue>, FieldFault> {
    let mut attributes = BTreeMap::new();
    for (name, value) in written {
        let value = match value {
            Scalar::Absent => continue,
            Scalar::Bool(value) => AttributeValue::Bool(value),
            Scalar::Whole(number) => AttributeValue::Number(number as f64),
            Scalar::Number(number) => AttributeValue::Number(number),
            Scalar::Text(text) => AttributeValue::Text(text.into_owned()),
            Scalar::Nested => return Err(reason::attribute_value(&name)),
        };
        match attributes.entry(name.into_owned()) {
            Entry::Vacant(entry) => {
                entry.insert(value);
            }
            Entry::Occupied(entry) => return Err(reason::attribute_twice(entry.key())),
        }
    }
    Ok(attributes)
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
