//! The passage of a text that a reviewer's reason is about, and the marks of the checklist.

use domain::language::Language;
use platform::http::FieldFault;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Error;

/// Longest quote, in characters: a passage, not the text.
const LONGEST_QUOTE: usize = 300;
/// Marks of a checklist at most, and the characters of one.
const MOST_MARKS: usize = 20;
const LONGEST_MARK: usize = 64;

/// A passage of an alert's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Passage {
    /// In which language's text.
    pub(crate) language: Language,
    /// In which part of it.
    pub(crate) field: TextField,
    /// The words themselves.
    pub(crate) quote: String,
}

domain::words! {
    /// A part of a language's text.
    pub(crate) enum TextField {
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

/// Refuses what is too long to be a passage or a mark.
pub(crate) fn check(passage: Option<&Passage>, checked: &[String]) -> Result<(), Error> {
    let mut faults = Vec::new();
    if passage.is_some_and(|passage| passage.quote.trim().is_empty() || passage.quote.chars().count() > LONGEST_QUOTE) {
        faults.push(FieldFault::new(
            "passage.quote",
            format!("请标注 1 至 {LONGEST_QUOTE} 个字"),
            format!("mark 1 to {LONGEST_QUOTE} characters"),
        ));
    }
    if checked.len() > MOST_MARKS || checked.iter().any(|mark| mark.is_empty() || mark.chars().count() > LONGEST_MARK) {
        faults.push(FieldFault::new("checked", "核对项过多或过长", "has too many or too long marks"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}
