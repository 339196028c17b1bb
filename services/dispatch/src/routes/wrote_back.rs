//! Who wrote back about an alert in words and has not acknowledged it, in numbers: neither silent nor confirmed, and waiting for somebody to read it.

use std::sync::Arc;

use domain::ids::AlertId;
use platform::database::Database;
use platform::recount::Recounted;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Error;

/// People who wrote back about an alert, in the app or by SMS, and have not acknowledged it, nor was it withdrawn for
/// them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = WroteBack)]
pub(super) struct Writers {
    /// All of them.
    people: i64,
    /// Of them: some of whose words nobody has answered yet.
    waiting: i64,
    /// Of those who wait: who seems to be in need, to be read first.
    urgent: i64,
}

/// The counts of alerts that are being watched.
#[derive(Clone, Debug)]
pub(super) struct WroteBack {
    database: Database,
    counts: Arc<Recounted<AlertId, Writers>>,
}

impl WroteBack {
    pub(super) fn new(database: Database) -> Self {
        Self { database, counts: Arc::default() }
    }

    /// Those of one alert as of now, or of a moment ago.
    pub(super) async fn of(&self, alert_id: AlertId) -> Result<Writers, Error> {
        let counting = async {
            let row = sqlx::query!(
                r#"select count(*) as "people!", count(*) filter (where waiting) as "waiting!", count(*) filter (where urgent) as "urgent!"
                     from (select bool_or(not w.read) as waiting, bool_or(w.urgent and not w.read) as urgent from resident.wrote_back w
                            where w.alert_id = $1 and not exists (select from resident.acknowledged k
                                                                   where k.alert_id = $1 and k.resident_no = w.resident_no)
                              and not exists (select from dispatch.withdrawn_for f where f.alert_id = $1 and f.resident_no = w.resident_no and f.reached)
                            group by w.resident_no) as person"#,
                alert_id.uuid()
            )
            .fetch_one(self.database.pool())
            .await?;
            Ok(Writers { people: row.people, waiting: row.waiting, urgent: row.urgent })
        };
        self.counts.of(alert_id, counting).await
    }
}
