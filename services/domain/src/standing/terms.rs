//! What a rule's alerts leave behind, as its author writes it and as it is kept with every standing: a later version of the rule changes nothing of what
//! a person was told lifts theirs.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{SHA256, digest};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use strum::VariantArray;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Lifter;
use crate::condition::{Condition, ConditionError};
use crate::language::Language;
use crate::risk_record::{RecordKind, is_attribute_name};
use crate::rule::{Position, RuleFault};

/// How long a measure may stand without another record: what asks for more is decided anew.
pub const LONGEST: TimeDelta = TimeDelta::days(60);

const LABEL_LIMIT: usize = 30;
const TEXT_LIMIT: usize = 200;
const TIMES_LIMIT: u8 = 5;
/// Two weeks between samples, or until the first.
const HOURS_LIMIT: u16 = 14 * 24;
const PURPOSES_LIMIT: usize = 20;

/// What an alert of a rule leaves standing against the person whom it tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StandingTerms {
    /// The reason code: 1 to 40 of a-z, 0-9 and _, beginning with a letter.
    #[schema(example = "close_contact")]
    pub reason: String,
    /// The reason in words, in every language; up to 30 characters in Chinese.
    pub label: BTreeMap<Language, String>,
    /// What the person is asked to do, in every language; up to 200 characters in Chinese.
    pub measure: BTreeMap<Language, String>,
    /// For how many days it stands from the time of the newest record behind it, up to 60; left out, until the alert's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_for_days: Option<u16>,
    /// Which records lift it; left out, none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted_by: Option<LiftingRecord>,
    /// Which staff may lift it; at least one.
    pub who: BTreeSet<Lifter>,
    /// For what a source system with a key may ask whether a person stands by this rule. None: nobody may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked_for: Vec<AskingPurpose>,
}

/// Which records lift a standing, by the time at which their sample was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftingRecord {
    /// The kinds of records that are looked at.
    pub kinds: BTreeSet<RecordKind>,
    /// Which of them count, as a rule's condition is written; the age of a record is not asked, since a late one counts like any other.
    #[schema(example = "attributes.result == \"negative\"")]
    pub condition: String,
    /// How many it takes, 1 to 5.
    #[serde(default = "once")]
    pub times: u8,
    /// How many hours lie between two that count at least.
    #[serde(default)]
    pub apart_hours: u16,
    /// How many hours after the newest record behind the standing the first may be.
    #[serde(default)]
    pub after_hours: u16,
    /// The same in words for the person, in every language; up to 200 characters in Chinese.
    pub lifts: BTreeMap<Language, String>,
}

/// For what it may be asked whether a person stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskingPurpose {
    /// Its code: 1 to 40 of a-z, 0-9 and _, beginning with a letter.
    #[schema(example = "hospital_visit")]
    pub code: String,
    /// In words, since the person is shown who asked for what; up to 30 characters in Chinese.
    pub label: BTreeMap<Language, String>,
}

const fn once() -> u8 {
    1
}

impl LiftingRecord {
    /// The condition, ready to be asked.
    ///
    /// # Errors
    /// Its first fault; never for a saved rule.
    pub fn compile_condition(&self) -> Result<Condition, ConditionError> {
        Condition::compile(&self.condition)
    }

    /// Names the records that it takes: the same for the same kinds and condition, in whichever rule and version.
    #[must_use]
    pub fn key(&self) -> Uuid {
        let kinds: Vec<&str> = self.kinds.iter().map(AsRef::as_ref).collect();
        let named = digest(&SHA256, format!("{}\n{}", kinds.join(","), self.condition).as_bytes());
        let mut first = [0; 16];
        first.copy_from_slice(&named.as_ref()[..16]);
        Uuid::from_bytes(first)
    }
}

impl StandingTerms {
    /// For how long it stands from the newest record behind it; none: until the alert's end.
    #[must_use]
    pub fn stands_for(&self) -> Option<TimeDelta> {
        self.stands_for_days.map(|days| TimeDelta::days(days.into()))
    }

    /// Whether it may be asked about for this purpose.
    #[must_use]
    pub fn may_be_asked_for(&self, purpose: &str) -> bool {
        self.asked_for.iter().any(|named| named.code == purpose)
    }

    /// What of it keeps a rule from being saved, with the fields' paths in the rule.
    #[must_use]
    pub fn faults(&self) -> Vec<RuleFault> {
        let mut check = Check::default();
        check.code("reason", &self.reason);
        check.words("label", &self.label, LABEL_LIMIT);
        check.words("measure", &self.measure, TEXT_LIMIT);
        if self.stands_for_days.is_some_and(|days| days == 0 || i64::from(days) > LONGEST.num_days()) {
            check.fault("stands_for_days", format!("存续天数应为 1 至 {} 天，请改正", LONGEST.num_days()));
        }
        if let Some(lifting) = &self.lifted_by {
            check.lifting(lifting);
        }
        if self.who.is_empty() {
            check.fault("who", "未指定谁可以解除，请至少选择一级".to_owned());
        }
        if self.asked_for.len() > PURPOSES_LIMIT {
            check.fault("asked_for", format!("可查询用途最多 {PURPOSES_LIMIT} 种，请减少"));
        }
        let codes: BTreeSet<&str> = self.asked_for.iter().map(|purpose| purpose.code.as_str()).collect();
        if codes.len() < self.asked_for.len() {
            check.fault("asked_for", "可查询用途重复，请保留一个".to_owned());
        }
        for (at, purpose) in self.asked_for.iter().enumerate().take(PURPOSES_LIMIT) {
            check.code(&format!("asked_for[{at}].code"), &purpose.code);
            check.words(&format!("asked_for[{at}].label"), &purpose.label, LABEL_LIMIT);
        }
        check.0
    }
}

#[derive(Default)]
struct Check(Vec<RuleFault>);

impl Check {
    fn fault(&mut self, field: &str, message: String) {
        self.0.push(RuleFault { field: format!("standing.{field}"), position: None, message });
    }

    fn code(&mut self, field: &str, code: &str) {
        if !is_attribute_name(code) {
            self.fault(field, "代码应为 1 至 40 个小写字母、数字或下划线，以字母开头".to_owned());
        }
    }

    /// Every language says it. English says the same in about two and a half times as many characters.
    fn words(&mut self, field: &str, words: &BTreeMap<Language, String>, limit: usize) {
        for language in Language::VARIANTS {
            let path = format!("{field}.{language}");
            let limit = if *language == Language::ZhCn { limit } else { limit * 5 / 2 };
            let text = words.get(language).map_or("", |text| text.trim());
            if text.is_empty() {
                self.fault(&path, "未填写，请补充（中文和英文都要）".to_owned());
            } else if text.chars().count() > limit {
                self.fault(&path, format!("最多 {limit} 个字符，请缩短"));
            } else if text.chars().any(char::is_control) {
                self.fault(&path, "不能换行，请改为一行".to_owned());
            } else if !language.fits(text) {
                self.fault(&path, "文字与语言不符，请改正".to_owned());
            }
        }
    }

    fn lifting(&mut self, lifting: &LiftingRecord) {
        if lifting.kinds.is_empty() {
            self.fault("lifted_by.kinds", "未选择解除记录的类型，请至少选择一种".to_owned());
        }
        match lifting.compile_condition() {
            Err(ConditionError { message, line, column }) => {
                let (field, position) = ("standing.lifted_by.condition".to_owned(), Some(Position { line, column }));
                self.0.push(RuleFault { field, position, message });
            }
            Ok(_) if lifting.condition.contains("age_hours") => {
                self.fault(
                    "lifted_by.condition",
                    "解除条件不能使用 age_hours：迟到的结果按采样时间同样有效，请改用 after_hours".to_owned(),
                );
            }
            Ok(_) => {}
        }
        if !(1..=TIMES_LIMIT).contains(&lifting.times) {
            self.fault("lifted_by.times", format!("次数应为 1 至 {TIMES_LIMIT} 次，请改正"));
        }
        for (field, hours) in [("lifted_by.apart_hours", lifting.apart_hours), ("lifted_by.after_hours", lifting.after_hours)] {
            if hours > HOURS_LIMIT {
                self.fault(field, format!("最长 {HOURS_LIMIT} 小时，请缩短"));
            }
        }
        self.words("lifted_by.lifts", &lifting.lifts, TEXT_LIMIT);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use rstest::rstest;

    use super::*;

    fn both(chinese: &str, english: &str) -> BTreeMap<Language, String> {
        [(Language::ZhCn, chinese.to_owned()), (Language::En, english.to_owned())].into()
    }

    /// A close contact, lifted by two negative tests a day apart, after seven days, or by the community.
    pub(crate) fn close_contact() -> StandingTerms {
        StandingTerms {
            reason: "close_contact".into(),
            label: both("密切接触者", "Close contact"),
            measure: both("到指定地点隔离", "Isolate at the place named"),
            stands_for_days: Some(7),
            lifted_by: Some(LiftingRecord {
                kinds: [RecordKind::TestResult].into(),
                condition: r#"attributes.result == "negative""#.into(),
                times: 2,
                apart_hours: 24,
                after_hours: 0,
                lifts: both("两次检测阴性", "Two negative tests"),
            }),
            who: [Lifter::Community, Lifter::City].into(),
            asked_for: vec![AskingPurpose { code: "hospital_visit".into(), label: both("入院", "Hospital visit") }],
        }
    }

    fn lifting(terms: &mut StandingTerms) -> &mut LiftingRecord {
        terms.lifted_by.as_mut().unwrap()
    }

    #[rstest]
    #[case::no_code(|t: &mut StandingTerms| t.reason = "Close contact".into(), "standing.reason")]
    #[case::no_english(|t: &mut StandingTerms| _ = t.label.remove(&Language::En), "standing.label.en")]
    #[case::no_measure(|t: &mut StandingTerms| t.measure = both("  ", "Isolate at home"), "standing.measure.zh-CN")]
    #[case::chinese_in_the_english(|t: &mut StandingTerms| t.measure = both("隔离", "请立即居家隔离不要外出"), "standing.measure.en")]
    #[case::no_day(|t: &mut StandingTerms| t.stands_for_days = Some(0), "standing.stands_for_days")]
    #[case::too_long(|t: &mut StandingTerms| t.stands_for_days = Some(61), "standing.stands_for_days")]
    #[case::nobody_may_lift_it(|t: &mut StandingTerms| t.who.clear(), "standing.who")]
    #[case::no_kind(|t: &mut StandingTerms| lifting(t).kinds.clear(), "standing.lifted_by.kinds")]
    #[case::no_condition(|t: &mut StandingTerms| lifting(t).condition = "level ==".into(), "standing.lifted_by.condition")]
    #[case::late_results_would_not_count(|t: &mut StandingTerms| lifting(t).condition = "age_hours < 24".into(), "standing.lifted_by.condition")]
    #[case::never(|t: &mut StandingTerms| lifting(t).times = 0, "standing.lifted_by.times")]
    #[case::a_month_apart(|t: &mut StandingTerms| lifting(t).apart_hours = 720, "standing.lifted_by.apart_hours")]
    #[case::a_purpose_twice(|t: &mut StandingTerms| t.asked_for.push(t.asked_for[0].clone()), "standing.asked_for")]
    #[case::a_purpose_without_code(|t: &mut StandingTerms| t.asked_for[0].code.clear(), "standing.asked_for[0].code")]
    fn what_nobody_could_act_on_is_refused_by_field(#[case] spoil: fn(&mut StandingTerms), #[case] field: &str) {
        let mut terms = close_contact();
        assert_eq!(terms.faults(), []);
        spoil(&mut terms);
        let faults = terms.faults();
        assert_eq!(faults.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), [field]);
        assert!(!faults[0].message.is_empty());
    }

    #[test]
    fn rules_that_take_the_same_records_share_their_name_whatever_else_they_ask() {
        let (one, mut other) = (close_contact(), close_contact());
        lifting(&mut other).times = 1;
        assert_eq!(one.lifted_by.as_ref().unwrap().key(), lifting(&mut other).key());
        lifting(&mut other).condition.push_str(" && level == \"low\"");
        assert_ne!(one.lifted_by.as_ref().unwrap().key(), lifting(&mut other).key());
    }

    #[test]
    fn only_named_purposes_may_be_asked_for() {
        assert!(close_contact().may_be_asked_for("hospital_visit"));
        assert!(!close_contact().may_be_asked_for("bank_visit"));
    }
}
