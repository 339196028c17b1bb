//! Whom or what a row is about.
//!
//! Exactly one of phone, document, resident and place; a source that is trusted with saying whose a document is may name a phone and a document of one
//! person together.
//!
//! What is said beside a number, its kind and its country, is asked for only where the number needs it: lists have such columns for
//! everybody, and what stands in them is often of no use.

use std::borrow::Cow;

use domain::area::Area;
use domain::country::Country;
use domain::identity_document::{IdentityDocument, IdentityError};
use domain::ids::ResidentNo;
use domain::list;
use domain::phone::{PhoneNumber, PhoneNumberError};
use domain::place_name;
use domain::risk_record::{Subject, SubjectHash};
use platform::crypto::Purpose;
use platform::http::FieldFault;

use super::{Checker, parsed};
use crate::fields::{Fields, Scalar};
use crate::pairing::Paired;
use crate::reason;

/// Nobody who is alive was born before this year.
const FIRST_BIRTH: u16 = 1900;

/// Whom or what a row is about, and beside a phone the document of its owner, where the sender is trusted with saying whose it is.
pub(super) struct About {
    pub subject: Subject,
    pub paired: Option<Paired>,
}

impl Checker {
    pub(super) fn about(&self, fields: &Fields<'_>) -> Result<About, FieldFault> {
        let Fields { phone, identity_number, resident_no, place, .. } = fields;
        if self.pairs
            && *phone != Scalar::Absent
            && *identity_number != Scalar::Absent
            && (resident_no, place) == (&Scalar::Absent, &Scalar::Absent)
        {
            let number = phone_number(phone, &fields.number_country)?;
            let document = self.document(identity_number, fields)?;
            let phone = self.hash(Purpose::ResidentPhone, number.e164().as_bytes());
            let document = self.hash(Purpose::IdentityNumber, document.hashed().as_bytes());
            return Ok(About { subject: Subject::PhoneHash(phone), paired: Some(Paired { phone, document }) });
        }
        Ok(About { subject: self.subject(fields)?, paired: None })
    }

    fn subject(&self, fields: &Fields<'_>) -> Result<Subject, FieldFault> {
        let Fields { phone, identity_number, resident_no, place, .. } = fields;
        match (phone, identity_number, resident_no, place) {
            (phone, Scalar::Absent, Scalar::Absent, Scalar::Absent) if *phone != Scalar::Absent => {
                let phone = phone_number(phone, &fields.number_country)?;
                Ok(Subject::PhoneHash(self.hash(Purpose::ResidentPhone, phone.e164().as_bytes())))
            }
            (Scalar::Absent, number, Scalar::Absent, Scalar::Absent) if *number != Scalar::Absent => {
                let document = self.document(number, fields)?;
                Ok(Subject::IdentityHash(self.hash(Purpose::IdentityNumber, document.hashed().as_bytes())))
            }
            (Scalar::Absent, Scalar::Absent, number, Scalar::Absent) if *number != Scalar::Absent => {
                let number: i32 =
                    parsed(number).ok_or_else(|| rounded("subject.resident_no", number).unwrap_or_else(reason::resident_no))?;
                let number = u32::try_from(number).map_err(|_| reason::resident_no())?;
                Ok(Subject::Resident(ResidentNo::new(number)))
            }
            (Scalar::Absent, Scalar::Absent, Scalar::Absent, place) if *place != Scalar::Absent => {
                let named = || match place {
                    Scalar::Text(text) if self.is_list() => place_name::district(text).ok().map(Area::District),
                    _ => None,
                };
                let area: Area = parsed(place).or_else(named).ok_or_else(|| reason::not_area("subject.place"))?;
                Ok(Subject::Place(area))
            }
            _ => Err(reason::one_subject()),
        }
    }

    fn document(&self, number: &Scalar<'_>, fields: &Fields<'_>) -> Result<IdentityDocument, FieldFault> {
        let text = written(number).ok_or_else(|| reason::not_text("subject.identity_number"))?;
        let kind = self.word("subject.identity_kind", &fields.identity_kind)?;
        let country = country(&fields.number_country);
        let document = match (IdentityDocument::read(&text, kind, country.as_ref().ok().copied().flatten()), country) {
            (Err(IdentityError::CountryNeeded), Err(fault)) => return Err(fault),
            (read, _) => read.map_err(|error| rounded("subject.identity_number", number).unwrap_or_else(|| reason::identity(error)))?,
        };
        if document.year_of_birth().is_some_and(|year| year < FIRST_BIRTH) {
            return Err(reason::born_too_early());
        }
        Ok(document)
    }

    fn hash(&self, purpose: Purpose, value: &[u8]) -> SubjectHash {
        SubjectHash::new(*self.keyring.hash(purpose, value).bytes())
    }
}

fn phone_number(number: &Scalar<'_>, said: &Scalar<'_>) -> Result<PhoneNumber, FieldFault> {
    let text = written(number).ok_or_else(|| reason::not_text("subject.phone"))?;
    let country = country(said);
    match (PhoneNumber::read(&text, country.as_ref().ok().copied().flatten()), country) {
        (Ok(number), _) => Ok(number),
        (Err(PhoneNumberError::Mainland), Err(fault)) if rounded("subject.phone", number).is_none() => Err(fault),
        (Err(error), _) => Err(rounded("subject.phone", number).unwrap_or_else(|| reason::phone(error))),
    }
}

/// The country that is said beside a number.
fn country(said: &Scalar<'_>) -> Result<Option<Country>, FieldFault> {
    match said {
        Scalar::Absent => Ok(None),
        Scalar::Text(text) => text.parse().map(Some).map_err(reason::country),
        _ => Err(reason::not_text("subject.number_country")),
    }
}

/// A number as it is written, with or without quotes.
fn written<'a>(value: &'a Scalar<'_>) -> Option<Cow<'a, str>> {
    match value {
        Scalar::Text(text) => Some(Cow::Borrowed(text)),
        Scalar::Whole(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// That a number was rounded, if it was.
fn rounded(field: &str, value: &Scalar<'_>) -> Option<FieldFault> {
    match value {
        Scalar::Text(text) if list::is_rounded(text) => Some(reason::rounded(field)),
        _ => None,
    }
}
