//! What the live line tells of the work on alerts, beside their steps: that a claim, the comments or who has it open are others than before.

use chrono::{DateTime, Utc};
use domain::ids::AlertId;
use platform::database::Connection;

use crate::Error;

domain::words! {
    /// What of the work on an alert is another than before.
    #[schema(as = WorkOnAlert)]
    pub(crate) enum What {
        /// Who reviews it.
        Claim,
        /// The remarks on it.
        Comments,
        /// Who has it open, or writes in it.
        Presence,
    }
}

/// Has it told, once what the connection is in has been committed.
pub(crate) async fn tell(connection: &mut Connection, alert: AlertId, what: What, now: DateTime<Utc>) -> Result<(), Error> {
    sqlx::query!(
        "insert into review.work (alert_id, what, at) values ($1, $2, $3)
         on conflict (alert_id, what) do update set at = excluded.at, nth = work.nth + 1",
        alert.uuid(),
        what.as_ref(),
        now
    )
    .execute(connection)
    .await
    .map_err(Error::database("telling of work on an alert"))?;
    Ok(())
}
