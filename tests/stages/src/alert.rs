//! The alert of most stories.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::alert::{AckWindow, AlertContent, AlertText};
use domain::cap;
use domain::language::Language;

/// An alert about unboiled water, valid until then, to be acknowledged within an hour: without a fault, so that it passes every check.
pub fn alert(expires_at: DateTime<Utc>) -> AlertContent {
    let chinese = AlertText {
        headline: "请煮沸饮用水".to_owned(),
        body: "本区水厂检出细菌超标。".to_owned(),
        instruction: "饮用前请煮沸，直至另行通知。".to_owned(),
        sms: "本区自来水饮用前请煮沸，直至另行通知。".to_owned(),
    };
    AlertContent {
        status: cap::Status::Actual,
        msg_type: cap::MsgType::Alert,
        references: None,
        category: cap::Category::Health,
        urgency: cap::Urgency::Immediate,
        severity: cap::Severity::Severe,
        certainty: cap::Certainty::Observed,
        purpose: "防止水源性疾病传播".to_owned(),
        texts: BTreeMap::from([(Language::ZhCn, chinese)]),
        contact: "渝中区疾控中心 023-63840000".to_owned(),
        expires_at,
        ack_window_s: AckWindow::capped(3_600),
        place: None,
        display: false,
        source_note: "市疾控中心".to_owned(),
    }
}

/// Texts of which only the headline matters.
pub fn headline(headline: &str) -> AlertText {
    AlertText { headline: headline.to_owned(), body: "说明".to_owned(), instruction: "措施".to_owned(), sms: "短信".to_owned() }
}
