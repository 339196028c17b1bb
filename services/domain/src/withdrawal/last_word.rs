//! What people are told when an alert that they were sent has ended: short, in every language, on every channel.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use strum::VariantArray as _;

use crate::alert::{AckWindow, AlertContent, AlertText};
use crate::cap::MsgType;
use crate::language::Language;
use crate::public_reason::PublicReason;

/// The longest part of a headline.
const HEADLINE_LIMIT: usize = 100;

crate::words! {
    /// How the alert ended for those who are told.
    pub enum Ended {
        /// 撤销: it holds for nobody any more.
        Cancelled,
        /// 更正: a correction took its place that is not about them.
        Superseded,
        /// 撤销对其弹窗: it stands for others, and was found not to be about them.
        ForSome,
    }
}

/// The last word about an alert.
#[derive(Clone, Copy, Debug)]
pub struct LastWord<'a> {
    /// What was said.
    pub of: &'a AlertContent,
    /// How it ended.
    pub ended: Ended,
    /// Why, as the public is told; none: not said.
    pub reason: Option<PublicReason>,
    /// Until when it is told.
    pub until: DateTime<Utc>,
}

/// What ends an alert in these words, told until then. It goes to whom the alert went, so an exercise stays one, and asks for no answer.
#[must_use]
pub fn ending(of: &AlertContent, texts: BTreeMap<Language, AlertText>, until: DateTime<Utc>) -> AlertContent {
    AlertContent { msg_type: MsgType::Cancel, texts, expires_at: until, ack_window_s: AckWindow::NONE, ..of.clone() }
}

impl LastWord<'_> {
    /// What is sent. It goes to whom the alert went, so an exercise stays one.
    #[must_use]
    pub fn content(&self) -> AlertContent {
        ending(self.of, Language::VARIANTS.iter().map(|language| (*language, self.text(*language))).collect(), self.until)
    }

    fn text(&self, language: Language) -> AlertText {
        let headline = shortened(self.of.text(language).map_or("", |text| text.headline.trim()), HEADLINE_LIMIT);
        match language {
            Language::ZhCn => self.chinese(&headline),
            Language::En => self.english(&headline),
        }
    }

    fn chinese(&self, headline: &str) -> AlertText {
        let (mark, body) = match self.ended {
            Ended::Cancelled => ("【已撤销】", format!("此前发给您的提醒《{headline}》已撤销，不再有效。")),
            Ended::Superseded => {
                ("【已更正】", format!("此前发给您的提醒《{headline}》已更正，更正后的提醒与您无关，原提醒对您不再有效。"))
            }
            Ended::ForSome => ("【已撤销】", format!("此前发给您的提醒《{headline}》经核实与您无关，对您不再有效。")),
        };
        let instruction = "请不要再按原提醒的要求行动。".to_owned();
        let reason = self.reason.map(|reason| format!("原因：{}。", reason.said_in(Language::ZhCn))).unwrap_or_default();
        AlertText {
            headline: format!("{mark}《{headline}》"),
            sms: format!("{mark}{body}{instruction}{reason}"),
            body: format!("{body}{reason}"),
            instruction,
        }
    }

    fn english(&self, headline: &str) -> AlertText {
        let (mark, body) = match self.ended {
            Ended::Cancelled => ("WITHDRAWN", format!("The alert \"{headline}\" that you were sent is withdrawn and holds no more.")),
            Ended::Superseded => (
                "CORRECTED",
                format!(
                    "The alert \"{headline}\" that you were sent was corrected. The correction is not about you: it holds no more for you."
                ),
            ),
            Ended::ForSome => (
                "WITHDRAWN",
                format!("The alert \"{headline}\" that you were sent was found not to be about you: it holds no more for you."),
            ),
        };
        let instruction = "Please stop following it.".to_owned();
        let reason = self.reason.map(|reason| format!(" Reason: {}.", reason.said_in(Language::En))).unwrap_or_default();
        AlertText {
            headline: format!("{mark}: {headline}"),
            sms: format!("{mark}: {body} {instruction}{reason}"),
            body: format!("{body}{reason}"),
            instruction,
        }
    }
}

fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::cap;
    use crate::sms_text::{Composition, compose};

    fn alert(zh: &str, en: Option<&str>) -> AlertContent {
        let text = |headline: &str| AlertText { headline: headline.to_owned(), ..AlertText::default() };
        let mut texts = BTreeMap::from([(Language::ZhCn, text(zh))]);
        texts.extend(en.map(|en| (Language::En, text(en))));
        AlertContent {
            status: cap::Status::Exercise,
            msg_type: MsgType::Alert,
            references: None,
            category: cap::Category::Health,
            urgency: cap::Urgency::Immediate,
            severity: cap::Severity::Severe,
            certainty: cap::Certainty::Observed,
            purpose: "阻断传播".into(),
            texts,
            contact: "12320".into(),
            expires_at: DateTime::UNIX_EPOCH,
            ack_window_s: AckWindow::capped(3_600),
            place: None,
            display: true,
            source_note: String::new(),
        }
    }

    fn said(of: &AlertContent, ended: Ended, reason: Option<PublicReason>) -> AlertContent {
        LastWord { of, ended, reason, until: DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1) }.content()
    }

    #[test]
    fn a_withdrawal_names_the_alert_says_why_and_what_to_do_in_both_languages() {
        let old = alert("请立即居家隔离", Some("Isolate at once"));
        let word = said(&old, Ended::Cancelled, Some(PublicReason::WrongFinding));
        let (zh, en) = (&word.texts[&Language::ZhCn], &word.texts[&Language::En]);
        assert_eq!(zh.headline, "【已撤销】《请立即居家隔离》");
        assert_eq!(
            zh.sms,
            "【已撤销】此前发给您的提醒《请立即居家隔离》已撤销，不再有效。请不要再按原提醒的要求行动。原因：依据的检测结果或报告已更正。"
        );
        assert_eq!(en.headline, "WITHDRAWN: Isolate at once");
        assert_eq!(
            en.sms,
            "WITHDRAWN: The alert \"Isolate at once\" that you were sent is withdrawn and holds no more. Please stop following it. \
             Reason: a test result or report behind it was corrected."
        );
        assert_eq!((word.msg_type, word.ack_window_s, word.status), (MsgType::Cancel, AckWindow::NONE, cap::Status::Exercise));
    }

    #[test]
    fn whom_a_correction_no_longer_concerns_is_told_so() {
        let word = said(&alert("请立即居家隔离", None), Ended::Superseded, None);
        assert!(word.texts[&Language::ZhCn].sms.contains("更正后的提醒与您无关，原提醒对您不再有效"));
        assert_eq!(word.texts[&Language::En].headline, "CORRECTED: 请立即居家隔离", "an alert without English is named as it was sent");
    }

    #[test]
    fn whom_an_alert_was_not_about_is_told_so() {
        let word = said(&alert("请立即居家隔离", Some("Isolate at once")), Ended::ForSome, None);
        let (zh, en) = (&word.texts[&Language::ZhCn], &word.texts[&Language::En]);
        assert_eq!(zh.sms, "【已撤销】此前发给您的提醒《请立即居家隔离》经核实与您无关，对您不再有效。请不要再按原提醒的要求行动。");
        assert_eq!(
            en.sms,
            "WITHDRAWN: The alert \"Isolate at once\" that you were sent was found not to be about you: it holds no more for you. Please stop \
             following it."
        );
    }

    #[test]
    fn without_a_reason_for_the_public_none_is_told() {
        let word = said(&alert("隔离", Some("Isolate")), Ended::Cancelled, None);
        assert!(!word.texts[&Language::ZhCn].sms.contains("原因") && !word.texts[&Language::En].sms.contains("Reason"));
    }

    #[rstest]
    fn it_can_always_be_written_as_a_short_message(#[values(Ended::Cancelled, Ended::Superseded, Ended::ForSome)] ended: Ended) {
        let old = AlertContent { contact: "热".repeat(60), ..alert(&"疫".repeat(400), Some(&"疫".repeat(400))) };
        let words = [None].into_iter().chain(PublicReason::VARIANTS.iter().copied().map(Some)).map(|reason| said(&old, ended, reason));
        for (language, text) in words.flat_map(|word| word.texts) {
            let sms = compose(&Composition {
                signature: "重庆市疾病预防控制中心",
                text: &text.sms,
                contact: &old.contact,
                short_code: None,
                language,
            });
            assert!(sms.is_ok(), "{language}: {sms:?}");
        }
    }
}
