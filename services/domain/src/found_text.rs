//! Finding an alert again by words that stand in it: what is put into the index, and what somebody looks for.
//!
//! Chinese has no spaces, so texts are indexed by neighbouring characters: pairs of Chinese ones, threes of letters and digits, of which single ones
//! and pairs would stand in every text. Whatever the index finds is looked at again for the words themselves ([`Wanted::stands_in`]), so
//! two pieces that share a number find nothing that is not there. There are no wildcards: every character means itself.

use std::collections::BTreeSet;

use crate::alert::AlertContent;
use crate::ids::{AlertId, ShortCode};
use crate::privacy;

/// The longest question that is looked at, in characters; more of it is passed over.
pub const LONGEST: usize = 200;
/// Words of a question at most.
const MOST_WORDS: usize = 8;
/// The shortest word, in characters.
const SHORTEST: usize = 2;
/// Pieces of a text that are indexed at most: that many different ones hold some ten pages.
const MOST_PIECES: usize = 4_096;

/// The words of an alert that are looked for, as they are compared. Personal data that a draft holds by mistake is left out, and no person that an
/// alert names by number stands in it.
#[must_use]
pub fn of_alert(content: &AlertContent) -> String {
    let mut said = String::new();
    for text in content.texts.values() {
        for part in [&text.headline, &text.body, &text.instruction, &text.sms] {
            said.push_str(&without_persons(part, &content.contact));
            said.push('\n');
        }
    }
    for part in [Some(content.contact.as_str()), content.place.as_ref().map(|place| place.name.as_str())].into_iter().flatten() {
        said.push_str(&without_persons(part, &content.contact));
        said.push('\n');
    }
    normal(&said)
}

/// A question as a trace may tell of it that is never erased: no longer than one that is looked at, and without what tells of a person.
#[must_use]
pub fn told_of(question: &str) -> String {
    without_persons(&question.chars().take(LONGEST).collect::<String>(), "").replace('\n', "…")
}

/// The text with what tells of a person taken out.
fn without_persons(text: &str, contact: &str) -> String {
    let mut rest = text.to_owned();
    // from the end, and two that lie over each other once
    let mut from = text.len();
    for finding in privacy::find(text, contact).into_iter().rev() {
        let end = finding.range.end.min(from);
        if finding.range.start < end {
            rest.replace_range(finding.range.start..end, "\n");
            from = finding.range.start;
        }
    }
    rest
}

/// As it is compared: small letters, everything in its usual width, one kind of space.
fn normal(text: &str) -> String {
    let usual_width = |letter: char| match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        '\u{3000}' => ' ',
        _ => letter,
    };
    text.chars().map(usual_width).flat_map(char::to_lowercase).collect()
}

/// The pieces of a normal text, as numbers for an index, each once.
#[must_use]
pub fn pieces(normal: &str) -> Vec<i32> {
    let mut found = BTreeSet::new();
    for word in normal.split(char::is_whitespace) {
        let letters: Vec<char> = word.chars().collect();
        for at in 0..letters.len() {
            if found.len() >= MOST_PIECES {
                break;
            }
            found.extend(piece(&letters[at..]));
        }
    }
    found.into_iter().collect()
}

/// The piece that begins here: two characters, three where both are letters or digits of an alphabet.
fn piece(letters: &[char]) -> Option<i32> {
    let [first, second, rest @ ..] = letters else { return None };
    let alphabetic = |letter: char| letter.is_ascii_alphanumeric();
    if alphabetic(*first) && alphabetic(*second) {
        let third = rest.first().copied().filter(|third| alphabetic(*third))?;
        return Some(number(&[*first, *second, third]));
    }
    Some(number(&[*first, *second]))
}

/// FNV-1a of the characters, as a number that a table keeps.
fn number(letters: &[char]) -> i32 {
    let hash = letters
        .iter()
        .flat_map(|letter| u32::from(*letter).to_le_bytes())
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.cast_signed()
}

/// What somebody looks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    words: Vec<String>,
}

impl Wanted {
    /// Reads a question: words set apart by spaces, all of which have to be found. Single characters are passed over, and so is what is longer
    /// than anybody types.
    #[must_use]
    pub fn read(question: &str) -> Self {
        let kept: String = normal(&question.chars().take(LONGEST).filter(|letter| *letter != '\0').collect::<String>());
        let mut words: Vec<String> = Vec::new();
        for word in kept.split(char::is_whitespace).filter(|word| word.chars().count() >= SHORTEST) {
            if words.len() < MOST_WORDS && !words.iter().any(|known| known == word) {
                words.push(word.to_owned());
            }
        }
        Self { words }
    }

    /// Whether nothing is looked for.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.words.is_empty()
    }

    /// The pieces that all have to be in the index. None, although something is looked for: its words are too short to have any, and are looked for in
    /// the newest alerts only.
    #[must_use]
    pub fn pieces(&self) -> Vec<i32> {
        self.words.iter().flat_map(|word| pieces(word)).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Whether all words stand in a text that is normal.
    #[must_use]
    pub fn stands_in(&self, normal: &str) -> bool {
        self.words.iter().all(|word| normal.contains(word.as_str()))
    }

    /// The alert that the question names by its id.
    #[must_use]
    pub fn alert(&self) -> Option<AlertId> {
        let [word] = self.words.as_slice() else { return None };
        word.parse().ok()
    }

    /// The short code that the question may be.
    #[must_use]
    pub fn short_code(&self) -> Option<ShortCode> {
        let [word] = self.words.as_slice() else { return None };
        word.to_uppercase().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::alert::sample::content;

    fn is_found(question: &str) -> bool {
        let said = of_alert(&content());
        let wanted = Wanted::read(question);
        let indexed = pieces(&said);
        let by_index = wanted.pieces().iter().all(|piece| indexed.contains(piece));
        assert!(by_index || !wanted.stands_in(&said), "what stands there is found by the index: {question}");
        !wanted.is_nothing() && wanted.stands_in(&said)
    }

    #[rstest]
    #[case::two_characters("隔离", true)]
    #[case::a_place("渝州宾馆", true)]
    #[case::two_words("渝州 口罩", true)]
    #[case::one_of_two("渝州 撤离", false)]
    #[case::english_in_capitals("ISOLATE", true)]
    #[case::full_width("Ｉｓｏｌａｔｅ", true)]
    #[case::a_number("63840000", true)]
    #[case::with_its_dash("023-6384", true)]
    #[case::another_number("63840001", false)]
    #[case::a_wildcard("隔%离", false)]
    #[case::another("隔_", false)]
    #[case::a_star("*离", false)]
    #[case::one_character("隔", false)]
    #[case::nothing("   ", false)]
    #[case::the_other_way_round("离隔", false)]
    fn an_alert_is_found_by_words_that_stand_in_it(#[case] question: &str, #[case] found: bool) {
        assert_eq!(is_found(question), found);
    }

    #[test]
    fn ten_thousand_characters_are_a_short_question() {
        let wanted = Wanted::read(&"隔离%".repeat(10_000));
        assert!(wanted.pieces().len() <= LONGEST);
        assert!(Wanted::read(&"居家 撤离 ".repeat(5_000)).words.len() <= MOST_WORDS);
    }

    #[test]
    fn personal_data_in_a_draft_does_not_enter_the_index() {
        let mut content = content();
        content.texts.get_mut(&crate::language::Language::ZhCn).unwrap().body = "请联系 13812345678 或 500103199001011234".into();
        let said = of_alert(&content);
        assert!(!said.contains("13812345678") && !said.contains("500103199001011234"), "{said}");
        assert!(said.contains("请联系"));
    }

    #[test]
    fn a_trace_tells_of_a_question_without_the_person_in_it() {
        assert_eq!(told_of("市场 消杀"), "市场 消杀");
        let told = told_of("居家 13812345678");
        assert!(told.starts_with("居家") && !told.contains("13812345678"), "{told}");
        assert!(told_of(&"隔离".repeat(10_000)).chars().count() <= LONGEST);
    }

    #[rstest]
    #[case("ab3c", true)]
    #[case("AB3C", true)]
    #[case("AB3C AB3D", false)]
    fn a_short_code_is_read_whatever_its_case(#[case] question: &str, #[case] found: bool) {
        assert_eq!(Wanted::read(question).short_code().is_some(), found);
    }

    #[test]
    fn an_id_is_read_as_one() {
        let id = AlertId::new();
        assert_eq!(Wanted::read(&format!("  {id} ")).alert(), Some(id));
    }

    proptest! {
        /// The index passes over nothing that stands in the text.
        #[test]
        fn whatever_stands_in_a_text_is_found_by_the_index(text in "[a-c居家隔离 \\-.0-2]{0,60}", from in 0_usize..60, length in 2_usize..12) {
            let said = normal(&text);
            let letters: Vec<char> = said.chars().collect();
            let part: String = letters.iter().skip(from).take(length).collect();
            let wanted = Wanted::read(&part);
            let indexed = pieces(&said);
            prop_assert!(wanted.pieces().iter().all(|piece| indexed.contains(piece)));
        }

        #[test]
        fn any_question_is_read(question in any::<String>()) {
            let wanted = Wanted::read(&question);
            let _ = (wanted.pieces(), wanted.alert(), wanted.short_code(), wanted.stands_in(&question));
        }
    }
}
