//! What cells of lists call the values of attributes that the shipped rules ask for.
//!
//! A rule asks for `attributes.result == "positive"`; a laboratory writes 阳性. Without the one word for both nobody would be told.

use crate::digits::visible;

const VALUES: [(&str, &str, &[&str]); 3] = [
    ("result", "positive", &["阳性", "阳", "阳性（+）", "检出", "检出阳性"]),
    ("result", "negative", &["阴性", "阴", "阴性（-）", "未检出"]),
    ("hazard", "drinking_water", &["饮用水", "生活饮用水", "自来水", "饮用水污染", "自来水污染"]),
];

/// The word of the interface for the value of an attribute, if the cell says it in Chinese or capitalised otherwise.
#[must_use]
pub fn attribute_value(name: &str, cell: &str) -> Option<&'static str> {
    if VALUES.iter().all(|(attribute, ..)| *attribute != name) {
        return None;
    }
    let text = visible(cell).replace([' ', '\u{3000}', '\u{a0}'], "").replace('(', "（").replace(')', "）");
    let word = text.to_ascii_lowercase();
    let mut known = VALUES.iter().filter(|(attribute, ..)| *attribute == name);
    known.find(|(_, value, synonyms)| *value == word || synonyms.contains(&text.as_str())).map(|(_, value, _)| *value)
}

/// How a list may call the values of an attribute, the word that most people write first; none where it may say anything.
#[must_use]
pub fn known_values(name: &str) -> Vec<&'static str> {
    VALUES.iter().filter(|(attribute, ..)| *attribute == name).map(|(_, _, synonyms)| synonyms[0]).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("result", "阳性", Some("positive"))]
    #[case("result", " 阳 性 ", Some("positive"))]
    #[case("result", "阳性(+)", Some("positive"))]
    #[case("result", "Positive", Some("positive"))]
    #[case("result", "未检出", Some("negative"))]
    #[case("result", "弱阳性", None)]
    #[case("result", "待复核", None)]
    #[case("hazard", "自来水", Some("drinking_water"))]
    #[case("note", "阳性", None)]
    fn a_value_is_known_by_what_people_write(#[case] name: &str, #[case] cell: &str, #[case] value: Option<&str>) {
        assert_eq!(attribute_value(name, cell), value);
    }

    #[test]
    fn no_word_of_one_attribute_means_two_things() {
        for (name, value, synonyms) in VALUES {
            for synonym in synonyms {
                assert_eq!(attribute_value(name, synonym), Some(value), "{synonym}");
            }
        }
        assert_eq!(known_values("result"), ["阳性", "阴性"]);
    }
}
