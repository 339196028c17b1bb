//! What is wrong with an alert's content, said so that its author can mend it.
//!
//! All faults are found at once: nobody likes to be sent back ten times. Every fault names the field by its path in the
//! JSON and says in Chinese what to do.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use strum::VariantArray;
use utoipa::ToSchema;

use crate::alert::{AlertContent, AlertText};
use crate::cap::{MsgType, Status};
use crate::language::Language;
use crate::{place, privacy};

crate::words! {
    /// What kind of fault it is, for programs.
    pub enum FaultKind {
        /// Something that has to be there is not.
        Missing,
        /// Longer than the channel or the reader can take.
        TooLong,
        /// Outside the allowed range, or not of the right form.
        Invalid,
        /// A template variable that nobody filled in.
        Unfilled,
        /// An identity number, a phone number or a home address (CQ14).
        PersonalData,
        /// Quiet hours last until it is over: nobody would ever receive it.
        NeverSent,
        /// With all that is added, the SMS takes more parts than are sent.
        TooManyParts,
    }
}

/// One fault of an alert's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContentFault {
    /// The field's path, for instance `texts.zh-CN.headline`.
    pub field: String,
    /// The kind of fault.
    pub kind: FaultKind,
    /// What is wrong and what to do, for the author. Never repeats personal data that was found.
    pub message: String,
}

/// How long an alert may stay true: what holds longer is no alert but a regulation.
pub(crate) const LONGEST_VALIDITY: TimeDelta = TimeDelta::days(30);
/// Nobody reads and answers faster than this, at least not everybody.
const SHORTEST_ACK_WINDOW: TimeDelta = TimeDelta::minutes(5);
const LONGEST_ACK_WINDOW: TimeDelta = TimeDelta::days(7);
const PURPOSE_LIMIT: usize = 200;
const CONTACT_LIMIT: usize = 60;
const PLACE_LIMIT: usize = 60;
const SOURCE_NOTE_LIMIT: usize = 500;
/// The longest text that even a draft holds, in characters: several times what any channel takes, and little for a page that lists two
/// hundred drafts.
const DRAFT_LIMIT: usize = 5_000;

/// The longest texts in characters. English says the same in about two and a half times as many.
pub(crate) struct Limits {
    pub(crate) headline: usize,
    pub(crate) body: usize,
    pub(crate) instruction: usize,
    pub(crate) sms: usize,
}

pub(crate) const fn limits(language: Language) -> Limits {
    match language {
        Language::ZhCn => Limits { headline: 40, body: 600, instruction: 300, sms: 200 },
        Language::En => Limits { headline: 100, body: 1500, instruction: 750, sms: 450 },
    }
}

impl AlertContent {
    /// All faults of this content at this moment.
    ///
    /// # Errors
    /// The faults, in the order of the fields; at least one.
    pub fn validate(&self, now: DateTime<Utc>) -> Result<(), Vec<ContentFault>> {
        let mut check = Check { contact: &self.contact, faults: Vec::new() };
        check.kind_of_message(self);
        check.shown("purpose", "发布目的", &self.purpose, PURPOSE_LIMIT);
        if !self.texts.contains_key(&Language::ZhCn) {
            check.fault("texts.zh-CN", FaultKind::Missing, "缺少中文文本，请补充".into());
        }
        for language in Language::VARIANTS {
            if let Some(text) = self.texts.get(language) {
                check.texts(*language, text);
            }
        }
        check.contact();
        check.times(self, now);
        if let Some(place) = &self.place {
            check.shown("place.name", "地点名称", &place.name, PLACE_LIMIT);
            if !place::knows(place.area) {
                check.fault("place.area", FaultKind::Invalid, format!("本市没有代码为 {} 的区域，请改正", place.area));
            }
        }
        check.length_and_signs("source_note", "来源说明", &self.source_note, SOURCE_NOTE_LIMIT);
        if check.faults.is_empty() { Ok(()) } else { Err(check.faults) }
    }
}

impl AlertContent {
    /// What not even a draft may hold, whatever else is still to be mended in it: texts so long that reading it back would be a
    /// burden.
    ///
    /// # Errors
    /// The faults, in the order of the fields; at least one.
    pub fn check_draft(&self) -> Result<(), Vec<ContentFault>> {
        let place = self.place.as_ref().map(|place| ("place.name".to_owned(), &place.name));
        let own = [("purpose", &self.purpose), ("contact", &self.contact), ("source_note", &self.source_note)];
        let texts = self.texts.iter().flat_map(|(language, text)| {
            let parts = [("headline", &text.headline), ("body", &text.body), ("instruction", &text.instruction), ("sms", &text.sms)];
            parts.map(|(part, words)| (format!("texts.{language}.{part}"), words))
        });
        let fields = own.map(|(field, words)| (field.to_owned(), words)).into_iter().chain(texts).chain(place);
        let faults: Vec<ContentFault> = fields
            .filter_map(|(field, words)| {
                let length = words.chars().count();
                let message = format!("有 {length} 个字符，草稿中每项最多 {DRAFT_LIMIT} 个，请缩短");
                (length > DRAFT_LIMIT).then_some(ContentFault { field, kind: FaultKind::TooLong, message })
            })
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

struct Check<'a> {
    contact: &'a str,
    faults: Vec<ContentFault>,
}

impl Check<'_> {
    fn fault(&mut self, field: &str, kind: FaultKind, message: String) {
        self.faults.push(ContentFault { field: field.to_owned(), kind, message });
    }

    fn kind_of_message(&mut self, content: &AlertContent) {
        if !matches!(content.status, Status::Actual | Status::Exercise) {
            self.fault("status", FaultKind::Invalid, "状态只能是“实际”（actual）或“演练”（exercise），请改正".into());
        }
        match (content.msg_type, content.references) {
            (MsgType::Alert, Some(_)) => {
                self.fault("references", FaultKind::Invalid, "首次发布不能引用其他弹窗；如需更正，请将类型改为“更正”（update）".into());
            }
            (MsgType::Update | MsgType::Cancel, None) => {
                self.fault("references", FaultKind::Missing, "更正或撤销必须注明所针对的弹窗，请选择".into());
            }
            _ => {}
        }
    }

    fn texts(&mut self, language: Language, text: &AlertText) {
        let limits = limits(language);
        for (field, name, value, limit) in [
            ("headline", "标题", &text.headline, limits.headline),
            ("body", "正文", &text.body, limits.body),
            ("instruction", "措施要求", &text.instruction, limits.instruction),
            ("sms", "短信文本", &text.sms, limits.sms),
        ] {
            self.shown(&format!("texts.{language}.{field}"), &format!("{name}（{language}）"), value, limit);
        }
    }

    /// A text that recipients see: it has to be there, filled in, and free of personal data.
    fn shown(&mut self, field: &str, name: &str, text: &str, limit: usize) {
        if text.trim().is_empty() {
            self.fault(field, FaultKind::Missing, format!("{name}未填写，请补充"));
            return;
        }
        self.length_and_signs(field, name, text, limit);
        for variable in unfilled(text) {
            self.fault(field, FaultKind::Unfilled, format!("{name}中的 {{{variable}}} 尚未填写，请改为实际内容"));
        }
        let mut kinds: Vec<_> = privacy::find(text, self.contact).into_iter().map(|finding| finding.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds {
            self.fault(field, FaultKind::PersonalData, format!("{name}中含有{}，请删除", kind.title()));
        }
    }

    fn length_and_signs(&mut self, field: &str, name: &str, text: &str, limit: usize) {
        let length = text.chars().count();
        if length > limit {
            self.fault(field, FaultKind::TooLong, format!("{name}有 {length} 个字符，最多 {limit} 个，请缩短"));
        }
        if text.chars().any(|sign| sign.is_control() && sign != '\n') {
            self.fault(field, FaultKind::Invalid, format!("{name}中含有不可见的控制字符，请删除后重新输入"));
        }
    }

    fn contact(&mut self) {
        let contact = self.contact;
        if contact.trim().is_empty() {
            self.fault("contact", FaultKind::Missing, "未填写咨询方式，请填写热线电话或邮箱".into());
            return;
        }
        self.length_and_signs("contact", "咨询方式", contact, CONTACT_LIMIT);
        let digits = contact.chars().filter(char::is_ascii_digit).count();
        if digits < 3 && !contact.contains('@') {
            self.fault("contact", FaultKind::Invalid, "咨询方式中没有电话号码或邮箱，请补充".into());
        }
    }

    fn times(&mut self, content: &AlertContent, now: DateTime<Utc>) {
        if content.expires_at <= now {
            self.fault("expires_at", FaultKind::Invalid, "有效期已过，请改为将来的时间".into());
        } else if content.expires_at - now > LONGEST_VALIDITY {
            self.fault("expires_at", FaultKind::Invalid, format!("有效期最长 {} 天，请缩短", LONGEST_VALIDITY.num_days()));
        }
        if !(SHORTEST_ACK_WINDOW..=LONGEST_ACK_WINDOW).contains(&content.ack_window()) {
            let (low, high) = (SHORTEST_ACK_WINDOW.num_minutes(), LONGEST_ACK_WINDOW.num_days());
            self.fault("ack_window_s", FaultKind::Invalid, format!("确认时限应在 {low} 分钟到 {high} 天之间，请改正"));
        }
    }
}

/// The names of template variables that still stand in a text: `{isolation_site}`.
fn unfilled(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| {
        let (name, _) = rest.split_once('}')?;
        let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        plain.then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::alert::sample::{content, noon};
    use crate::alert::{AckWindow, PlaceNote};
    use crate::ids::AlertId;

    fn chinese(content: &mut AlertContent) -> &mut AlertText {
        content.texts.entry(Language::ZhCn).or_default()
    }

    #[test]
    fn a_good_alert_has_no_fault_and_crosses_json_unchanged() {
        let content = content();
        assert_eq!(content.validate(noon()), Ok(()));
        let json = serde_json::to_string(&content).unwrap();
        assert!(json.contains(r#""zh-CN":{"headline""#));
        assert_eq!(serde_json::from_str::<AlertContent>(&json).unwrap(), content);
    }

    #[test]
    fn a_draft_may_be_too_long_for_its_readers_but_not_for_its_list() {
        let mut content = content();
        chinese(&mut content).body = "长".repeat(DRAFT_LIMIT);
        assert_eq!(content.check_draft(), Ok(()));
        chinese(&mut content).body.push('长');
        content.source_note = "x".repeat(1_000_000);
        let fields: Vec<_> = content.check_draft().unwrap_err().into_iter().map(|fault| fault.field).collect();
        assert_eq!(fields, ["source_note", "texts.zh-CN.body"]);
    }

    type Spoil = fn(&mut AlertContent);

    #[rstest]
    #[case::no_chinese(|alert: &mut AlertContent| { alert.texts.remove(&Language::ZhCn); }, "texts.zh-CN", FaultKind::Missing)]
    #[case::no_headline(|alert: &mut AlertContent| chinese(alert).headline = "  ".into(), "texts.zh-CN.headline", FaultKind::Missing)]
    #[case::no_sms(|alert: &mut AlertContent| chinese(alert).sms.clear(), "texts.zh-CN.sms", FaultKind::Missing)]
    #[case::long_headline(|alert: &mut AlertContent| chinese(alert).headline = "长".repeat(41), "texts.zh-CN.headline", FaultKind::TooLong)]
    #[case::long_sms(|alert: &mut AlertContent| chinese(alert).sms = "长".repeat(201), "texts.zh-CN.sms", FaultKind::TooLong)]
    #[case::unfilled(|alert: &mut AlertContent| chinese(alert).instruction = "请前往{isolation_site}".into(), "texts.zh-CN.instruction", FaultKind::Unfilled)]
    #[case::identity(|alert: &mut AlertContent| chinese(alert).body = "王某11010519491231002X".into(), "texts.zh-CN.body", FaultKind::PersonalData)]
    #[case::phone(|alert: &mut AlertContent| chinese(alert).sms = "致电13800005678".into(), "texts.zh-CN.sms", FaultKind::PersonalData)]
    #[case::address(|alert: &mut AlertContent| chinese(alert).body = "病例住建设路88号3栋501室".into(), "texts.zh-CN.body", FaultKind::PersonalData)]
    #[case::home_as_place(|alert: &mut AlertContent| alert.place = Some(PlaceNote { name: "康居园3栋2单元".into(), area: "500103".parse().unwrap() }), "place.name", FaultKind::PersonalData)]
    #[case::foreign_place(|alert: &mut AlertContent| alert.place = Some(PlaceNote { name: "某市场".into(), area: "110101".parse().unwrap() }), "place.area", FaultKind::Invalid)]
    #[case::control(|alert: &mut AlertContent| chinese(alert).body.push('\0'), "texts.zh-CN.body", FaultKind::Invalid)]
    #[case::no_purpose(|alert: &mut AlertContent| alert.purpose.clear(), "purpose", FaultKind::Missing)]
    #[case::no_contact(|alert: &mut AlertContent| alert.contact.clear(), "contact", FaultKind::Missing)]
    #[case::contact_without_number(|alert: &mut AlertContent| alert.contact = "区疾控中心".into(), "contact", FaultKind::Invalid)]
    #[case::expired(|alert: &mut AlertContent| alert.expires_at = noon(), "expires_at", FaultKind::Invalid)]
    #[case::endless(|alert: &mut AlertContent| alert.expires_at = noon() + TimeDelta::days(31), "expires_at", FaultKind::Invalid)]
    #[case::hasty_acknowledgement(|alert: &mut AlertContent| alert.ack_window_s = AckWindow::capped(299), "ack_window_s", FaultKind::Invalid)]
    #[case::endless_acknowledgement(|alert: &mut AlertContent| alert.ack_window_s = AckWindow::capped(604_801), "ack_window_s", FaultKind::Invalid)]
    #[case::test_status(|alert: &mut AlertContent| alert.status = Status::Test, "status", FaultKind::Invalid)]
    #[case::first_with_reference(|alert: &mut AlertContent| alert.references = Some(AlertId::new()), "references", FaultKind::Invalid)]
    #[case::update_without_reference(|alert: &mut AlertContent| alert.msg_type = MsgType::Update, "references", FaultKind::Missing)]
    #[case::long_source_note(|alert: &mut AlertContent| alert.source_note = "长".repeat(501), "source_note", FaultKind::TooLong)]
    fn a_fault_names_its_field(#[case] spoil: Spoil, #[case] field: &str, #[case] kind: FaultKind) {
        let mut content = content();
        spoil(&mut content);
        let faults = content.validate(noon()).unwrap_err();
        assert_eq!(faults.iter().map(|fault| (fault.field.as_str(), fault.kind)).collect::<Vec<_>>(), [(field, kind)]);
    }

    #[test]
    fn all_faults_are_found_at_once_and_none_repeats_what_it_found() {
        let mut content = content();
        content.purpose.clear();
        content.expires_at = noon();
        chinese(&mut content).body = "王某13800005678，11010519491231002X，3栋2单元，另有13800005679".into();
        let faults = content.validate(noon()).unwrap_err();
        assert_eq!(faults.len(), 5, "{faults:?}");
        assert!(faults.iter().all(|fault| !fault.message.contains("138") && !fault.message.contains("1101")));
    }

    #[test]
    fn the_own_contact_may_stand_in_the_text() {
        let mut content = content();
        content.contact = "流调队 13800005678".into();
        chinese(&mut content).body = "详询138-0000-5678".into();
        assert_eq!(content.validate(noon()), Ok(()));
    }

    #[test]
    fn an_alert_without_the_readers_language_speaks_chinese() {
        let mut content = content();
        content.texts.remove(&Language::En);
        assert_eq!(content.text(Language::En), content.texts.get(&Language::ZhCn));
    }
}
