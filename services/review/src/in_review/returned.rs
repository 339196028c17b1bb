//! That an alert was sent back, and what it says otherwise since (`domain::since_return`).

use chrono::{DateTime, Utc};
use domain::alert::AlertContent;
use domain::alert_state::Action;
use domain::ids::StaffId;
use domain::passage::Passage;
use domain::since_return::{AudienceMark, Changed, changes};
use platform::database::{Connection, readable_row};
use serde::Serialize;
use strum::VariantArray as _;
use utoipa::ToSchema;

use crate::Error;
use crate::store::Alert;

/// How an alert was sent back last.
#[derive(Serialize, ToSchema)]
pub(crate) struct Returned {
    by: StaffId,
    at: DateTime<Utc>,
    /// `return_district`, `return_city` or `decline`.
    action: Action,
    reason: String,
    /// The version that was sent back.
    version: i32,
    /// What was marked: by whoever sent it back, and in remarks that were open then.
    passages: Vec<MarkedPassage>,
}

/// A passage that was marked.
#[derive(Serialize, ToSchema)]
struct MarkedPassage {
    passage: Passage,
    /// Whether its words still stand there; not, where something was done about them.
    stands: bool,
}

/// The words of the steps by which an alert is sent back.
pub(crate) fn steps_back() -> Vec<String> {
    Action::VARIANTS.iter().filter(|action| action.sends_back()).map(|action| action.as_ref().to_owned()).collect()
}

/// How an alert that is in the making was sent back last, and what it says otherwise since.
pub(super) async fn of_alert(connection: &mut Connection, alert: &Alert) -> Result<Option<(Returned, Vec<Changed>)>, Error> {
    let row = sqlx::query!(
        r#"select s.version, s.action, s.actor as "actor!", s.at, s.reason, s.passage, s.audience_mark,
                  (select c.content from review.step c where c.alert_id = s.alert_id and c.version <= s.version and c.content is not null
                    order by c.version desc limit 1) as content,
                  array(select m.passage from review.comment m
                         where m.alert_id = s.alert_id and m.passage is not null and m.made_at <= s.at
                           and (m.resolved_at is null or m.resolved_at > s.at) order by m.made_at, m.comment_id) as "remarks!"
             from review.step s where s.alert_id = $1 and s.action = any($2) and s.actor is not null order by s.version desc limit 1"#,
        alert.id.uuid(),
        &steps_back()
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::database("reading how an alert was sent back"))?;
    let Some(row) = row else { return Ok(None) };
    let marked = row.passage.into_iter().chain(row.remarks).filter_map(|passage| readable("passages", passage));
    let passages = marked.map(|passage: Passage| MarkedPassage { stands: passage.stands_in(&alert.content), passage });
    let returned = Returned {
        by: StaffId::from_uuid(row.actor),
        at: row.at,
        action: row.action.parse().map_err(|_| Error::Stored { what: "action" })?,
        reason: row.reason.unwrap_or_default(),
        // a step is kept with the version that it leads to
        version: row.version - 1,
        passages: passages.collect(),
    };
    let now = AudienceMark::of(&alert.audience);
    let then = row.audience_mark.as_deref().and_then(AudienceMark::from_bytes).unwrap_or(now);
    let was: Option<AlertContent> = row.content.and_then(|content| readable("contents of steps", content));
    let changed = was.map(|was| changes(&was, &alert.content, (then, now))).unwrap_or_default();
    Ok(Some((returned, changed)))
}

fn readable<T: serde::de::DeserializeOwned>(parts: &'static str, stored: serde_json::Value) -> Option<T> {
    readable_row(parts, serde_json::from_value(stored))
}
