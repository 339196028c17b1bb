//! One alert as its readers see it, written as JSON once and not once a reader.

use chrono::{DateTime, Utc};
use domain::alert::{AlertContent, AlertText};
use domain::cap::{MsgType, Severity, Status, Urgency};
use domain::ids::AlertId;
use domain::language::Language;
use domain::public_reason::PublicReason;
use domain::retraction::prepared::being_checked;
use serde::Serialize;
use strum::VariantArray as _;
use utoipa::ToSchema;
use uuid::Uuid;

/// One alert in an inbox.
#[derive(Serialize, ToSchema)]
pub(super) struct InboxItem {
    pub(super) alert_id: AlertId,
    /// Names the alert in an SMS reply.
    #[schema(value_type = String)]
    pub(super) short_code: String,
    /// `live`, `cancelled`, `all_clear` (what it told of is over), `superseded`, `closed`, or `withdrawn`: it stands for others and does not hold for
    /// this person.
    pub(super) state: String,
    pub(super) superseded_by: Option<Uuid>,
    /// Why it was stopped, in the resident's language.
    #[schema(value_type = Option<String>)]
    pub(super) stop_reason: Option<&'static str>,
    /// Of a live alert that is being checked: the line that says so, in the resident's language.
    #[schema(value_type = Option<String>)]
    pub(super) being_checked: Option<&'static str>,
    pub(super) status: Status,
    pub(super) msg_type: MsgType,
    pub(super) severity: Severity,
    pub(super) urgency: Urgency,
    /// In the resident's language, or in Chinese where the alert lacks it.
    pub(super) text: AlertText,
    pub(super) contact: String,
    pub(super) purpose: String,
    /// Name of the place it is about.
    pub(super) place: Option<String>,
    pub(super) released_at: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
    /// Until when to acknowledge before a reminder comes.
    pub(super) ack_by: DateTime<Utc>,
    /// The last field, since only what stands before it is the same for all readers.
    pub(super) acknowledged_at: Option<DateTime<Utc>>,
}

/// An item in every language, as JSON up to the time of its acknowledgement.
pub(super) struct WrittenItem {
    as_it_stands: Written,
    /// For whom it was withdrawn alone.
    withdrawn: Written,
}

type Written = Vec<(Language, Box<str>)>;

/// What an item says of one reader.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Own {
    pub(super) acknowledged_at: Option<DateTime<Utc>>,
    /// It was withdrawn for them alone.
    pub(super) withdrawn: bool,
}

/// The state of an item for whom it was withdrawn alone.
const WITHDRAWN: &str = "withdrawn";

/// How something stands that was stopped, or has ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stopped {
    /// Why, as the public is told.
    pub(super) reason: Option<PublicReason>,
    /// It is being checked.
    pub(super) checked: bool,
}

/// The state of an item of which two people have said that what it told of is over.
pub(super) const ALL_CLEAR: &str = "all_clear";

/// How an item ends that its reader has not acknowledged.
const UNACKNOWLEDGED: &str = "null}";

impl WrittenItem {
    /// Writes the item with the texts of the content, and why it was stopped.
    pub(super) fn of(mut item: InboxItem, content: &AlertContent, stopped: Stopped) -> serde_json::Result<Self> {
        item.acknowledged_at = None;
        let as_it_stands = Self::in_every_language(&mut item, content, stopped)?;
        let mut withdrawn = InboxItem { state: WITHDRAWN.to_owned(), superseded_by: None, ..item };
        Ok(Self { as_it_stands, withdrawn: Self::in_every_language(&mut withdrawn, content, Stopped::default())? })
    }

    fn in_every_language(item: &mut InboxItem, content: &AlertContent, stopped: Stopped) -> serde_json::Result<Written> {
        let mut written = Vec::with_capacity(Language::VARIANTS.len());
        for &language in Language::VARIANTS {
            item.text = content.text(language).cloned().unwrap_or_default();
            item.stop_reason = stopped.reason.map(|reason| reason.said_in(language));
            item.being_checked = stopped.checked.then(|| being_checked(language));
            let mut json = serde_json::to_string(item)?;
            json.truncate(json.len() - UNACKNOWLEDGED.len());
            written.push((language, json.into_boxed_str()));
        }
        Ok(written)
    }

    /// Adds the item to a list that is being written.
    pub(super) fn write(&self, list: &mut String, language: Language, own: Own) -> serde_json::Result<()> {
        let written = if own.withdrawn { &self.withdrawn } else { &self.as_it_stands };
        let written = written.iter().find(|(written, _)| *written == language);
        list.push_str(written.map_or("", |(_, json)| json));
        match own.acknowledged_at {
            Some(at) => {
                list.push_str(&serde_json::to_string(&at)?);
                list.push('}');
            }
            None => list.push_str(UNACKNOWLEDGED),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::alert::AckWindow;
    use domain::cap::{Category, Certainty};

    use super::*;

    #[test]
    fn an_item_that_was_written_once_reads_like_one_written_for_its_reader() {
        let at: DateTime<Utc> = "2026-03-10T04:00:00.25Z".parse().unwrap();
        let text = |headline: &str| AlertText { headline: headline.into(), ..AlertText::default() };
        let content = AlertContent {
            status: Status::Actual,
            msg_type: MsgType::Alert,
            references: None,
            category: Category::Health,
            urgency: Urgency::Immediate,
            severity: Severity::Severe,
            certainty: Certainty::Observed,
            purpose: "阻断传播".into(),
            texts: BTreeMap::from([(Language::ZhCn, text("请煮沸饮用水")), (Language::En, text("Boil \"your\" water"))]),
            contact: "12320".into(),
            expires_at: at,
            ack_window_s: AckWindow::capped(3_600),
            place: None,
            display: false,
            source_note: String::new(),
        };
        let item = |text: AlertText, own: Own| InboxItem {
            alert_id: AlertId::from_uuid(Uuid::nil()),
            short_code: "AB2C".into(),
            state: if own.withdrawn { "withdrawn" } else { "cancelled" }.into(),
            superseded_by: None,
            stop_reason: None,
            being_checked: None,
            status: content.status,
            msg_type: content.msg_type,
            severity: content.severity,
            urgency: content.urgency,
            text,
            contact: content.contact.clone(),
            purpose: content.purpose.clone(),
            place: None,
            released_at: at,
            expires_at: at,
            ack_by: at,
            acknowledged_at: own.acknowledged_at,
        };
        let reason = PublicReason::WrongFinding;
        let unread = item(AlertText::default(), Own { acknowledged_at: Some(at), withdrawn: false });
        let written = WrittenItem::of(unread, &content, Stopped { reason: Some(reason), checked: true }).unwrap();
        for (language, headline) in [(Language::ZhCn, "请煮沸饮用水"), (Language::En, "Boil \"your\" water")] {
            for own in [(None, false), (Some(at), false), (None, true), (Some(at), true)] {
                let own = Own { acknowledged_at: own.0, withdrawn: own.1 };
                let mut list = String::new();
                written.write(&mut list, language, own).unwrap();
                let stop_reason = (!own.withdrawn).then(|| reason.said_in(language));
                let being_checked = (!own.withdrawn).then(|| being_checked(language));
                assert_eq!(list, serde_json::to_string(&InboxItem { stop_reason, being_checked, ..item(text(headline), own) }).unwrap());
            }
        }
    }
}
