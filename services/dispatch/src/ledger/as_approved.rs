//! The words of a batch are those that were approved, or the batch goes to nobody.
//!
//! Compared is what the channel makes its messages of, once for each alert and channel in a process. What differs is noted, which holds the alert
//! ([`crate::unlike`]); its batches wait, those of others go on. What leaves is noted too, for the proof of delivery.

use domain::approval_seal::{Difference, unsealed, words};

use super::claim::UNREADABLE;
use super::{BatchKey, Claimed, Ledger, PoisonError};
use crate::{Error, unlike};

impl Ledger {
    /// Refuses a batch whose words are not what was approved.
    pub(super) async fn must_be_as_approved(&self, claimed: &Claimed) -> Result<(), Error> {
        let (alert, channel) = (&claimed.alert, claimed.channel);
        if alert.unsealed {
            return Err(Error::NotAsApproved(vec![unsealed()]));
        }
        let Some(seal) = &alert.seal else { return Ok(()) };
        if alert.noted.lock().unwrap_or_else(PoisonError::into_inner).contains(&channel) {
            return Ok(());
        }
        let differences = seal.unlike_words(&alert.content, channel);
        if !differences.is_empty() {
            return Err(Error::NotAsApproved(differences));
        }
        let leaving = alert.content.texts.keys().filter_map(|&language| Some((language, words(&alert.content, language, channel)?)));
        let (languages, digests): (Vec<String>, Vec<String>) =
            leaving.map(|(language, digest)| (language.to_string(), digest.to_string())).unzip();
        sqlx::query!(
            "insert into dispatch.sent_text (alert_id, channel, language, digest, sent_at)
             select $1, $2, language, digest, $5 from unnest($3::text[], $4::text[]) as left_here (language, digest)
             on conflict (alert_id, channel, language) do nothing",
            alert.alert_id.uuid(),
            channel.as_ref(),
            &languages,
            &digests,
            self.clock.now()
        )
        .execute(self.database.pool())
        .await?;
        alert.noted.lock().unwrap_or_else(PoisonError::into_inner).insert(channel);
        Ok(())
    }

    /// Gives back a batch that must not leave, and notes why: the alert is held from then on.
    pub(super) async fn keep_back(&self, BatchKey { alert_id, batch_id }: BatchKey, differences: &[Difference]) -> Result<(), Error> {
        let now = self.clock.now();
        let mut tx = self.database.begin().await?;
        unlike::note(&mut tx, alert_id, differences, now).await?;
        sqlx::query!(
            "update dispatch.batch set state = 'ready', lease = lease + 1, lease_until = null, holder = null, not_before = $3
              where alert_id = $1 and batch_id = $2 and state = 'claimed'",
            alert_id.uuid(),
            batch_id.get(),
            now + UNREADABLE,
        )
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }
}
