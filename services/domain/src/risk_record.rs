//! A risk record 风险记录: one fact about a person or a place, from one source, with its origin and time (CQ6).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::area::{Area, DistrictCode};
use crate::ids::ResidentNo;
use crate::{instant, place};

crate::words! {
    /// What kind of fact.
    pub enum RecordKind {
        /// 检测结果
        TestResult,
        /// 病例
        Case,
        /// 密切接触者
        CloseContact,
        /// 次密切接触者
        SecondaryContact,
        /// 到访风险场所
        PlaceVisited,
        /// 自风险地区抵达
        ArrivalFromRiskArea,
        /// 数据分析结果
        AnalysisFinding,
        /// 社区（村）上报
        CommunityReport,
    }

    /// Which of the three kinds of source it comes from (CQ6 a, b, c).
    pub enum Origin {
        /// Epidemic surveillance.
        Surveillance,
        /// Results of data analysis.
        Analysis,
        /// Communities and villages.
        Grassroots,
    }

    /// How high its source puts the risk.
    pub enum RiskLevel {
        /// 低风险
        Low,
        /// 中风险
        Medium,
        /// 高风险
        High,
    }
}

/// A keyed hash of a phone or identity number; as text, 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectHash([u8; 32]);

impl SubjectHash {
    /// The hash from its bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for SubjectHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The first bytes tell two hashes apart in a log without letting anybody look a person up.
impl fmt::Debug for SubjectHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectHash({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// The text is no hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a hash is written as 64 hexadecimal digits")]
pub struct SubjectHashError;

impl FromStr for SubjectHash {
    type Err = SubjectHashError;

    fn from_str(text: &str) -> Result<Self, SubjectHashError> {
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(SubjectHashError);
        }
        let mut bytes = [0; 32];
        for (byte, start) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[start..start + 2], 16).map_err(|_| SubjectHashError)?;
        }
        Ok(Self(bytes))
    }
}

crate::text_form::text_form!(
    SubjectHash,
    "Keyed hash, 64 hexadecimal digits",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
);

/// Whom or what the fact is about. As JSON: `{"resident": 17}`, `{"phone_hash": "…"}`, `{"place": "500103"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A registered resident.
    Resident(ResidentNo),
    /// Whoever has this phone number, registered or not yet.
    PhoneHash(SubjectHash),
    /// Whoever has this identity number, registered or not yet.
    IdentityHash(SubjectHash),
    /// A place.
    Place(Area),
}

/// What a source adds of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum AttributeValue {
    /// Yes or no.
    Bool(bool),
    /// A finite number.
    Number(f64),
    /// A text of at most 500 characters.
    Text(String),
}

/// One fact. Its source's own id makes it one however often it is delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskRecord {
    /// The source's id of the record, unique within the source; at most 128 characters.
    pub source_id: String,
    /// What kind of fact.
    pub kind: RecordKind,
    /// Which kind of source.
    pub origin: Origin,
    /// When it happened or was found.
    pub occurred_at: DateTime<Utc>,
    /// Whom or what it is about.
    pub subject: Subject,
    /// How high the risk.
    pub level: RiskLevel,
    /// The district that handles it.
    pub district: DistrictCode,
    /// What else the source says, by names like `isolation_site`.
    #[serde(default)]
    pub attributes: BTreeMap<String, AttributeValue>,
}

/// What is wrong with one field of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct RecordFault {
    /// The field, for instance `attributes.result`.
    pub field: String,
    /// What is wrong with it. Never repeats its value.
    pub reason: String,
}

impl RecordFault {
    /// What is wrong with it, in Chinese.
    #[must_use]
    pub fn chinese(&self) -> &'static str {
        match self.reason.as_str() {
            "is empty" => "不能为空",
            "contains control characters" => "含有控制字符",
            "lies in the future" => "时间在未来，请核对日期和时区",
            "lies before the year 2000" => "时间早于 2000 年，请写四位年份",
            "is no district of the city" => "不是本市的区县代码",
            "is no area of the city" => "不是本市的区划代码",
            "lies in another district than the record" => "与记录所在的区县不一致",
            "is not a finite number" => "不是有限的数值",
            reason if reason.starts_with("is longer than") => "超过长度上限",
            reason if reason.starts_with("are more than") => "数量超过上限",
            reason if reason.starts_with("have a name") => "名称应为 1 至 40 个小写字母、数字或下划线，以字母开头",
            _ => "内容无效",
        }
    }
}

/// Clocks of sources may be this far ahead.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);
const SOURCE_ID_LIMIT: usize = 128;
const ATTRIBUTES_LIMIT: usize = 32;
const ATTRIBUTE_NAME_LIMIT: usize = 40;
const ATTRIBUTE_TEXT_LIMIT: usize = 500;

impl RiskRecord {
    /// Whether the record can be believed as far as its form goes.
    ///
    /// # Errors
    /// All faults; at least one.
    pub fn validate(&self, now: DateTime<Utc>) -> Result<(), Vec<RecordFault>> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, reason: String| faults.push(RecordFault { field: field.to_owned(), reason });
        if self.source_id.trim().is_empty() {
            fault("source_id", "is empty".into());
        } else if self.source_id.chars().count() > SOURCE_ID_LIMIT {
            fault("source_id", format!("is longer than {SOURCE_ID_LIMIT} characters"));
        } else if self.source_id.chars().any(char::is_control) {
            fault("source_id", "contains control characters".into());
        }
        if self.occurred_at > now + CLOCK_TOLERANCE {
            fault("occurred_at", "lies in the future".into());
        } else if !instant::is_kept(self.occurred_at) {
            fault("occurred_at", "lies before the year 2000".into());
        }
        if place::district(self.district).is_none() {
            fault("district", "is no district of the city".into());
        }
        if let Subject::Place(area) = self.subject {
            if !place::knows(area) {
                fault("subject", "is no area of the city".into());
            } else if area.district().is_some_and(|district| district != self.district) {
                fault("subject", "lies in another district than the record".into());
            }
        }
        if self.attributes.len() > ATTRIBUTES_LIMIT {
            fault("attributes", format!("are more than {ATTRIBUTES_LIMIT}"));
        }
        for (name, value) in &self.attributes {
            if !is_attribute_name(name) {
                fault(
                    "attributes",
                    format!("have a name that is not 1 to {ATTRIBUTE_NAME_LIMIT} of a-z, 0-9 and _, beginning with a letter"),
                );
                continue;
            }
            match value {
                AttributeValue::Text(text) if text.chars().count() > ATTRIBUTE_TEXT_LIMIT => {
                    fault(&format!("attributes.{name}"), format!("is longer than {ATTRIBUTE_TEXT_LIMIT} characters"));
                }
                AttributeValue::Text(text) if text.chars().any(|sign| sign.is_control() && !matches!(sign, '\t' | '\n' | '\r')) => {
                    fault(&format!("attributes.{name}"), "contains control characters".into());
                }
                AttributeValue::Number(number) if !number.is_finite() => {
                    fault(&format!("attributes.{name}"), "is not a finite number".into());
                }
                _ => {}
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

/// Whether an attribute may be called this: a name that a rule's condition and a template can write.
#[must_use]
pub fn is_attribute_name(name: &str) -> bool {
    name.len() <= ATTRIBUTE_NAME_LIMIT
        && name.starts_with(|sign: char| sign.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn noon() -> DateTime<Utc> {
        "2026-11-02T04:00:00Z".parse().unwrap()
    }

    fn record() -> RiskRecord {
        serde_json::from_str(
            r#"{
                "source_id": "cdc-1", "kind": "close_contact", "origin": "surveillance", "occurred_at": "2026-11-02T03:00:00Z",
                "subject": {"resident": 17}, "level": "high", "district": 500103,
                "attributes": {"isolation_site": "渝州宾馆", "days": 7, "vaccinated": true}
            }"#,
        )
        .unwrap()
    }

    #[test]
    fn a_record_is_read_with_its_attributes_and_has_no_fault() {
        let record = record();
        assert_eq!(record.validate(noon()), Ok(()));
        assert_eq!(record.attributes["days"], AttributeValue::Number(7.0));
        assert_eq!(record.attributes["vaccinated"], AttributeValue::Bool(true));
        assert_eq!(serde_json::from_value::<RiskRecord>(serde_json::to_value(&record).unwrap()).unwrap(), record);
    }

    type Spoil = fn(&mut RiskRecord);

    #[rstest]
    #[case::no_source_id(|record: &mut RiskRecord| record.source_id = " ".into(), "source_id")]
    #[case::long_source_id(|record: &mut RiskRecord| record.source_id = "长".repeat(129), "source_id")]
    #[case::control_in_source_id(|record: &mut RiskRecord| record.source_id = "a\u{7}".into(), "source_id")]
    #[case::future(|record: &mut RiskRecord| record.occurred_at = noon() + TimeDelta::minutes(6), "occurred_at")]
    #[case::two_digits_of_a_year(|record: &mut RiskRecord| record.occurred_at = "0026-11-02T00:30:00Z".parse().unwrap(), "occurred_at")]
    #[case::foreign_district(|record: &mut RiskRecord| record.district = "110101".parse().unwrap(), "district")]
    #[case::foreign_place(|record: &mut RiskRecord| record.subject = Subject::Place("110101".parse().unwrap()), "subject")]
    #[case::place_elsewhere(|record: &mut RiskRecord| record.subject = Subject::Place("500101".parse().unwrap()), "subject")]
    #[case::attribute_name(|record: &mut RiskRecord| { record.attributes.insert("Isolation site".into(), AttributeValue::Bool(true)); }, "attributes")]
    #[case::attribute_text(|record: &mut RiskRecord| { record.attributes.insert("note".into(), AttributeValue::Text("长".repeat(501))); }, "attributes.note")]
    #[case::attribute_zero(|record: &mut RiskRecord| { record.attributes.insert("note".into(), AttributeValue::Text("\0".into())); }, "attributes.note")]
    #[case::attribute_control(|record: &mut RiskRecord| { record.attributes.insert("note".into(), AttributeValue::Text("a\u{b}".into())); }, "attributes.note")]
    #[case::attribute_number(|record: &mut RiskRecord| { record.attributes.insert("days".into(), AttributeValue::Number(f64::NAN)); }, "attributes.days")]
    #[case::many_attributes(|record: &mut RiskRecord| record.attributes.extend((0..33).map(|n| (format!("a{n}"), AttributeValue::Bool(true)))), "attributes")]
    fn a_fault_names_its_field(#[case] spoil: Spoil, #[case] field: &str) {
        let mut record = record();
        spoil(&mut record);
        let fields: Vec<_> = record.validate(noon()).unwrap_err().into_iter().map(|fault| fault.field).collect();
        assert_eq!(fields, [field]);
        assert_ne!(record.validate(noon()).unwrap_err()[0].chinese(), "内容无效");
    }

    #[test]
    fn the_limits_themselves_are_allowed() {
        let mut record = record();
        record.source_id = "长".repeat(128);
        record.occurred_at = noon() + TimeDelta::minutes(5);
        record.subject = Subject::Place("500103".parse().unwrap());
        assert_eq!(record.validate(noon()), Ok(()));
    }

    #[rstest]
    #[case::unknown_kind("kind", "\"rumour\"")]
    #[case::unknown_level("level", "\"extreme\"")]
    #[case::short_hash("subject", r#"{"phone_hash": "ab"}"#)]
    #[case::two_subjects("subject", r#"{"resident": 1, "place": "city"}"#)]
    fn json_of_another_form_is_refused(#[case] field: &str, #[case] value: &str) {
        let mut json = serde_json::to_value(record()).unwrap();
        json[field] = serde_json::from_str(value).unwrap();
        assert!(serde_json::from_value::<RiskRecord>(json).is_err());
    }

    proptest! {
        #[test]
        fn a_hash_survives_its_text_and_hides_in_debug(bytes: [u8; 32]) {
            let hash = SubjectHash::new(bytes);
            let text = hash.to_string();
            prop_assert_eq!(text.parse(), Ok(hash));
            prop_assert_eq!(text.to_uppercase().parse(), Ok(hash));
            let debug = format!("{:?}", Subject::PhoneHash(hash));
            prop_assert!(!debug.contains(&text[..8]));
        }

        #[test]
        fn no_text_makes_the_hash_parser_panic(text in "\\PC{0,70}") {
            let _ = text.parse::<SubjectHash>();
        }
    }
}
