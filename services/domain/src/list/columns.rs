//! What headers of lists call the fields of a record.
//!
//! A field's own name always means the field. A synonym means it too, unless the list has the field under its own name already: then
//! a synonym that could be an attribute's name (`type`, `time`) is the attribute it has always been. Signs that say nothing are passed
//! over: `*手机号：`, `手机号（本人）` and `Phone Number` are `phone`.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use crate::digits::is_invisible;
use crate::risk_record::is_attribute_name;

crate::words! {
    /// A field of a record, by the name that it has in a list.
    pub enum RecordField {
        /// The source's id.
        SourceId,
        /// What kind of fact.
        Kind,
        /// Which kind of source.
        Origin,
        /// When it happened.
        OccurredAt,
        /// The subject's phone number.
        Phone,
        /// The number of the subject's identity document.
        IdentityNumber,
        /// What kind of document that is.
        IdentityKind,
        /// The country that issued the document, or whose number the phone number is.
        NumberCountry,
        /// The subject's number as a resident.
        ResidentNo,
        /// The place that is the subject.
        Place,
        /// How high the risk.
        Level,
        /// The district that handles it.
        District,
        /// The township.
        Township,
        /// The community.
        Community,
        /// That the row corrects or takes back a record.
        Correction,
        /// Why it does.
        CorrectionReason,
    }
}

/// What a column of a list holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ColumnMeaning {
    /// A field of the record.
    Field(RecordField),
    /// An attribute of this name.
    Attribute(String),
    /// Nothing that is kept: it has no name, numbers the rows, or says who somebody is.
    PassedOver,
}

impl ColumnMeaning {
    /// How it is written where somebody chooses it: a field by its name, `attributes.…`, or `-` for what is not kept.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::Field(field) => field.to_string(),
            Self::Attribute(name) => format!("attributes.{name}"),
            Self::PassedOver => "-".to_owned(),
        }
    }

    /// The meaning that is written so.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        match word.strip_prefix("attributes.") {
            Some(name) => is_attribute_name(name).then(|| Self::Attribute(name.to_owned())),
            None if word == "-" => Some(Self::PassedOver),
            None => word.parse().ok().map(Self::Field),
        }
    }
}

/// The names under which columns are known.
#[derive(Debug, Clone)]
pub struct ColumnNames {
    synonyms: HashMap<String, ColumnMeaning>,
    /// Names with a meaning that somebody chose: it goes before every other.
    chosen: HashSet<String>,
}

const FIELDS: [(RecordField, &[&str]); 16] = [
    (
        RecordField::SourceId,
        &[
            "来源编号",
            "编号",
            "记录编号",
            "信息编号",
            "病例编号",
            "密接编号",
            "个案编号",
            "样本编号",
            "流水号",
            "id",
            "record_id",
            "case_id",
        ],
    ),
    (
        RecordField::Kind,
        &["类别", "类型", "记录类型", "记录类别", "人员类别", "人员类型", "信息类别", "风险类型", "type", "category", "record_type"],
    ),
    (RecordField::Origin, &["来源类别", "来源类型", "数据来源", "来源"]),
    (
        RecordField::OccurredAt,
        &[
            "发生时间",
            "发生日期",
            "事件时间",
            "时间",
            "日期",
            "发现时间",
            "发现日期",
            "发病时间",
            "发病日期",
            "接触时间",
            "接触日期",
            "暴露时间",
            "到访时间",
            "采样时间",
            "检测时间",
            "抵达时间",
            "time",
            "date",
            "date_time",
            "event_time",
            "event_date",
            "occurred",
            "occurred_on",
            "occurrence_time",
        ],
    ),
    (
        RecordField::Phone,
        &[
            "手机号",
            "手机号码",
            "手机",
            "电话",
            "电话号码",
            "联系电话",
            "联系方式",
            "移动电话",
            "本人电话",
            "mobile",
            "mobile_number",
            "mobile_phone",
            "phone_number",
            "telephone",
            "tel",
            "cell_phone",
        ],
    ),
    (
        RecordField::IdentityNumber,
        &[
            "证件号码",
            "证件号",
            "身份证",
            "身份证号",
            "身份证号码",
            "身份证件号",
            "身份证件号码",
            "有效证件号码",
            "公民身份号码",
            "identity",
            "id_number",
            "id_card",
            "identity_card",
            "identity_no",
        ],
    ),
    (
        RecordField::IdentityKind,
        &["证件类型", "证件类别", "证件种类", "证件名称", "身份证件类型", "id_type", "identity_type", "identity_document"],
    ),
    (
        RecordField::NumberCountry,
        &[
            "国籍或地区",
            "国籍",
            "国籍/地区",
            "国家地区",
            "国家/地区",
            "国家或地区",
            "国家和地区",
            "签发国",
            "签发国家",
            "签发国家或地区",
            "号码所属国家或地区",
            "nationality",
            "issuing_country",
        ],
    ),
    (RecordField::ResidentNo, &["居民编号", "居民号", "resident", "resident_id", "resident_number"]),
    (RecordField::Place, &["场所代码", "地点代码", "区划代码", "区域代码", "place_code", "area_code"]),
    (RecordField::Level, &["风险等级", "风险级别", "等级", "级别", "风险", "危险程度", "risk", "risk_level"]),
    (RecordField::District, &["区县", "区县代码", "所属区县", "区", "县区", "区（县）", "辖区", "管辖区县", "district_code", "county"]),
    (
        RecordField::Township,
        &[
            "街道",
            "乡镇",
            "镇街",
            "街镇",
            "街道乡镇",
            "乡镇街道",
            "街道（乡镇）",
            "乡镇（街道）",
            "所属街道",
            "township_code",
            "subdistrict",
            "street",
            "town",
        ],
    ),
    (RecordField::Community, &["社区", "村", "村社", "社区村", "村（社区）", "社区（村）", "所属社区", "community_code", "village"]),
    (RecordField::Correction, &["更正", "撤回", "更正类型", "更正或撤回", "更正撤回"]),
    (RecordField::CorrectionReason, &["更正原因", "更正理由", "更正说明", "撤回原因", "撤回理由", "更正或撤回原因"]),
];

/// Chinese names of the attributes that texts and the shipped rules know.
const ATTRIBUTES: [(&str, &[&str]); 7] = [
    ("isolation_site", &["隔离地点", "隔离点", "隔离场所"]),
    ("test_site", &["检测地点", "检测点", "采样地点", "采样点"]),
    ("place", &["场所", "场所名称", "风险场所", "到访场所", "地点名称"]),
    ("risk_area", &["风险地区", "风险区域", "来源地区"]),
    ("result", &["检测结果", "结果"]),
    ("hazard", &["危险源", "危害因素"]),
    ("note", &["备注", "说明"]),
];

/// Columns of which nothing is kept: the number of the row in its list, and what says who somebody is.
const PASSED_OVER: [&str; 12] = ["序号", "序", "行号", "no.", "#", "姓名", "名字", "患者姓名", "人员姓名", "性别", "年龄", "民族"];

static SHIPPED: LazyLock<ColumnNames> = LazyLock::new(|| {
    let fields = FIELDS.iter().flat_map(|(field, names)| names.iter().map(|name| (*name, ColumnMeaning::Field(*field))));
    let attributes = ATTRIBUTES
        .iter()
        .flat_map(|(attribute, names)| names.iter().map(|name| (*name, ColumnMeaning::Attribute((*attribute).to_owned()))));
    let passed_over = PASSED_OVER.iter().map(|name| (*name, ColumnMeaning::PassedOver));
    let synonyms = fields.chain(attributes).chain(passed_over).map(|(name, meaning)| (bare(name), meaning)).collect();
    ColumnNames { synonyms, chosen: HashSet::new() }
});

impl ColumnNames {
    /// The names that every platform knows.
    #[must_use]
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// These names and another one, for a source that has words of its own.
    #[must_use]
    pub fn with(mut self, name: &str, meaning: ColumnMeaning) -> Self {
        self.synonyms.insert(bare(name), meaning);
        self.chosen.insert(bare(name));
        self
    }

    /// Whether this name was given a meaning of its own.
    fn is_chosen(&self, name: &str) -> bool {
        self.chosen.contains(name)
    }

    /// What the columns of a header mean, each by its name; none for a name that nobody knows.
    #[must_use]
    pub fn meanings(&self, header: &[String]) -> Vec<Option<ColumnMeaning>> {
        let names: Vec<String> = header.iter().map(|name| bare(name)).collect();
        let own: Vec<Option<RecordField>> = names.iter().map(|name| own_name(name)).collect();
        names
            .iter()
            .zip(&own)
            .zip(header)
            .map(|((name, by_its_name), written)| {
                if name.is_empty() {
                    return Some(ColumnMeaning::PassedOver);
                }
                if let Some(chosen) = self.synonyms.get(name).filter(|_| self.is_chosen(name)) {
                    return Some(chosen.clone());
                }
                if let Some(field) = by_its_name {
                    return Some(ColumnMeaning::Field(*field));
                }
                let synonym = self.synonyms.get(name).or_else(|| self.synonyms.get(without_remark(name)));
                // a-1 is an id, and no name with a blank in it
                let attribute = if written.contains('-') { "" } else { name.strip_prefix("attributes.").unwrap_or(name) };
                match synonym {
                    Some(ColumnMeaning::Field(field)) if own.contains(&Some(*field)) && is_attribute_name(attribute) => {}
                    Some(meaning) if !written.trim_start().starts_with("attributes.") => return Some(meaning.clone()),
                    _ => {}
                }
                is_attribute_name(attribute).then(|| ColumnMeaning::Attribute(attribute.to_owned()))
            })
            .collect()
    }
}

/// What a list calls a field: the first of its Chinese names.
pub(super) fn title(field: RecordField) -> &'static str {
    FIELDS.iter().find(|(known, _)| *known == field).map_or("", |(_, names)| names[0])
}

/// What a list calls an attribute.
pub(super) fn attribute_title(name: &'static str) -> &'static str {
    ATTRIBUTES.iter().find(|(known, _)| *known == name).map_or(name, |(_, names)| names[0])
}

/// A field by the name that it has in the interface.
fn own_name(name: &str) -> Option<RecordField> {
    match name.strip_prefix("subject.") {
        Some(name) => name.parse().ok().filter(|field| {
            matches!(
                field,
                RecordField::Phone
                    | RecordField::IdentityNumber
                    | RecordField::IdentityKind
                    | RecordField::NumberCountry
                    | RecordField::ResidentNo
                    | RecordField::Place
            )
        }),
        None => name.parse().ok(),
    }
}

/// A name as it is compared: in small letters, without marks around it, with `_` for blanks in English and none in Chinese.
fn bare(name: &str) -> String {
    let shown: String = name.chars().filter(|sign| !is_invisible(*sign)).collect();
    let trimmed = shown.trim().trim_matches(['*', '＊', ':', '：', '\'']).trim();
    let name = trimmed.to_ascii_lowercase();
    if name.is_ascii() { name.replace([' ', '-'], "_") } else { name.replace([' ', '\u{3000}', '\u{a0}', '\n', '\r'], "") }
}

/// A name without what stands behind it in parentheses.
fn without_remark(name: &str) -> &str {
    match name.find(['（', '(']) {
        Some(at) if at > 0 && name.ends_with(['）', ')']) && !name.is_ascii() => &name[..at],
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use strum::VariantArray as _;

    use super::*;

    fn meaning(name: &str) -> Option<ColumnMeaning> {
        ColumnNames::shipped().meanings(&[name.to_owned()]).remove(0)
    }

    #[rstest]
    #[case("source_id", RecordField::SourceId)]
    #[case("Source ID", RecordField::SourceId)]
    #[case("来源编号", RecordField::SourceId)]
    #[case("编 号", RecordField::SourceId)]
    #[case("类别", RecordField::Kind)]
    #[case("发生时间", RecordField::OccurredAt)]
    #[case("*手机号：", RecordField::Phone)]
    #[case("手机号码（本人）", RecordField::Phone)]
    #[case("手机\n号码", RecordField::Phone)]
    #[case("\u{feff}Mobile", RecordField::Phone)]
    #[case("subject.phone", RecordField::Phone)]
    #[case("身份证号", RecordField::IdentityNumber)]
    #[case("证件类型", RecordField::IdentityKind)]
    #[case("subject.identity_kind", RecordField::IdentityKind)]
    #[case("国籍（地区）", RecordField::NumberCountry)]
    #[case("签发国", RecordField::NumberCountry)]
    #[case("风险等级", RecordField::Level)]
    #[case("区县", RecordField::District)]
    #[case("区（县）", RecordField::District)]
    #[case("街道(乡镇)", RecordField::Township)]
    fn a_field_is_known_by_its_synonyms(#[case] name: &str, #[case] field: RecordField) {
        assert_eq!(meaning(name), Some(ColumnMeaning::Field(field)));
    }

    #[rstest]
    #[case("isolation_site", "isolation_site")]
    #[case("attributes.isolation_site", "isolation_site")]
    #[case("attributes.type", "type")]
    #[case("Isolation Site", "isolation_site")]
    #[case("隔离地点", "isolation_site")]
    #[case("检测结果", "result")]
    fn what_is_no_field_is_an_attribute(#[case] name: &str, #[case] attribute: &str) {
        assert_eq!(meaning(name), Some(ColumnMeaning::Attribute(attribute.to_owned())));
    }

    #[rstest]
    #[case("")]
    #[case(" ")]
    #[case("序号")]
    #[case("姓名")]
    fn what_says_who_somebody_is_is_passed_over(#[case] name: &str) {
        assert_eq!(meaning(name), Some(ColumnMeaning::PassedOver));
    }

    #[rstest]
    #[case("幸福指数")]
    #[case("a-1")]
    #[case("note\n(free text)")]
    #[case("13800005678")]
    #[case("subject.level")]
    fn a_name_that_nobody_knows_means_nothing(#[case] name: &str) {
        assert_eq!(meaning(name), None);
    }

    #[test]
    fn a_synonym_beside_the_field_itself_stays_the_attribute_that_it_was() {
        let header = ["kind", "type", "time", "category"].map(str::to_owned);
        let meanings = ColumnNames::shipped().meanings(&header);
        assert_eq!(meanings[1], Some(ColumnMeaning::Attribute("type".into())));
        assert_eq!(meanings[2], Some(ColumnMeaning::Field(RecordField::OccurredAt)));
        assert_eq!(meanings[3], Some(ColumnMeaning::Attribute("category".into())));
    }

    #[test]
    fn a_source_may_have_words_of_its_own() {
        let names = ColumnNames::shipped().clone().with("密接者流水", ColumnMeaning::Field(RecordField::SourceId));
        assert_eq!(names.meanings(&["密接者流水".to_owned()]), [Some(ColumnMeaning::Field(RecordField::SourceId))]);
    }

    #[test]
    fn what_somebody_chose_for_a_name_goes_before_what_it_would_mean() {
        let names = ColumnNames::shipped()
            .clone()
            .with("时间", ColumnMeaning::PassedOver)
            .with("上报时间", ColumnMeaning::Field(RecordField::OccurredAt));
        let header = ["时间", "上报时间"].map(str::to_owned);
        assert_eq!(names.meanings(&header), [Some(ColumnMeaning::PassedOver), Some(ColumnMeaning::Field(RecordField::OccurredAt))]);
    }

    #[rstest]
    #[case("phone", Some(ColumnMeaning::Field(RecordField::Phone)))]
    #[case("attributes.site", Some(ColumnMeaning::Attribute("site".into())))]
    #[case("-", Some(ColumnMeaning::PassedOver))]
    #[case("site", None)]
    #[case("attributes.Site", None)]
    #[case("", None)]
    fn a_meaning_is_chosen_by_its_word(#[case] word: &str, #[case] meaning: Option<ColumnMeaning>) {
        assert_eq!(ColumnMeaning::of_word(word), meaning);
        assert!(meaning.is_none_or(|meaning| meaning.word() == word));
    }

    #[test]
    fn every_field_has_synonyms_and_no_synonym_means_two_things() {
        assert!(RecordField::VARIANTS.iter().all(|field| FIELDS.iter().any(|(known, names)| known == field && !names.is_empty())));
        let names =
            FIELDS.iter().map(|(_, names)| names.len()).sum::<usize>() + ATTRIBUTES.iter().map(|(_, names)| names.len()).sum::<usize>();
        assert_eq!(SHIPPED.synonyms.len(), names + PASSED_OVER.len(), "one name stands twice");
    }
}
