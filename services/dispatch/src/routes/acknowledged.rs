//! How many have acknowledged, and when: counted from resident's list. For whom the alert was withdrawn is counted as that
//! ([`super::withdrawn_for`]).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::ids::AlertId;
use platform::database::Database;
use platform::recount::Recounted;

use crate::Error;

/// Acknowledgements by minute, oldest first.
pub(super) type Minutes = Arc<[(DateTime<Utc>, i64)]>;

/// The counts of alerts that are being watched.
#[derive(Clone, Debug)]
pub(super) struct Acknowledged {
    database: Database,
    counts: Arc<Recounted<AlertId, Minutes>>,
}

impl Acknowledged {
    pub(super) fn new(database: Database) -> Self {
        Self { database, counts: Arc::default() }
    }

    /// Who acknowledged, by minute.
    pub(super) async fn by_minute(&self, alert_id: AlertId) -> Result<Minutes, Error> {
        let counting = async {
            let rows = sqlx::query!(
                r#"select date_trunc('minute', at) as "minute!", count(*) as "count!" from resident.acknowledged k
                    where k.alert_id = $1
                      and not exists (select from dispatch.withdrawn_for w where w.alert_id = $1 and w.resident_no = k.resident_no and w.reached)
                    group by 1 order by 1"#,
                alert_id.uuid()
            )
            .fetch_all(self.database.pool())
            .await?;
            Ok(rows.into_iter().map(|row| (row.minute, row.count)).collect())
        };
        self.counts.of(alert_id, counting).await
    }

    /// How many acknowledged.
    pub(super) async fn total(&self, alert_id: AlertId) -> Result<i64, Error> {
        Ok(self.by_minute(alert_id).await?.iter().map(|(_, count)| count).sum())
    }
}
