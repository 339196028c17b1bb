//! The sender's address, as every PDU of the account carries it.

use rusmpp::{
    types::COctetString,
    values::{Npi, Ton},
};

use super::session::c_string;
use crate::error::Error;

pub(super) struct Source {
    pub(super) address: COctetString<1, 21>,
    pub(super) ton: Ton,
    pub(super) npi: Npi,
}

impl Source {
    pub(super) fn of(address: &str) -> Result<Self, Error> {
        let is_number = address.chars().all(|character| character.is_ascii_digit());
        let (ton, npi) = if is_number { (Ton::Unknown, Npi::Isdn) } else { (Ton::Alphanumeric, Npi::Unknown) };
        let address = c_string(address).ok_or(Error::Setting { name: "sms.source_address", reason: "up to 20 ASCII characters" })?;
        Ok(Self { address, ton, npi })
    }
}
