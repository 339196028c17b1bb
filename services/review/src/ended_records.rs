//! Records that brought somebody into an alert and that their source corrected or took back since (CQ2, CQ8).
//!
//! While the alert waits its reviewers see them and leave the person out, or say that it stands; until then it is not passed on. Once it is
//! approved somebody was told by a record that does not hold: it stands on a list until somebody has decided.

mod deciding;
mod heard;
mod list;

use chrono::{DateTime, Utc};
use domain::area::Area;
use domain::audience::Audience;
use domain::ids::{AlertId, StaffId};
use domain::record_life::{Correction, Remedy, remedies};
use platform::database::{Connection, Tx, readable};
use platform::http::Routes;
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::Alert;
use crate::{Error, Service};

pub(crate) use deciding::hand_on;
pub(crate) use heard::subscribe;

pub(crate) fn routes() -> Routes<Service> {
    list::routes().merge(deciding::routes())
}

/// A record behind an alert that holds no longer. Whom it is about is not shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EndedRecord {
    /// Its number, as among the records behind the alert.
    record_no: i64,
    about_person: bool,
    /// Where the resident lives or the place lies, as closely as is known.
    #[schema(value_type = String)]
    area: Area,
    /// The unit that reported it.
    source: String,
    how: Correction,
    /// Why, as the unit wrote it.
    reason: String,
    /// Another record, which holds, names the same person in this alert.
    still_named: bool,
    /// The corrected record meets the rule for the same person, who may have been told what was wrong in it.
    still_met: bool,
    ended_at: DateTime<Utc>,
    /// What can be done about it; nothing once it was decided.
    remedies: &'static [Remedy],
    /// What was decided; none: nobody has yet.
    decided: Option<Decided>,
}

/// What was decided about a record.
#[derive(Debug, Serialize, ToSchema)]
struct Decided {
    remedy: Remedy,
    at: DateTime<Utc>,
    /// None: there was nothing to decide, since another record names the same person.
    by: Option<StaffId>,
    note: Option<String>,
    /// The alert that corrects it.
    correction: Option<AlertId>,
}

/// Records behind an alert that ended, undecided ones first.
pub(crate) async fn of_alert(connection: &mut Connection, alert: &Alert) -> Result<Vec<EndedRecord>, Error> {
    let rows = sqlx::query!(
        r#"select record_no, resident_no is not null as "about_person!", area, source, how, reason, still_named, still_met, ended_at,
                  decided_at, decided_by, remedy, note, correction,
                  exists (select from review.ended_record_open o where o.alert_id = e.alert_id and o.record_no = e.record_no) as "open!"
             from review.ended_record e where alert_id = $1 order by "open!" desc, ended_at, record_no"#,
        alert.id.uuid()
    )
    .fetch_all(connection)
    .await
    .map_err(Error::database("reading which records behind an alert ended"))?;
    let open = remedies(alert.state, matches!(alert.audience, Audience::Residents(_)));
    let records = rows.into_iter().map(|row| {
        let decided = row.decided_at.filter(|_| !row.open).map(|at| {
            let remedy = row.remedy.as_deref().unwrap_or_default().parse().map_err(|_| Error::Stored { what: "remedy" })?;
            let (by, correction) = (row.decided_by.map(StaffId::from_uuid), row.correction.map(AlertId::from_uuid));
            Ok::<_, Error>(Decided { remedy, at, by, note: row.note, correction })
        });
        Ok::<_, Error>(EndedRecord {
            record_no: row.record_no,
            about_person: row.about_person,
            area: row.area.parse().map_err(|_| Error::Stored { what: "area" })?,
            source: row.source,
            how: row.how.parse().map_err(|_| Error::Stored { what: "end of a record" })?,
            reason: row.reason,
            still_named: row.still_named,
            still_met: row.still_met,
            ended_at: row.ended_at,
            remedies: if decided.is_some() { &[] } else { open },
            decided: decided.transpose()?,
        })
    });
    Ok(readable("records that ended", records))
}

/// That nothing is left to be decided before an alert goes forward.
pub(crate) async fn all_decided(tx: &mut Tx, alert: AlertId) -> Result<(), Error> {
    let undecided =
        sqlx::query_scalar!(r#"select count(*) as "undecided!" from review.ended_record_open where alert_id = $1"#, alert.uuid())
            .fetch_one(&mut **tx)
            .await
            .map_err(Error::database("looking for records to decide about"))?;
    if undecided == 0 { Ok(()) } else { Err(Error::RecordsEnded(undecided)) }
}
