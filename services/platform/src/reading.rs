//! That a member of staff reads personal words, in the trace before they are shown (CQ14). Pages look again by themselves, so the same reading is
//! traced once a day; what has changed since is another reading.

use std::time::Duration;

use proto::AuditEntry;

use crate::crypto::Purpose;
use crate::error::Error;
use crate::http::StaffCaller;
use crate::{Platform, compiled_once};

/// The same is traced anew after so long.
const DAY: Duration = Duration::from_hours(24);

/// Traces that the caller reads `object`; `seen` is what of it is shown, such as the numbers on the page.
#[compiled_once]
pub async fn note(platform: &Platform, schema: &'static str, caller: &StaffCaller, entry: AuditEntry, seen: &[i64]) -> Result<(), Error> {
    let seen: Vec<u8> = seen.iter().flat_map(|number| number.to_be_bytes()).collect();
    let seen = platform.keyring.hash(Purpose::Feedback, &seen);
    let key = format!("reading:{}:{}:{}:{}", caller.id, entry.action, entry.object, hex::encode(&seen.bytes()[..16]));
    if platform.cache.get(&key).await?.is_some() {
        return Ok(());
    }
    let mut tx = platform.database.begin().await?;
    tx.publish(schema, &entry).await?;
    tx.commit().await?;
    platform.cache.set(&key, b"", DAY).await
}
