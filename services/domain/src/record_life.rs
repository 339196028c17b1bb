//! The life of a risk record 风险记录 (CQ2, CQ6): its source corrects it 更正 or takes it back 撤回, by the id under which it delivered it.
//!
//! Every version stays. [`change`] decides what a correction does to what stands under an id; [`remedies`] what can be done about somebody whom
//! the old version had brought into an alert.

use crate::alert_state::State;

crate::words! {
    /// What a source says of a record that it delivered before.
    #[schema(as = RecordCorrection)]
    pub enum Correction {
        /// Another content takes its place.
        Replace => "更正",
        /// It was a mistake: nothing takes its place.
        Retract => "撤回",
    }
}

crate::words! {
    /// What is done about somebody who is in an alert by a record that holds no longer.
    pub enum Remedy {
        /// They are taken out of the audience, before anybody is told.
        LeaveOut => "移出受众",
        /// The alert stays as it is for everybody else. Who was told is told that it does not hold for them, who was not hears nothing of it.
        Withdraw => "撤销对其弹窗",
        /// The alert is corrected for everybody: who is left out of the correction is told that it does not hold for them.
        Correct => "更正弹窗",
        /// Nothing: it holds for them for another reason, or they were told otherwise.
        Stand => "维持",
    }
}

/// What can be done where an alert stands, what is right where few are concerned first. `names_people`: its audience is a list of people;
/// nobody can be taken out of an area by a record.
#[must_use]
pub const fn remedies(state: State, names_people: bool) -> &'static [Remedy] {
    match state {
        State::Draft | State::DistrictReview | State::CityReview | State::AwaitingConfirmation if names_people => {
            &[Remedy::LeaveOut, Remedy::Stand]
        }
        State::Approved | State::Dispatching | State::Active if names_people => &[Remedy::Withdraw, Remedy::Correct, Remedy::Stand],
        State::Approved | State::Dispatching | State::Active => &[Remedy::Correct, Remedy::Stand],
        State::Draft | State::DistrictReview | State::CityReview | State::AwaitingConfirmation | State::Closed => &[Remedy::Stand],
        // nobody is told by it any more, and who had heard it was told that it does not hold
        State::Refused | State::Cancelled | State::Superseded | State::AllClear => &[],
    }
}

/// Longest reason of a correction, in characters.
pub const REASON_LIMIT: usize = 500;

/// What stands under an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing<'a> {
    /// The hash of its content.
    pub content: &'a [u8; 32],
    /// It was taken back.
    pub retracted: bool,
}

/// What a source wants to stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// A content with this hash.
    Content(&'a [u8; 32]),
    /// Nothing.
    Nothing,
}

/// What becomes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// What is wanted stands there already.
    Repeated,
    /// A new version takes the place of what stands there, or of what was taken back.
    Replaced,
    /// It is taken back.
    Retracted,
}

/// There is nothing under this id: it may be mistyped, or the record may still be on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no record with this id")]
pub struct NoSuchRecord;

/// What a correction does.
///
/// # Errors
/// Without a record there is nothing to correct. Keeping the correction for a record that may come would hide a mistyped id: its sender would
/// believe that a wrong record is gone.
pub fn change(standing: Option<Standing<'_>>, wanted: Wanted<'_>) -> Result<Change, NoSuchRecord> {
    let standing = standing.ok_or(NoSuchRecord)?;
    Ok(match wanted {
        Wanted::Nothing if standing.retracted => Change::Repeated,
        Wanted::Nothing => Change::Retracted,
        Wanted::Content(content) if !standing.retracted && content == standing.content => Change::Repeated,
        Wanted::Content(_) => Change::Replaced,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const OLD: [u8; 32] = [1; 32];
    const NEW: [u8; 32] = [2; 32];

    const fn standing(retracted: bool) -> Option<Standing<'static>> {
        Some(Standing { content: &OLD, retracted })
    }

    #[rstest]
    #[case::before_anybody_is_told(State::CityReview, true, &[Remedy::LeaveOut, Remedy::Stand])]
    #[case::an_area_before_anybody_is_told(State::CityReview, false, &[Remedy::Stand])]
    #[case::approved_a_moment_ago(State::Approved, true, &[Remedy::Withdraw, Remedy::Correct, Remedy::Stand])]
    #[case::while_it_stands(State::Active, true, &[Remedy::Withdraw, Remedy::Correct, Remedy::Stand])]
    #[case::an_area_while_it_stands(State::Active, false, &[Remedy::Correct, Remedy::Stand])]
    #[case::when_it_is_over(State::Closed, true, &[Remedy::Stand])]
    #[case::when_it_was_taken_back(State::Cancelled, true, &[])]
    fn what_can_be_done_depends_on_who_was_told(#[case] state: State, #[case] names_people: bool, #[case] expected: &[Remedy]) {
        assert_eq!(remedies(state, names_people), expected);
    }

    #[rstest]
    #[case::another_content(standing(false), Wanted::Content(&NEW), Ok(Change::Replaced))]
    #[case::the_same_content(standing(false), Wanted::Content(&OLD), Ok(Change::Repeated))]
    #[case::taken_back(standing(false), Wanted::Nothing, Ok(Change::Retracted))]
    #[case::taken_back_twice(standing(true), Wanted::Nothing, Ok(Change::Repeated))]
    #[case::brought_back_as_it_was(standing(true), Wanted::Content(&OLD), Ok(Change::Replaced))]
    #[case::brought_back_otherwise(standing(true), Wanted::Content(&NEW), Ok(Change::Replaced))]
    #[case::nothing_to_correct(None, Wanted::Content(&NEW), Err(NoSuchRecord))]
    #[case::nothing_to_take_back(None, Wanted::Nothing, Err(NoSuchRecord))]
    fn a_correction_does_what_its_sender_means(
        #[case] standing: Option<Standing<'_>>,
        #[case] wanted: Wanted<'_>,
        #[case] becomes: Result<Change, NoSuchRecord>,
    ) {
        assert_eq!(change(standing, wanted), becomes);
    }
}
