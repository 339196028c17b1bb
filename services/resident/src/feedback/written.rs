//! What people write back by SMS and no machine understands: it waits for staff of their area beside what is said in the app. Who is not registered has
//! no area: the city reads it.

use chrono::{DateTime, Utc};
use domain::ids::{AlertId, ResidentNo};
use platform::crypto::{Keyring, Purpose};
use platform::database::Tx;

use super::{FeedbackBy, FeedbackKind};
use crate::{Error, directory};

/// Longest letter that is kept, in characters: a message in parts comes part by part, each of 70 or 160.
const LONGEST: usize = 1_000;

/// What somebody wrote.
pub(crate) struct Written<'a> {
    /// Who, if they are registered.
    pub(crate) by: Option<ResidentNo>,
    /// Their number, sealed.
    pub(crate) phone_sealed: &'a [u8],
    /// What it seems to be about.
    pub(crate) alert: Option<AlertId>,
    pub(crate) text: &'a str,
    /// Whether somebody seems to be in need.
    pub(crate) urgent: bool,
    pub(crate) at: DateTime<Utc>,
}

impl Written<'_> {
    /// Keeps it, sealed; what has nothing to read is not kept.
    pub(crate) async fn keep(&self, tx: &mut Tx, keyring: &Keyring) -> Result<(), Error> {
        let readable = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
        let text: String = self.text.trim().chars().take(LONGEST).map(readable).collect();
        // Of a number that did not come with the reply nobody could be answered.
        if text.trim().is_empty() || (self.by.is_none() && self.phone_sealed.is_empty()) {
            return Ok(());
        }
        let kind = FeedbackKind::Question;
        sqlx::query!(
            "insert into resident.feedback (resident_no, alert_id, kind, by, urgent, text_sealed, phone_sealed, district, community, at)
             select r.resident_no, $2, $3, $4, $5, $6, case when r.resident_no is null then $7::bytea end, r.district, r.community, $8
               from (select) as one left join resident.resident r on r.resident_no = $1",
            self.by.map(directory::stored),
            self.alert.map(AlertId::uuid),
            kind.as_ref(),
            FeedbackBy::Sms.as_ref(),
            self.urgent,
            keyring.seal(Purpose::Feedback, text.as_bytes()).into_bytes(),
            self.phone_sealed,
            self.at
        )
        .execute(&mut **tx)
        .await
        .map_err(Error::database("keeping what was written by SMS"))?;
        metrics::counter!("feedback_total", "kind" => kind.as_ref().to_owned(), "by" => FeedbackBy::Sms.as_ref().to_owned()).increment(1);
        Ok(())
    }
}
