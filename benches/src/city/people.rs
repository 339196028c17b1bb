//! People who change while the city is looked at: they lose the app, they move.

use std::ops::RangeInclusive;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use domain::area::CommunityCode;
use uuid::Uuid;

use super::{City, eventually};

/// How long the planning of an alert may take to begin.
const PATIENCE: Duration = Duration::from_secs(60);

impl City {
    /// Takes the app from these people: from now on an SMS is what reaches them.
    pub async fn take_app_from(&self, residents: RangeInclusive<u32>) -> Result<()> {
        let (first, last) = (i32::try_from(*residents.start())?, i32::try_from(*residents.end())?);
        let mut tx = self.database.begin().await?;
        sqlx::query!("delete from resident.device where resident_no between $1 and $2", first, last).execute(&mut *tx).await?;
        sqlx::query!("update resident.resident set has_apns = false, has_fcm = false where resident_no between $1 and $2", first, last)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        sqlx::raw_sql("vacuum analyze").execute(self.database.pool()).await?;
        Ok(())
    }

    /// Has people move, each group to a community, while the first wave of an alert is being planned: a part of it is, and the rest waits until
    /// they have moved.
    pub async fn move_in_the_middle(&self, alert: &str, groups: &[(RangeInclusive<u32>, CommunityCode)]) -> Result<()> {
        let alert: Uuid = alert.parse().context("an alert id")?;
        // the planner passes a wave by that is locked
        let mut tx = eventually("planning has begun", PATIENCE, async || {
            let mut tx = self.database.begin().await?;
            let wave = sqlx::query!("select state, chunks from dispatch.wave where alert_id = $1 and wave = 1 for update", alert)
                .fetch_optional(&mut *tx)
                .await?;
            ensure!(wave.as_ref().is_none_or(|wave| wave.state == "planning"), "the wave was planned before anybody could move");
            Ok(wave.is_some_and(|wave| wave.chunks > 0).then_some(tx))
        })
        .await?;
        for (residents, community) in groups {
            sqlx::query!(
                "update resident.resident set district = $3, township = $4, community = $5 where resident_no between $1 and $2",
                i32::try_from(*residents.start())?,
                i32::try_from(*residents.end())?,
                i32::try_from(community.district().get())?,
                i32::try_from(community.township().get())?,
                i64::try_from(community.get())?,
            )
            .execute(&mut *tx)
            .await?;
        }
        Ok(tx.commit().await?)
    }
}
