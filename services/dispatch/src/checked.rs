//! An alert that is being checked: one officer has stopped it, and two have not yet said whether it holds.
//!
//! Nothing more of it leaves, and nothing of it is lost: batches wait in the ledger as they are, planning goes on. From the commit on the pump passes them
//! over and nobody claims one; whoever has one in hand hears of it at once ([`crate::word`]), or learns it at the next checkpoint, and gives it back.
//! When it is found to hold it goes on from there; when it is not, [`crate::ending`] ends it as any other. What tells some people that it does not hold
//! for them is sent all the same, and so is its end.

use domain::ids::AlertId;
use platform::Platform;

use crate::approved::one_at_a_time;
use crate::{Error, signals, word};

/// Takes over whether an alert is being checked, as review shows it: alert.held says only that this has changed, so a repeat, or an event that another
/// one has overtaken, changes nothing. Of an alert that is not here yet it is asked again when it comes.
pub(crate) async fn on_held(platform: &Platform, alert_id: AlertId) -> Result<(), Error> {
    let mut tx = platform.database.begin().await?;
    one_at_a_time(&mut tx, alert_id).await?;
    let changed = sqlx::query!(
        r#"update dispatch.alert a set held_at = least(r.held_at, a.unlike_at) from review.alert_standing r
            where a.alert_id = $1 and r.alert_id = $1 and a.held_at is distinct from least(r.held_at, a.unlike_at) and a.state in ('waiting', 'dispatching', 'active')
        returning a.held_at is not null as "held!""#,
        alert_id.uuid()
    )
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    let Some(changed) = changed else { return Ok(()) };
    if changed.held {
        word::leave_of_check(&platform.cache, alert_id).await;
    } else {
        word::take_back_of_check(&platform.cache, alert_id).await;
    }
    tracing::info!(%alert_id, held = changed.held, "whether an alert is being checked has changed");
    signals::PUMP.wake();
    signals::PLANNER.wake();
    signals::URGENT_PLANNER.wake();
    Ok(())
}
