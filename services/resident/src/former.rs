//! When a phone number is somebody else's now: the person who had it is not deleted, they are no longer reached by it.
//!
//! Their row stays as an empty one with its number, as after deletion; their document is nobody's until it is proved anew, so that records about them
//! wait instead of going to somebody whom nothing reaches. Their devices are signed out and told why.

use chrono::{DateTime, Utc};
use platform::database::Tx;
use proto::AuditEntry;

use crate::sign_ins::{self, Because, Which};
use crate::{Error, SCHEMA, directory};

/// Takes the number from whom it belonged to.
pub(crate) async fn number_went(tx: &mut Tx, stored: i32, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "update resident.resident set phone_hash = null, phone_sealed = null, name_sealed = null, identity_hash = null, identity_kind = null,
             identity_proof = null, claimed_hash = null, claimed_kind = null, industry = null, notices = false, has_apns = false, has_fcm = false,
             has_web = false, enrolled_drill = false
         where resident_no = $1",
        stored
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("taking a number from its former owner"))?;
    sign_ins::end(tx, stored, Which::All, Because::NumberChangedHands, now).await?;
    sqlx::query!("delete from resident.device where resident_no = $1", stored)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("removing a former owner's devices"))?;
    sqlx::query!("delete from resident.number_change where resident_no = $1", stored)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("removing a former owner's change of number"))?;
    sqlx::query!("update resident.consent set withdrawn_at = $2 where resident_no = $1 and withdrawn_at is null", stored, now)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("ending a former owner's consent"))?;
    tx.publish(SCHEMA, &did(stored, "number_changed_hands", serde_json::json!({}), now)).await?;
    Ok(())
}

/// The trace of what a resident did, or what happened to them by their own doing.
pub(crate) fn did(stored: i32, action: &str, detail: serde_json::Value, now: DateTime<Utc>) -> AuditEntry {
    let no = directory::resident_no(stored).to_string();
    AuditEntry {
        entry_id: uuid::Uuid::now_v7().to_string(),
        actor_kind: "resident".to_owned(),
        actor: no.clone(),
        action: action.to_owned(),
        object_kind: "resident".to_owned(),
        object: no,
        at_ms: now.timestamp_millis(),
        detail_json: detail.to_string(),
        ..Default::default()
    }
}
