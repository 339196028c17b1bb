//! What a draft says and whom it tells, from the records that were gathered into it: a decision without I/O.
//!
//! A draft is one text for many people. A variable therefore has a value only where every record agrees; a record that
//! names no isolation or test site takes its district's. What differs stays open and a person decides, so nobody is
//! sent to another's isolation site.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::alert::{AlertContent, PlaceNote};
use domain::area::{Area, DistrictCode};
use domain::audience::{Audience, AudienceQuery, Selection};
use domain::language::Language;
use domain::place;
use domain::risk_record::AttributeValue;
use domain::rule::{RuleAudience, RuleFault, RuleVersion};
use domain::source_words;
use domain::template::Variables;

use crate::matching::Reason;

/// The city as English texts call it.
const CITY_NAME_EN: &str = "Chongqing";
/// Sources that a source note names; of more it gives the number.
const SOURCES_NAMED: usize = 3;
/// Characters of a source's name in a source note, which has 500.
const SOURCE_NAME_LIMIT: usize = 80;

/// A district's own values for variables, by name.
pub(crate) type DistrictFacts = BTreeMap<String, String>;

/// A draft, ready for review.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Draft {
    pub(crate) content: AlertContent,
    /// Variables without a value.
    pub(crate) missing: Vec<String>,
    pub(crate) audience: Audience,
}

/// The draft that a rule makes of these records, at least one, at `now`.
///
/// # Errors
/// The faults of the rule's templates; never for a saved version.
pub(crate) fn draft(
    rule: &RuleVersion,
    district: DistrictCode,
    facts: &DistrictFacts,
    reasons: &[Reason],
    time_zone: Tz,
    now: DateTime<Utc>,
) -> Result<Draft, Vec<RuleFault>> {
    let variables = common(reasons.iter().map(|reason| variables(reason, district, facts, time_zone)));
    let drafted = rule.draft_content(&variables, now)?;
    let mut content = drafted.content;
    content.place = place_note(reasons, &variables);
    content.source_note = source_note(rule, reasons);
    Ok(Draft { content, missing: drafted.missing, audience: audience(rule.audience, district, reasons) })
}

fn common(mut each: impl Iterator<Item = Variables>) -> Variables {
    let mut common = each.next().unwrap_or_default();
    for other in each {
        common.keep_common(&other);
    }
    common
}

/// What one record gives the variables. What the platform knows itself counts before what a source says.
fn variables(reason: &Reason, district: DistrictCode, facts: &DistrictFacts, time_zone: Tz) -> Variables {
    let mut variables = Variables::new();
    for (name, value) in facts {
        variables.set(name, value);
    }
    if let (None, Some(name)) = (reason.resident, place::name(reason.area)) {
        variables.set("place", name);
    }
    variables.set_attributes(&fit_for_a_text(&reason.attributes));
    variables.set("city", place::CITY_NAME);
    variables.set_in(Language::En, "city", CITY_NAME_EN);
    if let Some(district) = place::district(district) {
        variables.set("district", district.name);
        variables.set_in(Language::En, "district", district.name_en);
    }
    if let Some(township) = reason.area.township().and_then(place::township) {
        variables.set("township", township.name);
    }
    if let (Area::Community(_), Some(name)) = (reason.area, place::name(reason.area)) {
        variables.set("community", name);
    }
    let day = reason.occurred_at.with_timezone(&time_zone);
    variables.set("date", &day.format("%-m月%-d日").to_string());
    variables.set_in(Language::En, "date", &day.format("%-d %B").to_string());
    variables
}

/// The attributes without those whose words may stand in no official text: their places stay open, or take what the district says.
fn fit_for_a_text(attributes: &BTreeMap<String, AttributeValue>) -> BTreeMap<String, AttributeValue> {
    let fits = |value: &AttributeValue| match value {
        AttributeValue::Text(text) => source_words::may_stand_in_a_text(text),
        // a number to call is one without quotes, too
        AttributeValue::Number(number) => source_words::may_stand_in_a_text(&number.to_string()),
        AttributeValue::Bool(_) => true,
    };
    attributes.iter().filter(|(_, value)| fits(value)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The place, if all records are about the same one.
fn place_note(reasons: &[Reason], variables: &Variables) -> Option<PlaceNote> {
    let (first, others) = reasons.split_first()?;
    let one_place = first.resident.is_none() && others.iter().all(|other| other.resident.is_none() && other.area == first.area);
    if !one_place {
        return None;
    }
    let name = variables.get("place", Language::ZhCn).or_else(|| place::name(first.area))?.to_owned();
    Some(PlaceNote { name, area: first.area })
}

/// Where the information comes from (CQ2).
fn source_note(rule: &RuleVersion, reasons: &[Reason]) -> String {
    let sources: BTreeSet<&str> = reasons.iter().map(|reason| reason.source.as_str()).collect();
    let named: Vec<String> = sources.iter().take(SOURCES_NAMED).map(|source| source.chars().take(SOURCE_NAME_LIMIT).collect()).collect();
    let named = named.join("、");
    let more = if sources.len() > SOURCES_NAMED { format!("等 {} 家", sources.len()) } else { String::new() };
    format!("{} 条记录，来源：{named}{more}；规则：{} v{}", reasons.len(), rule.name, rule.version)
}

fn audience(audience: RuleAudience, district: DistrictCode, reasons: &[Reason]) -> Audience {
    let area = |reason: &Reason| match audience {
        RuleAudience::SubjectTownship => reason.area.township().map(Area::Township),
        RuleAudience::SubjectCommunity => Some(reason.area),
        RuleAudience::Subject | RuleAudience::RecordDistrict => Some(Area::District(district)),
    };
    if audience == RuleAudience::Subject {
        return Audience::Residents(reasons.iter().filter_map(|reason| reason.resident).map(|no| no.get()).collect());
    }
    let areas: BTreeSet<Area> = reasons.iter().filter_map(area).collect();
    let include = vec![Selection { areas: areas.into_iter().collect(), ..Selection::default() }];
    Audience::Query(AudienceQuery { include, exclude: Vec::new() })
}

#[cfg(test)]
mod tests {
    use domain::ids::ResidentNo;
    use domain::shipped::SHIPPED;
    use rstest::rstest;

    use super::*;

    const DISTRICT: &str = "500103";

    fn reason(resident: Option<u32>, area: &str, site: Option<&str>) -> Reason {
        let text = |value: &str| AttributeValue::Text(value.to_owned());
        Reason {
            resident: resident.map(ResidentNo::new),
            area: area.parse().unwrap(),
            source: "市疾控中心".to_owned(),
            occurred_at: "2026-11-20T17:30:00Z".parse().unwrap(),
            attributes: site.map(|site| ("isolation_site".to_owned(), text(site))).into_iter().collect(),
        }
    }

    fn drafted(rule: &RuleVersion, facts: &[(&str, &str)], reasons: &[Reason]) -> Draft {
        let facts = facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let now = "2026-11-21T00:00:00Z".parse().unwrap();
        draft(rule, DISTRICT.parse().unwrap(), &facts, reasons, Tz::Asia__Shanghai, now).unwrap()
    }

    fn saying(text: &str) -> RuleVersion {
        let mut rule = SHIPPED[0].clone();
        for texts in rule.content.texts.values_mut() {
            texts.body = text.to_owned();
        }
        rule
    }

    /// Where contacts are sent: agreed by all records, else the district's, else a person has to say.
    #[rstest]
    #[case::nobody_says(&[], &[None, None], "{isolation_site}")]
    #[case::the_district_says(&[("isolation_site", "区隔离点")], &[None, None], "区隔离点")]
    #[case::the_records_agree(&[("isolation_site", "区隔离点")], &[Some("酒店甲"), Some("酒店甲")], "酒店甲")]
    #[case::the_records_differ(&[("isolation_site", "区隔离点")], &[Some("酒店甲"), Some("酒店乙")], "{isolation_site}")]
    #[case::one_names_another_than_the_district(&[("isolation_site", "区隔离点")], &[Some("酒店甲"), None], "{isolation_site}")]
    fn an_isolation_site_is_named_only_if_it_is_everybodys(
        #[case] facts: &[(&str, &str)],
        #[case] sites: &[Option<&str>],
        #[case] expected: &str,
    ) {
        let reasons: Vec<_> = (1..).zip(sites).map(|(no, site)| reason(Some(no), DISTRICT, *site)).collect();
        let draft = drafted(&saying("{isolation_site}"), facts, &reasons);
        assert_eq!(draft.content.texts[&Language::ZhCn].body, expected);
        assert_eq!(draft.missing.is_empty(), !expected.contains('{'));
    }

    #[test]
    fn the_day_and_the_district_are_said_in_each_language_by_the_citys_clock() {
        let draft = drafted(&saying("{district} {date} {city}"), &[], &[reason(Some(1), DISTRICT, Some("酒店甲"))]);
        assert_eq!(draft.content.texts[&Language::ZhCn].body, "渝中区 11月21日 重庆市");
        assert_eq!(draft.content.texts[&Language::En].body, "Yuzhong 21 November Chongqing");
    }

    #[rstest]
    #[case::a_link("evil.example/登记")]
    #[case::a_number_to_call("致电023-63636363")]
    #[case::personal_data("张三 13800138000")]
    fn a_source_leads_nobody_elsewhere_under_the_citys_name(#[case] site: &str) {
        let (rule, reasons) = (saying("{isolation_site}"), [reason(Some(1), DISTRICT, Some(site))]);
        let official = drafted(&rule, &[("isolation_site", "区隔离点")], &reasons);
        assert_eq!(official.content.texts[&Language::ZhCn].body, "区隔离点", "the district's own word stands");
        let open = drafted(&rule, &[], &reasons);
        assert_eq!(open.missing, ["isolation_site"], "and where it has none, a person fills it in");
    }

    #[test]
    fn a_source_cannot_rename_the_district() {
        let mut named = reason(Some(1), DISTRICT, None);
        named.attributes.insert("district".to_owned(), AttributeValue::Text("别处".to_owned()));
        assert_eq!(drafted(&saying("{district}"), &[], &[named]).content.texts[&Language::ZhCn].body, "渝中区");
    }

    #[rstest]
    #[case::persons(RuleAudience::Subject, r#"{"residents":[1,2]}"#)]
    #[case::townships(
        RuleAudience::SubjectTownship,
        r#"{"query":{"include":[{"areas":["500103001","500103002"],"industries":[],"languages":[]}],"exclude":[]}}"#
    )]
    #[case::communities(
        RuleAudience::SubjectCommunity,
        r#"{"query":{"include":[{"areas":["500103001001","500103002001"],"industries":[],"languages":[]}],"exclude":[]}}"#
    )]
    #[case::the_district(
        RuleAudience::RecordDistrict,
        r#"{"query":{"include":[{"areas":["500103"],"industries":[],"languages":[]}],"exclude":[]}}"#
    )]
    fn a_rule_tells_those_whom_it_names(#[case] tells: RuleAudience, #[case] expected: &str) {
        let rule = RuleVersion { audience: tells, ..SHIPPED[0].clone() };
        let reasons = [("500103001001", 1), ("500103002001", 2), ("500103001001", 2)].map(|(area, no)| reason(Some(no), area, None));
        let expected: Audience = serde_json::from_str(expected).unwrap();
        assert_eq!(drafted(&rule, &[], &reasons).audience, expected);
    }

    #[test]
    fn a_draft_about_one_place_names_it_and_one_about_two_does_not() {
        let rule = saying("{place}");
        let mut market = reason(None, "500103001", None);
        market.attributes.insert("place".to_owned(), AttributeValue::Text("农贸市场".to_owned()));
        let draft = drafted(&rule, &[], std::slice::from_ref(&market));
        assert_eq!(draft.content.place, Some(PlaceNote { name: "农贸市场".to_owned(), area: market.area }));
        let two = drafted(&rule, &[], &[market, reason(None, "500103002", None)]);
        assert_eq!((two.content.place, two.missing.contains(&"place".to_owned())), (None, true));
    }

    #[test]
    fn the_source_note_counts_what_it_does_not_name_and_fits() {
        let reasons: Vec<_> = (0..5)
            .map(|number| Reason { source: format!("{number}{}", "报送单位".repeat(50)), ..reason(Some(number), DISTRICT, None) })
            .collect();
        let draft = drafted(&SHIPPED[0], &[("isolation_site", "区隔离点")], &reasons);
        assert!(draft.content.source_note.starts_with("5 条记录，来源：0报送单位"), "{}", draft.content.source_note);
        assert!(draft.content.source_note.contains("等 5 家；规则：密切接触者：立即隔离 v1"), "{}", draft.content.source_note);
        assert_eq!(draft.content.validate("2026-11-21T00:00:00Z".parse().unwrap()), Ok(()));
    }
}
