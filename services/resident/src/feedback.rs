//! Feedback on an alert, and its answer (CQ12): a resident says that it is unclear or wrong, or asks, in the app or by SMS; staff of their area answer
//! where they were asked.
//!
//! Words of residents are kept sealed, are read by those who answer, and go when the resident's data goes. What is wrong with an alert
//! is mended by correcting the alert; the answer says so.

pub(crate) mod answering;
pub(crate) mod saying;
pub(crate) mod written;

use chrono::{DateTime, Utc};
use domain::area::{CommunityCode, DistrictCode};
use domain::ids::AlertId;
use domain::staff::Scope;
use domain::standing::objection;
use platform::crypto::{Keyring, Purpose};
use platform::http::FieldFault;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Error, contact};

/// Longest words, in characters.
const LONGEST: usize = 500;

domain::words! {
    /// What somebody finds about an alert.
    pub(crate) enum FeedbackKind {
        /// They do not understand it.
        Unclear,
        /// Something in it is not so.
        Wrong,
        /// They want to know something.
        Question,
        /// What stands against them is not so; answered by others than those who sent it.
        Objection,
    }
}

domain::words! {
    /// How somebody said it, and is answered.
    pub(crate) enum FeedbackBy {
        /// In the app.
        App,
        /// By SMS, mostly as the answer to an alert.
        Sms,
    }
}

/// What somebody said, mostly about one alert.
#[derive(Debug, Serialize, ToSchema)]
struct Feedback {
    feedback_id: i64,
    /// None where somebody wrote by SMS who was handed no alert.
    alert_id: Option<AlertId>,
    /// The alert's Chinese headline; empty when it is no longer kept.
    headline: String,
    kind: FeedbackKind,
    by: FeedbackBy,
    /// Somebody seems to be in need: to be read first.
    urgent: bool,
    text: String,
    at: DateTime<Utc>,
    answer: Option<String>,
    answered_at: Option<DateTime<Utc>>,
    /// Where they live; none of a phone that is not registered.
    #[schema(value_type = Option<String>, example = "500103001001")]
    community: Option<CommunityCode>,
    #[schema(value_type = Option<String>, example = "500103")]
    district: Option<DistrictCode>,
    /// What an objection is about.
    standing_id: Option<i64>,
    /// Until when an objection is answered.
    answer_by: Option<DateTime<Utc>>,
    /// Whether the reader may answer it: not what is objected to an alert that their unit sent or that they decided about.
    yours_to_answer: bool,
}

/// As the table keeps it.
struct Row {
    feedback_id: i64,
    alert_id: Option<Uuid>,
    headline: Option<String>,
    kind: String,
    by: String,
    urgent: bool,
    text_sealed: Vec<u8>,
    at: DateTime<Utc>,
    answer_sealed: Option<Vec<u8>>,
    answered_at: Option<DateTime<Utc>>,
    community: Option<i64>,
    standing_id: Option<i64>,
    answer_by: Option<DateTime<Utc>>,
    /// The district that sent what is objected to.
    sent_by: Option<i32>,
    /// Whether the reader decided about the alert.
    had_a_hand: bool,
}

/// Whether somebody with this scope may answer; `sent_by`: the district that sent what is objected to.
fn may_answer(scope: &Scope, sent_by: Option<i32>, had_a_hand: bool) -> Result<bool, Error> {
    let sent_by = sent_by.map(DistrictCode::try_from).transpose().map_err(|_| Error::Stored { what: "district" })?;
    Ok(sent_by.is_none_or(|sent_by| objection::may_answer(scope, sent_by, had_a_hand)))
}

impl Row {
    /// As somebody of staff with this scope reads it; none: its author.
    fn open(self, keyring: &Keyring, reader: Option<&Scope>) -> Result<Feedback, Error> {
        let yours_to_answer = reader.map_or(Ok(false), |scope| may_answer(scope, self.sent_by, self.had_a_hand))?;
        let community = self.community.map(CommunityCode::try_from).transpose().map_err(|_| Error::Stored { what: "community" })?;
        Ok(Feedback {
            feedback_id: self.feedback_id,
            alert_id: self.alert_id.map(AlertId::from_uuid),
            headline: self.headline.unwrap_or_default(),
            kind: self.kind.parse().map_err(|_| Error::Stored { what: "kind of feedback" })?,
            by: self.by.parse().map_err(|_| Error::Stored { what: "way of feedback" })?,
            urgent: self.urgent,
            text: contact::open_text(keyring, Purpose::Feedback, Some(self.text_sealed))?.unwrap_or_default(),
            at: self.at,
            answer: contact::open_text(keyring, Purpose::Feedback, self.answer_sealed)?,
            answered_at: self.answered_at,
            community,
            district: community.map(|community| community.district()),
            standing_id: self.standing_id,
            answer_by: self.answer_by,
            yours_to_answer,
        })
    }
}

/// Words of 1 to 500 characters, sealed.
pub(crate) fn sealed(keyring: &Keyring, field: &str, words: &str) -> Result<Vec<u8>, Error> {
    let words = words.trim();
    let sound = |c: char| c == '\n' || !c.is_control();
    if !(1..=LONGEST).contains(&words.chars().count()) || !words.chars().all(sound) {
        return Err(Error::Invalid(vec![FieldFault::new(
            field,
            format!("请填写 1 至 {LONGEST} 个字。"),
            format!("Write 1 to {LONGEST} characters."),
        )]));
    }
    Ok(keyring.seal(Purpose::Feedback, words.as_bytes()).into_bytes())
}
