//! Messages beside the waves: a further message to people whom a wave has reached and counts, so that they really have it. To a device of theirs that
//! failed for now while another took it, and by SMS to who has an urgent alert in a browser only ([`crate::in_a_browser`]).
//!
//! They are batches like all others, with a wave number of their own ([`WaveNo::BESIDE`]) that has no row in `dispatch.wave`: no wave waits for them,
//! nobody is counted, reminded or visited because of them, and who has answered meanwhile is left out. There are none where nothing failed.

use chrono::{DateTime, Utc};
use domain::alert::DeliveryClass;
use domain::batch::MAX_PLANNED;
use domain::ids::{AlertId, WaveNo};
use domain::outcome::Channel;
use platform::database::Connection;

use crate::Error;
use crate::ledger::Devices;
use crate::ledger::batch_rows::{self, WaveOf};

/// What the batches have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beside {
    pub alert_id: AlertId,
    pub class: DeliveryClass,
    pub due_at: DateTime<Utc>,
    pub not_before: DateTime<Utc>,
}

/// Writes batches of `size` at most for these people, who are ascending; to these devices of theirs only.
pub(crate) async fn write(
    connection: &mut Connection,
    beside: Beside,
    channel: Channel,
    people: &[u32],
    devices: Option<&Devices>,
    size: usize,
) -> Result<(), Error> {
    if people.is_empty() {
        return Ok(());
    }
    let Beside { alert_id, class, due_at, not_before } = beside;
    // Two who write at the same moment must not take the same number.
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('dispatch.beside:' || $1, 0))", alert_id.to_string())
        .execute(&mut *connection)
        .await?;
    let last = sqlx::query_scalar!(
        "select max(number) from dispatch.batch where alert_id = $1 and wave = $2 and channel = $3 and number <= $4",
        alert_id.uuid(),
        i16::from(WaveNo::BESIDE.get()),
        channel.as_ref(),
        MAX_PLANNED.cast_signed(),
    )
    .fetch_one(&mut *connection)
    .await?;
    let first = last.map_or(0, |last| last.unsigned_abs() + 1);
    let mut batches = batch_rows::cut(channel, people, size, first, not_before)?;
    for batch in &mut batches {
        batch.devices = devices.cloned();
    }
    batch_rows::write(connection, WaveOf { alert_id, wave: WaveNo::BESIDE, class, due_at }, &batches).await
}
