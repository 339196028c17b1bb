//! Who stands in the batches of an alert, asked of dispatch's ledger: for whom the audience here does not hold yet.
//!
//! Audiences are published from time to time while they are planned, and an event may be late; who holds the push is in a batch all the same. Only
//! those are asked about whom no audience here holds, a hundred at a time and one statement after the other, so whoever asks about alerts of
//! others delays nobody but those who ask here as well.

use chrono::{DateTime, Utc};
use domain::batch::RecipientList;
use domain::ids::{AlertId, ResidentNo};
use platform::database::{Database, readable_row};
use platform::gather::{Batch, Limits};
use uuid::Uuid;

use crate::{Error, directory};

/// How much the ledger is asked at a time.
pub(super) const AT_ONCE: Limits = Limits { batches: 1, items: 100 };

/// Asks the ledger.
pub(super) struct Ledger(pub(super) Database);

impl Batch for Ledger {
    /// Whether this alert, valid at this time, is for this person.
    type Item = (AlertId, ResidentNo, DateTime<Utc>);
    type Answer = bool;
    type Error = Error;

    async fn run(&self, asked: &[Self::Item]) -> Result<Vec<bool>, Error> {
        let alerts: Vec<Uuid> = asked.iter().map(|(alert, ..)| alert.uuid()).collect();
        let numbers: Vec<i32> = asked.iter().map(|(_, no, _)| directory::stored(*no)).collect();
        let times: Vec<DateTime<Utc>> = asked.iter().map(|(.., at)| *at).collect();
        // For each its own look, by the index of the alert's batches.
        let rows = sqlx::query!(
            r#"select asked.place as "place!", found.recipients as "recipients!"
                 from unnest($1::uuid[], $2::int[], $3::timestamptz[]) with ordinality as asked (alert_id, resident_no, at, place)
                cross join lateral (
                      select r.recipients from dispatch.recipient_range r
                       where r.alert_id = asked.alert_id and asked.resident_no between r.first_no and r.last_no and asked.at < r.expires_at
                      offset 0) as found"#,
            &alerts,
            &numbers,
            &times,
        )
        .fetch_all(self.0.pool())
        .await
        .map_err(Error::database("looking for recipients in the ledger"))?;
        let mut found = vec![false; asked.len()];
        for row in rows {
            let place = usize::try_from(row.place - 1).unwrap_or(usize::MAX);
            let (Some((_, no, _)), Some(found)) = (asked.get(place), found.get_mut(place)) else { continue };
            *found = *found
                || readable_row("recipients of a batch", RecipientList::decode(&row.recipients))
                    .is_some_and(|list| list.position(no.get()).is_some());
        }
        Ok(found)
    }
}
