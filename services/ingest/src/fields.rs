//! A row as it was written: its fields by name, each still the text or number that it is, borrowed from the row.
//!
//! JSON and lists both become [`Fields`], so that one check ([`crate::check`]) decides about both. Reading is strict: an unknown
//! field, a field that comes twice, an object where a text belongs are faults.

use std::borrow::Cow;
use std::fmt;

use domain::list::{self, RecordField};
use platform::http::FieldFault;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use crate::reason;

/// What is written in one field.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Scalar<'a> {
    /// Nothing: left out, `null`, or an empty cell.
    #[default]
    Absent,
    Bool(bool),
    Whole(u64),
    Number(f64),
    Text(Cow<'a, str>),
    /// An array or object, where neither belongs.
    Nested,
}

/// The fields of a row.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a> {
    pub source_id: Scalar<'a>,
    pub kind: Scalar<'a>,
    pub origin: Scalar<'a>,
    pub occurred_at: Scalar<'a>,
    pub phone: Scalar<'a>,
    pub identity_number: Scalar<'a>,
    pub identity_kind: Scalar<'a>,
    pub number_country: Scalar<'a>,
    pub resident_no: Scalar<'a>,
    pub place: Scalar<'a>,
    pub level: Scalar<'a>,
    pub district: Scalar<'a>,
    pub township: Scalar<'a>,
    pub community: Scalar<'a>,
    pub correction: Scalar<'a>,
    pub correction_reason: Scalar<'a>,
    pub attributes: Vec<(Cow<'a, str>, Scalar<'a>)>,
    /// What is wrong with the form.
    pub faults: Vec<FieldFault>,
}

impl<'a> Fields<'a> {
    /// Reads one JSON object.
    pub(crate) fn of_json(row: &'a [u8]) -> Result<Self, FieldFault> {
        // telling the encoding first gives it a reason of its own, and lets strings be borrowed unchecked afterwards
        let text = std::str::from_utf8(row).map_err(|_| reason::not_utf8())?;
        let mut fields: Self = serde_json::from_str(text).map_err(|error| match error.classify() {
            Category::Eof => reason::cut_short(),
            Category::Data => reason::not_object(reason::ROW),
            Category::Syntax | Category::Io => reason::not_json(error.column()),
        })?;
        if let Scalar::Number(_) = fields.source_id {
            fields.keep_written_id(text);
        }
        Ok(fields)
    }

    /// An id of more digits than a number of the machine holds is kept as it is written.
    fn keep_written_id(&mut self, text: &'a str) {
        #[derive(serde::Deserialize)]
        struct Id<'a> {
            #[serde(borrow)]
            source_id: &'a serde_json::value::RawValue,
        }
        if let Ok(Id { source_id }) = serde_json::from_str::<Id<'a>>(text)
            && source_id.get().bytes().all(|byte| byte.is_ascii_digit())
        {
            self.source_id = Scalar::Text(Cow::Borrowed(source_id.get()));
        }
    }

    /// Adds something that is wrong.
    pub(crate) fn note(&mut self, fault: FieldFault) {
        self.faults.push(fault);
    }

    /// Where the value of a field belongs.
    pub(crate) fn slot(&mut self, field: RecordField) -> &mut Scalar<'a> {
        match field {
            RecordField::SourceId => &mut self.source_id,
            RecordField::Kind => &mut self.kind,
            RecordField::Origin => &mut self.origin,
            RecordField::OccurredAt => &mut self.occurred_at,
            RecordField::Phone => &mut self.phone,
            RecordField::IdentityNumber => &mut self.identity_number,
            RecordField::IdentityKind => &mut self.identity_kind,
            RecordField::NumberCountry => &mut self.number_country,
            RecordField::ResidentNo => &mut self.resident_no,
            RecordField::Place => &mut self.place,
            RecordField::Level => &mut self.level,
            RecordField::District => &mut self.district,
            RecordField::Township => &mut self.township,
            RecordField::Community => &mut self.community,
            RecordField::Correction => &mut self.correction,
            RecordField::CorrectionReason => &mut self.correction_reason,
        }
    }

    fn own(&mut self, name: &str) -> Option<&mut Scalar<'a>> {
        let field = name.parse().ok().filter(|field| !is_of_subject(*field))?;
        Some(self.slot(field))
    }

    fn of_subject(&mut self, name: &str) -> Option<&mut Scalar<'a>> {
        let field = name.parse().ok().filter(|field| is_of_subject(*field))?;
        Some(self.slot(field))
    }

    fn take_subject(&mut self, written: Written<'a>) {
        let Written::Object(entries) = written else { return self.note(reason::not_object("subject")) };
        for (name, value) in entries {
            match self.of_subject(&name) {
                Some(slot) if *slot == Scalar::Absent => *slot = value,
                Some(_) => self.note(reason::twice("subject")),
                None => self.note(reason::one_subject()),
            }
        }
    }

    fn take_attributes(&mut self, written: Written<'a>) {
        match written {
            Written::Object(entries) => {
                for (name, value) in entries {
                    match &value {
                        Scalar::Text(text) if list::spoilt(text.trim()).is_some() => {
                            self.faults.extend(list::spoilt(text.trim()).map(|spoilt| reason::spoilt_attribute(&name, spoilt)));
                        }
                        _ => self.attributes.push((name, value)),
                    }
                }
            }
            Written::Other(Scalar::Absent) => {}
            Written::Other(_) => self.note(reason::not_object("attributes")),
        }
    }
}

/// The fields that say whom or what a record is about.
pub(crate) const SUBJECTS: [RecordField; 4] =
    [RecordField::Phone, RecordField::IdentityNumber, RecordField::ResidentNo, RecordField::Place];

/// Whether a field stands within the subject: it is one, or says more of its number.
pub(crate) fn is_of_subject(field: RecordField) -> bool {
    SUBJECTS.contains(&field) || matches!(field, RecordField::IdentityKind | RecordField::NumberCountry)
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Row;

        impl<'de> Visitor<'de> for Row {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a record")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Fields::default();
                let (mut subjects, mut attributes) = (0, 0);
                while let Some(Name(name)) = map.next_key()? {
                    match &*name {
                        "subject" => {
                            fields.take_subject(map.next_value()?);
                            subjects += 1;
                        }
                        "attributes" => {
                            fields.take_attributes(map.next_value()?);
                            attributes += 1;
                        }
                        // what we added when we gave a refused row back
                        "refused" => {
                            map.next_value::<IgnoredAny>()?;
                        }
                        name => {
                            let value: Scalar<'de> = map.next_value()?;
                            match fields.own(name) {
                                Some(slot) if *slot == Scalar::Absent => *slot = value,
                                Some(_) => fields.note(reason::twice(name)),
                                None => fields.note(reason::unknown_field(name)),
                            }
                        }
                    }
                }
                if subjects > 1 {
                    fields.note(reason::twice("subject"));
                }
                if attributes > 1 {
                    fields.note(reason::twice("attributes"));
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(Row)
    }
}

/// A key, borrowed unless it is written with escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Scalar::deserialize(deserializer)? {
            Scalar::Text(text) => Ok(Self(text)),
            _ => Err(D::Error::custom("a name is a text")),
        }
    }
}

/// An object of scalars, or something else.
enum Written<'a> {
    Object(Vec<(Cow<'a, str>, Scalar<'a>)>),
    Other(Scalar<'a>),
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Absent)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Whole(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(value))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nested)
    }
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

impl<'de> Deserialize<'de> for Written<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Written<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Written<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    entries.push((name, value));
                }
                Ok(Written::Object(entries))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Written<'de>, A::Error> {
                ScalarVisitor.visit_seq(seq).map(Written::Other)
            }

            fn visit_unit<E>(self) -> Result<Written<'de>, E> {
                Ok(Written::Other(Scalar::Absent))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Written<'de>, E> {
                Ok(Written::Other(Scalar::Bool(value)))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Written<'de>, E> {
                Ok(Written::Other(Scalar::Whole(value)))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Written<'de>, E> {
                Ok(Written::Other(Scalar::Number(value as f64)))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Written<'de>, E> {
                Ok(Written::Other(Scalar::Number(value)))
            }

            fn visit_str<E>(self, _: &str) -> Result<Written<'de>, E> {
                Ok(Written::Other(Scalar::Nested))
            }
        }

        deserializer.deserialize_any(Object)
    }
}
