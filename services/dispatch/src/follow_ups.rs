//! Follow-up items: residents whom an alert did not move, for their community to visit (CQ5, CQ11).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::ids::AlertId;
use platform::Platform;
use platform::database::{Connection, Database};
use platform::jobs::{Did, Job};

use crate::Error;
use crate::ledger::column;

domain::words! {
    /// Why somebody is to be visited.
    pub enum Reason {
        /// Reached, reminded, and still no acknowledgement.
        Silent,
        /// Named in the audience, but neither app nor SMS reached them.
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

/// Who has moved is visited where they live now.
pub(crate) const FOLLOW_PEOPLE: Job = Job {
    name: "dispatch.follow_people",
    cron: "0 */10 * * * *",
    about: "居民搬家后，将其未完成的随访转到现住社区。",
    about_en: "Hands open follow-up items over to the community where the person lives now.",
    at_start: false,
};

/// Hands open items of people who have moved over to where they live now.
///
/// # Errors
/// When the job is set to an expression that is none.
pub(crate) fn follow_people(platform: &Platform) -> Result<(), platform::Error> {
    let database = platform.database.clone();
    platform.jobs.register(&FOLLOW_PEOPLE, move || {
        let database = database.clone();
        async move { Ok(Did::nothing().and("转交的随访", "items handed over", moved(&database).await?)) }
    })
}

pub(crate) async fn moved(database: &Database) -> Result<u64, Error> {
    let moved = sqlx::query!(
        r#"update dispatch.follow_up f set district = home.district, community = home.community from resident.reach home
            where f.outcome is null and home.resident_no = f.resident_no and home.community <> f.community"#
    )
    .execute(database.pool())
    .await?;
    Ok(moved.rows_affected())
}

/// Opens an item for each of these residents, once per person and alert; who is no longer registered has no community to ask, and for whom the
/// alert was withdrawn is asked nothing.
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
           select $1, resident_no, district, community, $3, $4 from resident.reach home where resident_no = any($2::bigint[])
              and not exists (select from dispatch.withdrawn_for w where w.alert_id = $1 and w.resident_no = home.resident_no)
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

/// Takes off the list who was to be visited only because nothing reached them, and is sent to again.
pub(crate) async fn take_off_unreachable(connection: &mut Connection, alert_id: AlertId, residents: &BTreeSet<u32>) -> Result<(), Error> {
    let numbers: Vec<i64> = residents.iter().copied().map(i64::from).collect();
    sqlx::query!(
        "delete from dispatch.follow_up where alert_id = $1 and resident_no = any($2::bigint[]) and outcome is null and reason = $3",
        alert_id.uuid(),
        &numbers,
        Reason::Unreachable.as_ref(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// An alert to people named one by one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named {
    pub alert_id: AlertId,
    /// Only those who are enrolled were to be told.
    pub exercise: bool,
}

/// Opens an item for each of these residents, with whether they were reached, who has neither answered nor an item already. How many were
/// opened.
pub(crate) async fn open_for_unheard(
    connection: &mut Connection,
    named: Named,
    residents: &[(u32, bool)],
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    if residents.is_empty() {
        return Ok(0);
    }
    let (numbers, reached): (Vec<i64>, Vec<bool>) = residents.iter().map(|(number, reached)| (i64::from(*number), *reached)).unzip();
    let opened = sqlx::query!(
        r#"insert into dispatch.follow_up (alert_id, resident_no, district, community, reason, opened_at)
           select $1, home.resident_no, home.district, home.community, case when n.reached then $4 else $5 end, $6
             from unnest($2::bigint[], $3::bool[]) as n (resident_no, reached)
             join resident.reach home on home.resident_no = n.resident_no
            where (home.drill or not $7)
              and not exists (select from resident.answered k where k.alert_id = $1 and k.resident_no = n.resident_no)
              and not exists (select from dispatch.withdrawn_for w where w.alert_id = $1 and w.resident_no = n.resident_no)
            order by home.resident_no
           on conflict (alert_id, resident_no) do nothing"#,
        named.alert_id.uuid(),
        &numbers,
        &reached,
        Reason::Silent.as_ref(),
        Reason::Unreachable.as_ref(),
        now,
        named.exercise,
    )
    .execute(connection)
    .await?;
    Ok(opened.rows_affected())
}
