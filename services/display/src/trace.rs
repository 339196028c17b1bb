//! What staff did to screens, for the audit trace.

use chrono::{DateTime, Utc};
use domain::{
    area::Area,
    ids::{ScreenId, StaffId},
};
use platform::database::Tx;
use proto::AuditEntry;
use uuid::Uuid;

use crate::{SCHEMA, error::Error};

/// Writes an entry in the transaction of the deed.
pub(crate) async fn write(tx: &mut Tx, by: StaffId, action: &str, screen: ScreenId, area: Area, at: DateTime<Utc>) -> Result<(), Error> {
    let entry = AuditEntry {
        entry_id: Uuid::now_v7().to_string(),
        actor_kind: "staff".to_owned(),
        actor: by.to_string(),
        action: action.to_owned(),
        object_kind: "screen".to_owned(),
        object: screen.to_string(),
        district: area.district().map(|district| district.get()),
        at_ms: at.timestamp_millis(),
        detail_json: "{}".to_owned(),
        ..AuditEntry::default()
    };
    Ok(tx.publish(SCHEMA, &entry).await?)
}
