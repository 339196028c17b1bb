//! What staff did, for the audit trail: published in the transaction of the deed.

use domain::approval_seal::ToldSeal;
use platform::database::Tx;
use platform::http::StaffCaller;
use proto::AuditEntry;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::store::Alert;
use crate::{Error, SCHEMA};

/// Publishes that `caller` did `action` to the alert, which now stands as given.
pub(crate) async fn leave(tx: &mut Tx, caller: &StaffCaller, action: &str, alert: &Alert, reason: Option<&str>) -> Result<(), Error> {
    tx.publish(
        SCHEMA,
        &AuditEntry {
            entry_id: Uuid::now_v7().to_string(),
            actor_kind: "staff".to_owned(),
            actor: caller.id.to_string(),
            role: caller.role.to_string(),
            action: format!("alert_{action}"),
            object_kind: "alert".to_owned(),
            object: alert.id.to_string(),
            district: alert.participants.district.map(domain::area::DistrictCode::get),
            at_ms: alert.changed_at.timestamp_millis(),
            detail_json: detail(alert, reason).to_string(),
            ..AuditEntry::default()
        },
    )
    .await?;
    Ok(())
}

/// What is told beside; of an approval also what was approved, as digests.
fn detail(alert: &Alert, reason: Option<&str>) -> Value {
    let mut detail = json!({ "version": alert.version, "state": alert.state, "reason": reason });
    if let Some(seal) = alert.seal.as_ref().filter(|_| alert.approved_at == Some(alert.changed_at)) {
        detail["seal"] = json!(ToldSeal::from(seal));
    }
    detail
}
