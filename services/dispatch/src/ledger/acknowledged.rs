//! Who has acknowledged in the meantime, or written back about the alert, is not sent to; nor for whom it was withdrawn.

use chrono::{DateTime, TimeDelta, Utc};
use domain::batch::Origin;
use domain::ids::WaveNo;
use domain::outcome::Outcome;

use super::{Claimed, Ledger, number_of};
use crate::{Error, withdrawn_for};

/// Nobody has an alert to acknowledge in the first moments after its planning.
const JUST_PLANNED: TimeDelta = TimeDelta::minutes(1);

impl Claimed {
    /// Whether somebody in it may have acknowledged before its turn, in the inbox or by reply. `not_before`: since when it may be sent.
    pub(super) fn may_be_acknowledged(&self, not_before: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        self.wave > WaveNo::FIRST
            || self.was_held_before()
            || !matches!(self.number.origin(), Origin::Planned(_))
            || now - not_before > JUST_PLANNED
    }
}

impl Ledger {
    /// The positions of those who have answered the alert. One look at a range: it costs as much as there are answers.
    pub(crate) async fn acknowledged(&self, claimed: &Claimed) -> Result<Vec<usize>, Error> {
        let acknowledged = sqlx::query_scalar!(
            r#"select resident_no::bigint as "resident_no!" from resident.answered
                where alert_id = $1 and resident_no between $2::bigint and $3::bigint"#,
            claimed.alert.alert_id.uuid(),
            i64::from(claimed.recipients.first()),
            i64::from(claimed.recipients.last()),
        )
        .fetch_all(self.database.pool())
        .await?;
        let mut positions = Vec::new();
        for resident_no in acknowledged {
            positions.extend(claimed.recipients.position(number_of(resident_no)?));
        }
        Ok(positions)
    }

    /// The positions of those for whom the alert was withdrawn.
    pub(crate) async fn withdrawn(&self, claimed: &Claimed) -> Result<Vec<usize>, Error> {
        let numbers = claimed.recipients.first()..=claimed.recipients.last();
        let withdrawn = withdrawn_for::among(self.database.pool(), claimed.alert.alert_id, numbers).await?;
        Ok(withdrawn.into_iter().filter_map(|number| claimed.recipients.position(number)).collect())
    }

    /// Between its planning and its turn people go on acknowledging: through a night of quiet hours, while a provider is away.
    pub(super) async fn leave_out_acknowledged(&self, claimed: &mut Claimed) -> Result<(), Error> {
        leave_out(claimed, self.acknowledged(claimed).await?);
        Ok(())
    }

    /// Looked at once the batch is claimed: for whom the alert is withdrawn afterwards, the word of it waits until the batch is out of hand.
    pub(super) async fn leave_out_withdrawn(&self, claimed: &mut Claimed) -> Result<(), Error> {
        leave_out(claimed, self.withdrawn(claimed).await?);
        Ok(())
    }
}

fn leave_out(claimed: &mut Claimed, positions: Vec<usize>) {
    for position in positions {
        if claimed.outcomes.get(position) == Some(Outcome::Pending) {
            claimed.outcomes.set(position, Outcome::Withdrawn);
        }
    }
}
