//! Which alerts somebody was handed by SMS: only these can be meant by a reply that names none, and these by one that names a code, even before
//! the inbox holds them.

use chrono::{DateTime, Utc};
use domain::ids::{AlertId, ResidentNo, ShortCode};
use domain::late_answer::LATE;
use domain::month::Month;
use domain::sms_reply::{self, Handed, WRITTEN_DOWN_WITHIN};
use platform::database::Connection;

use crate::{Error, directory};

/// An alert is made in one month and may hold until the third after it.
pub(super) const MONTHS: u32 = 3;

/// One of them.
pub(super) struct HandedAlert {
    pub(super) short_code: String,
    /// It was stopped, or withdrawn for them, before the reply was written.
    pub(super) stopped: bool,
    pub(super) handed: Handed,
}

/// What was handed to one person and had not expired when they wrote.
pub(super) struct HandedAlerts(pub(super) Vec<HandedAlert>);

impl HandedAlerts {
    /// Asks for what was handed to this person before they wrote at `said_at`. What has expired meanwhile still counts for a while.
    pub(super) async fn of(connection: &mut Connection, no: ResidentNo, said_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<Self, Error> {
        let rows = sqlx::query!(
            r#"select h.alert_id as "alert_id!", h.at as "at!", a.short_code,
                      coalesce(s.stopped_at <= $3, false)
                        or exists (select from review.withdrawn_for w where w.alert_id = h.alert_id and w.resident_no = $2 and w.at <= $3) as "stopped!",
                      exists (select from resident.acknowledgement k where k.alert_id = h.alert_id and k.resident_no = $2) as "acknowledged!"
                 from sms.handed h join resident.alert a on a.alert_id = h.alert_id left join resident.stop s on s.alert_id = h.alert_id
                where h.resident_no = $1 and h.alert_id >= $6 and h.at <= $4 and a.expires_at > $3 and a.expires_at > $5"#,
            i64::from(no.get()),
            directory::stored(no),
            said_at,
            said_at + WRITTEN_DOWN_WITHIN,
            now - LATE,
            Month::of(now).earlier(MONTHS).lowest_id()
        )
        .fetch_all(connection)
        .await
        .map_err(Error::database("looking for what was handed over by SMS"))?;
        let alert = |alert_id, at, acknowledged| Handed { alert: AlertId::from_uuid(alert_id), at, acknowledged };
        Ok(Self(
            rows.into_iter()
                .map(|row| HandedAlert {
                    short_code: row.short_code,
                    stopped: row.stopped,
                    handed: alert(row.alert_id, row.at, row.acknowledged),
                })
                .collect(),
        ))
    }

    /// What a reply without a code means, and whether there was more than one alert that it could have meant.
    pub(super) fn meant(&self, said_at: DateTime<Utc>) -> Option<(AlertId, bool)> {
        let open: Vec<Handed> = self.0.iter().filter(|row| !row.stopped).map(|row| row.handed).collect();
        let alert = sms_reply::meant(&open, said_at)?;
        Some((alert, open.iter().any(|other| other.alert != alert)))
    }

    /// The newest with this code, over or not: who names it has read it.
    pub(super) fn named(&self, code: ShortCode) -> Option<AlertId> {
        self.newest(|row| row.short_code == code.as_str())
    }

    /// The newest that was handed over: what people write about if they name nothing.
    pub(super) fn last(&self) -> Option<AlertId> {
        self.newest(|_| true)
    }

    fn newest(&self, which: impl Fn(&HandedAlert) -> bool) -> Option<AlertId> {
        self.0.iter().filter(|row| which(row)).max_by_key(|row| row.handed.at).map(|row| row.handed.alert)
    }
}
