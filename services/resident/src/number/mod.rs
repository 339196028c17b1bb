//! Another phone number for the same person: with a code to both numbers ([`changing`]), or, where the old one is lost, with a code to the new one
//! and a check in person by staff of the community ([`lost`]).

pub(crate) mod changing;
pub(crate) mod lost;

use chrono::{DateTime, TimeDelta, Utc};
use domain::identity_document::IdentityKind;
use domain::ids::ResidentNo;
use domain::phone::PhoneNumber;
use platform::crypto::Purpose;
use platform::database::Tx;
use platform::http::{Routes, StaffCaller};
use proto::{AuditEntry, ResidentRegistered};

use crate::notices::{self, NoticeKind};
use crate::{Error, SCHEMA, Service, directory, former, short_message};

pub(crate) fn routes() -> Routes<Service> {
    changing::routes().merge(lost::routes())
}

/// Word to the number that is left, while whoever reads it there can still do something about it.
const TOLD_WITHIN: TimeDelta = TimeDelta::hours(24);

/// A number, as it is kept.
pub(crate) struct Kept {
    pub(crate) hash: Vec<u8>,
    pub(crate) sealed: Vec<u8>,
}

impl Kept {
    pub(crate) fn of(service: &Service, phone: &PhoneNumber) -> Self {
        let keyring = &service.platform.keyring;
        Self {
            hash: directory::phone_hash(keyring, phone).to_vec(),
            sealed: keyring.seal(Purpose::ResidentPhone, phone.e164().as_bytes()).into_bytes(),
        }
    }
}

/// The number is this resident's from now on. Whoever had it has it no more; the number that is left is told.
async fn moved(tx: &mut Tx, service: &Service, no: ResidentNo, to: Kept, by: Option<(&StaffCaller, IdentityKind)>) -> Result<(), Error> {
    let (stored, now) = (directory::stored(no), service.platform.clock.now());
    let left = sqlx::query!("select phone_hash, phone_sealed from resident.resident where resident_no = $1 for no key update", stored)
        .fetch_optional(&mut **tx)
        .await
        .map_err(Error::database("reading a number"))?
        .ok_or(Error::NoSuchResident(no))?;
    if left.phone_hash.as_deref() == Some(&to.hash[..]) {
        return Ok(());
    }
    let had = sqlx::query_scalar!("select resident_no from resident.resident where phone_hash = $1 for update", &to.hash)
        .fetch_optional(&mut **tx)
        .await
        .map_err(Error::database("finding whose a number was"))?;
    if let Some(had) = had {
        former::number_went(tx, had, now).await?;
    }
    sqlx::query!("update resident.resident set phone_hash = $2, phone_sealed = $3 where resident_no = $1", stored, &to.hash, &to.sealed)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("changing a number"))?;
    sqlx::query!("delete from resident.number_change where resident_no = $1", stored)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("ending a change of number"))?;
    notices::tell(tx, stored, NoticeKind::NumberChanged, None, now).await?;
    if let Some(phone) = left.phone_sealed {
        word(tx, service, phone, "您的登记已改用另一个手机号，今后提醒发到新号码。如非本人操作，请立即联系社区。", now).await?;
    }
    let entry = match by {
        Some((by, document)) => AuditEntry {
            detail_json: serde_json::json!({ "document": document }).to_string(),
            ..by.did("number.changed", "resident", no, now)
        },
        None => former::did(stored, "number.changed", serde_json::json!({}), now),
    };
    tx.publish(SCHEMA, &entry).await?;
    // records that waited for the number are theirs
    tx.publish(SCHEMA, &ResidentRegistered { resident_no: no.get(), phone_hash: to.hash, identity_hash: None }).await?;
    Ok(())
}

async fn word(tx: &mut Tx, service: &Service, phone: Vec<u8>, text: &str, now: DateTime<Utc>) -> Result<(), Error> {
    let text = format!("【{}】{text}", service.settings.signature);
    short_message::send(tx, &service.platform, phone, &text, now + TOLD_WITHIN).await
}
