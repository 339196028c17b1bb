//! A rule 生成规则 (CQ7): which records it takes, whom it tells, and what it says.
//!
//! Rules change by versions that are never altered once saved; a draft names the version that made it. A version is saved only without a fault
//! ([`RuleVersion::validate`]), so drafting can fail on nothing but missing values, and those are reported for a person to fill in.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::alert::{AckWindow, AlertContent, AlertText};
use crate::cap::{Category, Certainty, MsgType, Severity, Status, Urgency};
use crate::condition::{Condition, ConditionError};
use crate::ids::RuleId;
use crate::language::Language;
use crate::risk_record::RecordKind;
use crate::standing::StandingTerms;
use crate::template::{Template, Variables};

crate::words! {
    /// Whom a rule tells about a record.
    pub enum RuleAudience {
        /// The person the record is about.
        Subject,
        /// Everybody in the township where the subject lives or the place lies.
        SubjectTownship,
        /// Everybody in the community where the subject lives or the place lies.
        SubjectCommunity,
        /// Everybody in the district that handles the record.
        RecordDistrict,
    }
}

/// One version of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleVersion {
    /// The rule, the same for all its versions.
    pub rule_id: RuleId,
    /// From 1.
    pub version: u32,
    /// Its name for staff.
    pub name: String,
    /// The kinds of records it is asked about.
    pub kinds: BTreeSet<RecordKind>,
    /// Which of them match: the source of a [`Condition`].
    pub condition: String,
    /// What its alerts say.
    pub content: ContentTemplate,
    /// Whom its alerts tell.
    pub audience: RuleAudience,
    /// How long its alerts hold from when they are drafted, in seconds.
    pub validity_s: u32,
    /// How long recipients have to acknowledge, in seconds (CQ11).
    #[schema(value_type = u32, maximum = 2_592_000)]
    pub ack_window_s: AckWindow,
    /// For how long after an alert of this rule the same person is not told again by it, in seconds (CQ4).
    pub cooldown_s: u32,
    /// How long matching records are gathered into one draft, in seconds.
    pub gather_window_s: u32,
    /// Whether public displays show its alerts (CQ9 c).
    pub display: bool,
    /// What its alerts leave standing against the person whom they tell; left out, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<StandingTerms>,
}

/// What a rule's alerts say, with variables in the texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentTemplate {
    /// What it is about.
    pub category: Category,
    /// How soon to act.
    pub urgency: Urgency,
    /// How much harm.
    pub severity: Severity,
    /// How sure.
    pub certainty: Certainty,
    /// The control purpose (CQ4).
    pub purpose: String,
    /// Sources of [`Template`]s by language; `zh-CN` is always there.
    pub texts: BTreeMap<Language, AlertText>,
    /// Whom to ask (CQ12).
    pub contact: String,
}

/// A draft made by a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftContent {
    /// The content; variables without a value stand in its texts as `{name}`.
    pub content: AlertContent,
    /// Those variables, each once, by name.
    pub missing: Vec<String>,
}

/// One fault of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, thiserror::Error)]
#[error("{field}: {message}")]
pub struct RuleFault {
    /// The field's path, for instance `content.texts.en.sms`.
    pub field: String,
    /// Where in the field, if the fault has a place there.
    pub position: Option<Position>,
    /// What is wrong and what to do, for the author.
    pub message: String,
}

/// A place in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Position {
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
}

const NAME_LIMIT: usize = 60;
/// A person hears from a rule again after a month at the latest.
const LONGEST_COOLDOWN: TimeDelta = TimeDelta::days(30);
/// Gathering longer would cost more time than review (CQ3).
const LONGEST_GATHERING: TimeDelta = TimeDelta::hours(2);

impl RuleVersion {
    /// The condition, ready to be asked.
    ///
    /// # Errors
    /// Its first fault; never for a saved version.
    pub fn compile_condition(&self) -> Result<Condition, ConditionError> {
        Condition::compile(&self.condition)
    }

    /// Whether its texts name this variable: what an alert has told a person may be shown to them again.
    #[must_use]
    pub fn says(&self, variable: &str) -> bool {
        let texts = self.content.texts.values().flat_map(|text| [&text.headline, &text.body, &text.instruction, &text.sms]);
        texts.filter_map(|text| Template::parse(text).ok()).any(|template| template.variables().contains(&variable))
    }

    /// Whether the rule can be saved.
    ///
    /// # Errors
    /// All faults, at least one.
    pub fn validate(&self) -> Result<(), Vec<RuleFault>> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, message: String| faults.push(RuleFault { field: field.to_owned(), position: None, message });
        match self.name.trim().chars().count() {
            0 => fault("name", "规则名称未填写，请补充".to_owned()),
            _ if self.name.chars().any(char::is_control) => fault("name", "规则名称不能换行，请改为一行".to_owned()),
            length if length > NAME_LIMIT => fault("name", format!("规则名称有 {length} 个字符，最多 {NAME_LIMIT} 个，请缩短")),
            _ => {}
        }
        if self.version == 0 {
            fault("version", "版本号从 1 开始".to_owned());
        }
        if self.kinds.is_empty() {
            fault("kinds", "未选择记录类型，请至少选择一种".to_owned());
        }
        if TimeDelta::seconds(self.cooldown_s.into()) > LONGEST_COOLDOWN {
            fault("cooldown_s", format!("重复提醒间隔最长 {} 天，请缩短", LONGEST_COOLDOWN.num_days()));
        }
        if TimeDelta::seconds(self.gather_window_s.into()) > LONGEST_GATHERING {
            fault("gather_window_s", format!("汇集时间最长 {} 小时，请缩短", LONGEST_GATHERING.num_hours()));
        }
        if self.display && self.audience == RuleAudience::Subject {
            fault("display", "只通知本人的规则不能在公共屏幕上显示，请取消显示或扩大受众".to_owned());
        }
        if self.standing.is_some() && self.audience != RuleAudience::Subject {
            fault("standing", "只有通知本人的规则才能留下弹窗状态，请取消或改为只通知本人".to_owned());
        }
        faults.extend(self.standing.iter().flat_map(StandingTerms::faults));
        if let Err(ConditionError { message, line, column }) = self.compile_condition() {
            faults.push(RuleFault { field: "condition".to_owned(), position: Some(Position { line, column }), message });
        }
        // Filled with examples, the content has to pass the same check as the alerts that will be made of it. Any moment serves as now.
        let now = DateTime::UNIX_EPOCH;
        match self.draft_content(&Variables::examples(), now) {
            Err(more) => faults.extend(more),
            Ok(draft) => {
                let found = draft.content.validate(now).err().unwrap_or_default();
                faults.extend(found.into_iter().map(|fault| RuleFault {
                    field: rule_field(&fault.field),
                    position: None,
                    message: fault.message,
                }));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// The content of a draft made at `now`. Its source note is the caller's to write, and so is its place if it has one.
    ///
    /// # Errors
    /// The faults of the templates, with their positions; never for a saved version.
    pub fn draft_content(&self, variables: &Variables, now: DateTime<Utc>) -> Result<DraftContent, Vec<RuleFault>> {
        let mut filling = Filling { variables, missing: BTreeSet::new(), faults: Vec::new() };
        let template = &self.content;
        let texts = template.texts.iter().map(|(language, text)| (*language, filling.text(*language, text))).collect();
        if !filling.faults.is_empty() {
            return Err(filling.faults);
        }
        let content = AlertContent {
            status: Status::Actual,
            msg_type: MsgType::Alert,
            references: None,
            category: template.category,
            urgency: template.urgency,
            severity: template.severity,
            certainty: template.certainty,
            purpose: template.purpose.clone(),
            texts,
            contact: template.contact.clone(),
            expires_at: now + TimeDelta::seconds(self.validity_s.into()),
            ack_window_s: self.ack_window_s,
            place: None,
            display: self.display,
            source_note: String::new(),
        };
        Ok(DraftContent { content, missing: filling.missing.into_iter().map(str::to_owned).collect() })
    }
}

/// The texts of one draft being filled in.
struct Filling<'a> {
    variables: &'a Variables,
    missing: BTreeSet<&'static str>,
    faults: Vec<RuleFault>,
}

impl Filling<'_> {
    fn text(&mut self, language: Language, text: &AlertText) -> AlertText {
        AlertText {
            headline: self.line(language, "headline", &text.headline),
            body: self.line(language, "body", &text.body),
            instruction: self.line(language, "instruction", &text.instruction),
            sms: self.line(language, "sms", &text.sms),
        }
    }

    fn line(&mut self, language: Language, field: &str, source: &str) -> String {
        match Template::parse(source) {
            Ok(template) => {
                let (text, missing) = template.render_draft(self.variables, language);
                self.missing.extend(missing);
                text
            }
            Err(error) => {
                let position = Some(Position { line: error.line, column: error.column });
                self.faults.push(RuleFault {
                    field: format!("content.texts.{language}.{field}"),
                    position,
                    message: error.problem.to_string(),
                });
                String::new()
            }
        }
    }
}

/// The field of a rule that gives an alert's field its value.
fn rule_field(content_field: &str) -> String {
    match content_field {
        "expires_at" => "validity_s".to_owned(),
        "ack_window_s" => "ack_window_s".to_owned(),
        other => format!("content.{other}"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::alert::FaultKind;
    use crate::shipped::SHIPPED;

    fn rule() -> RuleVersion {
        SHIPPED[0].clone()
    }

    fn chinese(rule: &mut RuleVersion) -> &mut AlertText {
        rule.content.texts.get_mut(&Language::ZhCn).unwrap()
    }

    #[rstest]
    #[case::no_name(|rule: &mut RuleVersion| rule.name = " ".into(), "name", None)]
    #[case::no_kind(|rule: &mut RuleVersion| rule.kinds.clear(), "kinds", None)]
    #[case::version_zero(|rule: &mut RuleVersion| rule.version = 0, "version", None)]
    #[case::an_unknown_field(|rule: &mut RuleVersion| rule.condition = "level == \"high\" &&\nage > 3".into(), "condition", Some((2, 1)))]
    #[case::an_unknown_variable(|rule: &mut RuleVersion| chinese(rule).sms = "请到{where}".into(), "content.texts.zh-CN.sms", Some((1, 3)))]
    #[case::no_chinese(|rule: &mut RuleVersion| _ = rule.content.texts.remove(&Language::ZhCn), "content.texts.zh-CN", None)]
    #[case::an_empty_text(|rule: &mut RuleVersion| chinese(rule).instruction.clear(), "content.texts.zh-CN.instruction", None)]
    #[case::a_phone_number(|rule: &mut RuleVersion| chinese(rule).body = "请联系13812345678".into(), "content.texts.zh-CN.body", None)]
    #[case::no_purpose(|rule: &mut RuleVersion| rule.content.purpose.clear(), "content.purpose", None)]
    #[case::no_contact(|rule: &mut RuleVersion| rule.content.contact.clear(), "content.contact", None)]
    #[case::never_valid(|rule: &mut RuleVersion| rule.validity_s = 0, "validity_s", None)]
    #[case::no_time_to_acknowledge(|rule: &mut RuleVersion| rule.ack_window_s = AckWindow::capped(1), "ack_window_s", None)]
    #[case::silent_for_a_year(|rule: &mut RuleVersion| rule.cooldown_s = 365 * 86_400, "cooldown_s", None)]
    #[case::gathers_for_a_day(|rule: &mut RuleVersion| rule.gather_window_s = 86_400, "gather_window_s", None)]
    #[case::a_standing_against_nobody(|rule: &mut RuleVersion| rule.audience = RuleAudience::SubjectTownship, "standing", None)]
    #[case::a_standing_that_nobody_may_lift(|rule: &mut RuleVersion| rule.standing.as_mut().unwrap().who.clear(), "standing.who", None)]
    #[case::one_persons_alert_on_a_screen(|rule: &mut RuleVersion| rule.display = true, "display", None)]
    fn a_faulty_rule_is_refused_with_field_and_position(
        #[case] spoil: fn(&mut RuleVersion),
        #[case] field: &str,
        #[case] position: Option<(u32, u32)>,
    ) {
        let mut rule = rule();
        assert_eq!(rule.validate(), Ok(()));
        spoil(&mut rule);
        let faults = rule.validate().unwrap_err();
        assert_eq!(faults.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), [field]);
        assert_eq!(faults[0].position, position.map(|(line, column)| Position { line, column }));
        assert!(!faults[0].message.is_empty());
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let mut rule = rule();
        rule.name.clear();
        rule.condition.clear();
        chinese(&mut rule).headline = "{".into();
        let fields: Vec<_> = rule.validate().unwrap_err().into_iter().map(|fault| fault.field).collect();
        assert_eq!(fields, ["name", "condition", "content.texts.zh-CN.headline"]);
    }

    #[test]
    fn a_draft_says_what_is_missing_and_cannot_be_submitted_before_it_is_filled_in() {
        let mut rule = rule();
        for text in rule.content.texts.values_mut() {
            text.body = "{district}：{isolation_site}".into();
            text.sms = "{isolation_site}、{place}".into();
        }
        let mut variables = Variables::new();
        variables.set("district", "渝中区");
        variables.set_in(Language::En, "place", "Market");
        let now = "2026-11-20T08:00:00Z".parse().unwrap();
        let draft = rule.draft_content(&variables, now).unwrap();
        assert_eq!(draft.missing, ["isolation_site", "place"]);
        assert_eq!(draft.content.texts[&Language::ZhCn].body, "渝中区：{isolation_site}");
        assert_eq!(draft.content.texts[&Language::En].sms, "{isolation_site}、Market");
        assert_eq!(draft.content.expires_at, now + TimeDelta::seconds(rule.validity_s.into()));
        let faults = draft.content.validate(now).unwrap_err();
        assert!(faults.iter().all(|fault| fault.kind == FaultKind::Unfilled), "{faults:?}");
    }

    #[test]
    fn a_rule_is_read_as_it_was_written() {
        let json = serde_json::to_string(&rule()).unwrap();
        assert_eq!(serde_json::from_str::<RuleVersion>(&json).unwrap(), rule());
        assert!(serde_json::from_str::<RuleVersion>(&json.replacen("\"name\"", "\"nome\"", 1)).is_err());
    }
}
