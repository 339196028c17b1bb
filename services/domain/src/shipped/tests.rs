//! The shipped rules take the records they are meant for and say what they are meant to say.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use rstest::rstest;
use strum::VariantArray;

use super::*;
use crate::area::Area;
use crate::condition::Facts;
use crate::ids::{ResidentNo, ShortCode};
use crate::risk_record::{AttributeValue, Origin, RiskLevel, RiskRecord, Subject};
use crate::sms_text::{Composition, compose};
use crate::template::Variables;

fn now() -> DateTime<Utc> {
    "2026-11-20T20:00:00+08:00".parse().unwrap()
}

fn record(kind: RecordKind, level: RiskLevel, attributes: &[(&str, &str)]) -> RiskRecord {
    RiskRecord {
        source_id: "r-1".into(),
        kind,
        origin: Origin::Surveillance,
        occurred_at: now() - TimeDelta::hours(12),
        subject: if kind == RecordKind::CommunityReport {
            Subject::Place("500106001001".parse::<Area>().unwrap())
        } else {
            Subject::Resident(ResidentNo::new(17))
        },
        level,
        district: "500106".parse().unwrap(),
        attributes: attributes.iter().map(|(name, value)| ((*name).to_owned(), AttributeValue::Text((*value).to_owned()))).collect(),
    }
}

/// The names of the rules that match, as services find them: by kind first, then by condition.
fn matching(record: &RiskRecord) -> Vec<&'static str> {
    let facts = Facts::of(record, now());
    let asked = SHIPPED.iter().filter(|rule| rule.kinds.contains(&record.kind));
    asked.filter(|rule| rule.compile_condition().unwrap().matches(&facts) == Ok(true)).map(|rule| rule.name.as_str()).collect()
}

#[rstest]
#[case::close_contact(RecordKind::CloseContact, RiskLevel::High, &[], &["密切接触者：立即隔离"])]
#[case::close_contact_of_low_risk(RecordKind::CloseContact, RiskLevel::Low, &[], &["密切接触者：立即隔离"])]
#[case::secondary_contact(RecordKind::SecondaryContact, RiskLevel::Medium, &[], &["次密切接触者：居家健康监测"])]
#[case::positive_test(RecordKind::TestResult, RiskLevel::High, &[("result", "positive")], &["检测阳性与病例：原地等待接诊"])]
#[case::negative_test(RecordKind::TestResult, RiskLevel::Low, &[("result", "negative")], &[])]
#[case::test_without_result(RecordKind::TestResult, RiskLevel::High, &[], &[])]
#[case::case(RecordKind::Case, RiskLevel::High, &[], &["检测阳性与病例：原地等待接诊"])]
#[case::high_risk_place(RecordKind::PlaceVisited, RiskLevel::High, &[], &["到访高风险场所：尽快检测"])]
#[case::medium_risk_place(RecordKind::PlaceVisited, RiskLevel::Medium, &[], &[])]
#[case::arrival(RecordKind::ArrivalFromRiskArea, RiskLevel::Medium, &[], &["自风险地区抵达：检测并健康监测"])]
#[case::arrival_from_a_safe_area(RecordKind::ArrivalFromRiskArea, RiskLevel::Low, &[], &[])]
#[case::finding(RecordKind::AnalysisFinding, RiskLevel::High, &[], &["数据分析发现：建议检测"])]
#[case::weak_finding(RecordKind::AnalysisFinding, RiskLevel::Low, &[], &[])]
#[case::polluted_water(RecordKind::CommunityReport, RiskLevel::High, &[("hazard", "drinking_water")], &["社区上报饮水问题：煮沸饮用"])]
#[case::risky_place(RecordKind::CommunityReport, RiskLevel::Medium, &[("hazard", "cluster")], &["社区上报场所风险：暂勿前往"])]
#[case::report_without_hazard(RecordKind::CommunityReport, RiskLevel::Medium, &[], &["社区上报场所风险：暂勿前往"])]
fn a_record_meets_its_rule(
    #[case] kind: RecordKind,
    #[case] level: RiskLevel,
    #[case] attributes: &[(&str, &str)],
    #[case] rules: &[&str],
) {
    assert_eq!(matching(&record(kind, level, attributes)), rules);
    let ancient = RiskRecord { occurred_at: now() - TimeDelta::days(22), ..record(kind, level, attributes) };
    assert_eq!(matching(&ancient), [""; 0], "three weeks later");
}

#[test]
fn every_kind_of_record_has_a_rule_and_every_rule_can_be_saved() {
    let kinds: BTreeSet<_> = SHIPPED.iter().flat_map(|rule| rule.kinds.iter().copied()).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), RecordKind::VARIANTS);
    for rule in SHIPPED.iter() {
        assert_eq!(rule.validate(), Ok(()), "{}", rule.name);
    }
}

#[test]
fn ids_are_the_same_in_every_installation() {
    let names =
        ["close-contact", "secondary-contact", "positive", "place-visited", "arrival", "analysis-finding", "drinking-water", "avoid-place"];
    let ids: Vec<_> = names.iter().map(|name| Uuid::new_v5(&Uuid::NAMESPACE_DNS, format!("{name}.rules.fenghuo").as_bytes())).collect();
    assert_eq!(SHIPPED.iter().map(|rule| rule.rule_id.uuid()).collect::<Vec<_>>(), ids);
}

#[test]
fn a_short_message_is_short_from_any_sender() {
    for rule in SHIPPED.iter() {
        let draft = rule.draft_content(&Variables::examples(), now()).unwrap();
        assert_eq!(draft.missing, [""; 0], "{}", rule.name);
        for (language, text) in &draft.content.texts {
            let message = Composition {
                signature: "重庆疾控",
                text: &text.sms,
                contact: &draft.content.contact,
                short_code: "AB3C".parse::<ShortCode>().ok(),
                language: *language,
            };
            let sms = compose(&message).unwrap();
            assert!(sms.segments <= 2, "{} {language}: {} segments: {}", rule.name, sms.segments, sms.text());
        }
    }
}

#[test]
fn a_close_contact_is_told_to_isolate_and_where() {
    let draft = |attributes: &[(&str, &str)]| {
        let record = record(RecordKind::CloseContact, RiskLevel::High, attributes);
        let mut variables = Variables::new();
        variables.set("district", "沙坪坝区");
        variables.set_in(Language::En, "district", "Shapingba");
        variables.set_attributes(&record.attributes);
        SHIPPED[0].draft_content(&variables, now()).unwrap()
    };
    let complete = draft(&[("isolation_site", "青松酒店")]);
    assert_eq!(complete.missing, [""; 0]);
    assert_eq!(complete.content.validate(now()), Ok(()));
    let texts: BTreeMap<_, _> = complete.content.texts;
    assert!(texts[&Language::ZhCn].instruction.contains("前往青松酒店隔离"));
    assert!(texts[&Language::ZhCn].sms.contains("请立即到青松酒店隔离"));
    assert!(texts[&Language::En].instruction.contains("Shapingba will arrange it"));
    assert_eq!(draft(&[]).missing, ["isolation_site"]);
}

#[test]
fn what_tells_one_person_leaves_a_standing_that_a_negative_test_lifts() {
    for rule in SHIPPED.iter() {
        assert_eq!(rule.standing.is_some(), rule.audience == RuleAudience::Subject, "{}", rule.name);
        let Some(lifting) = rule.standing.as_ref().and_then(|standing| standing.lifted_by.as_ref()) else { continue };
        let condition = lifting.compile_condition().unwrap();
        for (result, lifts) in [("negative", true), ("positive", false)] {
            let test = record(RecordKind::TestResult, RiskLevel::Low, &[("result", result)]);
            assert_eq!(condition.matches(&Facts::of(&test, now())), Ok(lifts), "{} {result}", rule.name);
        }
    }
}
