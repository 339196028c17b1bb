//! The phones of a batch's recipients, from `resident`'s view, in one query. This is where numbers are opened.

use std::collections::HashMap;

use domain::{ids::ResidentNo, language::Language, phone::PhoneNumber};
use platform::{
    Platform,
    crypto::{Purpose, Sealed},
};

use crate::error::Error;

/// A recipient's phone. `PhoneNumber` keeps itself out of logs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Phone {
    /// Its id in the view, for pruning.
    pub(crate) endpoint_id: i64,
    /// The number.
    pub(crate) number: PhoneNumber,
    /// What its owner reads.
    pub(crate) language: Language,
}

/// Whose phones may be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Among {
    /// Anybody's.
    Public,
    /// Those of people who take part in exercises.
    Participants,
}

/// The phones of these residents. Whoever has none, or one that cannot be opened, is missing from the answer.
pub(crate) async fn of(platform: &Platform, residents: &[ResidentNo], among: Among) -> Result<HashMap<ResidentNo, Phone>, Error> {
    let numbers: Vec<i64> = residents.iter().map(|resident| i64::from(resident.get())).collect();
    let rows = sqlx::query!(
        r#"select resident_no::bigint as "resident_no!", endpoint_id as "endpoint_id!", sealed as "sealed!", language as "language!"
           from resident.endpoint
           where kind = 'phone' and resident_no = any ($1::bigint[])
             and (not $2 or resident_no in (select resident_no from resident.reach where drill and resident_no = any ($1::bigint[])))"#,
        &numbers,
        among == Among::Participants,
    )
    .fetch_all(platform.database.pool())
    .await?;
    let mut phones = HashMap::with_capacity(rows.len());
    for row in rows {
        let Ok(resident) = u32::try_from(row.resident_no).map(ResidentNo::new) else { continue };
        match open(platform, row.sealed) {
            Ok(number) => {
                let language = row.language.parse().unwrap_or_default();
                phones.insert(resident, Phone { endpoint_id: row.endpoint_id, number, language });
            }
            Err(error) => {
                metrics::counter!("sms_phones_unreadable_total").increment(1);
                tracing::error!(endpoint_id = row.endpoint_id, error = platform::tasks::chain(&error), "a phone number cannot be opened");
            }
        }
    }
    Ok(phones)
}

fn open(platform: &Platform, sealed: Vec<u8>) -> Result<PhoneNumber, Error> {
    let number = platform.keyring.open(Purpose::ResidentPhone, &Sealed::from_bytes(sealed)?)?;
    let text = std::str::from_utf8(&number).map_err(|_| Error::Unreadable { what: "phone number" })?;
    text.parse().map_err(|_| Error::Unreadable { what: "phone number" })
}
