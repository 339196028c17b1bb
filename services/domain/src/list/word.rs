//! What cells of lists call a kind, a level, an origin or a correction, beside the words of the interface.

use std::str::FromStr;

use crate::digits::visible;
use crate::identity_document::IdentityKind;
use crate::record_life::Correction;
use crate::risk_record::{Origin, RecordKind, RiskLevel};

/// A word that lists write in Chinese too.
pub trait ListWord: FromStr + Copy + 'static {
    /// The words that people write for it.
    const SYNONYMS: &'static [(Self, &'static [&'static str])];

    /// The word that a cell means: the interface's own, however it is capitalised, or a synonym.
    fn of_cell(text: &str) -> Option<Self> {
        if let Ok(word) = text.parse() {
            return Some(word);
        }
        let text: String = visible(text).chars().filter(|sign| !matches!(sign, '\u{3000}' | '\u{a0}')).collect();
        if text.is_ascii() {
            return text.to_ascii_lowercase().replace([' ', '-'], "_").parse().ok();
        }
        let text = text.replace(' ', "").replace('(', "（").replace(')', "）");
        Self::SYNONYMS.iter().find(|(_, synonyms)| synonyms.contains(&text.as_str())).map(|(word, _)| *word)
    }
}

impl ListWord for RecordKind {
    const SYNONYMS: &'static [(Self, &'static [&'static str])] = &[
        (Self::TestResult, &["检测结果", "检测", "核酸检测", "核酸检测结果", "检验结果"]),
        (Self::Case, &["病例", "确诊病例", "确诊", "感染者", "阳性病例", "疑似病例"]),
        (Self::CloseContact, &["密接", "密切接触者", "密切接触", "密接者"]),
        (Self::SecondaryContact, &["次密接", "次密切接触者", "次密", "次密接者", "密接的密接", "密接之密接"]),
        (Self::PlaceVisited, &["到访", "到访风险场所", "场所到访", "风险场所到访", "到访场所", "同时空"]),
        (Self::ArrivalFromRiskArea, &["自风险地区抵达", "风险地区抵达", "风险地区来渝", "来渝返渝", "来渝返渝人员", "风险区域来渝返渝"]),
        (Self::AnalysisFinding, &["数据分析结果", "分析结果", "数据分析", "分析发现"]),
        (Self::CommunityReport, &["社区（村）上报", "社区上报", "社区报告", "村上报", "村社上报", "基层上报"]),
    ];
}

impl ListWord for RiskLevel {
    const SYNONYMS: &'static [(Self, &'static [&'static str])] = &[
        (Self::Low, &["低", "低风险", "低级", "较低"]),
        (Self::Medium, &["中", "中风险", "中等", "中级", "中等风险"]),
        (Self::High, &["高", "高风险", "高级", "较高"]),
    ];
}

impl ListWord for Origin {
    const SYNONYMS: &'static [(Self, &'static [&'static str])] = &[
        (Self::Surveillance, &["监测", "疫情监测", "疾控监测", "疾控"]),
        (Self::Analysis, &["分析", "数据分析", "大数据", "大数据分析"]),
        (Self::Grassroots, &["基层", "社区", "基层上报", "社区上报", "社区（村）", "村社"]),
    ];
}

impl ListWord for Correction {
    const SYNONYMS: &'static [(Self, &'static [&'static str])] =
        &[(Self::Replace, &["更正", "修正", "修改", "更改", "订正"]), (Self::Retract, &["撤回", "撤销", "作废", "误报", "误报撤回"])];
}

impl ListWord for IdentityKind {
    const SYNONYMS: &'static [(Self, &'static [&'static str])] = &[
        (Self::IdentityCard, &["居民身份证", "身份证", "二代身份证", "第二代身份证", "二代证", "中华人民共和国居民身份证", "户口簿"]),
        (
            Self::ResidencePermit,
            &[
                "港澳台居民居住证",
                "港澳居民居住证",
                "台湾居民居住证",
                "香港居民居住证",
                "澳门居民居住证",
                "港澳台居住证",
                "中华人民共和国港澳居民居住证",
                "中华人民共和国台湾居民居住证",
            ],
        ),
        (
            Self::HongKongMacaoPermit,
            &[
                "港澳居民来往内地通行证",
                "港澳居民往来内地通行证",
                "港澳来往内地通行证",
                "港澳通行证",
                "回乡证",
                "港澳居民通行证",
                "港澳居民来往内地通行证（回乡证）",
            ],
        ),
        (
            Self::TaiwanPermit,
            &["台湾居民来往大陆通行证", "台湾居民往来大陆通行证", "台湾通行证", "台胞证", "台湾居民来往大陆通行证（台胞证）"],
        ),
        (
            Self::PermanentResidentCard,
            &[
                "外国人永久居留身份证",
                "外国人永久居留证",
                "中华人民共和国外国人永久居留身份证",
                "永久居留身份证",
                "永久居留证",
                "永居证",
                "五星卡",
                "外国人居留证",
            ],
        ),
        (Self::Passport, &["护照", "外国护照", "普通护照", "中国护照", "外籍护照", "因私护照"]),
    ];
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rstest::rstest;
    use strum::VariantArray;

    use super::*;

    #[rstest]
    #[case("close_contact", Some(RecordKind::CloseContact))]
    #[case("Close contact", Some(RecordKind::CloseContact))]
    #[case(" CLOSE-CONTACT ", Some(RecordKind::CloseContact))]
    #[case("密接", Some(RecordKind::CloseContact))]
    #[case("\u{202d}密切接触者\u{202c}", Some(RecordKind::CloseContact))]
    #[case("病 例", Some(RecordKind::Case))]
    #[case("社区(村)上报", Some(RecordKind::CommunityReport))]
    #[case("传言", None)]
    #[case("", None)]
    fn a_kind_is_known_by_its_synonyms(#[case] text: &str, #[case] kind: Option<RecordKind>) {
        assert_eq!(RecordKind::of_cell(text), kind);
    }

    #[rstest]
    #[case("高", Some(RiskLevel::High))]
    #[case("中风险", Some(RiskLevel::Medium))]
    #[case("Low", Some(RiskLevel::Low))]
    #[case("3", None)]
    #[case("very high", None)]
    fn a_level_is_known_by_its_synonyms(#[case] text: &str, #[case] level: Option<RiskLevel>) {
        assert_eq!(RiskLevel::of_cell(text), level);
    }

    #[rstest]
    #[case("身份证", Some(IdentityKind::IdentityCard))]
    #[case("回乡证", Some(IdentityKind::HongKongMacaoPermit))]
    #[case("台胞证", Some(IdentityKind::TaiwanPermit))]
    #[case("永居证", Some(IdentityKind::PermanentResidentCard))]
    #[case("港澳台居民居住证", Some(IdentityKind::ResidencePermit))]
    #[case(" 护 照", Some(IdentityKind::Passport))]
    #[case("Identity card", Some(IdentityKind::IdentityCard))]
    #[case("PASSPORT", Some(IdentityKind::Passport))]
    #[case("居住证", None)]
    #[case("军官证", None)]
    fn a_document_is_known_by_its_synonyms(#[case] text: &str, #[case] kind: Option<IdentityKind>) {
        assert_eq!(IdentityKind::of_cell(text), kind);
    }

    fn are_told_apart<T: ListWord + VariantArray + Eq>() {
        let mut seen = HashSet::new();
        assert!(T::SYNONYMS.iter().flat_map(|(_, synonyms)| *synonyms).all(|synonym| seen.insert(*synonym)));
        assert!(T::VARIANTS.iter().all(|word| T::SYNONYMS.iter().any(|(known, _)| known == word)));
    }

    #[test]
    fn every_word_has_synonyms_and_no_synonym_means_two_words() {
        are_told_apart::<RecordKind>();
        are_told_apart::<RiskLevel>();
        are_told_apart::<Origin>();
        are_told_apart::<Correction>();
        are_told_apart::<IdentityKind>();
    }
}
