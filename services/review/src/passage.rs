//! The passage of a text that a reviewer's reason is about, and the marks of the checklist as pages sent them before items were answered.

use domain::passage::{LONGEST_QUOTE, Passage};
use platform::http::FieldFault;

use crate::Error;

/// Marks of a checklist at most, and the characters of one.
const MOST_MARKS: usize = 20;
const LONGEST_MARK: usize = 64;

/// Refuses what is no passage to be kept, or too many marks; `contact` is whom the alert names to be asked.
pub(crate) fn check(passage: Option<&Passage>, contact: &str, checked: &[String]) -> Result<(), Error> {
    let mut faults: Vec<_> = passage.and_then(|passage| fault(passage, contact)).into_iter().collect();
    if checked.len() > MOST_MARKS || checked.iter().any(|mark| mark.is_empty() || mark.chars().count() > LONGEST_MARK) {
        faults.push(FieldFault::new("checked", "核对项过多或过长", "has too many or too long marks"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

/// What is wrong with a passage.
pub(crate) fn fault(passage: &Passage, contact: &str) -> Option<FieldFault> {
    let (reason, english) = if !passage.is_one() {
        (format!("请标注 1 至 {LONGEST_QUOTE} 个字"), format!("mark 1 to {LONGEST_QUOTE} characters"))
    } else if passage.names_somebody(contact) {
        (
            "所标文字含个人信息，请改标旁边的文字并加以说明".to_owned(),
            "has personal data in it: mark the words beside it, and say so".to_owned(),
        )
    } else {
        return None;
    };
    Some(FieldFault::new("passage.quote", reason, english))
}
