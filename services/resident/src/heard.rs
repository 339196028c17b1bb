//! When a person was last heard of: by whatever they do, in the app or by SMS.

use chrono::{DateTime, Utc};
use platform::database::Tx;

use crate::Error;

/// Since when nothing has been heard of them. A message that their phone received says nothing: the number may be another's by now.
pub(crate) async fn last(tx: &mut Tx, stored: i32) -> Result<DateTime<Utc>, Error> {
    sqlx::query_scalar!(
        r#"select greatest(registered_at, silence_from,
                   (select max(greatest(last_used_at, counts_from)) from resident.session s where s.resident_no = r.resident_no),
                   (select max(d.registered_at) from resident.device d where d.resident_no = r.resident_no),
                   (select max(acknowledged_at) from resident.acknowledgement a where a.resident_no = r.resident_no),
                   (select max(received_at) from resident.reply w where w.resident_no = r.resident_no)) as "last!"
             from resident.resident r where resident_no = $1"#,
        stored
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(Error::database("finding when somebody was heard of"))
}
