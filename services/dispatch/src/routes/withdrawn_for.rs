//! For how many people alone an alert was withdrawn, while it stands for everybody else.

use domain::ids::{AlertId, WaveNo};
use platform::database::Database;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Error;

/// People for whom alone the alert was withdrawn. They are not among those who have acknowledged, wrote back or are to be visited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct WithdrawnFor {
    /// All of them.
    people: i64,
    /// Of them: to whom it had been handed over by then. They are told that it does not hold for them.
    reached: i64,
    /// Messages that tell them so and are still to be handed over.
    open: i64,
    /// Messages that could not be handed over to anything: these people still go by the alert.
    failed: i64,
}

pub(super) async fn count(database: &Database, alert_id: AlertId) -> Result<WithdrawnFor, Error> {
    let row = sqlx::query!(
        r#"select count(*) as "people!", count(*) filter (where reached) as "reached!",
                  (select coalesce(sum(size - accepted), 0) from dispatch.batch where alert_id = $1 and wave = $2 and state <> 'closed') as "open!",
                  (select coalesce(sum(size - accepted), 0) from dispatch.batch where alert_id = $1 and wave = $2 and state = 'closed') as "failed!"
             from dispatch.withdrawn_for where alert_id = $1"#,
        alert_id.uuid(),
        i16::from(WaveNo::WITHDRAWAL_FOR_SOME.get()),
    )
    .fetch_one(database.pool())
    .await?;
    Ok(WithdrawnFor { people: row.people, reached: row.reached, open: row.open, failed: row.failed })
}
