//! The visits that an alert led to, in numbers: by district, and by whether they are still to be made.
//!
//! What is open here is what the list of follow-up items shows ([`super::follow_ups`]): nobody is visited about an alert that was
//! withdrawn, or withdrawn for them, nor about one that they have acknowledged since, or have written back about and been answered.

use std::sync::Arc;

use domain::area::DistrictCode;
use domain::ids::AlertId;
use platform::database::{Database, readable};
use platform::recount::Recounted;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Error;

/// Visits that the alert led to, in people.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(super) struct FollowUps {
    /// Still to be visited.
    open: i64,
    /// Visited, with an outcome.
    closed: i64,
    /// Not to be visited any more: they have acknowledged since, or what they wrote back was answered, or the alert was withdrawn, for all or
    /// for them.
    dropped: i64,
}

/// Visits in one district, in people.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct DistrictFollowUps {
    #[schema(value_type = String)]
    pub(super) district: DistrictCode,
    /// Still to be visited.
    follow_ups_open: i64,
    /// Visited, with an outcome.
    follow_ups_closed: i64,
}

/// The visits of one alert.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    pub(super) whole: FollowUps,
    /// Those districts first in which most are still to be visited.
    pub(super) districts: Vec<DistrictFollowUps>,
}

/// The counts of alerts that are being watched.
#[derive(Clone, Debug)]
pub(super) struct Visits {
    database: Database,
    counts: Arc<Recounted<AlertId, Counted>>,
}

impl Visits {
    pub(super) fn new(database: Database) -> Self {
        Self { database, counts: Arc::default() }
    }

    /// The visits of one alert as of now, or of a moment ago.
    pub(super) async fn of(&self, alert_id: AlertId) -> Result<Counted, Error> {
        self.counts.of(alert_id, self.count(alert_id)).await
    }

    async fn count(&self, alert_id: AlertId) -> Result<Counted, Error> {
        let rows = sqlx::query!(
            r#"select f.district, count(*) filter (where f.outcome is null and due.stands) as "open!", count(f.outcome) as "closed!",
                      count(*) filter (where f.outcome is null and not due.stands) as "dropped!"
                 from dispatch.follow_up f join dispatch.alert a using (alert_id)
                cross join lateral (
                      select (a.state not in ('cancelled', 'superseded') and (a.state <> 'closed' or a.personal) and a.held_at is null
                              and not exists (select from resident.acknowledged k
                                               where k.alert_id = f.alert_id and k.resident_no = f.resident_no)
                              and not exists (select from dispatch.withdrawn_for d
                                               where d.alert_id = f.alert_id and d.resident_no = f.resident_no)
                              and coalesce((select bool_or(not w.read) from resident.wrote_back w
                                             where w.alert_id = f.alert_id and w.resident_no = f.resident_no), true)) as stands) as due
                where f.alert_id = $1 group by f.district order by 2 desc, 1"#,
            alert_id.uuid()
        )
        .fetch_all(self.database.pool())
        .await?;
        let whole = FollowUps {
            open: rows.iter().map(|row| row.open).sum(),
            closed: rows.iter().map(|row| row.closed).sum(),
            dropped: rows.iter().map(|row| row.dropped).sum(),
        };
        let districts = rows.into_iter().map(|row| {
            let district = DistrictCode::try_from(row.district).map_err(|error| Error::damaged("district", alert_id, error))?;
            Ok::<_, Error>(DistrictFollowUps { district, follow_ups_open: row.open, follow_ups_closed: row.closed })
        });
        Ok(Counted { whole, districts: readable("visits of an alert", districts) })
    }
}
