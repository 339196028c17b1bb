//! Alarms about deadlines become entries of the trace: when an alert came into danger, why, and how that ended.

use platform::Platform;
use proto::topology::{AUDIT_IN_DANGER, AUDIT_OUT_OF_DANGER};
use proto::{AlertInDanger, AlertOutOfDanger, AuditEntry, OutOfDanger};
use serde_json::{Value, json};

use crate::{Error, trace};

/// Starts to read alarms.
pub(crate) fn subscribe(platform: &Platform) -> Result<(), Error> {
    let database = platform.database.clone();
    platform.bus.subscribe(&AUDIT_IN_DANGER, 1, move |alarm: AlertInDanger| {
        let database = database.clone();
        async move {
            trace::append(&database, raised(alarm)).await?;
            Ok(())
        }
    })?;
    let database = platform.database.clone();
    platform.bus.subscribe(&AUDIT_OUT_OF_DANGER, 1, move |alarm: AlertOutOfDanger| {
        let database = database.clone();
        async move {
            trace::append(&database, ended(alarm)).await?;
            Ok(())
        }
    })?;
    Ok(())
}

fn raised(alarm: AlertInDanger) -> AuditEntry {
    let detail = json!({
        "wave": alarm.wave, "due_at_ms": alarm.due_at_ms, "last_at_ms": alarm.last_at_ms, "spare_s": alarm.spare_s,
        "because": alarm.because, "sentence": alarm.sentence, "again": alarm.again,
    });
    entry(alarm.alarm_id, "alert.in_danger", alarm.alert_id, alarm.district, alarm.at_ms, &detail)
}

fn ended(alarm: AlertOutOfDanger) -> AuditEntry {
    let how = match alarm.how() {
        OutOfDanger::Unspecified => "unknown",
        OutOfDanger::Recovered => "recovered",
        OutOfDanger::DoneInTime => "done_in_time",
        OutOfDanger::DoneLate => "done_late",
        OutOfDanger::Stopped => "stopped",
    };
    let detail = json!({ "wave": alarm.wave, "due_at_ms": alarm.due_at_ms, "spare_s": alarm.spare_s, "how": how });
    entry(alarm.alarm_id, "alert.out_of_danger", alarm.alert_id, alarm.district, alarm.at_ms, &detail)
}

fn entry(id: String, action: &str, alert_id: String, district: Option<u32>, at_ms: i64, detail: &Value) -> AuditEntry {
    AuditEntry {
        entry_id: id,
        actor_kind: "system".to_owned(),
        actor: "dispatch".to_owned(),
        role: String::new(),
        action: action.to_owned(),
        object_kind: "alert".to_owned(),
        object: alert_id,
        district,
        at_ms,
        detail_json: detail.to_string(),
        ..AuditEntry::default()
    }
}
