//! One short message to one phone: a one-time code, or the answer to somebody who wrote.

use chrono::{DateTime, Utc};
use platform::Platform;
use platform::crypto::Purpose;
use platform::database::Tx;
use proto::CodeRequested;
use uuid::Uuid;

use crate::{Error, SCHEMA};

/// Has it sent when the transaction is committed; after `until` it is not sent any more.
pub(crate) async fn send(tx: &mut Tx, platform: &Platform, phone_sealed: Vec<u8>, text: &str, until: DateTime<Utc>) -> Result<(), Error> {
    let message = CodeRequested {
        request_id: Uuid::now_v7().to_string(),
        phone_sealed,
        text_sealed: platform.keyring.seal(Purpose::SmsText, text.as_bytes()).into_bytes(),
        expires_at_ms: until.timestamp_millis(),
    };
    Ok(tx.publish(SCHEMA, &message).await?)
}
