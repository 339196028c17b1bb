//! Whether what is planned is what was approved: asked before the first chunk, and with each.
//!
//! How many people an audience has is counted before anything of it is planned, outside of any transaction, so that a district that got lost wakes nobody.
//! Whoever is found beyond that afterwards holds the wave where it stands. An audience that cannot be counted holds nothing up.

use std::sync::PoisonError;

use domain::approval_seal::{ApprovalSeal, Difference};
use domain::audience::Audience;
use domain::ids::AlertId;
use platform::database::{Connection, Tx};
use platform::tasks::chain;

use super::{Planned, Planner};
use crate::planning::chunk::Chunk;
use crate::unlike::{self, tolerance};
use crate::{Error, signals};

/// How many people the audience has that was counted last; none: it could not be counted.
#[derive(Debug)]
pub(super) struct Counted {
    alert_id: AlertId,
    people: Option<u64>,
}

impl Planner {
    /// Counts an audience and keeps the number for one look. Not to be asked inside a transaction.
    pub(super) async fn count(&self, alert_id: AlertId, audience: &Audience, exercise: bool) -> Option<u64> {
        let people = match self.headcount.of_audience(audience).await {
            Ok(counts) => Some(if exercise { counts.drill } else { counts.everybody }.people.max(0).unsigned_abs()),
            Err(error) => {
                tracing::warn!(%alert_id, error = chain(&error), "an audience was not counted before it was planned");
                None
            }
        };
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner) = Some(Counted { alert_id, people });
        people
    }

    /// What was counted of this alert, once; none: it was not counted yet.
    pub(super) fn counted(&self, alert_id: AlertId) -> Option<Option<u64>> {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner).take();
        counted.filter(|counted| counted.alert_id == alert_id).map(|counted| counted.people)
    }

    /// Whether so many are more than were approved, or than an officer has let it go on to.
    pub(super) async fn too_many(
        &self,
        connection: &mut Connection,
        alert_id: AlertId,
        seal: &ApprovalSeal,
        found: u64,
    ) -> Result<Option<Difference>, Error> {
        let Some(difference) = seal.unlike_people(found, tolerance(&self.settings)) else { return Ok(None) };
        let let_go_to = unlike::let_go_to(connection, alert_id).await?;
        Ok(Some(difference).filter(|_| let_go_to.is_none_or(|people| found > tolerance(&self.settings).most(people))))
    }

    /// Whether this chunk takes a first wave beyond what was approved. How many there are in all is then counted, after the transaction.
    pub(super) async fn goes_too_far(&self, tx: &mut Tx, wave: &Planned, chunk: &Chunk) -> Result<Option<ApprovalSeal>, Error> {
        let Some(seal) = &wave.seal else { return Ok(None) };
        let found = wave.found + (chunk.app.len() + chunk.sms.len() + chunk.no_channel.len()) as u64;
        Ok(self.too_many(tx, wave.of.alert_id, seal, found).await?.map(|_| seal.clone()))
    }

    /// Holds a wave that goes too far, with how many people there are.
    pub(super) async fn hold_too_many(&self, wave: &Planned, chunk: &Chunk, seal: &ApprovalSeal, audience: &Audience) -> Result<(), Error> {
        let so_far = wave.found + (chunk.app.len() + chunk.sms.len() + chunk.no_channel.len()) as u64;
        let counted = self.count(wave.of.alert_id, audience, wave.exercise).await;
        let found = counted.unwrap_or_default().max(so_far);
        let differences = Vec::from_iter(seal.unlike_people(found, tolerance(&self.settings)));
        let tx = self.database.begin().await?;
        self.hold_back(tx, wave.of.alert_id, &differences).await
    }

    /// Holds an alert, and tells whoever sends it.
    pub(super) async fn hold_back(&self, mut tx: Tx, alert_id: AlertId, differences: &[Difference]) -> Result<(), Error> {
        unlike::hold(&mut tx, alert_id, differences, self.clock.now()).await?;
        tx.commit().await?;
        unlike::tell(&self.cache, alert_id).await;
        signals::WATCH.wake();
        Ok(())
    }
}
