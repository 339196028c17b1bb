//! An alert's history: every step of its life, who took it and why, what was answered and said.

use chrono::{DateTime, Utc};
use domain::alert::AlertContent;
use domain::ids::{AlertId, StaffId};
use domain::passage::Passage;
use domain::public_reason::PublicReason;
use platform::database::{Connection, readable_row};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Error, in_review};

/// One step of an alert's history.
#[derive(Serialize, ToSchema)]
pub(crate) struct HistoryLine {
    version: i32,
    /// An action, or `gathered`, `write`, `edit`, `correct`, `records_ended`, `leave_out`, `withdraw` (for some people), `ask_withdraw`, `ask_all_clear`,
    /// `ask_correct`, `confirm_withdraw`, `confirm_all_clear`, `confirm_correct`, `refuse_retraction`, `take_back_retraction`; beside the
    /// steps, for those who see drafts, `comment` and `resolve_comment`.
    action: String,
    from: String,
    to: String,
    /// None: the platform.
    actor: Option<Uuid>,
    reason: Option<String>,
    /// What the public was told of why.
    public_reason: Option<PublicReason>,
    /// The passage that the reason is about.
    passage: Option<Passage>,
    /// What of the checklist was ticked, before items were answered.
    checked: Vec<String>,
    /// What was answered of the checklist, item by item.
    answers: Vec<in_review::AnswerShown>,
    /// What the alert said from this version on, where the step changed that.
    content: Option<AlertContent>,
    at: DateTime<Utc>,
}

impl HistoryLine {
    /// Something that was done beside the steps, which left the alert where they had brought it.
    pub(crate) fn beside(steps: &[Self], version: i32, action: &str, by: StaffId, at: DateTime<Utc>) -> Self {
        let state = steps.iter().rfind(|step| step.at <= at).map(|step| step.to.clone()).unwrap_or_default();
        Self {
            version,
            action: action.to_owned(),
            from: state.clone(),
            to: state,
            actor: Some(by.uuid()),
            reason: None,
            public_reason: None,
            passage: None,
            checked: Vec::new(),
            answers: Vec::new(),
            content: None,
            at,
        }
    }

    /// When it was done.
    pub(crate) const fn at(&self) -> DateTime<Utc> {
        self.at
    }
}

/// Every step of the alert's life, the first one first.
pub(crate) async fn of_alert(connection: &mut Connection, alert: AlertId) -> Result<Vec<HistoryLine>, Error> {
    let steps = sqlx::query!(
        "select version, action, from_state, to_state, actor, reason, public_reason, passage, checked, answers, content, at
         from review.step where alert_id = $1 order by version",
        alert.uuid()
    )
    .fetch_all(connection)
    .await
    .map_err(Error::database("reading an alert's history"))?;
    Ok(steps
        .into_iter()
        .map(|step| HistoryLine {
            version: step.version,
            action: step.action,
            from: step.from_state,
            to: step.to_state,
            actor: step.actor,
            reason: step.reason,
            public_reason: step.public_reason.and_then(|word| word.parse().ok()),
            passage: step.passage.and_then(|passage| as_written("passages", passage)),
            checked: step.checked,
            answers: step.answers.and_then(|answers| as_written("answers", answers)).map(in_review::shown_answers).unwrap_or_default(),
            content: step.content.and_then(|content| as_written("contents of steps", content)),
            at: step.at,
        })
        .collect())
}

/// A part of a step, unless it cannot be read: the step itself happened all the same.
fn as_written<T: DeserializeOwned>(parts: &'static str, stored: serde_json::Value) -> Option<T> {
    readable_row(parts, serde_json::from_value(stored))
}
