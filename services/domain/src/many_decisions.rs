//! Decisions about many alerts at once: only about what was looked at, each for itself.
//!
//! Thirty alerts wait on a bad morning, and one mark over all of them would be no review. So each has been before whoever decides, whole and in this
//! version; and what happens once only, or holds whatever the version is, is not taken in passing.

use strum::AsRefStr;

use crate::alert_state::Action;

/// Decisions that are taken at once at most: as many as somebody has read with care in one sitting.
pub const MOST: usize = 30;

/// Why a decision is not taken with others. The text is for the person who tried; `as_ref()` is a code for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, AsRefStr)]
#[strum(serialize_all = "snake_case")]
pub enum Refusal {
    /// It is no review.
    #[error("“{}”不能成批处理，请打开这条弹窗单独处理", .0.title())]
    NotInBulk(Action),
    /// This version was not before them.
    #[error("您还没有看过这条弹窗的当前版本，请先打开全文看过再决定")]
    NotLookedAt,
    /// It stands twice among the decisions.
    #[error("这条弹窗在本次提交中出现了两次，只按第一次处理")]
    Twice,
}

/// Whether a decision is taken among others: about an alert of this version, of which somebody has looked at `looked_at`, and about which the same
/// request may have decided `already`.
///
/// # Errors
/// Why not.
pub fn permit(action: Action, version: Option<i32>, looked_at: Option<i32>, already: bool) -> Result<(), Refusal> {
    match (version, looked_at) {
        _ if !action.reviews() => Err(Refusal::NotInBulk(action)),
        _ if already => Err(Refusal::Twice),
        (Some(version), Some(looked_at)) if version == looked_at => Ok(()),
        _ => Err(Refusal::NotLookedAt),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::looked_at(Action::PassDistrict, Some(3), Some(3), false, Ok(()))]
    #[case::a_return(Action::ReturnCity, Some(3), Some(3), false, Ok(()))]
    #[case::never_looked_at(Action::Approve, Some(3), None, false, Err(Refusal::NotLookedAt))]
    #[case::changed_since(Action::Approve, Some(4), Some(3), false, Err(Refusal::NotLookedAt))]
    #[case::no_version(Action::Approve, None, Some(3), false, Err(Refusal::NotLookedAt))]
    #[case::twice(Action::Approve, Some(3), Some(3), true, Err(Refusal::Twice))]
    #[case::stopping(Action::Stop, None, None, false, Err(Refusal::NotInBulk(Action::Stop)))]
    #[case::cancelling(Action::Cancel, Some(3), Some(3), false, Err(Refusal::NotInBulk(Action::Cancel)))]
    #[case::handing_in(Action::Submit, Some(3), Some(3), false, Err(Refusal::NotInBulk(Action::Submit)))]
    fn many_are_decided_only_after_each_was_looked_at(
        #[case] action: Action,
        #[case] version: Option<i32>,
        #[case] looked_at: Option<i32>,
        #[case] already: bool,
        #[case] expected: Result<(), Refusal>,
    ) {
        assert_eq!(permit(action, version, looked_at, already), expected);
    }
}
