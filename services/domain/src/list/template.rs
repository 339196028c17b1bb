//! The list that somebody fills in, for each kind of record: which columns it has, and what may stand in them.

use super::columns::{attribute_title, title};
use super::{ListWord, RecordField, known_values};
use crate::identity_document::IdentityKind;
use crate::place;
use crate::record_life::Correction;
use crate::risk_record::{RecordKind, RiskLevel};

/// What may stand in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Any text.
    Text,
    /// A number that is none to calculate with: of a phone, of a document.
    Digits,
    /// A day, with a time.
    Time,
    /// One of these words.
    OneOf(Vec<&'static str>),
}

/// A column of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateColumn {
    /// Its header.
    pub name: &'static str,
    /// Whether every row needs it.
    pub required: bool,
    /// What may stand in it.
    pub entry: Entry,
    /// How it is filled in.
    pub about: &'static str,
    /// What it might say.
    pub example: &'static str,
}

/// The word for it that most people write.
fn word<W: ListWord + PartialEq>(of: W) -> &'static str {
    W::SYNONYMS.iter().find(|(word, _)| *word == of).map_or("", |(_, synonyms)| synonyms[0])
}

fn words<W: ListWord>() -> Vec<&'static str> {
    W::SYNONYMS.iter().map(|(_, synonyms)| synonyms[0]).collect()
}

/// What people call a kind of record.
#[must_use]
pub fn kind_title(kind: RecordKind) -> &'static str {
    word(kind)
}

/// Attributes that records of a kind have, with what each says.
const fn attributes(kind: RecordKind) -> &'static [(&'static str, &'static str)] {
    const ISOLATION: (&str, &str) = ("isolation_site", "隔离或居家隔离的地点，会写入弹窗");
    const TEST: (&str, &str) = ("test_site", "应前往检测的地点，会写入弹窗");
    match kind {
        RecordKind::TestResult => &[("result", "阳性或阴性"), TEST],
        RecordKind::Case | RecordKind::CloseContact => &[ISOLATION],
        RecordKind::SecondaryContact => &[ISOLATION, TEST],
        RecordKind::PlaceVisited => &[("place", "到访的公共场所，会写入弹窗"), TEST],
        RecordKind::ArrivalFromRiskArea => &[("risk_area", "从哪里来，会写入弹窗"), TEST],
        RecordKind::AnalysisFinding => &[("place", "涉及的公共场所，会写入弹窗")],
        RecordKind::CommunityReport => &[("hazard", "饮用水受污染时选择；其他危险请写在备注中"), ("place", "涉及的公共场所，会写入弹窗")],
    }
}

/// Whether records of a kind may be about a place instead of a person.
const fn is_of_places(kind: RecordKind) -> bool {
    matches!(kind, RecordKind::AnalysisFinding | RecordKind::CommunityReport)
}

/// The columns of the list for a kind of record, in their order.
#[must_use]
pub fn template(kind: RecordKind) -> Vec<TemplateColumn> {
    let column = |field, required, entry, about, example| TemplateColumn { name: title(field), required, entry, about, example };
    let mut columns = vec![
        column(RecordField::SourceId, true, Entry::Text, "本单位给这条记录的编号，同一编号只计一次；更正、撤回时用它", "YZ-2026-0001"),
        column(RecordField::Kind, true, Entry::OneOf(vec![word(kind)]), "记录的类别", word(kind)),
        column(RecordField::OccurredAt, true, Entry::Time, "发生或发现的时间（北京时间），须写明年月日，最好写到分钟", "2026-11-27 08:30"),
        column(RecordField::Phone, false, Entry::Digits, "本人手机号；境外号码请带国家代码，如 +852", "13800138000"),
        column(
            RecordField::IdentityKind,
            false,
            Entry::OneOf(words::<IdentityKind>()),
            "证件不是居民身份证时须选择",
            word(IdentityKind::Passport),
        ),
        column(RecordField::IdentityNumber, false, Entry::Digits, "手机号与证件号码填一项即可；平台只保存加密后的指纹", ""),
        column(RecordField::NumberCountry, false, Entry::Text, "护照须填写签发国家或地区", "英国"),
    ];
    if is_of_places(kind) {
        columns.push(column(
            RecordField::Place,
            false,
            Entry::Digits,
            "涉及场所而不是个人时，填写所在区县、街道或社区的代码（6、9 或 12 位）",
            "500103001001",
        ));
    }
    columns.extend([
        column(RecordField::Level, true, Entry::OneOf(words::<RiskLevel>()), "风险等级", word(RiskLevel::High)),
        column(
            RecordField::District,
            false,
            Entry::OneOf(place::districts().iter().map(|district| district.name).collect()),
            "负责处置的区县；不填则按本人登记的住址",
            "渝中区",
        ),
        column(RecordField::Township, false, Entry::Text, "街道（乡镇）的名称或代码，可不填", ""),
        column(RecordField::Community, false, Entry::Text, "社区（村）的名称或代码，可不填", ""),
    ]);
    columns.extend(attributes(kind).iter().chain(&[("note", "其他说明，请勿填写姓名、电话")]).map(|(name, about)| {
        let values = known_values(name);
        let entry = if values.is_empty() { Entry::Text } else { Entry::OneOf(values) };
        TemplateColumn { name: attribute_title(name), required: false, entry, about, example: "" }
    }));
    columns.extend([
        column(
            RecordField::Correction,
            false,
            Entry::OneOf(words::<Correction>()),
            "更正或撤回已报送的记录时选择；撤回只需填写编号和原因",
            "",
        ),
        column(RecordField::CorrectionReason, false, Entry::Text, "更正或撤回的原因，审核人员会看到，请勿填写姓名、电话", ""),
    ]);
    columns
}

#[cfg(test)]
mod tests {
    use strum::VariantArray as _;

    use super::*;
    use crate::list::{ColumnMeaning, ColumnNames};

    #[test]
    fn every_column_is_understood_and_none_means_the_same_as_another() {
        for kind in RecordKind::VARIANTS {
            let columns = template(*kind);
            let header: Vec<String> = columns.iter().map(|column| column.name.to_owned()).collect();
            let meanings = ColumnNames::shipped().meanings(&header);
            let known: std::collections::HashSet<_> =
                meanings.iter().flatten().filter(|meaning| **meaning != ColumnMeaning::PassedOver).collect();
            assert_eq!(known.len(), columns.len(), "{kind}: {header:?}");
        }
    }

    #[test]
    fn every_word_that_can_be_chosen_is_read() {
        assert!(words::<RiskLevel>().into_iter().all(|word| RiskLevel::of_cell(word).is_some()));
        assert!(words::<IdentityKind>().into_iter().all(|word| IdentityKind::of_cell(word).is_some()));
        assert!(words::<Correction>().into_iter().all(|word| Correction::of_cell(word).is_some()));
        for kind in RecordKind::VARIANTS {
            assert_eq!(RecordKind::of_cell(kind_title(*kind)), Some(*kind));
        }
        for district in place::districts() {
            assert!(crate::place_name::district(district.name).is_ok(), "{}", district.name);
        }
    }
}
