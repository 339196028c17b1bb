//! Who a phone number or an identity document belongs to: by keyed hash, never by the number itself.

use domain::identity_document::{IdentityDocument, IdentityKind};
use domain::ids::ResidentNo;
use domain::phone::PhoneNumber;
use platform::crypto::{Keyring, Purpose};

/// The keyed hash by which a phone number is looked up.
pub(crate) fn phone_hash(keyring: &Keyring, phone: &PhoneNumber) -> [u8; 32] {
    *keyring.hash(Purpose::ResidentPhone, phone.e164().as_bytes()).bytes()
}

/// The keyed hash that stands for an identity document.
pub(crate) fn identity_hash(keyring: &Keyring, document: &IdentityDocument) -> [u8; 32] {
    *keyring.hash(Purpose::IdentityNumber, document.hashed().as_bytes()).bytes()
}

/// What kind of document somebody is known by. Before kinds were kept there was one.
pub(crate) fn identity_kind(identified: bool, stored: Option<&str>) -> Option<IdentityKind> {
    identified.then(|| stored.and_then(|kind| kind.parse().ok()).unwrap_or(IdentityKind::IdentityCard))
}

/// A number as the database keeps it: the column is checked not to be negative.
pub(crate) fn resident_no(stored: i32) -> ResidentNo {
    ResidentNo::new(stored.unsigned_abs())
}

/// A number as the database takes it. Numbers are given out by a sequence of `int`, so they fit.
pub(crate) fn stored(no: ResidentNo) -> i32 {
    i32::try_from(no.get()).unwrap_or(i32::MAX)
}
