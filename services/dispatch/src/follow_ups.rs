//! Follow-up items: residents whom an alert did not move, for their community to visit (CQ5, CQ11).

use chrono::{DateTime, Utc};
use domain::ids::AlertId;
use platform::database::Connection;

use crate::Error;
use crate::ledger::column;

domain::words! {
    /// Why somebody is to be visited.
    pub enum Reason {
        /// Reached, reminded, and still no acknowledgement.
        Silent,
        /// Named in the audience, but neither app nor SMS reaches them.
        Unreachable,
    }

    /// What came of a visit.
    pub enum VisitOutcome {
        /// They know now.
        Informed,
        /// Nobody was there, or they have moved.
        NotFound,
        /// They do not want to hear.
        Refused,
        /// They know and need help to do what is asked.
        NeedsHelp,
    }
}

/// Opens an item for each of these residents, once per person and alert; who is no longer registered has no community to ask.
pub(crate) async fn open(
    connection: &mut Connection,
    alert_id: AlertId,
    residents: &[u32],
    reason: Reason,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if residents.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"insert into dispatch.follow_up (alert_id, resident_no, district, community, reason, opened_at)
           select $1, resident_no, district, community, $3, $4 from resident.reach where resident_no = any($2::bigint[])
           order by resident_no
           on conflict (alert_id, resident_no) do nothing"#,
        alert_id.uuid(),
        &column(residents),
        reason.as_ref(),
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}
