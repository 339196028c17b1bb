//! A correction that two people have made goes to exactly those who have what it corrects, on the channels that carried that, and to nobody else.
//!
//! Who they are is known when nothing of the old alert is in anybody's hand any more, so its correction is released then: within moments of the
//! stop. It is asked of the ledger, as for the word of an end ([`super::withdrawal_wave`]), and not of the audience: who has moved away since keeps no
//! wrong text, who has moved here since is told nothing of it.

use std::sync::{Arc, PoisonError};

use domain::ids::{AlertId, WaveNo};
use domain::withdrawal::Hearers;
use platform::database::Tx;
use roaring::RoaringBitmap;

use super::chunk::{Chunk, Cursor};
use super::withdrawal_wave::{chain, handed_over};
use super::{Planned, Planner, inbox};
use crate::ledger::number_of;
use crate::{Error, ending, withdrawn_for};

/// Who has what a correction corrects.
#[derive(Debug)]
pub(super) struct Holders {
    correction: AlertId,
    hearers: Hearers,
    everybody: RoaringBitmap,
    /// Who finds it in the inbox: they, and in whose inbox the old one stands without having been handed to them. Whoever reads that the old one was
    /// corrected has to find what is right.
    pub(super) inbox: RoaringBitmap,
}

impl Planner {
    /// Who has what this alert corrects. Kept from chunk to chunk: a whole city is read from its batches once.
    pub(super) async fn holders(&self, tx: &mut Tx, correction: AlertId) -> Result<Arc<Holders>, Error> {
        if let Some(kept) = &*self.holders.lock().unwrap_or_else(PoisonError::into_inner)
            && kept.correction == correction
        {
            return Ok(Arc::clone(kept));
        }
        let corrects =
            sqlx::query_scalar!("select corrects from dispatch.alert where alert_id = $1", correction.uuid()).fetch_one(&mut **tx).await?;
        let (mut hearers, mut inbox) = (Hearers::default(), RoaringBitmap::new());
        if let Some(old) = corrects.map(AlertId::from_uuid) {
            ending::close_unclaimed(tx, old, self.clock.now()).await?;
            hearers = hearers_of(tx, old).await?;
            inbox = in_whose_inbox(tx, old).await?;
        }
        let everybody = hearers.everybody();
        inbox |= &everybody;
        let holders = Arc::new(Holders { correction, everybody, inbox, hearers });
        *self.holders.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&holders));
        Ok(holders)
    }

    /// The next of them, on the channels that carried what they have.
    pub(super) async fn chunk_of_holders(&self, tx: &mut Tx, wave: &Planned, limit: u32) -> Result<Chunk, Error> {
        let holders = self.holders(tx, wave.of.alert_id).await?;
        let after = (wave.planned.to >= 0).then(|| number_of(wave.planned.to)).transpose()?;
        let (app, sms, last) = holders.hearers.next(&holders.everybody, after, limit as usize);
        Ok(Chunk { app, sms, no_channel: Vec::new(), planned: last.map(Cursor::at) })
    }
}

/// Who holds the word of an alert, or of what it corrected: each person's last word counts, and who knows of its end already holds none.
pub(super) async fn hearers_of(tx: &mut Tx, alert_id: AlertId) -> Result<Hearers, Error> {
    let mut hearers = Hearers::default();
    for link in chain(tx, alert_id).await? {
        hearers = hearers.corrected_by(handed_over(tx, link, None).await?);
        if link != alert_id {
            hearers.leave_out(&inbox::planned(tx, link, WaveNo::WITHDRAWAL).await?);
        }
        // for whom it had been withdrawn before is told so by that
        hearers.leave_out(&withdrawn_for::before_its_end(tx, link).await?);
    }
    Ok(hearers)
}

/// In whose inbox an alert stands, whether or not it was handed to them: whom it was published for, and who was told late.
async fn in_whose_inbox(tx: &mut Tx, alert_id: AlertId) -> Result<RoaringBitmap, Error> {
    let row = sqlx::query!(
        r#"select a.audience_bitmap,
                  array(select l.resident_no::bigint from dispatch.latecomer l where l.alert_id = a.alert_id) as "late!"
             from dispatch.alert a where a.alert_id = $1"#,
        alert_id.uuid()
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = row else { return Ok(RoaringBitmap::new()) };
    let mut people = match row.audience_bitmap {
        Some(bytes) => RoaringBitmap::deserialize_from(&bytes[..]).map_err(|error| Error::damaged("audience", alert_id, error))?,
        None => RoaringBitmap::new(),
    };
    for number in row.late {
        people.insert(number_of(number)?);
    }
    Ok(people - withdrawn_for::before_its_end(tx, alert_id).await?)
}
