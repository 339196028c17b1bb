//! Conditions as their authors write them, well and badly.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::area::Area;
use crate::ids::ResidentNo;
use crate::risk_record::{AttributeValue, Origin, RecordKind, RiskLevel, Subject};

fn now() -> DateTime<Utc> {
    "2026-11-20T20:00:00+08:00".parse().unwrap()
}

/// Somebody was at a market two days ago.
fn record() -> RiskRecord {
    RiskRecord {
        source_id: "visit-1".into(),
        kind: RecordKind::PlaceVisited,
        origin: Origin::Analysis,
        occurred_at: "2026-11-18T20:00:00+08:00".parse().unwrap(),
        subject: Subject::Resident(ResidentNo::new(17)),
        level: RiskLevel::High,
        district: "500106".parse().unwrap(),
        attributes: BTreeMap::from([
            ("place".to_owned(), AttributeValue::Text("三峡广场".to_owned())),
            ("hours_there".to_owned(), AttributeValue::Number(1.5)),
            ("visits".to_owned(), AttributeValue::Number(2.0)),
            ("masked".to_owned(), AttributeValue::Bool(false)),
            ("seat".to_owned(), AttributeValue::Text("12".to_owned())),
            ("room".to_owned(), AttributeValue::Text("1.10".to_owned())),
            ("alone".to_owned(), AttributeValue::Text("TRUE".to_owned())),
        ]),
    }
}

fn judge(source: &str) -> Result<bool, EvaluationError> {
    Condition::compile(source).unwrap().matches(&Facts::of(&record(), now()))
}

#[rstest]
#[case::everything("true", true)]
#[case::nothing("false", false)]
#[case::its_kind(r#"kind == "place_visited""#, true)]
#[case::another_kind(r#"kind != "place_visited""#, false)]
#[case::one_of_several_levels(r#"level in ["medium", "high"]"#, true)]
#[case::none_of_several_levels(r#"level in ["low", "medium"]"#, false)]
#[case::its_origin(r#"origin == "analysis" || origin == "grassroots""#, true)]
#[case::its_district(r#"district == "500106""#, true)]
#[case::part_of_a_code(r#"district.startsWith("5001")"#, true)]
#[case::young_enough("age_hours < 72", true)]
#[case::exactly_two_days("age_hours == 48.0 && age_hours <= 48", true)]
#[case::since_a_moment(r#"occurred_at >= timestamp("2026-11-18T00:00:00+08:00")"#, true)]
#[case::before_a_moment(r#"occurred_at < timestamp("2026-11-18T00:00:00Z")"#, false)]
#[case::a_text_attribute(r#"attributes.place == "三峡广场""#, true)]
#[case::part_of_a_text_attribute(r#"attributes.place.contains("广场")"#, true)]
#[case::a_number_with_a_fraction("attributes.hours_there > 1.25", true)]
#[case::a_number_against_a_whole_number("attributes.visits == 2 && attributes.visits >= 2", true)]
#[case::a_negative_number("attributes.visits > -1", true)]
#[case::a_yes_or_no("attributes.masked == false", true)]
#[case::a_text_read_as_text(r#"attributes.seat == "12" && attributes.room == "1.10" && attributes.room != "1.1""#, true)]
#[case::a_text_read_as_number("attributes.seat == 12 && attributes.seat < 12.5 && 3 < attributes.seat", true)]
#[case::a_number_read_as_text(r#"attributes.visits == "2" && attributes["hours_there"] == "1.5""#, true)]
#[case::a_text_read_as_a_yes("attributes.alone == true", true)]
#[case::a_text_among_texts(r#"attributes.seat in ["11", "12"]"#, true)]
#[case::a_text_among_numbers("attributes.seat in [11, 12]", true)]
#[case::a_number_among_texts(r#"attributes.visits in ["1", "2"]"#, true)]
#[case::two_attributes(r#"attributes.seat == attributes.room"#, false)]
#[case::with_a_field("attributes.hours_there < age_hours", true)]
#[case::by_its_name_in_brackets(r#"attributes["place"] != """#, true)]
#[case::an_attribute_that_is_there(r#""place" in attributes"#, true)]
#[case::an_attribute_that_is_not(r#"!("result" in attributes)"#, true)]
#[case::one_thing_or_another(r#"level == "high" ? attributes.visits > 1 : false"#, true)]
#[case::missing_but_decided_already(r#"level == "high" || attributes.result == "positive""#, true)]
#[case::missing_and_decided_later(r#"attributes.result == "positive" || level == "high""#, true)]
#[case::missing_and_refused_anyway(r#"attributes.result == "positive" && level == "low""#, false)]
#[case::several_lines("level == \"high\"\n  && age_hours < 72.0", true)]
fn a_condition_is_decided(#[case] source: &str, #[case] expected: bool) {
    assert_eq!(judge(source), Ok(expected));
}

#[rstest]
#[case::missing_attribute(r#"attributes.result == "positive""#, EvaluationError::MissingAttribute("result".into()))]
#[case::missing_attribute_denied(r#"!(attributes.result == "positive")"#, EvaluationError::MissingAttribute("result".into()))]
#[case::missing_attribute_unequal(r#"attributes.result != "negative""#, EvaluationError::MissingAttribute("result".into()))]
#[case::missing_attribute_in_brackets(r#"attributes["result"] == "positive""#, EvaluationError::MissingAttribute("result".into()))]
#[case::missing_and_decides(r#"level == "high" && attributes.result == "positive""#, EvaluationError::MissingAttribute("result".into()))]
#[case::home_not_known(r#"community == "500106001001""#, EvaluationError::MissingField("community".into()))]
#[case::text_compared_with_number("attributes.place > 3", EvaluationError::WrongKind)]
#[case::number_used_as_text(r#"attributes.visits.startsWith("2")"#, EvaluationError::WrongKind)]
fn a_record_that_lacks_what_decides_does_not_match(#[case] source: &str, #[case] expected: EvaluationError) {
    assert_eq!(judge(source), Err(expected));
}

#[rstest]
#[case::unknown_field("age_hours < 72 && place == \"x\"", 1, 19, "place")]
#[case::unknown_field_on_the_next_line("level == \"high\" &&\n  vaccinated", 2, 3, "vaccinated")]
#[case::unknown_field_behind_chinese(r#"attributes.place == "三峡广场" && where == 1"#, 1, 31, "where")]
#[case::a_word_the_field_never_has(r#"level == "hihg""#, 1, 10, "low、medium、high")]
#[case::a_word_in_a_list(r#"kind in ["case", "kase"]"#, 1, 18, "kase")]
#[case::no_district_code(r#"district == "渝中区""#, 1, 13, "6 位")]
#[case::levels_have_no_order(r#"level >= "medium""#, 1, 1, "in [")]
#[case::no_result("attributes.masked", 1, 11, "真或假")]
#[case::a_text_for_a_result("level", 1, 1, "真或假")]
#[case::a_number_for_a_result("1", 1, 1, "真或假")]
#[case::a_text_on_one_side(r#"level == "high" && "yes""#, 1, 20, "真假值")]
#[case::a_number_with_a_text(r#"age_hours == "old""#, 1, 11, "比较")]
#[case::arithmetic("age_hours + 1 < 3", 1, 11, "“+”")]
#[case::a_function("matches(level, \"h.*\")", 1, 8, "matches")]
#[case::a_method(r#"level.matches("h.*")"#, 1, 14, "matches")]
#[case::a_loop("attributes.all(a, true)", 1, 15, "all")]
#[case::presence_by_macro("has(attributes.place)", 1, 4, "has")]
#[case::a_type("type(level) == string", 1, 5, "type")]
#[case::below_a_field("level.name == \"x\"", 1, 6, ".name")]
#[case::below_an_attribute("attributes.place.name == \"x\"", 1, 17, ".name")]
#[case::an_index_that_is_computed("attributes[level] == 1", 1, 11, "[")]
#[case::a_time_that_is_none(r#"occurred_at > timestamp("yesterday")"#, 1, 25, "timestamp")]
#[case::optional_syntax("attributes.?place == 1", 1, 11, "语法错误")]
#[case::a_list_for_a_result("[true]", 1, 1, "列表")]
#[case::null("attributes.place == null", 1, 21, "null")]
#[case::half_a_sentence("level ==", 1, 9, "语法错误")]
#[case::syntax_behind_chinese(r#"attributes.place == "三峡广场" &&& true"#, 1, 30, "语法错误")]
#[case::no_cel("level = \"high\"", 1, 7, "语法错误")]
#[case::nothing("  ", 1, 1, "为空")]
fn a_faulty_condition_is_refused_where_the_fault_is(#[case] source: &str, #[case] line: u32, #[case] column: u32, #[case] says: &str) {
    let error = Condition::compile(source).unwrap_err();
    assert!(error.message.contains(says), "{error}");
    assert_eq!((error.line, error.column), (line, column), "{error}");
}

#[test]
fn a_source_may_be_long_but_not_endless_and_not_endlessly_deep() {
    let long = |terms: usize| vec!["age_hours < 72"; terms].join(" || ");
    assert!(Condition::compile(&long(200)).is_ok());
    assert!(Condition::compile(&long(300)).unwrap_err().message.contains("4096"));
    let deep = format!("{}true{}", "(".repeat(2000), ")".repeat(2000));
    assert!(Condition::compile(&deep).unwrap_err().message.contains("语法错误"));
}

#[test]
fn a_place_knows_its_community() {
    let report = RiskRecord { subject: Subject::Place("500106001001".parse::<Area>().unwrap()), ..record() };
    let condition = Condition::compile(r#"community == "500106001001" && township == "500106001""#).unwrap();
    assert_eq!(condition.matches(&Facts::of(&report, now())), Ok(true));
}

#[test]
fn samples_show_what_a_condition_does() {
    let condition = Condition::compile(r#"level == "high" && attributes.place == "三峡广场""#).unwrap();
    let low = RiskRecord { level: RiskLevel::Low, ..record() };
    let bare = RiskRecord { attributes: BTreeMap::new(), ..record() };
    let lint = condition.lint(&[record(), low, bare], now());
    assert_eq!(lint.matched, [0]);
    assert_eq!(lint.unmatched, [1]);
    assert_eq!(lint.undecided, [(2, EvaluationError::MissingAttribute("place".into()))]);
}

fn unmet(source: &str) -> Vec<(String, Option<String>, Option<String>)> {
    let unmet = Condition::compile(source).unwrap().unmet(&Facts::of(&record(), now()));
    unmet.into_iter().map(|part| (part.wanted, part.found, part.lacks)).collect()
}

#[rstest]
#[case::a_field(r#"level == "low" && age_hours < 72"#, r#"level == "low""#, Some("high"), None)]
#[case::a_number("age_hours<24", "age_hours < 24", Some("48.0"), None)]
#[case::several_words(r#"level in ['low','medium']"#, r#"level in ["low", "medium"]"#, Some("high"), None)]
#[case::where_somebody_lives_is_not_told(r#"district.startsWith("5002")"#, r#"district.startsWith("5002")"#, None, None)]
#[case::the_value_of_an_attribute_is_not_shown("attributes.hours_there >= 2", "attributes.hours_there >= 2", None, None)]
#[case::nor_beside_a_field("attributes.hours_there > age_hours", "attributes.hours_there > age_hours", Some("48.0"), None)]
#[case::an_attribute_that_is_missing(r#"attributes.result == "positive""#, r#"attributes.result == "positive""#, None, Some("result"))]
#[case::a_home_that_nobody_knows(r#"community != "500106001001""#, r#"community != "500106001001""#, None, Some("community"))]
#[case::the_nearer_of_two(r#"kind == "case" && level == "low" || level == "medium""#, r#"level == "medium""#, Some("high"), None)]
#[case::what_is_denied(r#"!(level == "high" || "x" in attributes)"#, r#"!(level == "high" || "x" in attributes)"#, None, None)]
#[case::by_its_name_in_brackets(r#"attributes["place"] == "a\"b""#, r#"attributes["place"] == "a\"b""#, None, None)]
#[case::a_choice(r#"level == "high" ? attributes.visits > 5 : true"#, r#"(level == "high") ? (attributes.visits > 5) : true"#, None, None)]
fn the_part_that_is_not_met_is_told(#[case] source: &str, #[case] wanted: &str, #[case] found: Option<&str>, #[case] lacks: Option<&str>) {
    assert_eq!(unmet(source), [(wanted.to_owned(), found.map(String::from), lacks.map(String::from))]);
}

#[test]
fn all_parts_that_are_not_met_are_told_and_none_of_a_condition_that_holds() {
    assert_eq!(unmet(r#"level == "high" || attributes.result == "positive""#), []);
    let all = unmet(r#"level == "low" && age_hours < 72 && (origin == "grassroots" && attributes.visits > 5)"#);
    let wanted: Vec<&str> = all.iter().map(|(wanted, ..)| wanted.as_str()).collect();
    assert_eq!(wanted, [r#"level == "low""#, r#"origin == "grassroots""#, "attributes.visits > 5"]);
}

#[test]
fn conditions_and_facts_cross_threads() {
    const fn crosses<T: Send + Sync>() {}
    crosses::<Condition>();
    crosses::<Facts>();
}

proptest! {
    #[test]
    fn any_text_is_a_condition_or_refused_with_a_position(
        source in prop::collection::vec(
            prop::sample::select(vec![
                "level", "kind", "attributes", ".place", "age_hours", "\"high\"", "'三峡'", "==", "<", "&&", "||", "!", "(", ")", "[", "]", "{", "}", " in ",
                "?", ":", "1", "-2.5", "true", "null", ".", ",", "\n", " ", "has(", "timestamp(", "\\", "\"", "重", "😷", "\u{0}", "0x", "b'", "r\"", "//",
            ]),
            0..14,
        )
    ) {
        let source = source.concat();
        match Condition::compile(&source) {
            // Whatever was let through gives true, false, or a reason.
            Ok(condition) => {
                let facts = Facts::of(&record(), now());
                let unmet = condition.unmet(&facts);
                prop_assert_eq!(unmet.is_empty(), condition.matches(&facts) == Ok(true), "{:?}", unmet);
                for part in unmet {
                    let part = Condition::compile(&part.wanted).expect("a part of a condition is one");
                    prop_assert!(part.matches(&facts) != Ok(true));
                }
            }
            Err(error) => prop_assert!(error.line >= 1 && error.column >= 1),
        }
    }
}
