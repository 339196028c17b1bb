//! Who would be told of an end twice by SMS: somebody who was reminded by SMS is told on both channels that carried the alert, so an SMS is on its way to
//! them already when the app no longer reaches them.

use std::collections::BTreeSet;

use domain::batch::RecipientList;
use domain::ids::{AlertId, WaveNo};
use domain::outcome::Channel;
use platform::database::{Database, readable_row};

use crate::Error;

/// Leaves those people out for whom the wave has a short message anyway. It was planned together with their push.
pub(super) async fn leave_out(database: &Database, alert_id: AlertId, wave: WaveNo, people: &mut BTreeSet<u32>) -> Result<(), Error> {
    let (Some(first), Some(last)) = (people.first().copied(), people.last().copied()) else { return Ok(()) };
    let lists = sqlx::query_scalar!(
        r#"select r.recipients from dispatch.batch b join dispatch.recipient_list r using (alert_id, batch_id)
            where b.alert_id = $1 and b.wave = $2 and b.channel = $3 and b.last_no >= $4 and b.first_no <= $5"#,
        alert_id.uuid(),
        i16::from(wave.get()),
        Channel::Sms.as_ref(),
        i64::from(first),
        i64::from(last),
    )
    .fetch_all(database.pool())
    .await?;
    for list in lists {
        let list = RecipientList::decode(&list).map_err(|error| Error::damaged("recipients", alert_id, error));
        let Some(list) = readable_row("recipients of a batch", list) else { continue };
        people.retain(|number| list.position(*number).is_none());
    }
    Ok(())
}
