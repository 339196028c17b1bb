//! What an alert says: the content that crosses review, dispatch and the channels unchanged, as one JSON value.
//!
//! [`AlertContent::validate`] is asked before a draft is submitted and again before it is approved: nothing is approved
//! that has a fault. Who may do what with an alert is [`crate::alert_state`]'s.

#[cfg(test)]
pub(crate) mod sample;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::area::Area;
use crate::cap::{Category, Certainty, MsgType, Severity, Status, Urgency};
use crate::ids::AlertId;
use crate::language::Language;

crate::words! {
    /// How fast an alert must be with its recipients once approved (CQ10).
    pub enum DeliveryClass {
        /// 一般: within two hours of time outside the quiet hours.
        Routine,
        /// 紧急: within thirty minutes, at any hour; composed and confirmed by the city command.
        Urgent,
    }
}

/// One alert's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertContent {
    /// Actual or exercise.
    pub status: Status,
    /// First information, correction or end.
    pub msg_type: MsgType,
    /// The alert that is corrected or ended; none for first information.
    #[serde(default)]
    pub references: Option<AlertId>,
    /// What it is about.
    pub category: Category,
    /// How soon to act.
    pub urgency: Urgency,
    /// How much harm.
    pub severity: Severity,
    /// How sure.
    pub certainty: Certainty,
    /// The control purpose it serves (CQ4).
    pub purpose: String,
    /// The texts by language; `zh-CN` is always there.
    pub texts: BTreeMap<Language, AlertText>,
    /// Whom to ask: a telephone number or an address, with a name if that helps (CQ12). Shown in every alert.
    pub contact: String,
    /// When it stops being true. Nothing is sent or shown afterwards.
    #[serde(deserialize_with = "crate::instant::read")]
    pub expires_at: DateTime<Utc>,
    /// How long recipients have to acknowledge before they are reminded, in seconds (CQ11).
    #[schema(value_type = u32, maximum = 2_592_000)]
    pub ack_window_s: AckWindow,
    /// The place it is about, if it is about one.
    #[serde(default)]
    pub place: Option<PlaceNote>,
    /// Whether public displays show it (CQ9 c).
    #[serde(default)]
    pub display: bool,
    /// Where the information comes from (CQ2). For staff; recipients do not see it.
    #[serde(default)]
    pub source_note: String,
}

/// The place an alert is about: a market, a school, an isolation site. Never a home (CQ14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceNote {
    /// Its name as people know it.
    pub name: String,
    /// Where it lies.
    pub area: Area,
}

/// One language's texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertText {
    /// The line seen first: on the lock screen, on a display.
    pub headline: String,
    /// What happened, and to whom it matters.
    pub body: String,
    /// What to do.
    pub instruction: String,
    /// The short form for SMS, without signature, contact and how to reply, which are added when it is sent (CQ9 b).
    pub sms: String,
}

impl AlertContent {
    /// The texts for a reader of this language, or the Chinese ones where the alert lacks it.
    #[must_use]
    pub fn text(&self, language: Language) -> Option<&AlertText> {
        self.texts.get(&language).or_else(|| self.texts.get(&Language::ZhCn))
    }

    /// How long recipients have to acknowledge.
    #[must_use]
    pub fn ack_window(&self) -> TimeDelta {
        self.ack_window_s.duration()
    }
}

pub use crate::ack_window::{AckWindow, AckWindowError};
pub use crate::alert_check::{ContentFault, FaultKind};

#[cfg(test)]
mod tests {
    use utoipa::ToSchema;

    use super::*;

    /// Two types of one name would silently describe each other in the OpenAPI document.
    #[test]
    fn the_schema_of_a_content_names_everything_it_uses_once() {
        let mut schemas = Vec::new();
        AlertContent::schemas(&mut schemas);
        let json = serde_json::to_string(&schemas).unwrap();
        for name in ["CapStatus", "MsgType", "Category", "Urgency", "Severity", "Certainty", "AlertText", "PlaceNote", "Area"] {
            assert!(json.contains(&format!("[\"{name}\",")), "{name} is missing");
        }
        assert!(!json.contains("\"Status\""));
    }
}
