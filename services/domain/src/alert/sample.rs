//! A good alert for tests, which they spoil.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{AckWindow, AlertContent, AlertText, PlaceNote};
use crate::cap::{Category, Certainty, MsgType, Severity, Status, Urgency};
use crate::language::Language;

pub(crate) fn noon() -> DateTime<Utc> {
    "2026-11-02T04:00:00Z".parse().unwrap()
}

/// A good alert, as it is at [`noon`].
pub(crate) fn content() -> AlertContent {
    let chinese = AlertText {
        headline: "您是密切接触者，请立即隔离".into(),
        body: "您于11月1日与一名病例有过接触。".into(),
        instruction: "请立即前往渝州宾馆隔离点，途中佩戴口罩。".into(),
        sms: "您是密切接触者，请立即前往渝州宾馆隔离点。".into(),
    };
    let english = AlertText {
        headline: "You are a close contact: isolate at once".into(),
        body: "On 1 November you were in contact with a case.".into(),
        instruction: "Go to the isolation site at Yuzhou Hotel at once.".into(),
        sms: "You are a close contact. Go to Yuzhou Hotel at once.".into(),
    };
    AlertContent {
        status: Status::Actual,
        msg_type: MsgType::Alert,
        references: None,
        category: Category::Health,
        urgency: Urgency::Immediate,
        severity: Severity::Severe,
        certainty: Certainty::Observed,
        purpose: "阻断密切接触者造成的传播".into(),
        texts: BTreeMap::from([(Language::ZhCn, chinese), (Language::En, english)]),
        contact: "渝中区疾控中心 023-63840000".into(),
        expires_at: noon() + TimeDelta::days(1),
        ack_window_s: AckWindow::capped(3_600),
        place: Some(PlaceNote { name: "渝州宾馆".into(), area: "500103".parse().unwrap() }),
        display: false,
        source_note: "市疾控中心流调".into(),
    }
}
