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
    pub(super) everybody: RoaringBitmap,
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
        let mut hearers = Hearers::default();
        if let Some(old) = corrects.map(AlertId::from_uuid) {
            ending::close_unclaimed(tx, old, self.clock.now()).await?;
            hearers = hearers_of(tx, old).await?;
        }
        let holders = Arc::new(Holders { correction, everybody: hearers.everybody(), hearers });
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
