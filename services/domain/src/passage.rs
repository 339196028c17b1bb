//! A passage of an alert's text: the words that a reason or a comment is about, and whether they still stand there.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::alert::{AlertContent, AlertText};
use crate::language::Language;
use crate::privacy;

/// Longest quote, in characters: a passage, not the text.
pub const LONGEST_QUOTE: usize = 300;

/// A passage of an alert's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Passage {
    /// In which language's text.
    pub language: Language,
    /// In which part of it.
    pub field: TextField,
    /// The words themselves.
    pub quote: String,
}

crate::words! {
    /// A part of a language's text.
    pub enum TextField {
        /// The line seen first.
        Headline,
        /// What happened.
        Body,
        /// What to do.
        Instruction,
        /// The short form.
        Sms,
    }
}

impl TextField {
    /// What stands in this part.
    #[must_use]
    pub fn of(self, text: &AlertText) -> &str {
        match self {
            Self::Headline => &text.headline,
            Self::Body => &text.body,
            Self::Instruction => &text.instruction,
            Self::Sms => &text.sms,
        }
    }
}

impl Passage {
    /// Whether it is one: some words, not too many.
    #[must_use]
    pub fn is_one(&self) -> bool {
        !self.quote.trim().is_empty() && self.quote.chars().count() <= LONGEST_QUOTE
    }

    /// Whether somebody can be recognised from it. It is kept when the text has long been mended, so such words are not quoted; numbers that stand in
    /// `contact`, whom the alert names to be asked, may be.
    #[must_use]
    pub fn names_somebody(&self, contact: &str) -> bool {
        !privacy::find(&self.quote, contact).is_empty()
    }

    /// Whether the words stand in what the alert says. How they are broken into lines and spaced is no matter: a browser marks other blanks
    /// than were written.
    #[must_use]
    pub fn stands_in(&self, content: &AlertContent) -> bool {
        let without_blanks = |text: &str| text.split_whitespace().collect::<String>();
        let text = content.texts.get(&self.language);
        text.is_some_and(|text| without_blanks(self.field.of(text)).contains(&without_blanks(&self.quote)))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::alert::sample::content;

    fn passage(language: Language, field: TextField, quote: &str) -> Passage {
        Passage { language, field, quote: quote.into() }
    }

    #[rstest]
    #[case::its_words(Language::ZhCn, TextField::Instruction, "渝州宾馆隔离点", true)]
    #[case::other_line_breaks(Language::En, TextField::Instruction, "isolation site\n  at Yuzhou Hotel", true)]
    #[case::words_of_another_part(Language::ZhCn, TextField::Headline, "渝州宾馆隔离点", false)]
    #[case::words_of_another_language(Language::En, TextField::Instruction, "渝州宾馆隔离点", false)]
    #[case::other_words(Language::ZhCn, TextField::Instruction, "渝州酒店", false)]
    fn a_passage_stands_where_its_words_do(
        #[case] language: Language,
        #[case] field: TextField,
        #[case] quote: &str,
        #[case] stands: bool,
    ) {
        assert_eq!(passage(language, field, quote).stands_in(&content()), stands);
    }

    #[rstest]
    #[case::a_phone_number("请拨打 13800138000", true)]
    #[case::whom_the_alert_names("请拨打 13912345678", false)]
    #[case::words("请前往渝州宾馆隔离点", false)]
    fn words_that_name_somebody_are_not_quoted(#[case] quote: &str, #[case] names_somebody: bool) {
        assert_eq!(passage(Language::ZhCn, TextField::Body, quote).names_somebody("值班 139 1234 5678"), names_somebody);
    }

    #[test]
    fn a_passage_goes_with_its_language() {
        let mut content = content();
        let english = passage(Language::En, TextField::Headline, "isolate at once");
        assert!(english.stands_in(&content));
        content.texts.remove(&Language::En);
        assert!(!english.stands_in(&content));
    }

    #[rstest]
    #[case::blanks(" \n ", false)]
    #[case::a_word("宾馆", true)]
    #[case::as_many_as_may_be(&"长".repeat(300), true)]
    #[case::one_more(&"长".repeat(301), false)]
    fn a_passage_is_some_words_and_not_the_text(#[case] quote: &str, #[case] is_one: bool) {
        assert_eq!(passage(Language::ZhCn, TextField::Body, quote).is_one(), is_one);
    }
}
