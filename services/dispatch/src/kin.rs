//! The batches that stem from one planned batch: its retries and its fallbacks. Whoever went on in a later one of them is counted, followed up and
//! sent to again with that one.

use std::collections::BTreeMap;

use domain::batch::{MAX_PLANNED, Outcomes, RecipientList};
use domain::ids::AlertId;
use platform::database::{Tx, readable_row};
use roaring::RoaringBitmap;

use crate::Error;

/// All batches of one wave that stem from certain planned ones.
#[derive(Debug, Default)]
pub(crate) struct Kin(BTreeMap<i32, Vec<Batch>>);

#[derive(Debug)]
struct Batch {
    batch_id: i64,
    recipients: RecipientList,
    outcomes: Option<Outcomes>,
}

/// The planned batch from which a batch stems, as [`domain::batch::BatchNumber`] keeps it.
const fn origin(number: i32) -> i32 {
    number & MAX_PLANNED.cast_signed()
}

impl Kin {
    /// Those of the batches with these numbers.
    pub(crate) async fn of(tx: &mut Tx, alert_id: AlertId, wave: i16, numbers: impl IntoIterator<Item = i32>) -> Result<Self, Error> {
        let origins: Vec<i32> = numbers.into_iter().map(origin).collect();
        let mut kin = Self::default();
        if origins.is_empty() {
            return Ok(kin);
        }
        let rows = sqlx::query!(
            r#"select b.batch_id, b.number, b.outcomes, r.recipients from dispatch.batch b join dispatch.recipient_list r using (alert_id, batch_id)
                where b.alert_id = $1 and b.wave = $2 and (b.number & $4) = any($3::int[])"#,
            alert_id.uuid(),
            wave,
            &origins,
            MAX_PLANNED.cast_signed(),
        )
        .fetch_all(&mut **tx)
        .await?;
        for row in rows {
            let batch = Batch::read(row.batch_id, &row.recipients, row.outcomes.as_deref());
            let Some(batch) = readable_row("a batch that stems from another", batch) else { continue };
            kin.0.entry(origin(row.number)).or_default().push(batch);
        }
        Ok(kin)
    }

    /// Whoever stands in a batch that came after this one.
    pub(crate) fn went_on(&self, number: i32, batch_id: i64) -> RoaringBitmap {
        self.around(number).filter(|batch| batch.batch_id > batch_id).flat_map(|batch| batch.recipients.as_slice()).copied().collect()
    }

    /// Whoever was handed the alert in one of them.
    pub(crate) fn reached(&self, number: i32) -> RoaringBitmap {
        let outcomes = self.around(number).filter_map(|batch| Some((&batch.recipients, batch.outcomes.as_ref()?)));
        let each = outcomes.flat_map(|(recipients, outcomes)| recipients.as_slice().iter().zip(outcomes.as_slice()));
        each.filter(|(_, outcome)| outcome.is_handed_over()).map(|(number, _)| *number).collect()
    }

    fn around(&self, number: i32) -> impl Iterator<Item = &Batch> {
        self.0.get(&origin(number)).into_iter().flatten()
    }
}

impl Batch {
    fn read(batch_id: i64, recipients: &[u8], outcomes: Option<&[u8]>) -> Result<Self, Error> {
        let recipients = RecipientList::decode(recipients).map_err(|error| Error::damaged("recipients", batch_id, error))?;
        let outcomes = outcomes.map(|bytes| Outcomes::decode(bytes, recipients.len())).transpose();
        Ok(Self { batch_id, recipients, outcomes: outcomes.map_err(|error| Error::damaged("outcomes", batch_id, error))? })
    }
}
