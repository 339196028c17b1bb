//! Whose an identity document is. What proves it and who gives way is decided in [`domain::binding`].
//!
//! A resident claims a document ([`claim`]) and proves it with a code to the phone it was bound to before; staff of their community see it in person
//! ([`in_person`]); a trusted record source names it together with the phone ([`paired`]). From whom it was taken is told and may object
//! ([`objecting`]); staff see that ([`objections`]).

pub(crate) mod binding;
pub(crate) mod claim;
pub(crate) mod in_person;
pub(crate) mod objecting;
pub(crate) mod objections;
pub(crate) mod paired;

use domain::country::{Country, CountryError};
use domain::identity_document::{IdentityDocument, IdentityError, IdentityKind};
use platform::http::{FieldFault, Routes};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{Error, Service};

pub(crate) fn routes() -> Routes<Service> {
    claim::routes().merge(in_person::routes()).merge(objecting::routes()).merge(objections::routes())
}

/// A document as somebody writes it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = IdentitySaid)]
pub(crate) struct Said {
    /// Its number. Only its keyed hash is kept.
    pub(crate) identity_number: String,
    /// What kind of document it is; needed where the number could be of several.
    pub(crate) identity_kind: Option<IdentityKind>,
    /// The country that issued it, by its name or its code of letters; needed for a passport.
    #[schema(example = "GBR")]
    pub(crate) identity_country: Option<String>,
}

impl Said {
    /// The document, if it can be one.
    pub(crate) fn document(&self) -> Result<IdentityDocument, Error> {
        read(&self.identity_number, self.identity_kind, self.identity_country.as_deref())
    }
}

/// Reads a document; what is wrong is told by its field.
pub(crate) fn read(number: &str, kind: Option<IdentityKind>, country: Option<&str>) -> Result<IdentityDocument, Error> {
    let said = country.map(str::trim).filter(|country| !country.is_empty());
    let country: Option<Country> = said
        .map(str::parse)
        .transpose()
        .map_err(|error: CountryError| Error::Invalid(vec![FieldFault::new("identity_country", error.chinese(), error.to_string())]))?;
    IdentityDocument::read(number, kind, country).map_err(|error| {
        let field = match error {
            IdentityError::KindNeeded | IdentityError::OtherKind(_) => "identity_kind",
            IdentityError::CountryNeeded => "identity_country",
            _ => "identity_number",
        };
        Error::Invalid(vec![FieldFault::new(field, error.chinese(), error.to_string())])
    })
}
