//! Writing new batches: planned ones, retries and fallbacks all come into the ledger here.

use chrono::{DateTime, Utc};
use domain::alert::DeliveryClass;
use domain::batch::{BatchNumber, RecipientList, RecipientListError};
use domain::ids::{AlertId, WaveNo};
use domain::outcome::Channel;
use platform::database::Connection;

use super::{Devices, column};
use crate::Error;
use crate::settings::Settings;

/// What all batches written together have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WaveOf {
    pub alert_id: AlertId,
    pub wave: WaveNo,
    pub class: DeliveryClass,
    pub due_at: DateTime<Utc>,
}

/// A batch that is not in the ledger yet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NewBatch {
    pub channel: Channel,
    pub number: BatchNumber,
    pub recipients: RecipientList,
    /// To these devices of theirs only; none: to all.
    pub devices: Option<Devices>,
    pub not_before: DateTime<Utc>,
}

/// Cuts ascending resident numbers into batches of `size` at most; the first gets the number `first`.
pub(crate) fn cut(channel: Channel, numbers: &[u32], size: usize, first: u32, not_before: DateTime<Utc>) -> Result<Vec<NewBatch>, Error> {
    let batch = |(at, part): (u32, &[u32])| {
        let number = BatchNumber::planned(first.saturating_add(at)).map_err(|error| Error::damaged("batch number", first, error))?;
        let recipients = list(part).map_err(|error| Error::damaged("recipients", number, error))?;
        Ok(NewBatch { channel, number, recipients, devices: None, not_before })
    };
    (0..).zip(numbers.chunks(size)).map(batch).collect()
}

/// Cuts people for the app and people for SMS into batches as large as each channel takes; the first gets the number `next` of this alert's wave.
pub(crate) fn cut_both(
    app: &[u32],
    sms: &[u32],
    settings: &Settings,
    (alert_id, next): (AlertId, i32),
    not_before: DateTime<Utc>,
) -> Result<Vec<NewBatch>, Error> {
    let size = |channel| usize::from(settings.size_of(channel));
    let first = u32::try_from(next).map_err(|error| Error::damaged("batch number", alert_id, error))?;
    let mut batches = cut(Channel::App, app, size(Channel::App), first, not_before)?;
    let following = first.saturating_add(u32::try_from(batches.len()).unwrap_or(u32::MAX));
    batches.extend(cut(Channel::Sms, sms, size(Channel::Sms), following, not_before)?);
    Ok(batches)
}

/// A recipient list of ascending numbers.
pub(crate) fn list(numbers: &[u32]) -> Result<RecipientList, RecipientListError> {
    RecipientList::from_ascending(numbers.iter().copied())
}

/// Writes batches as ready, in one statement. A batch that is there already, from before a crash, stays as it is.
pub(crate) async fn write(connection: &mut Connection, of: WaveOf, batches: &[NewBatch]) -> Result<(), Error> {
    if batches.is_empty() {
        return Ok(());
    }
    let channels: Vec<String> = batches.iter().map(|batch| batch.channel.to_string()).collect();
    let numbers: Vec<i32> = batches.iter().map(|batch| batch.number.get()).collect();
    let sizes: Vec<i32> = batches.iter().map(|batch| i32::try_from(batch.recipients.len()).unwrap_or(i32::MAX)).collect();
    let firsts = column(&batches.iter().map(|batch| batch.recipients.first()).collect::<Vec<_>>());
    let lasts = column(&batches.iter().map(|batch| batch.recipients.last()).collect::<Vec<_>>());
    let not_befores: Vec<DateTime<Utc>> = batches.iter().map(|batch| batch.not_before).collect();
    let lists: Vec<Vec<u8>> = batches.iter().map(|batch| batch.recipients.encode()).collect();
    let devices: Vec<Option<Vec<u8>>> = batches.iter().map(|batch| batch.devices.as_ref().map(Devices::encode)).collect();
    sqlx::query!(
        r#"with new as (
               select * from unnest($5::text[], $6::int[], $7::int[], $8::bigint[], $9::bigint[], $10::timestamptz[], $11::bytea[], $12::bytea[])
                   as n (channel, number, size, first_no, last_no, not_before, recipients, devices)
           ), written as (
               insert into dispatch.batch (alert_id, wave, urgent, due_at, channel, number, size, first_no, last_no, not_before, state)
               select $1, $2, $3, $4, channel, number, size, first_no, last_no, not_before, 'ready' from new order by number
               on conflict (alert_id, wave, channel, number) do nothing
               returning batch_id, channel, number
           )
           insert into dispatch.recipient_list (alert_id, batch_id, recipients, devices)
           select $1, batch_id, recipients, devices from written join new using (channel, number)"#,
        of.alert_id.uuid(),
        i16::from(of.wave.get()),
        of.class == DeliveryClass::Urgent,
        of.due_at,
        &channels,
        &numbers,
        &sizes,
        &firsts,
        &lasts,
        &not_befores,
        &lists,
        &devices as &[Option<Vec<u8>>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_are_cut_into_full_batches_and_a_rest_numbered_from_the_next_free() {
        let numbers: Vec<u32> = (1..=12).collect();
        let batches = cut(Channel::App, &numbers, 5, 7, DateTime::UNIX_EPOCH).unwrap();
        let shape: Vec<_> = batches.iter().map(|b| (b.number.get(), b.recipients.first(), b.recipients.last())).collect();
        assert_eq!(shape, [(7, 1, 5), (8, 6, 10), (9, 11, 12)]);
    }

    #[test]
    fn nobody_makes_no_batch() {
        assert_eq!(cut(Channel::Sms, &[], 5, 0, DateTime::UNIX_EPOCH).unwrap(), []);
    }
}
