//! People who are named in an alert by hand, without a record (CQ2, CQ8). In Zhengzhou 1,317 people were given a red code by officials who had no evidence: here
//! somebody who names people writes down why, and the auditor reads it.

use crate::cap::Status;

/// Shortest justification, in characters: a word explains nothing.
pub const SHORTEST: usize = 10;
/// Longest justification, in characters.
pub const LONGEST: usize = 500;

/// Why a justification is not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unjustified {
    /// There is none.
    #[error("people are named without a record and without a reason")]
    Missing,
    /// It has this many characters.
    #[error("a justification has {SHORTEST} to {LONGEST} characters, this one {0}")]
    Length(usize),
}

/// The justification of an alert of this status that names people by hand; none where none is needed: an exercise asks nobody for anything.
///
/// # Errors
/// When it is needed and missing, or is no sentence.
pub fn justified(status: Status, said: Option<&str>) -> Result<Option<&str>, Unjustified> {
    match said.map(str::trim).filter(|said| !said.is_empty()) {
        None if status == Status::Actual => Err(Unjustified::Missing),
        None => Ok(None),
        Some(said) => match said.chars().count() {
            SHORTEST..=LONGEST => Ok(Some(said)),
            length => Err(Unjustified::Length(length)),
        },
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing_said(Status::Actual, None, Err(Unjustified::Missing))]
    #[case::spaces(Status::Actual, Some("   "), Err(Unjustified::Missing))]
    #[case::a_word(Status::Actual, Some("需要"), Err(Unjustified::Length(2)))]
    #[case::a_sentence(Status::Actual, Some(" 流调名单尚未入库，先行通知 "), Ok(Some("流调名单尚未入库，先行通知")))]
    #[case::an_exercise(Status::Exercise, None, Ok(None))]
    fn whoever_names_people_says_why(
        #[case] status: Status,
        #[case] said: Option<&str>,
        #[case] expected: Result<Option<&str>, Unjustified>,
    ) {
        assert_eq!(justified(status, said), expected);
    }
}
