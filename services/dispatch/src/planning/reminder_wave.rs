//! A chunk of the second wave: of the next batches of wave 1 whose window is over, whoever was handed the alert and has not answered it (CQ11): neither
//! acknowledged it nor written back about it.

use chrono::{DateTime, Utc};
use domain::ids::AlertId;
use domain::outcome::Channel;
use domain::reminder::next_channel;
use platform::database::{Tx, readable_row};

use super::chunk::{Chunk, Cursor};
use crate::Error;
use crate::ledger::{self, number_of};

/// Attends to the next `limit` batches of wave 1 whose window is over, the longest silent first.
pub(super) async fn chunk(tx: &mut Tx, alert_id: AlertId, exercise: bool, now: DateTime<Utc>, limit: u32) -> Result<Chunk, Error> {
    let batches = sqlx::query!(
        r#"with due as (
               select b.batch_id from dispatch.batch b join dispatch.alert a using (alert_id)
                where b.alert_id = $1 and b.wave = 1 and b.state = 'closed' and b.attended_at is null
                  and b.closed_at <= $2::timestamptz - make_interval(secs => a.ack_window_s)
                order by b.closed_at, b.batch_id limit $3
           )
           update dispatch.batch b set attended_at = $2
             from due, dispatch.recipient_list r
            where b.alert_id = $1 and b.batch_id = due.batch_id and r.alert_id = $1 and r.batch_id = due.batch_id
        returning b.batch_id, b.channel, b.outcomes, r.recipients"#,
        alert_id.uuid(),
        now,
        i64::from(limit),
    )
    .fetch_all(&mut **tx)
    .await?;
    // What comes after it is found by what is not attended to, not by a cursor.
    let more = (batches.len() == limit as usize).then_some(Cursor::START);
    let mut handed_over: Vec<(u32, Channel)> = Vec::new();
    for batch in batches {
        let Some(outcomes) = batch.outcomes else { continue };
        let accepted = accepted(batch.batch_id, &batch.channel, &batch.recipients, &outcomes);
        handed_over.extend(readable_row("outcomes of a batch", accepted).into_iter().flatten());
    }
    handed_over.sort_unstable_by_key(|(number, _)| *number);
    // Whoever was in two batches, however that came about, is reminded once.
    handed_over.dedup_by_key(|(number, _)| *number);
    let mut chunk = silent(tx, alert_id, exercise, &handed_over).await?;
    chunk.planned = more;
    Ok(chunk)
}

/// Who of a batch was handed the alert, and by what.
fn accepted(of: i64, channel: &str, recipients: &[u8], outcomes: &[u8]) -> Result<Vec<(u32, Channel)>, Error> {
    let channel: Channel = channel.parse().map_err(|error: strum::ParseError| Error::damaged("channel", of, error))?;
    Ok(ledger::handed_over(of, recipients, outcomes)?.into_iter().map(|number| (number, channel)).collect())
}

/// Those of `handed_over` who have not answered, by the channel of their reminder.
async fn silent(tx: &mut Tx, alert_id: AlertId, exercise: bool, handed_over: &[(u32, Channel)]) -> Result<Chunk, Error> {
    let mut chunk = Chunk::default();
    if handed_over.is_empty() {
        return Ok(chunk);
    }
    let numbers: Vec<i64> = handed_over.iter().map(|(number, _)| i64::from(*number)).collect();
    let by_app: Vec<bool> = handed_over.iter().map(|(_, channel)| *channel == Channel::App).collect();
    let rows = sqlx::query!(
        r#"select r.resident_no::bigint as "resident_no!", h.by_app as "by_app!", r.app as "app!", r.sms as "sms!"
             from unnest($2::bigint[], $3::bool[]) as h (resident_no, by_app)
             join resident.reach r on r.resident_no = h.resident_no
            where (r.drill or not $4)
              and not exists (select from resident.answered k where k.alert_id = $1 and k.resident_no = h.resident_no)
            order by 1"#,
        alert_id.uuid(),
        &numbers,
        &by_app,
        exercise,
    )
    .fetch_all(&mut **tx)
    .await?;
    for row in rows {
        let number = number_of(row.resident_no)?;
        let last = if row.by_app { Channel::App } else { Channel::Sms };
        match next_channel(last, row.app, row.sms) {
            Some(Channel::App) => chunk.app.push(number),
            Some(Channel::Sms) => chunk.sms.push(number),
            Some(Channel::Display) | None => chunk.no_channel.push(number),
        }
    }
    Ok(chunk)
}
